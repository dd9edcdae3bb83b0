"""English that stands in facts with values in it, in Italian: patterns rather than whole sentences.

What a database, a codec or a parser says is not ours and may change: where its words are not known
they are shown as they came.
"""

import re
from typing import Final

from app.texts.engines import PATTERNS_ENGINES
from app.texts.evidence import PATTERNS_EVIDENCE
from app.texts.kafka import AROUND_KAFKA, PATTERNS_KAFKA
from app.texts.simulation import PATTERNS_FACTS, PATTERNS_SIMULATION

_PATTERNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), italian)
    for pattern, italian in (
        *PATTERNS_EVIDENCE,
        *PATTERNS_ENGINES,
        *PATTERNS_KAFKA,
        *PATTERNS_FACTS,
        *PATTERNS_SIMULATION,
        (r".+ \(at line (\d+), column (\d+)\)", r"il file non è TOML valido, riga \1, colonna \2"),
        (r".+ \(at end of document\)", "il file non è TOML valido: finisce a metà"),
        (r".*\[Errno 2\].*", "il file non c'è"),
        (r".*\[Errno 13\].*", "manca il permesso di leggerlo o di scriverlo"),
        (r".*\[Errno 21\].*", "è una cartella, non un file"),
        (r"(.+) \((.+)\) is not one of: (.+)", r"\1 (\2) non è tra i valori ammessi: \3"),
        (r"(\S+) must be text in quotes", r"\1 va scritto come testo tra virgolette"),
        (r"database (.+) is not supported yet", r"la base di dati \1 non è ancora prevista"),
        (r"unknown key (.+?); did you mean (.+)\?", r"chiave sconosciuta \1; forse \2?"),
        (r"unknown key; known: (.+)", r"chiave sconosciuta; le chiavi sono: \1"),
        (r"unknown key (.+?); known: (.+)", r"chiave sconosciuta \1; le chiavi sono: \2"),
        (r"there is no such field; did you mean (.+)\?", r"il campo non esiste; forse \1?"),
        (r"there is no such field; fields: (.+)", r"il campo non esiste; i campi sono: \1"),
        (
            r"it may mean two numbers: write (\S+) for thousands, (\S+) for decimals",
            r"può voler dire due numeri: scrivere \1 per le migliaia, \2 per i decimali",
        ),
        (
            r"the ending (.+) is not known; one of (.+)",
            r"l'estensione \1 non è prevista; una tra \2",
        ),
        (r"there is no such file", "il file non c'è"),
        (r"unable to open database file", "il file non si può aprire"),
        (
            r"(.+) \((.+)\) is no first word of topics: (.+) and -, at most (\d+)",
            r"\1 (\2) non può essere la prima parola dei topic: solo \3 e -, al massimo \4",
        ),
        (r"file is not a database", "il file non è una base di dati"),
        (r"there is no schema file of this name", "nessun file di schema ha questo nome"),
        (r"a name without '/'", "un nome senza '/'"),
        (r"stdin does not tell its format: one of (.+)", r"serve il formato di stdin: \1"),
        (r"one of (.+)", r"uno tra \1"),
        (r"say --append or --out DIR", "indicare --append oppure --out DIR"),
        (
            r"invented facts enter only a sandbox: registro init --sandbox",
            "i fatti inventati entrano solo in un registro di prova: registro init --sandbox",
        ),
        (r"the file holds no row", "il file non contiene righe"),
        (
            r"the first line must name the columns, each once",
            "la prima riga deve dare un nome a ogni colonna, una volta sola",
        ),
        (
            r"(\d+) of (\d+) rows are refused; nothing was recorded",
            r"\1 righe su \2 sono rifiutate; non è stato registrato nulla",
        ),
        (r"it has more than (\d+) digits", r"ha più di \1 cifre"),
        (r"byte at offset (\d+) is not UTF-8", r"il byte alla distanza \1 non è UTF-8"),
        (r"indicator of (\d+)", r"indicatore del \1"),
        (
            r"on that day it was not known yet; it is known since (.+)",
            r"a quella data non era ancora noto; è noto dal \1",
        ),
        (
            r"while (?:parsing|scanning) .*line (\d+), column (\d+).*",
            r"il file non è YAML valido, vicino alla riga \1, colonna \2",
        ),
    )
)


_AROUND: Final = tuple(
    (re.compile(f"{pattern}: (?P<rest>.+)", re.DOTALL), italian)
    for pattern, italian in (
        *AROUND_KAFKA,
        (r"store (\S+) cannot be opened", r"l'archivio \1 non si apre"),
        (r"store (\S+)", r"archivio \1"),
    )
)


def opening(english: str) -> tuple[str, str] | None:
    """Return the Italian of how a phrase opens, and its rest, which is a phrase of its own.

    None when the opening is not known.
    """
    for pattern, template in _AROUND:
        found = pattern.fullmatch(english)
        if found is not None:
            return found.expand(template), found["rest"]
    return None


def italian(english: str) -> str | None:
    """Return the Italian of a phrase with values in it; None when it is not known."""
    for pattern, template in _PATTERNS:
        found = pattern.fullmatch(english)
        if found is not None:
            return found.expand(template)
    return None
