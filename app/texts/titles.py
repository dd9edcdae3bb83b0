"""Titles of the errors, for the problem object of `--json`; English is the code in words.

Completeness over all errors is tested.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.engines import TITLES_ENGINES_IT
from app.texts.evidence import TITLES_EVIDENCE_IT
from app.texts.kafka import TITLES_KAFKA_IT
from app.texts.simulation import TITLES_SIMULATION_IT
from app.texts.text import Lang

TITLES_IT: Final[Mapping[str, str]] = {
    "append_key_conflict": "chiave già usata",
    "append_only": "registrazione non modificabile",
    "audit_refused": "verifica aritmetica rifiutata",
    "body_mismatch": "ente diverso",
    "command": "comando non eseguibile",
    "command_refused": "comando rifiutato",
    "configuration": "impostazione errata",
    "copy_refused": "copia rifiutata",
    "cube_overflow": "somma troppo grande",
    "data_folder": "cartella di dati inesistente",
    "dataset": "cartella di dati errata",
    "decoding": "contenuto illeggibile",
    "duplicate_figure": "cifra doppia",
    "duplicate_relation": "relazione doppia",
    "encoding": "contenuto non scrivibile",
    "fact_batch": "lotto di fatti rifiutato",
    "fact_file": "file di fatti errato",
    "facts_missing": "fatti mancanti",
    "formula": "formula errata",
    "import_refused": "importazione rifiutata",
    "incompatible_schema": "schema incompatibile",
    "internal": "errore imprevisto",
    "interrupted": "interrotto",
    "invalid_command": "comando errato",
    "invalid_figure": "cifra errata",
    "invalid_relation": "relazione errata",
    "invalid_schema": "schema errato",
    "key_store": "file delle chiavi non utilizzabile",
    "key_store_exposed": "file delle chiavi esposto",
    "ledger": "errore del registro",
    "ledger_exists": "registro già esistente",
    "ledger_missing": "registro mancante",
    "personal_value": "valore personale non leggibile",
    "position_gap": "registrazione mancante",
    "projection": "lettura interrotta",
    "read_model_ahead": "modello di lettura più avanti",
    "read_model_moved": "modello di lettura spostato da altri",
    "restore_refused": "ripristino rifiutato",
    "schema": "schema non utilizzabile",
    "views_denied": "modelli di lettura non consentiti",
    "views_unavailable": "modelli di lettura non disponibili",
    "store": "archivio non utilizzabile",
    "store_folder_missing": "cartella dell'archivio inesistente",
    "store_format": "formato dell'archivio",
    "store_locked": "archivio occupato",
    "store_read_only": "archivio in sola lettura",
    "store_unavailable": "archivio non disponibile",
    "stored_event_decode": "registrazione illeggibile",
    "unknown_entity": "elemento sconosciuto",
    "unknown_fact": "fatto sconosciuto",
    "unknown_schema": "schema sconosciuto",
    "usage": "riga di comando errata",
    "wrong_expected_version": "scrittura concorrente",
    **TITLES_ENGINES_IT,
    **TITLES_EVIDENCE_IT,
    **TITLES_KAFKA_IT,
    **TITLES_SIMULATION_IT,
}
"""Italian title of an error by its code."""


def title_text(code: str, lang: Lang) -> str:
    """Return the title of an error; an unknown code in words."""
    words = code.replace("_", " ")
    return TITLES_IT.get(code, words) if lang == "it" else words
