"""Names of the discrepancies that `registro verify` lists."""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Lang, Text
from app.texts.words import word

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
}


def discrepancy_text(kind: str, lang: Lang) -> str:
    """Return the name of a discrepancy."""
    return word(DISCREPANCIES, kind, lang)
