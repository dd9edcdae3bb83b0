"""Texts of reading: errors of read models, projections and formulas.

The general module of texts takes them over, so that a reader of one finds all of them.

Source: ledger.errors; projections.arithmetic; consumers.subscription; docs/cli.md.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Text

_VERIFY: Final = Text(it="eseguire `registro verify`", en="run `registro verify`")

ERRORS_READING: Final[Mapping[str, tuple[Text, Text]]] = {
    "views_unavailable": (
        Text(
            it="i modelli di lettura {store} non si aprono: {reason}",
            en="read models {store} cannot be opened: {reason}",
        ),
        Text(
            it="controllare l'impostazione views (REGISTRO_VIEWS); senza, stanno accanto al "
            "registro",
            en="check the setting views (REGISTRO_VIEWS); without it they stand beside the ledger",
        ),
    ),
    "views_denied": (
        Text(
            it="i modelli di lettura {store} non si possono creare: {reason}",
            en="read models {store} cannot be made: {reason}",
        ),
        Text(
            it="con views (REGISTRO_VIEWS) indicare una base di dati di cui questo ruolo sia il "
            "proprietario; senza, stanno accanto al registro, dove solo il suo proprietario può "
            "crearli",
            en="set views (REGISTRO_VIEWS) to a database of which this role is the owner; without "
            "it they stand beside the ledger, where only the ledger's owner may make them",
        ),
    ),
    "read_model_moved": (
        Text(
            it="il modello di lettura {projection} non è più alla posizione {position}: lo ha "
            "spostato un altro processo",
            en="read model {projection} stands at {position} no more: another process moved it",
        ),
        Text(
            it="ripetere il comando; un processo alla volta ricostruisce un modello di lettura",
            en="repeat the command; one process at a time rebuilds a read model",
        ),
    ),
    "read_model_ahead": (
        Text(
            it="il modello di lettura {projection} è alla posizione {position}, ciò da cui si "
            "ricostruirebbe finisce alla {head}",
            en="read model {projection} is at position {position}, what it would be rebuilt from "
            "ends at {head}",
        ),
        Text(
            it="pubblicare ciò che manca con `registro publish --once`; accanto a un `catch-up` in "
            "funzione, fermarlo prima o ricostruire dal registro; dopo un ripristino, indicare "
            "altri modelli di lettura con l'impostazione views",
            en="publish what is missing with `registro publish --once`; beside a running "
            "`catch-up`, stop it first or rebuild from the ledger; after a restore, name other "
            "read models by the setting views",
        ),
    ),
    "projection": (
        Text(
            it="la lettura {projection} si è fermata alla registrazione {position}: {reason}",
            en="projection {projection} stopped at record {position}: {reason}",
        ),
        Text(
            it="eseguire `registro verify`; una lettura non salta mai un evento",
            en="run `registro verify`; a projection never skips an event",
        ),
    ),
    "formula": (
        Text(
            it="formula di {subject}, in {path}: {reason}",
            en="formula of {subject}, at {path}: {reason}",
        ),
        Text(
            it="in docs/indicators.md è descritto come si scrivono le formule",
            en="see docs/indicators.md for the formula language",
        ),
    ),
    "position_gap": (
        Text(
            it="dopo la posizione {after} viene la {found}: manca una registrazione",
            en="after position {after} comes {found}: a record is missing",
        ),
        _VERIFY,
    ),
}
"""Sentence and hint of every error by its code."""
