"""Words for the codes that fields of events hold, and the codes for words that people type.

A code without a word is shown, and passed on, as it is: most fields are open sets.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.evidence import KEY_STATES
from app.texts.text import Lang, Text
from app.texts.words import RISK, STAGES, UNITS

DIRECTIONS: Final[Mapping[str, Text]] = {
    "up": Text(it="più alto è meglio", en="higher is better"),
    "down": Text(it="più basso è meglio", en="lower is better"),
}
BASES: Final[Mapping[str, Text]] = {
    "published": Text(it="pubblicato", en="published"),
    "equal": Text(it="pari tra loro", en="equal"),
    "derived": Text(it="ricavato", en="derived"),
    "unpublished": Text(it="non pubblicato", en="unpublished"),
    "measured": Text(it="misurato", en="measured"),
    "computed": Text(it="calcolato", en="computed"),
    "catalogue": Text(it="catalogo degli indicatori", en="catalogue of indicators"),
}
CONCLUSIONS: Final[Mapping[str, Text]] = {
    "met": Text(it="soddisfatto", en="met"),
    "partly_met": Text(it="soddisfatto in parte", en="partly met"),
    "not_met": Text(it="non soddisfatto", en="not met"),
}
SEVERITIES: Final[Mapping[str, Text]] = {
    "minor": Text(it="lieve", en="minor"),
    "significant": Text(it="rilevante", en="significant"),
    "blocking": Text(it="bloccante", en="blocking"),
}
TREATMENTS: Final[Mapping[str, Text]] = {
    "institutional": Text(it="performance istituzionale", en="institutional"),
    "guideline": Text(it="linea guida", en="guideline"),
    "monitoring": Text(it="monitoraggio", en="monitoring"),
    "not_used": Text(it="non usato", en="not used"),
}
ACT_TYPES: Final[Mapping[str, Text]] = {
    "resolution": Text(it="delibera", en="resolution"),
    "determination": Text(it="determinazione", en="determination"),
    "circular": Text(it="circolare", en="circular"),
    "law": Text(it="legge", en="law"),
}
ASPECTS: Final[Mapping[str, Text]] = {
    "value": Text(it="valore", en="value"),
    "target": Text(it="obiettivo", en="target"),
}
GROUNDS: Final[Mapping[str, Text]] = {
    "request": Text(it="richiesta dell'interessato", en="request of the person"),
    "term_ended": Text(it="termine di conservazione scaduto", en="retention term over"),
    "unlawful": Text(it="registrato illecitamente", en="recorded unlawfully"),
    "order": Text(it="ordine di un'autorità", en="order of an authority"),
}
HOLD_SCOPES: Final[Mapping[str, Text]] = {
    "subject": Text(it="soggetto", en="subject"),
    "year": Text(it="anno", en="year"),
    "stream": Text(it="flusso", en="stream"),
}

CODES: Final[Mapping[str, Mapping[str, Text]]] = {
    "direction": DIRECTIONS,
    "basis": BASES,
    "conclusion": CONCLUSIONS,
    "severity": SEVERITIES,
    "key_state": KEY_STATES,
    "treatment": TREATMENTS,
    "act_type": ACT_TYPES,
    "aspect": ASPECTS,
    "ground": GROUNDS,
    "hold_scope": HOLD_SCOPES,
    "measure_unit": UNITS,
    "vintage": STAGES,
    "old_vintage": STAGES,
    "new_vintage": STAGES,
    "scope": RISK,
    "level": RISK,
    "old_level": RISK,
    "new_level": RISK,
    "risk_level": RISK,
    "measure_type": RISK,
    "activity": RISK,
    "state": RISK,
}
"""Words by the name of the field, then by the code."""

_ALSO: Final[Mapping[str, Mapping[str, str]]] = {
    "scope": {"centrali": "central", "territoriali": "territorial"},
    "level": {"alta": "high", "media": "medium", "bassa": "low"},
    "state": {
        "completata": "done",
        "conclusa": "done",
        "fatta": "done",
        "pianificata": "planned",
        "non completata": "not_done",
        "in_corso": "in_progress",
        "non_attuata": "not_done",
    },
    "measure_type": {"etica": "conduct", "segnalazione": "reporting"},
    "ground": {
        "richiesta": "request",
        "termine": "term_ended",
        "illecito": "unlawful",
        "ordine": "order",
    },
    "direction": {"su": "up", "giù": "down", "crescente": "up", "decrescente": "down"},
}
"""Other words that people use for a code, by the name of the field."""
_LEVELS: Final = frozenset({"old_level", "new_level", "risk_level"})
_TYPED: Final = frozenset(CODES) - {"measure_unit", "aspect", "act_type"}
"""Fields in which words are taken for codes. The unit `rapporto` and a type of act are as much data
of the body as they are words, and stay as they are typed."""


def code_text(field: str, code: str, lang: Lang) -> str:
    """Return the word for a code in a field, or the code itself."""
    text = CODES.get(field, {}).get(code)
    return code if text is None else text.in_(lang)


def code_of(field: str, typed: str) -> str:
    """Return the code that somebody means by an Italian word, or what was typed.

    Args:
        field: name of the field of the event.
        typed: as it stands on the command line or in a file.
    """
    if field not in _TYPED or typed in CODES[field]:
        return typed
    wanted = " ".join(typed.casefold().split())
    for code, text in CODES[field].items():
        if wanted in {text.it.casefold(), code.casefold()}:
            return code
    also = _ALSO.get("level" if field in _LEVELS else field, {})
    return also.get(wanted, typed)


def choices_it(field: str, codes: str) -> str:
    """Return a list of codes with the Italian word that may be typed for each.

    Args:
        field: name of the field.
        codes: separated by commas; what is no code stays as it is.
    """
    return ", ".join(
        code if code_text(field, code, "it") == code else f"{code_text(field, code, 'it')} ({code})"
        for code in codes.split(", ")
    )
