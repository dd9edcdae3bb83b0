"""Texts of folding beyond one process: rebuilds, and the live tail.

Source: projections.runner.engines, projections.tail; docs/production.md.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Text

ERRORS_ENGINES: Final[Mapping[str, tuple[Text, Text]]] = {
    "engine": (
        Text(
            it="motore {engine} presso {address}: {reason}",
            en="engine {engine} at {address}: {reason}",
        ),
        Text(
            it="controllare l'indirizzo e che i lavoratori siano in funzione; senza --engine basta "
            "questa macchina",
            en="check the address and that the workers run; without --engine this machine does it "
            "alone",
        ),
    ),
    "engine_missing": (
        Text(
            it="il motore {engine} non è installato: manca il modulo {module}",
            en="engine {engine} is not installed: there is no module {module}",
        ),
        Text(
            it="installarlo: pip install 'registro[{extra}]'",
            en="install it: pip install 'registro[{extra}]'",
        ),
    ),
    "worker_mismatch": (
        Text(
            it="lavoratore {worker}: {what} non è quello di questa macchina; le sue righe non si "
            "usano",
            en="worker {worker}: {what} is not that of this machine; its rows are not used",
        ),
        Text(
            it="dare a ogni lavoratore questa versione e un archivio con tutte le registrazioni",
            en="give every worker this release, and a store that holds every record of the ledger",
        ),
    ),
    "tail_release": (
        Text(
            it="la vista {projection} è alimentata da membri della versione {others}, questa è la "
            "{own}",
            en="read model {projection} is fed by members of release {others}, this is {own}",
        ),
        Text(
            it="avviare ovunque la versione più recente; per tornare a una precedente fermare "
            "tutti i membri ed eseguire con essa `registro rebuild --projection {projection}`",
            en="start the newer release everywhere; to go back to an older one, stop all members "
            "and run `registro rebuild --projection {projection}` with it",
        ),
    ),
    "tail_unfinished": (
        Text(
            it="la vista {projection} è alla posizione {position} di {head}: in {seconds} s dai "
            "topic non è arrivato altro",
            en="read model {projection} stands at {position} of {head}: in {seconds} s nothing "
            "more came from the topics",
        ),
        Text(
            it="prima pubblicare: `registro publish`; se altri membri si dividono le partizioni, "
            "controllare che siano in funzione",
            en="publish first: `registro publish`; while other members share the partitions, see "
            "that they run",
        ),
    ),
}

PATTERNS_ENGINES: Final = (
    (
        r"the scheduler does not answer any more: (.+)",
        r"lo scheduler non risponde più: \1",
    ),
    (r"the scheduler does not answer: (.+)", r"lo scheduler non risponde: \1"),
    (
        r"the scheduler went away and took the ranges with it",
        "lo scheduler non c'è più, e con lui gli intervalli",
    ),
    (r"the scheduler went away: (.+)", r"lo scheduler non c'è più: \1"),
    (r"(\d+) of (\d+) workers after (\S+) s", r"\1 lavoratori su \2 dopo \3 s"),
    (
        r"no worker is left, for (\d+) s nothing was done",
        r"non resta alcun lavoratore, da \1 s non avanza nulla",
    ),
    (r"no range was done for (\d+) s", r"nessun intervallo finito da \1 s"),
    (r"a worker cannot fold: (.+)", r"un lavoratore non riesce a elaborare: \1"),
    (
        r"a ledger in memory is seen by this process alone",
        "un registro in memoria è visibile solo a questo processo",
    ),
    (
        r"--engine dask needs the address of its scheduler",
        "--engine dask richiede l'indirizzo del suo scheduler",
    ),
    (
        r"the password for Kafka would travel in the clear: use tls://",
        "la password di Kafka viaggerebbe in chiaro: usare tls://",
    ),
    (
        r"this machine is too busy to begin: the thread of Dask did not start",
        "questa macchina è troppo occupata: il thread di Dask non è partito",
    ),
    (r"it belongs to --engine dask", "va insieme a --engine dask"),
    (
        r"of the read models only production is fed from the topics",
        "dei modelli di lettura solo production si alimenta dai topic",
    ),
    (
        r"(\d+) of (\d+) facts up to position (\d+) are not in the topics, and later ones are",
        r"\1 fatti su \2 fino alla posizione \3 mancano nei topic, dove ce ne sono di successivi",
    ),
    (
        r"the topics give other facts than the ledger holds; start all members anew",
        "i topic danno fatti diversi da quelli del registro; riavviare tutti i membri del gruppo",
    ),
    (r"the code of projections", "il codice delle proiezioni"),
    (r"the ledger", "il registro"),
    (r"record (\d+)", r"la registrazione \1"),
)
"""Patterns of the reasons that these errors give, for `app.texts.phrases`."""

TITLES_ENGINES_IT: Final[Mapping[str, str]] = {
    "engine": "motore non disponibile",
    "engine_missing": "motore non installato",
    "worker_mismatch": "lavoratore diverso",
    "tail_release": "altra versione al lavoro",
    "tail_unfinished": "topic indietro rispetto al registro",
}
"""Italian titles of these errors by their codes."""
