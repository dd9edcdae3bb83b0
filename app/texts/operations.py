"""Words of `registro status`: what follows the ledger, and what is wrong with it.

Source: app.operations.snapshot; docs/operating.md, status.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Text

PROBLEMS: Final[Mapping[str, Text]] = {
    "inbox_lost": Text(it="messaggi perduti nella casella", en="messages of the inbox are lost"),
    "topics_unsafe": Text(it="topic mancante o non sicuro", en="topic missing or unsafe"),
    "topics_diverged": Text(it="topic diverso dal registro", en="topic differs from the ledger"),
    "checkpoint_invalid": Text(it="sigillo non valido", en="checkpoint not valid"),
    "checkpoint_beyond_head": Text(
        it="sigillo oltre la testa: registro accorciato?",
        en="checkpoint beyond the head: ledger cut?",
    ),
    "seal_late": Text(it="sigillo in ritardo", en="seal late"),
    "read_models_unreadable": Text(it="viste non leggibili", en="read models cannot be read"),
    "read_model_halted": Text(it="vista ferma", en="read model halted"),
    "lag_events": Text(it="troppi eventi di ritardo", en="too many events behind"),
    "lag_seconds": Text(it="troppi secondi di ritardo", en="too many seconds behind"),
}
"""What a problem of the status is called, by its kind."""

STAGE_NAMES: Final[Mapping[str, Text]] = {
    "inbox": Text(it="casella", en="inbox"),
    "published": Text(it="pubblicato", en="published"),
    "sealed": Text(it="sigillato", en="sealed"),
    "projected": Text(it="viste di lettura", en="read models"),
}
"""What follows the ledger."""
