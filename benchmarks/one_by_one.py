"""Facts that are recorded one by one, as a feeding system does at rest."""

from collections.abc import Callable
from typing import Final

import polars as pl

from ledger.application import LedgerApplication
from ledger.clock import SystemClock
from ledger.events.ledger import Actor
from ledger.facts.batches import Batch
from ledger.facts.blocks import read_facts
from ledger.facts.ingest import FactIntake
from ledger.facts.rejects import Rejects
from ledger.types import BEFORE_FIRST, Digest

FACT: Final = "registro.facts.RequestDefined"


def recorder(ledger: LedgerApplication) -> Callable[[int], None]:
    """Return what records one more fact, like one that is there; it is told its number.

    Args:
        ledger: open for writing, with facts of `FACT`.
    """
    intake = FactIntake(ledger)
    found = ledger.store.read(after=BEFORE_FIRST, event_types=(FACT,), limit=1)
    frame = read_facts(found, ledger.avro.registry)[0].frame
    fact = frame.filter(pl.col("supersedes").is_null() & ~pl.col("reversal")).head(1)

    def record(number: int) -> None:
        said = Batch(
            family="production",
            source="latency",
            batch=str(number),
            as_of=SystemClock().now().date(),
            actor=Actor(role="bench"),
        )
        one = fact.with_columns(pl.lit(f"L{number}").alias("source_id"))
        intake.table(FACT, one, said, digest=Digest(bytes(32)), rejects=Rejects(folder=None))

    return record
