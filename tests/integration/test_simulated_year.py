"""A simulated year enters a sandbox ledger, and its read models give the published figures."""

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from app.cli.production.simulate import PROFILE
from app.examples_folder import example_folder
from app.simulator.profile import read_profile, targets_of, unit_types
from app.simulator.recorded import setup_commands
from app.simulator.world import build_world
from ledger.application import LedgerApplication
from ledger.envelopes import parse_act
from ledger.feed import read_all
from ledger.intake.importer import import_folder
from ledger.records import RecordKind
from projections.production.completeness import stock_flow
from projections.production.indicators import Breakdown, indicators
from projections.production.knowledge import cube_at
from projections.production.periods import Period
from projections.production.reference import Reference
from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Views
from tests.support.cli import Ran, run
from tests.support.dataset import EXAMPLE
from tests.support.ledgers import new_ledger, reopened

EVENTS, SEED, YEAR = 60_000, 7, 2023
FIRST_STAGE, SECOND_STAGE = dt.date(2024, 3, 1), dt.date(2024, 6, 14)
BACKLOG = {"NUCLEO": 31, "PRESTAZIONI": 48, "CONTO": 165, "FLUSSI": 90, "PRESIDIO": 49}
"""Published days of backlog by area: indicators GIAC.1 to GIAC.5."""
PRODUCTION = PROJECTIONS["production"]

pytestmark = pytest.mark.slow


def simulate(path: Path, *more: str, seed: int = SEED) -> Ran:
    """Run the command on a ledger."""
    numbers = ("--events", str(EVENTS), "--seed", str(seed), "--year", str(YEAR))
    return run("--ledger", str(path), "simulate", *numbers, "--json", *more)


def production_of(path: Path) -> tuple[pl.DataFrame, str]:
    """Return cells and digest of the read model of a ledger."""
    views = Views(open_views(f"sqlite:///{path}.views"), code_version="test")
    ledger = reopened(path)
    Runner(ledger, views).catch_up(PRODUCTION)
    ledger.store.engine.dispose()
    return views.rows(PRODUCTION), views.digest(PRODUCTION)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("year") / "sandbox.db"
    ran = simulate(path, "--append")
    assert ran.code == 0, ran.err
    return path


@pytest.fixture(scope="module")
def cube(sandbox: Path) -> pl.DataFrame:
    return production_of(sandbox)[0]


@pytest.fixture
def ledger(sandbox: Path) -> Iterator[LedgerApplication]:
    opened = reopened(sandbox)
    with closing(opened):
        yield opened
    opened.store.engine.dispose()


def published(column: str) -> Mapping[str, Decimal]:
    """Return the amounts of a column of the published table, by node."""
    with (EXAMPLE / "ieep.csv").open(encoding="utf-8", newline="") as file:
        return {row["node_code"]: Decimal(row[column]) for row in csv.DictReader(file)}


def values(
    ledger: LedgerApplication, cube: pl.DataFrame, *, by: Breakdown, as_of: dt.date | None = None
) -> Mapping[tuple[str, str], Decimal | None]:
    """Return the indicators of the year by code and scope."""
    reference = Reference.of(read_all(ledger), as_of=as_of)
    found = indicators(cube, reference, Period.parse(str(YEAR)), by=by)
    return {(one.code, one.scope): one.value for one in found}


def flows(found: Mapping[tuple[str, str], Decimal | None]) -> Mapping[str, Decimal | None]:
    """Return the amounts of the nodes of the money flows, in euro."""
    return {
        code.removeprefix("flow."): value
        for (code, _), value in found.items()
        if code.startswith("flow.")
    }


def test_the_facts_asked_for_are_in_the_ledger(sandbox: Path) -> None:
    ledger = reopened(sandbox)
    blocks = [one.record for one in ledger.store.read() if one.record.kind is RecordKind.BLOCK]
    cells = production_of(sandbox)[0]
    answer = simulate(sandbox, "--append").json
    recorded = sum(one.event_count for one in blocks)

    assert sum(answer["by_fact"].values()) == EVENTS
    assert recorded == answer["facts"] > EVENTS, "reversals stand beside what they take back"
    seen = cells.filter(pl.col("view").is_in(["unit", "defining", "routed", "from"]))
    counted = seen.filter(~((pl.col("fact") == "RequestDefined") & (pl.col("view") == "routed")))
    reversals = recorded - EVENTS
    assert counted.get_column("facts").sum() == recorded - 2 * reversals


def test_the_same_simulation_again_adds_nothing(sandbox: Path) -> None:
    head = reopened(sandbox).head()
    ran = simulate(sandbox, "--append")
    assert (ran.code, ran.json["position"]) == (0, head)
    assert "there already" in ran.err
    assert reopened(sandbox).head() == head


def test_another_simulation_into_the_same_ledger_is_refused(sandbox: Path) -> None:
    head = reopened(sandbox).head()
    ran = simulate(sandbox, "--append", seed=SEED + 1)
    assert ran.code == 17
    assert reopened(sandbox).head() == head


def test_a_ledger_that_is_no_sandbox_takes_no_invented_fact(tmp_path: Path) -> None:
    path = tmp_path / "real.db"
    real = new_ledger(path)
    head = real.head()
    ran = simulate(path, "--append")
    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--ledger")
    assert reopened(path).head() == head


@pytest.mark.parametrize("places", [(), ("--append", "--out", "facts")])
def test_where_the_facts_go_must_be_said_once(places: tuple[str, ...], tmp_path: Path) -> None:
    ran = simulate(tmp_path / "none.db", *places)
    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--append")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_files_takes_no_second_year(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "mine.parquet").write_text("mine")
    ran = simulate(tmp_path / "none.db", "--out", str(tmp_path / "facts"))
    assert (ran.code, ran.problem["facts"]["field"]) == (13, "--out")
    assert [path.name for path in (tmp_path / "facts").iterdir()] == ["mine.parquet"]


def test_too_few_facts_are_told_in_italian(tmp_path: Path) -> None:
    words = ("simulate", "--events", "10", "--out", str(tmp_path / "x"), "--lang", "it")
    ran = run("--ledger", str(tmp_path / "none.db"), *words)
    assert ran.code == 61
    assert "ne servono almeno 50000" in ran.err
    assert "--events" in ran.err


def test_too_few_facts_make_no_ledger_fuller(tmp_path: Path) -> None:
    path = tmp_path / "few.db"
    ran = run("--ledger", str(path), "simulate", "--append", "--events", "100", "--json")
    assert ran.code != 0
    assert not [one for one in reopened(path).store.read() if one.record.kind is RecordKind.BLOCK]


def test_money_flows_of_each_stage_are_the_published_ones(
    ledger: LedgerApplication, cube: pl.DataFrame
) -> None:
    first = cube_at(ledger, as_of=FIRST_STAGE)
    second = cube_at(ledger, as_of=SECOND_STAGE)

    assert flows(values(ledger, cube, by="body")) == published("closing")
    assert flows(values(ledger, second, by="body")) == published("closing")
    assert flows(values(ledger, first, by="body", as_of=FIRST_STAGE)) == published("pre_closing")
    assert published("closing") != published("pre_closing")


def test_before_the_first_stage_no_money_flow_is_the_published_one(
    ledger: LedgerApplication,
) -> None:
    early = flows(values(ledger, cube_at(ledger, as_of=dt.date(YEAR, 6, 30)), by="body"))
    assert early["A"] != published("pre_closing")["A"]


def test_productivity_and_outflow_are_the_published_ones(
    ledger: LedgerApplication, cube: pl.DataFrame
) -> None:
    found = values(ledger, cube, by="body")
    assert found["productivity", ""] == Decimal("138.25")
    assert found["outflow", ""] == Decimal("1.03")
    assert found["cost_per_point", ""] == Decimal("151.51"), "indicator IEG.2"


def test_backlog_days_of_every_area_are_the_published_ones(
    ledger: LedgerApplication, cube: pl.DataFrame
) -> None:
    found = values(ledger, cube, by="area")
    assert {area: found["backlog_days_a", area] for area in BACKLOG} == BACKLOG


def test_productivity_follows_from_cells_and_coefficients(
    ledger: LedgerApplication, cube: pl.DataFrame
) -> None:
    reference, first = Reference.of(read_all(ledger)), dt.date(YEAR, 1, 1)
    settled = cube.filter(
        (pl.col("fact") == "RequestDefined")
        & (pl.col("view") == "defining")
        & (pl.col("month") // 100 == YEAR)
    )
    pieces = settled.group_by("item").agg(pl.col("total").sum()).rows()
    points = sum(
        (
            total * (reference.coefficient(product, first) or Decimal(0))
            for product, total in pieces
        ),
        Decimal(0),
    )
    presence = cube.filter(
        (pl.col("fact") == "PresenceRecorded") & (pl.col("month") // 100 == YEAR)
    )
    months = Decimal(int(presence.get_column("second").sum())) / 1000
    assert round(points / months, 2) == Decimal("138.25")


def test_the_stock_of_every_unit_product_and_month_balances(
    ledger: LedgerApplication, cube: pl.DataFrame
) -> None:
    sums: dict[tuple[str, str, str, str, int], int] = defaultdict(int)
    for fact, view, unit, item, month, total in cube.select(
        "fact", "view", "unit", "item", "month", "total"
    ).rows():
        sums[fact, view, unit, item, month] += total
    pairs = {
        (unit, item)
        for fact, view, unit, item, _ in sums
        if (fact, view) in {("StockCounted", "unit"), ("RequestReceived", "routed")}
    }
    for unit, item in pairs:
        stock = sums["StockDeclared", "unit", unit, item, YEAR * 100 + 1]
        for month in range(YEAR * 100 + 1, YEAR * 100 + 13):
            stock += sums["RequestReceived", "routed", unit, item, month]
            stock -= sums["RequestDefined", "routed", unit, item, month]
            stock += sums["RequestReassigned", "to", unit, item, month]
            stock -= sums["RequestReassigned", "from", unit, item, month]
            stock += sums["StockAdjusted", "unit", unit, item, month]
            assert stock == sums["StockCounted", "unit", unit, item, month], (unit, item, month)
    assert len(pairs) == 150

    checked = stock_flow(cube, Reference.of(read_all(ledger)), YEAR)
    assert (checked.checked, checked.differences, checked.unchecked) == (150 * 12, (), ())


def test_files_depend_on_the_seed_and_on_nothing_else(tmp_path: Path) -> None:
    def files(folder: str, seed: int) -> dict[str, bytes]:
        ran = simulate(tmp_path / "none.db", "--out", str(tmp_path / folder), seed=seed)
        assert (ran.code, ran.json["facts"]) == (0, EVENTS)
        return {one.name: one.read_bytes() for one in (tmp_path / folder).iterdir()}

    first, again, other = files("a", SEED), files("b", SEED), files("c", SEED + 1)
    assert first == again
    assert first.keys() == other.keys()
    assert first != other
    assert not (tmp_path / "none.db").exists()


def sandbox_with_set_up(path: Path) -> None:
    """Make a sandbox with the body of the simulation and without its facts."""
    ledger = new_ledger(path, sandbox=True, body=None)
    profile = read_profile(example_folder("simulation") / PROFILE)
    import_folder(ledger, example_folder(profile.dataset))
    known = list(read_all(ledger))
    kinds = unit_types(known)
    world = build_world(targets_of(profile, known, year=YEAR), sum(kinds.values()), kinds, SEED)
    units = {unit.code for unit in world.units}
    assert len(units) == 501
    present = [one for one in known if getattr(one.event, "unit_code", None) in units]
    for command in setup_commands(
        world,
        year=YEAR,
        act=parse_act(profile.act),
        known_units={str(getattr(one.event, "unit_code", "")) for one in present},
    ):
        ledger.execute(command)
    ledger.store.engine.dispose()


def test_another_ledger_that_takes_in_the_files_of_the_same_seed_has_the_same_production(
    sandbox: Path, tmp_path: Path
) -> None:
    path, folder = tmp_path / "again.db", tmp_path / "facts"
    assert simulate(tmp_path / "none.db", "--out", str(folder)).json["facts"] == EVENTS
    assert not (tmp_path / "none.db").exists()
    sandbox_with_set_up(path)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in sorted(folder.iterdir()):
        _, family, _, source, *_ = file.name.split("-")
        groups[family, source].append(str(file))

    for (family, source), files in groups.items():
        said = ("--source", source, "--as-of", "2025-01-31", "--actor", "simulator")
        more = ("--reason", "recount", "--whole", "--json")
        ran = run("--ledger", str(path), "ingest", family, *files, *said, *more)
        assert (ran.code, ran.json["rejected"]) == (0, 0), ran.err

    assert production_of(path)[1] == production_of(sandbox)[1]
