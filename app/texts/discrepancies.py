"""The discrepancies that `registro verify` lists: names, and what each one says.

English comes with the discrepancy; Italian uses the same facts (tested).

Source: ledger.discrepancy.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.errors import damage_it, error_texts
from app.texts.evidence import DETAILS_EVIDENCE_IT, DISCREPANCIES_EVIDENCE
from app.texts.text import Lang, Text, render
from app.texts.values import facts_in
from app.texts.words import word
from ledger.discrepancy import Discrepancy

DISCREPANCIES: Final[Mapping[str, Text]] = {
    "store_format": Text(it="versione dell'archivio", en="store format"),
    "guard_missing": Text(it="protezione mancante", en="guard missing"),
    "position": Text(it="posizione", en="position"),
    "column_type": Text(it="forma di una colonna", en="form of a column"),
    "record_form": Text(it="registrazione illeggibile", en="unreadable record"),
    "commitment": Text(it="contenuto cambiato", en="content changed"),
    "inner_root": Text(it="radice interna", en="inner root"),
    "recorded_at": Text(it="ora di registrazione", en="time of recording"),
    "stream_version": Text(it="ordine nel flusso", en="order in the stream"),
    "append_part": Text(it="registrazione incompleta", en="incomplete append"),
    "content": Text(it="evento illeggibile", en="unreadable event"),
    "schema": Text(it="schema", en="schema"),
    "kept_head": Text(it="diverso dalla testa conservata", en="differs from the kept head"),
    "read_model": Text(it="modello di lettura", en="read model"),
    "topic": Text(it="messaggi dei topic", en="messages of the topics"),
    **DISCREPANCIES_EVIDENCE,
}


def discrepancy_text(kind: str, lang: Lang) -> str:
    """Return the name of a discrepancy."""
    return word(DISCREPANCIES, kind, lang)


DETAILS_IT: Final[Mapping[str, str]] = {
    "format": "atteso il formato {expected}, trovato {found}",
    "guard": "la protezione {name} manca o è alterata",
    "position": "attesa la posizione {expected}, trovata la {found}",
    "unreadable": "{error}",
    "commitment": "l'impegno conservato è {stored}, il contenuto dà {computed}",
    "inner_root": "la radice interna conservata è {stored}, il contenuto dà {computed}",
    "column_type": "la colonna {column} è di tipo {type}",
    "time": "registrata prima della registrazione che la precede",
    "version": "attesa la versione {expected} del flusso, trovata la {found}",
    "part_place": "la parte {part} dell'inserimento {key} è fuori posto",
    "parts": "l'inserimento che comincia alla posizione {begin} ha {found} parti su {expected}",
    "not_canonical": "{name} non è nella sua forma canonica",
    "block_type": "un blocco di {stored} è scritto con lo schema di {found}",
    "schema_text": "il testo di {name} non dà l'identità del suo schema",
    "no_schema": "il testo di {name} non è uno schema: {error}",
    "no_identity": "{value} non è l'identità di un registro",
    "not_released": "lo schema {schema} non è stato rilasciato in questo registro",
    "kept_longer": (
        "la testa conservata copre {kept} registrazioni, il registro ne ha {found}: alcune sono "
        "state tolte"
    ),
    "kept_root": (
        "fino alla posizione {kept} la radice è {found}, la testa conservata dice {expected}: "
        "alcune registrazioni sono state cambiate"
    ),
    "model_row": "{table}, riga {address}: atteso {expected}, trovato {found}",
    "model_rows": "{table}: altre righe diverse: {found}",
    "model_events": "{table} conta {found} eventi, il registro {expected}",
    "model_digest": "{table}: l'impronta conservata è {expected}, le righe danno {found}",
    "model_ahead": "{table} è alla posizione {found}, il registro finisce alla {expected}",
    "model_unreadable": "{table} non si può confrontare: {error}",
    "topic_message": "il messaggio {address} dei topic non è come lo scrive il registro",
    "topic_end": (
        "dopo la posizione {position} i topic hanno messaggi di una registrazione incompleta e "
        "{found} che non sono di questo registro"
    ),
    **DETAILS_EVIDENCE_IT,
}
"""Italian sentence of each reason of `ledger.discrepancy.DETAILS`."""
_NONE_IT: Final = "nessuno"


def detail_text(found: Discrepancy, lang: Lang) -> str:
    """Return what a discrepancy says: what was expected, what was found."""
    if lang == "en":
        return found.detail
    facts = {name: _NONE_IT if fact == "none" else fact for name, fact in found.facts.items()}
    if "why" in facts:
        facts["why"] = facts_in({"reason": facts["why"]}, lang)["reason"]
    if found.cause is not None:
        facts["error"] = damage_it(found.cause) or error_texts(found.cause, lang)[0]
    return render(DETAILS_IT[found.reason], facts)
