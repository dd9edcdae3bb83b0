"""The errors of the ledger and of its schemas in both languages: what happened, what to do.

Invariants:
1. English is that of the class; Italian uses the same facts (both tested).
2. Sentences and hints begin small and end without a full stop: they stand inside lines.
3. Nothing here imports the classes: showing an error loads no further layer.

Source: ledger.errors, schemas.errors, consumers.subscription, projections.arithmetic; docs/cli.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.rules import rule_texts
from app.texts.text import Lang, Text, render
from app.texts.values import facts_in

_VERIFY: Final = Text(it="eseguire `registro verify`", en="run `registro verify`")

_COMMANDS: Final = {
    "ledger": (
        Text(it="il registro non può farlo", en="the ledger cannot do this"),
        Text(it="vedere docs/cli.md", en="see docs/cli.md"),
    ),
    "configuration": (
        Text(it="impostazione {setting}: {reason}", en="setting {setting}: {reason}"),
        Text(it="vedere `registro config show --origin`", en="see `registro config show --origin`"),
    ),
    "command": (
        Text(it="il comando non può essere eseguito", en="the command cannot be carried out"),
        Text(it="vedere docs/cli.md", en="see docs/cli.md"),
    ),
    "invalid_command": (
        Text(
            it="{subject}: il campo {field} ha il valore '{value}': {reason}",
            en="{subject}: field {field} has the value {value!r}: {reason}",
        ),
        Text(
            it="correggere il campo e ripetere il comando",
            en="correct the field and send the command again",
        ),
    ),
    # Shown only for a rule that this release does not know; else the rule's own texts are.
    "command_refused": (
        Text(it="rifiutato dalla regola {rule}: {detail}", en="refused by rule {rule}: {detail}"),
        Text(it="vedere la regola in docs/rules.md", en="see the rule in docs/rules.md"),
    ),
    "unknown_entity": (
        Text(
            it="non c'è nel registro: {kind} '{name}'",
            en="there is no {kind} {name!r} in this ledger",
        ),
        Text(it="cercare con `registro search`", en="look for it with `registro search`"),
    ),
    "wrong_expected_version": (
        Text(
            it="flusso {stream}: attesa la versione {expected}, trovata la {actual}",
            en="stream {stream}: expected version {expected}, found {actual}",
        ),
        Text(
            it="nel frattempo ha scritto qualcun altro: ripetere il comando",
            en="somebody else wrote meanwhile: repeat the command",
        ),
    ),
    "append_key_conflict": (
        Text(
            it="la chiave '{append_key}' è già stata usata per un altro contenuto "
            "(posizione {position})",
            en="key {append_key!r} was used before for other content (position {position})",
        ),
        Text(
            it="usare un'altra chiave, o registrare una correzione con `registro correct`",
            en="use a new key, or record a correction with `registro correct`",
        ),
    ),
}

_STORE: Final = {
    "store": (
        Text(it="archivio {store}: {reason}", en="store {store}: {reason}"),
        Text(it="vedere docs/operating.md", en="see docs/operating.md"),
    ),
    "store_unavailable": (
        Text(
            it="l'archivio {store} non si apre: {reason}",
            en="store {store} cannot be opened: {reason}",
        ),
        Text(
            it="controllare il percorso o l'URL dato con --ledger o REGISTRO_LEDGER",
            en="check the path or URL given with --ledger or REGISTRO_LEDGER",
        ),
    ),
    "store_locked": (
        Text(
            it="un altro programma sta scrivendo nell'archivio {store} (attesa: {seconds} s)",
            en="store {store} is being written by another process (waited {seconds} s)",
        ),
        Text(
            it="attendere che finisca e ripetere il comando",
            en="wait for the other writer to finish and repeat the command",
        ),
    ),
    "ledger_missing": (
        Text(it="in {store} non c'è un registro", en="there is no ledger at {store}"),
        Text(it="crearlo con `registro init`", en="create it with `registro init`"),
    ),
    "ledger_exists": (
        Text(it="in {store} c'è già un registro", en="there is a ledger already at {store}"),
        Text(it="scegliere un altro percorso con --ledger", en="choose another path with --ledger"),
    ),
    "store_format": (
        Text(
            it="l'archivio {store} ha il formato '{found}'; questa versione legge '{expected}'",
            en="store {store} has the format {found!r}; this release reads {expected!r}",
        ),
        Text(
            it="aprirlo con la versione che lo ha scritto, o vedere docs/operating.md, upgrade",
            en="open it with the release that wrote it, or see docs/operating.md, upgrade",
        ),
    ),
    "append_only": (
        Text(
            it="l'archivio {store} ha impedito di cambiare una registrazione: {reason}",
            en="store {store} refused to change a stored record: {reason}",
        ),
        Text(
            it="una correzione è un nuovo evento: `registro correct`",
            en="a correction is a new event: `registro correct`",
        ),
    ),
    "stored_event_decode": (
        Text(
            it="registrazione {position} di tipo {event_type}: {reason}",
            en="record {position} of type {event_type}: {reason}",
        ),
        _VERIFY,
    ),
}

_DATA: Final = {
    "import_refused": (
        Text(
            it="{folder}: problemi trovati: {count}; nulla è stato registrato",
            en="{folder}: {count} problems; nothing was recorded",
        ),
        Text(
            it="correggere le righe elencate, o importare quelle buone con --rows",
            en="mend the rows listed, or import the good rows with --rows",
        ),
    ),
    "dataset": (
        Text(it="cartella {folder}: {reason}", en="{folder}: {reason}"),
        Text(
            it="in docs/data-folder.md sono descritti i file di una cartella di dati",
            en="see docs/data-folder.md for the files of a data folder",
        ),
    ),
    "body_mismatch": (
        Text(
            it="questo registro è di '{expected}'; i dati sono di '{actual}'",
            en="this ledger belongs to {expected!r}; the data are of {actual!r}",
        ),
        Text(
            it="usare il registro di quell'ente, o crearne uno nuovo con `registro init --body`",
            en="use the ledger of that body, or `registro init --body` for a new one",
        ),
    ),
    "invalid_figure": (
        Text(
            it="cifra {figure}: il campo {field} ha il valore '{value}': {reason}",
            en="figure {figure}: field {field} has the value {value!r}: {reason}",
        ),
        Text(it="correggere la riga di figures.csv", en="correct the row of figures.csv"),
    ),
    "duplicate_figure": (
        Text(
            it="la cifra {figure} compare due volte, in {first} e in {second}",
            en="figure {figure} stands twice, at {first} and at {second}",
        ),
        Text(
            it="rinominare o togliere una delle due righe di figures.csv",
            en="rename or remove one of the two rows of figures.csv",
        ),
    ),
    "invalid_relation": (
        Text(
            it="relazione {relation}: il campo {field} ha il valore '{value}': {reason}",
            en="relation {relation}: field {field} has the value {value!r}: {reason}",
        ),
        Text(it="correggere la riga di relations.csv", en="correct the row of relations.csv"),
    ),
    "duplicate_relation": (
        Text(it="la relazione {relation} compare due volte", en="relation {relation} stands twice"),
        Text(
            it="rinominare o togliere una delle due righe di relations.csv",
            en="rename or remove one of the two rows of relations.csv",
        ),
    ),
}

_READING: Final = {
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

_SCHEMAS: Final = {
    "schema": (
        Text(it="lo schema non può essere usato", en="the schema cannot be used"),
        Text(it="vedere docs/formats/schema-id.md", en="see docs/formats/schema-id.md"),
    ),
    "unknown_schema": (
        Text(
            it="lo schema {schema} non è conosciuto: {reason}",
            en="schema {schema} is not known: {reason}",
        ),
        Text(
            it="aprire il registro con la versione che lo ha scritto, o registrare prima il testo "
            "dello schema",
            en="open the ledger with the release that wrote it, or register the schema's text "
            "first",
        ),
    ),
    "invalid_schema": (
        Text(it="schema non valido, {path}: {reason}", en="invalid schema, {path}: {reason}"),
        Text(
            it="correggere il testo dello schema; `python -m schemas check` elenca ogni problema",
            en="mend the schema's text; `python -m schemas check` lists every problem of the files",
        ),
    ),
    "incompatible_schema": (
        Text(
            it="schema {full_name}, in {path}: {reason}",
            en="schema {full_name}, {path}: {reason}",
        ),
        Text(
            it="un cambiamento incompatibile vuole un nome nuovo e un convertitore: vedere "
            "docs/adr/0003-schemas.md",
            en="a breaking change is a new full name and an upcaster, see docs/adr/0003-schemas.md",
        ),
    ),
    "encoding": (
        Text(
            it="contenuto di tipo {full_name}, campo {path}: {reason}",
            en="record of {full_name}, {path}: {reason}",
        ),
        Text(
            it="dare al campo un valore del tipo che lo schema prevede",
            en="give the field a value of the type that its schema names",
        ),
    ),
    "decoding": (
        Text(
            it="contenuto illeggibile di tipo {full_name}, in {path}: {reason}",
            en="body of {full_name}, {path}: {reason}",
        ),
        _VERIFY,
    ),
}

ERRORS: Final[Mapping[str, tuple[Text, Text]]] = MappingProxyType(
    {**_COMMANDS, **_STORE, **_DATA, **_READING, **_SCHEMAS}
)
"""Sentence and hint of every error by its code; templates over the facts of the error."""


def error_texts(error: Exception, lang: Lang) -> tuple[str, str]:
    """Return what happened and what to do; an error of no known code speaks for itself."""
    facts = getattr(error, "facts", None)
    texts = ERRORS.get(getattr(error, "code", ""))
    if texts is None or not isinstance(facts, Mapping):
        return str(error), ""
    named = {str(name): str(value) for name, value in facts.items()}
    if "rule" in named:
        of_rule = rule_texts(named["rule"], named, lang)
        if of_rule is not None:
            return of_rule
    translated = facts_in(named, lang)
    sentence, hint = texts
    return render(sentence.in_(lang), translated), render(hint.in_(lang), translated)
