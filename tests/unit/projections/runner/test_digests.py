"""One content, one digest: however records are read, cut, restarted or folded apart.

The small ledgers and read models of this folder's tests stand here.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.organisation import UnitEstablished
from ledger.facts import appending, blocks
from ledger.facts.batches import Batch
from ledger.intake.importer import import_folder
from ledger.records import RecordKind
from projections.production import cube
from projections.runner import folding, runner
from projections.runner.contract import Projection
from projections.runner.database import open_views
from projections.runner.engines import ranges
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.views import Views
from tests.support.dataset import EXAMPLE
from tests.support.given import PLAN_ACT, envelope
from tests.support.ledgers import new_ledger, reopened
from tests.support.production import ACTOR, ORIGIN, YEAR, fact, facts_table, production_ledger
from tests.support.production import batch as said_of
from tests.support.production import record as take_in

Rows = list[dict[str, object]]

PRODUCTION = PROJECTIONS["production"]
GOVERNED = [one for name, one in PROJECTIONS.items() if name != "production"]
NAMES = list(PROJECTIONS)
CORRECTED, WITHDRAWN = "RequestDefined-000003", "RequestDefined-000004"
"""Identifiers of facts that a later batch corrects, or takes back and counts elsewhere."""


def facts_of_a_year() -> list[tuple[str, str, Rows]]:
    """Return family, kind and rows of facts: units, products and months that differ."""
    requests: Rows = []
    settled: Rows = []
    for number in range(24):
        day = dt.date(YEAR, 1 + number % 6, 1 + number)
        unit, product = ("DP1", "DP2", "AG1")[number % 3], ("P1", "P2")[number % 2]
        asked = {"product": product, "origin_unit": unit, "pieces": 1 + number % 4}
        requests.append(fact("RequestReceived", **asked, received_on=day))
        settled.append(
            fact(
                "RequestDefined",
                **asked,
                defining_unit="DP2",
                automated=number % 5 == 0,
                defined_on=day + dt.timedelta(days=20),
                elapsed_days=7 * number,
            )
        )
    presence: Rows = [
        fact("PresenceRecorded", unit="DP1", month=dt.date(YEAR, 1 + month, 1), staff_time=900)
        for month in range(6)
    ]
    flows: Rows = [fact("FlowRecorded", node=node, amount=-250) for node in ("IN", "OUT") * 3]
    return [
        ("production", "RequestReceived", requests),
        ("production", "RequestDefined", settled),
        ("stock", "StockCounted", [fact("StockCounted", pieces=5), fact("StockCounted", pieces=7)]),
        ("presence", "PresenceRecorded", presence),
        ("flow", "FlowRecorded", flows),
        ("cost", "RunningCostRecorded", [fact("RunningCostRecorded", amount=99)]),
        ("measurement", "QualityMeasured", [fact("QualityMeasured", value=9700)]),
    ]


def corrections() -> Rows:
    """Return facts that take the place of others."""
    right = fact("RequestDefined", source_id="right-1", supersedes=CORRECTED, pieces=40)
    again = fact("RequestDefined", source_id="right-2", supersedes="right-1", pieces=41)
    moved = fact("RequestDefined", source_id="moved", supersedes=WITHDRAWN, product="P2")
    return [right, again, moved]


def record_facts(
    ledger: LedgerApplication, folder: Path, *, pieces: int, corrected: bool = True
) -> None:
    """Record the facts in so many batches a kind, then the corrections."""
    for family, name, rows in facts_of_a_year():
        numbered = facts_table(name, rows).to_dicts()
        size = -(-len(numbered) // pieces)
        for place, first in enumerate(range(0, len(numbered), size)):
            said = said_of(family, f"{name}-{place}")
            answer = take_in(ledger, folder, name, numbered[first : first + size], said)
            assert answer.rejected == 0
    for number, row in enumerate(corrections() if corrected else []):
        said = Batch(
            family="production",
            source="SRC",
            batch=f"correction-{number}",
            as_of=dt.date(YEAR, 12, 31),
            actor=ACTOR,
            reason="recount",
        )
        answer = take_in(ledger, folder, "RequestDefined", [row], said)
        assert (answer.rejected, answer.reversals) == (0, 1)


def late_unit(ledger: LedgerApplication, code: str) -> None:
    """Record one governed event after the facts."""
    unit = UnitEstablished(
        unit_code=code, unit_type="AG", name=code, parent_code="DP1", valid_from=ORIGIN
    )
    wanted = envelope(dt.date(YEAR, 2, 1), acts=(PLAN_ACT,))
    ledger.execute(command(f"late/{code}", [Proposal(event=unit, envelope=wanted)]))


def facts_ledger(path: Path, *, pieces: int = 3) -> Path:
    """Make a ledger of a small body with facts between governed events; return its path."""
    ledger = production_ledger(path)
    record_facts(ledger, path.parent, pieces=pieces)
    late_unit(ledger, "NEW")
    ledger.store.engine.dispose()
    return path


def views_at(path: Path) -> Views:
    """Return read models in a file."""
    return Views(open_views(f"sqlite:///{path}"), code_version="test")


def caught_up(ledger: LedgerApplication, place: Path, projection: Projection) -> str:
    """Return the digest after one catch-up with the sizes of the program."""
    views = views_at(place)
    Runner(ledger, views).catch_up(projection)
    return views.digest(projection)


@pytest.fixture(scope="module")
def facts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("facts") / "ledger.db")


@pytest.fixture(scope="module")
def example_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("example") / "ledger.db"
    ledger = new_ledger(path)
    assert not import_folder(ledger, EXAMPLE).errors
    ledger.store.engine.dispose()
    return path


@pytest.fixture(scope="module")
def wanted(
    facts_file: Path, example_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[Path, str], str]:
    """Digests by ledger and projection."""
    folder = tmp_path_factory.mktemp("wanted")
    return {
        (path, name): caught_up(reopened(path), folder / f"{path.parent.name}.db", one)
        for path in (facts_file, example_file)
        for name, one in PROJECTIONS.items()
    }


def test_the_ledgers_of_these_tests_give_rows_to_every_projection(
    facts_file: Path, example_file: Path, tmp_path: Path
) -> None:
    facts, example = views_at(tmp_path / "facts.db"), views_at(tmp_path / "example.db")
    for projection in PROJECTIONS.values():
        Runner(reopened(facts_file), facts).catch_up(projection)
        Runner(reopened(example_file), example).catch_up(projection)

    assert all(example.rows(one).height > 100 for one in GOVERNED)
    assert facts.rows(PRODUCTION).height > 50
    assert facts.rows(PROJECTIONS["trail"]).height > 50
    records = reopened(facts_file).store.read()
    kinds = [one.record.kind for one in records]
    assert kinds.count(RecordKind.BLOCK) > 15
    assert RecordKind.EVENT in kinds[kinds.index(RecordKind.BLOCK) :]


def test_the_digest_is_that_of_the_cube(facts_file: Path, tmp_path: Path) -> None:
    views = views_at(tmp_path / "views.db")
    Runner(reopened(facts_file), views).catch_up(PRODUCTION)
    assert views.digest(PRODUCTION) == cube.digest(views.rows(PRODUCTION))


@pytest.mark.property
@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_batches_of_any_size_and_restarts_anywhere_give_the_same_digest(
    data: st.DataObject,
    name: str,
    facts_file: Path,
    wanted: dict[tuple[Path, str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ledger, projection = reopened(facts_file), PROJECTIONS[name]
    head = ledger.head()
    sizes = data.draw(st.lists(st.integers(1, head), min_size=1, max_size=3))
    views = views_at(tmp_path_factory.mktemp("views") / "views.db")

    for size in sizes[:-1]:
        stopped_after_one_batch(Runner(ledger, views), projection, records=size)
    reached = Runner(ledger, views).catch_up(projection, records=sizes[-1])

    assert reached.position == head
    assert reached.events == sum(one.record.event_count for one in ledger.store.read())
    assert views.digest(projection) == wanted[facts_file, name]


class StoppedError(Exception):
    """A runner is stopped between two batches."""


def stopped_after_one_batch(runner: Runner, projection: Projection, *, records: int) -> None:
    """Let a runner apply one batch and no more."""

    def stop(_done: int, _head: int) -> None:
        raise StoppedError

    try:
        runner.catch_up(projection, records=records, progress=stop)
    except StoppedError:
        return


@pytest.mark.parametrize("name", [one.name for one in GOVERNED])
@pytest.mark.parametrize("records", [97, 700])
def test_governed_projections_of_a_real_year_do_not_depend_on_the_batches(
    name: str,
    records: int,
    example_file: Path,
    wanted: dict[tuple[Path, str], str],
    tmp_path: Path,
) -> None:
    views = views_at(tmp_path / "views.db")
    projection = PROJECTIONS[name]
    stopped_after_one_batch(Runner(reopened(example_file), views), projection, records=500)
    Runner(reopened(example_file), views).catch_up(projection, records=records)
    assert views.digest(projection) == wanted[example_file, name]


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_gives_what_catching_up_gave(
    name: str, example_file: Path, facts_file: Path, wanted: dict[tuple[Path, str], str]
) -> None:
    path = facts_file if name == "production" else example_file
    views = views_at(path.parent / f"rebuilt-{name}.db")
    projection = PROJECTIONS[name]
    first = Runner(reopened(path), views).rebuild(projection)
    second = Runner(reopened(path), views).rebuild(projection)

    assert (first.digest, second.digest) == (wanted[path, name],) * 2
    assert (first.changed, second.changed) == (None, False)
    assert views.digest(projection) == first.digest
    assert first.rows == views.rows(projection).height
    assert (first.position, first.events) == (second.position, second.events)


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuild_by_two_processes_gives_the_same_digest(
    name: str, facts_file: Path, wanted: dict[tuple[Path, str], str], tmp_path: Path
) -> None:
    views, ledger = views_at(tmp_path / "views.db"), reopened(facts_file)
    seen: list[tuple[int, int]] = []
    rebuilt = Runner(ledger, views, url=str(facts_file)).rebuild(
        PROJECTIONS[name], workers=2, progress=lambda done, head: seen.append((done, head))
    )

    assert rebuilt.digest == wanted[facts_file, name] == views.digest(PROJECTIONS[name])
    assert rebuilt.events == sum(one.record.event_count for one in ledger.store.read())
    if name == "production":
        assert len(seen) == 8
        assert seen == sorted(seen)
        assert seen[-1] == (ledger.head(), ledger.head())


def test_a_rebuild_that_differs_from_what_was_there_says_so(
    facts_file: Path, wanted: dict[tuple[Path, str], str], tmp_path: Path
) -> None:
    views, ledger = views_at(tmp_path / "views.db"), reopened(facts_file)
    Runner(ledger, views).catch_up(PRODUCTION)
    table = PRODUCTION.table
    with views.engine.begin() as connection:
        connection.execute(table.update().values(total=table.c.total + 1))

    rebuilt = Runner(ledger, views).rebuild(PRODUCTION)

    assert rebuilt.changed is True
    assert views.digest(PRODUCTION) == wanted[facts_file, "production"]


def test_catching_up_after_a_rebuild_adds_only_what_is_new(tmp_path: Path) -> None:
    ledger = reopened(facts_ledger(tmp_path / "ledger.db"))
    views = views_at(tmp_path / "views.db")
    for projection in PROJECTIONS.values():
        Runner(ledger, views).rebuild(projection)
    late_unit(ledger, "NEWER")
    said = said_of("production", "later")
    row = fact("RequestDefined", source_id="later", pieces=3)
    take_in(ledger, tmp_path, "RequestDefined", [row], said)

    for projection in PROJECTIONS.values():
        Runner(ledger, views).catch_up(projection, records=1)
        assert views.digest(projection) == caught_up(ledger, tmp_path / "whole.db", projection)


def test_facts_cut_otherwise_give_the_same_production(
    facts_file: Path,
    wanted: dict[tuple[Path, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for pieces, block_facts in ((1, 4096), (8, 4096), (1, 5)):
        folder = tmp_path / f"{pieces}-{block_facts}"
        folder.mkdir()
        for module in (blocks, appending):
            monkeypatch.setattr(module, "BLOCK_FACTS", block_facts)
        ledger = reopened(facts_ledger(folder / "ledger.db", pieces=pieces))

        assert ledger.head() != reopened(facts_file).head()
        found = caught_up(ledger, folder / "views.db", PRODUCTION)
        assert found == wanted[facts_file, "production"]


def test_a_corrected_fact_leaves_no_trace_in_the_cube(tmp_path: Path) -> None:
    corrected = reopened(facts_ledger(tmp_path / "corrected.db"))
    straight = production_ledger(tmp_path / "straight.db")
    right = {str(row["supersedes"]): row for row in corrections()}
    right[CORRECTED] = right.pop("right-1")
    for family, name, rows in facts_of_a_year():
        kept = [
            {**right.get(str(row["source_id"]), row), "supersedes": None}
            for row in facts_table(name, rows).to_dicts()
        ]
        assert take_in(straight, tmp_path, name, kept, said_of(family, name)).rejected == 0

    plain = production_ledger(tmp_path / "plain.db")
    record_facts(plain, tmp_path, pieces=1, corrected=False)
    digests = [
        caught_up(ledger, tmp_path / f"{number}.views.db", PRODUCTION)
        for number, ledger in enumerate((corrected, straight, plain))
    ]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


@pytest.mark.parametrize("held", [(1, 0), (2, 30), (7, 0), (7, 30)])
def test_how_much_is_held_in_memory_does_not_show(
    held: tuple[int, int],
    facts_file: Path,
    wanted: dict[tuple[Path, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once, to_merge = held
    monkeypatch.setattr(folding, "BLOCKS_AT_ONCE", at_once)
    monkeypatch.setattr(folding, "ROWS_TO_MERGE", to_merge)
    monkeypatch.setattr(folding, "EVENTS_AT_ONCE", at_once)
    views, ledger = views_at(tmp_path / "views.db"), reopened(facts_file)
    for name, projection in PROJECTIONS.items():
        assert Runner(ledger, views).rebuild(projection).digest == wanted[facts_file, name]


def test_a_rebuild_folds_what_is_appended_meanwhile(tmp_path: Path) -> None:
    ledger = reopened(facts_ledger(tmp_path / "ledger.db"))
    views = views_at(tmp_path / "views.db")
    seen: list[str] = []

    def append_once(point: str) -> None:
        if point == "rebuild.folded" and not seen:
            seen.append(point)
            row = fact("RequestDefined", source_id="meanwhile", pieces=7)
            take_in(ledger, tmp_path, "RequestDefined", [row], said_of("production", "meanwhile"))

    rebuilt = Runner(ledger, views, fault_point=append_once).rebuild(PRODUCTION)

    assert seen
    assert rebuilt.position == ledger.head()
    assert rebuilt.digest == caught_up(ledger, tmp_path / "whole.db", PRODUCTION)
    assert rebuilt.digest == views.digest(PRODUCTION)
    assert rebuilt.rows == views.rows(PRODUCTION).height


def test_an_empty_range_of_a_ledger_without_facts_is_an_empty_cube(tmp_path: Path) -> None:
    ledger, views = new_ledger(tmp_path / "ledger.db"), views_at(tmp_path / "views.db")
    rebuilt = Runner(ledger, views).rebuild(PRODUCTION)
    assert (rebuilt.rows, rebuilt.position) == (0, ledger.head())
    assert rebuilt.digest == cube.digest(cube.empty())


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(head=st.integers(0, 5000), count=st.integers(-3, 400))
def test_ranges_cover_every_position_once(head: int, count: int) -> None:
    cut = ranges(head, count)
    covered = [position for after, through in cut for position in range(after + 1, through + 1)]
    assert covered == list(range(1, head + 1))
    assert len(cut) <= max(1, count)
    assert all(after < through for after, through in cut) or head == 0
    sizes: Sequence[int] = [through - after for after, through in cut]
    assert max(sizes) - min(sizes) <= 1


def test_a_transaction_covers_the_records_that_the_program_says(
    facts_file: Path, tmp_path: Path
) -> None:
    ledger, views = reopened(facts_file), views_at(tmp_path / "views.db")
    seen: list[int] = []
    Runner(ledger, views).catch_up(PRODUCTION, records=10, progress=lambda at, _: seen.append(at))
    head = ledger.head()
    assert seen == [*range(10, head, 10), head]
    assert head < runner.RECORDS_AT_ONCE
