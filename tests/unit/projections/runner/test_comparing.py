"""Read models against the ledger: whatever is edited in them is found, and where."""

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.discrepancy import Discrepancy
from ledger.errors import StoreError
from projections.runner import comparing
from projections.runner.comparing import KIND, Compared, compare
from projections.runner.database import open_views
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.standing import existing_views, standings
from projections.runner.views import Views
from tests.support.ledgers import embedded, reopened
from tests.unit.projections.runner.test_digests import facts_ledger, late_unit

pytestmark = embedded

SETS = {
    "production_cell": "total = total + 1",
    "organisation_change": "name = name || 'x'",
    "target_change": "after = after || '0'",
    "indicator_value": "value = '1'",
    "trail_index": "correction = NOT correction",
}
"""One edit of each table."""
FILLED = ("production_cell", "organisation_change", "trail_index")
"""Tables that the sample ledger puts rows into."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    ledger = reopened(facts_ledger(folder / "ledger.db"))
    runner = Runner(ledger, Views(open_views(f"sqlite:///{folder}/views.db"), code_version="test"))
    for projection in PROJECTIONS.values():
        runner.rebuild(projection)
    ledger.store.engine.dispose()
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    for name in ("ledger.db", "views.db"):
        with (
            closing(sqlite3.connect(made / name)) as source,
            closing(sqlite3.connect(tmp_path / name)) as target,
        ):
            source.backup(target)
    return tmp_path


def opened(place: Path) -> Engine:
    engine = existing_views(f"sqlite:///{place}/views.db")
    assert engine is not None
    return engine


def checked(place: Path, *, deep: bool = False) -> tuple[Compared, ...]:
    ledger, engine = reopened(place / "ledger.db"), opened(place)
    try:
        return compare(ledger, engine, deep=deep)
    finally:
        ledger.store.engine.dispose()
        engine.dispose()


def found(place: Path, *, deep: bool = False) -> list[Discrepancy]:
    return [each for one in checked(place, deep=deep) for each in one.discrepancies]


def edit(place: Path, sql: str) -> int:
    with closing(sqlite3.connect(place / "views.db")) as connection, connection:
        return connection.execute(sql).rowcount


@pytest.mark.parametrize("deep", [False, True])
def test_untouched_read_models_are_clean(place: Path, deep: bool) -> None:  # noqa: FBT001 - a parameter of the test
    compared = checked(place, deep=deep)

    assert [one.projection for one in compared] == list(PROJECTIONS)
    assert [one.folded for one in compared] == [deep] * len(PROJECTIONS)
    assert not [each for one in compared for each in one.discrepancies]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("table", FILLED)
def test_an_edited_row_is_named_with_table_and_address(
    place: Path,
    table: str,
    deep: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    key = "month" if table == "production_cell" else "position"
    first = f"(SELECT min({key}) FROM {table})"  # noqa: S608 - our own names
    rows = edit(place, f"UPDATE {table} SET {SETS[table]} WHERE {key} = {first}")  # noqa: S608

    wrong = found(place, deep=deep)

    assert rows == len(wrong) > 0
    assert {one.kind for one in wrong} == {KIND}
    assert {one.facts["table"] for one in wrong} == {table}
    assert all(f"{key}=" in one.facts["address"] for one in wrong)
    assert all("none" not in {one.facts["expected"], one.facts["found"]} for one in wrong)


@pytest.mark.parametrize("table", FILLED)
def test_a_removed_row_is_named(place: Path, table: str) -> None:
    key = "month" if table == "production_cell" else "position"
    last = f"(SELECT max({key}) FROM {table})"  # noqa: S608 - our own names
    rows = edit(place, f"DELETE FROM {table} WHERE {key} = {last}")  # noqa: S608

    wrong = found(place)

    assert [one.facts["found"] for one in wrong] == ["none"] * rows


def test_an_added_row_is_named_with_the_record_it_claims(place: Path) -> None:
    edit(place, "INSERT INTO trail_index VALUES (1, 3, 'nobody', 'x', 0, 0)")

    (wrong,) = found(place)

    assert (wrong.position, wrong.facts["expected"]) == ("3", "none")
    assert wrong.facts["address"] == "entity=nobody position=3"


def test_an_edited_digest_is_found(place: Path) -> None:
    edit(place, "UPDATE read_model_digest SET digest = 'x' WHERE projection = 'trail'")

    (wrong,) = found(place)

    assert (wrong.reason, wrong.facts["table"]) == ("model_digest", "trail_index")


def test_row_and_digest_edited_together_are_found_by_the_fold_only(place: Path) -> None:
    edit(place, "UPDATE trail_index SET event_type = 'x' WHERE position = 2")
    views = Views(open_views(f"sqlite:///{place}/views.db"), code_version="test")
    forged = views.digest(PROJECTIONS["trail"])
    edit(place, f"UPDATE read_model_digest SET digest = '{forged}' WHERE projection = 'trail'")  # noqa: S608 - our own digest

    assert found(place) == []
    assert {one.position for one in found(place, deep=True)} == {"2"}


def test_a_removed_digest_makes_the_check_fold(place: Path) -> None:
    edit(place, "DELETE FROM read_model_digest")
    edit(place, "UPDATE trail_index SET event_type = 'x' WHERE position = 2")

    compared = checked(place)

    assert all(one.folded for one in compared)
    assert [one.projection for one in compared if one.discrepancies] == ["trail"]


def test_models_without_the_table_of_digests_are_folded(place: Path) -> None:
    edit(place, "DROP TABLE read_model_digest")

    assert all(one.folded and not one.discrepancies for one in checked(place))


def test_a_model_that_was_caught_up_since_its_rebuild_is_folded(place: Path) -> None:
    ledger = reopened(place / "ledger.db")
    late_unit(ledger, "LATE")
    views = Views(open_views(f"sqlite:///{place}/views.db"), code_version="test")
    Runner(ledger, views).catch_up(PROJECTIONS["trail"])
    ledger.store.engine.dispose()

    compared = {one.projection: one for one in checked(place)}

    assert [name for name, one in compared.items() if one.folded] == ["trail"]
    assert not any(one.discrepancies for one in compared.values())


@pytest.mark.parametrize("reason", ["model_events", "model_ahead"])
def test_an_edited_place_of_a_model_is_found(place: Path, reason: str) -> None:
    column = {"model_events": "events", "model_ahead": "position"}[reason]
    sql = f"UPDATE read_model_generation SET {column} = {column} + 1 WHERE projection = 'targets'"  # noqa: S608 - our own names
    edit(place, sql)

    assert [one.reason for one in found(place, deep=True)] == [reason]


def test_a_value_of_another_type_is_told_and_the_others_are_checked(place: Path) -> None:
    first = "(SELECT min(position) FROM organisation_change)"
    edit(place, f"UPDATE organisation_change SET position = 'x' WHERE position = {first}")  # noqa: S608 - our own names
    edit(place, "UPDATE trail_index SET event_type = 'x' WHERE position = 2")

    reasons = {one.facts["table"]: one.reason for one in found(place)}

    assert reasons == {"organisation_change": "model_unreadable", "trail_index": "model_row"}


def test_very_many_rows_are_counted_and_not_all_named(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "LISTED", 20)
    rows = edit(place, "UPDATE trail_index SET recorded_at = recorded_at + 1")

    wrong = found(place)

    assert len(wrong) == 20 + 1
    assert (wrong[-1].reason, wrong[-1].facts["found"]) == ("model_rows", str(rows - 20))


def test_a_ledger_that_cannot_be_folded_is_told(place: Path) -> None:
    edit(place, "DELETE FROM read_model_digest")
    with closing(sqlite3.connect(place / "ledger.db")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            "UPDATE record SET content = x'ff' WHERE event_type LIKE '%UnitEstablished'"
        )

    assert "model_unreadable" in {one.reason for one in found(place)}


def test_looking_makes_no_read_models(tmp_path: Path, made: Path) -> None:
    shutil.copy(made / "ledger.db", tmp_path / "ledger.db")

    for name in ("none.db", "ledger.db"):
        assert existing_views(f"sqlite:///{tmp_path}/{name}") is None
        assert standings(f"sqlite:///{tmp_path}/{name}") == ()
    assert not (tmp_path / "none.db").exists()
    assert not _held(tmp_path / "ledger.db")


def test_looking_at_something_else_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"no database, but long enough for one" * 100)

    with pytest.raises(StoreError):
        existing_views(f"sqlite:///{tmp_path}/other.db")

    assert not _held(tmp_path / "other.db")


def _held(file: Path) -> list[str]:
    """Return what this process has open of a database."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(link.readlink()))
    return [one for one in found if one.startswith(str(file))]
