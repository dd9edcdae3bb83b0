"""A small body with production: units, products, coefficients, an open year."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.base import Event
from ledger.events.ledger import Actor
from ledger.events.organisation import UnitClosed, UnitEstablished
from ledger.events.production import (
    HomogenisationCoefficientSet,
    ProductCatalogued,
    WorkingCalendarSet,
)
from ledger.events.results import FlowNodeDefined, PeriodOpened
from ledger.facts.batches import Batch, FactFile, Ingested
from ledger.facts.blocks import read_facts
from ledger.facts.ingest import FactIntake
from ledger.facts.reading import PIECE_BYTES, format_of
from ledger.facts.rejects import Rejects
from ledger.records import RecordKind, StoredRecord
from projections.production.cube import merge
from projections.production.measures import fold
from schemas.columns import DTYPES, layout
from schemas.registry import default_registry
from tests.support.given import PLAN_ACT, act_adopted, envelope
from tests.support.ledgers import new_ledger

YEAR = 2023
FIRST, LAST = dt.date(YEAR, 1, 1), dt.date(YEAR, 12, 31)
ORIGIN = dt.date(2000, 1, 1)
ACTOR = Actor(role="DCPCG")

UNITS = (("DG", None), ("DR1", "DG"), ("DP1", "DR1"), ("DP2", "DR1"), ("AG1", "DP2"))
PRODUCTS = (("P1", "PRESTAZIONI", "prestazioni", "1.5"), ("P2", "FLUSSI", "flussi", "0.25"))


def setup_events() -> list[Event]:
    """Return what facts refer to."""
    return [
        *(
            UnitEstablished(
                unit_code=code, unit_type=code[:2], name=code, parent_code=parent, valid_from=ORIGIN
            )
            for code, parent in UNITS
        ),
        UnitEstablished(
            unit_code="OLD", unit_type="AG", name="OLD", parent_code="DP1", valid_from=ORIGIN
        ),
        UnitClosed(unit_code="OLD", valid_to=dt.date(YEAR, 6, 30), successors=("AG1",)),
        *(
            ProductCatalogued(product=code, label=code, area=area, line=line, valid_from=ORIGIN)
            for code, area, line, _ in PRODUCTS
        ),
        *(
            HomogenisationCoefficientSet(
                product=code, coefficient=Decimal(coefficient), valid_from=ORIGIN
            )
            for code, _, _, coefficient in PRODUCTS
        ),
        *(WorkingCalendarSet(year=YEAR, month=month, working_days=21) for month in range(1, 13)),
        PeriodOpened(year=YEAR, period_from=FIRST, period_to=LAST),
        FlowNodeDefined(year=YEAR, node_code="TOP", label="Top", sign="+"),
        FlowNodeDefined(year=YEAR, node_code="IN", parent_code="TOP", label="In", sign="+"),
        FlowNodeDefined(year=YEAR, node_code="OUT", parent_code="TOP", label="Out", sign="-"),
    ]


def production_ledger(path: Path | None = None) -> LedgerApplication:
    """Create a ledger of the small body."""
    ledger = new_ledger(path)
    set_up(ledger)
    return ledger


def set_up(ledger: LedgerApplication) -> None:
    """Record what facts refer to."""
    act = [Proposal(event=act_adopted(effective_from=ORIGIN), envelope=envelope(FIRST, ref=None))]
    ledger.execute(command("setup/act", act))
    proposals = [
        Proposal(event=event, envelope=envelope(dt.date(YEAR, 2, 1), acts=(PLAN_ACT,)))
        for event in setup_events()
    ]
    ledger.execute(command("setup", proposals))


def fact(name: str, **values: object) -> dict[str, object]:
    """Return one fact as texts would say it, with plain values where nothing is said."""
    plain: dict[str, object] = {
        "product": "P1",
        "origin_unit": "DP1",
        "routed_unit": "DP1",
        "defining_unit": "DP1",
        "from_unit": "DP1",
        "to_unit": "DP2",
        "unit": "DP1",
        "channel": "web",
        "cause": "subsidiarity",
        "pieces": 1,
        "delta": 1,
        "automated": False,
        "elapsed_days": 10,
        "staff_time": 1000,
        "workable": True,
        "profile": "B",
        "node": "IN",
        "nature": "staff",
        "amount": 100,
        "area": "PRESTAZIONI",
        "value": 9900,
        "budget": 9800,
        "phase": "search",
        "mean": 3880,
        "answers": 10,
        "system": "INCAS",
        "kind": "first visit",
        "reason": "count_correction",
        "supersedes": None,
        "reversal": False,
    }
    fields = layout(default_registry().latest(f"registro.facts.{name}"))
    row = {one.name: plain.get(one.name) for one in fields}
    for one in fields:
        if one.kind == "date":
            row[one.name] = dt.date(YEAR, 3, 15)
    return {**row, **values}


def facts_table(name: str, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    """Return facts as a typed table; rows without an identifier get one."""
    schema: dict[str, Any] = {
        one.name: DTYPES[one.kind]
        for one in layout(default_registry().latest(f"registro.facts.{name}"))
    }
    numbered = [
        {**row, "source_id": row.get("source_id") or f"{name}-{number:06}"}
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(numbered, schema=schema)


def batch(family: str = "production", name: str | None = "1", **changes: Any) -> Batch:
    """Return what a caller says of a batch."""
    given: dict[str, Any] = {
        "family": family,
        "source": "SRC",
        "batch": name,
        "as_of": dt.date(YEAR, 12, 31),
        "actor": ACTOR,
    }
    return Batch(**{**given, **changes})


def csv_file(folder: Path, name: str, frame: pl.DataFrame) -> FactFile:
    """Write a table as CSV."""
    path = folder / f"{name}.csv"
    frame.write_csv(path)
    return FactFile(path=path, form="csv", name=path.name)


def record(
    ledger: LedgerApplication,
    folder: Path,
    name: str,
    rows: Sequence[dict[str, object]],
    said: Batch,
    *,
    rejects: Rejects | None = None,
) -> Ingested:
    """Take in one file of facts."""
    file = csv_file(folder, f"{name}-{said.batch}", facts_table(name, rows))
    return FactIntake(ledger).files([file], said, rejects=rejects or Rejects(folder=None))


def blocks(ledger: LedgerApplication) -> list[StoredRecord]:
    """Return the blocks of facts, in order of position."""
    return [record for record in ledger.store.read() if record.record.kind is RecordKind.BLOCK]


def recorded_facts(ledger: LedgerApplication, name: str) -> pl.DataFrame:
    """Return the facts of one schema, in order of the ledger, checked."""
    full_name = f"registro.facts.{name}"
    own = [record for record in blocks(ledger) if record.record.event_type == full_name]
    tables = read_facts(own, ledger.avro.registry)
    return tables[0].frame if tables else facts_table(name, [])


def cube_of(ledger: LedgerApplication) -> pl.DataFrame:
    """Return the cube of all facts."""
    tables = read_facts(blocks(ledger), ledger.avro.registry)
    return merge(fold(table.full_name, table.frame) for table in tables)


def text_file(folder: Path, name: str, text: str | bytes) -> FactFile:
    """Write a file as it is; its ending tells its format."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return FactFile(path=path, form=format_of(path), name=name)


def take(
    ledger: LedgerApplication,
    *files: FactFile,
    rejects: Rejects | None = None,
    dry_run: bool = False,
    piece_bytes: int = PIECE_BYTES,
    **said: Any,
) -> Ingested:
    """Take in files; what is said of the batch is plain unless given."""
    return FactIntake(ledger, piece_bytes=piece_bytes).files(
        files, batch(**said), rejects=rejects or Rejects(folder=None), dry_run=dry_run
    )
