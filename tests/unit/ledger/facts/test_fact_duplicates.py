"""A fact is recorded once: within a batch, within the window of its source, and among writers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import AppendKeyConflictError, WrongExpectedVersionError
from ledger.events.production import FactSourceDeclared
from ledger.facts.batches import Ingested
from ledger.facts.ingest import FactIntake
from ledger.facts.judging import DEFAULT_WINDOW
from ledger.facts.rejects import Rejects
from tests.support.given import under_act
from tests.support.ledgers import CountingEntropy, FakeClock, reopened, store_at
from tests.support.production import (
    batch,
    csv_file,
    cube_of,
    fact,
    facts_table,
    production_ledger,
    record,
    recorded_facts,
)

NAME = "StockCounted"


def given(
    ledger: LedgerApplication, folder: Path, name: str, *ids: str, source: str = "SRC"
) -> tuple[Ingested, Rejects]:
    rejects = Rejects(folder=None)
    rows = [fact(NAME, source_id=one, pieces=place) for place, one in enumerate(ids)]
    said = batch("stock", name, source=source)
    return record(ledger, folder, NAME, rows, said, rejects=rejects), rejects


def recorded(ledger: LedgerApplication) -> list[str]:
    return recorded_facts(ledger, NAME).get_column("source_id").to_list()


def declare(ledger: LedgerApplication, window: int) -> None:
    event = FactSourceDeclared(source="SRC", label="S", window_facts=window, sequential=False)
    ledger.execute(command("declare", [under_act(event)]))


def test_of_duplicates_in_a_batch_the_first_stays(tmp_path: Path) -> None:
    ledger = production_ledger()
    answer, rejects = given(ledger, tmp_path, "1", "A", "B", "A", "A", "C")
    assert (answer.facts, answer.rejected) == (3, 2)
    assert dict(rejects.codes) == {"duplicate_in_batch": 2}
    assert [(one["line"], one["column"], one["value"]) for one in rejects.first] == [
        (4, "source_id", "A"),
        (5, "source_id", "A"),
    ]
    assert recorded_facts(ledger, NAME).select("source_id", "pieces").rows() == [
        ("A", 0),
        ("B", 1),
        ("C", 4),
    ]


def test_identifiers_are_compared_as_they_are(tmp_path: Path) -> None:
    answer, _ = given(production_ledger(), tmp_path, "1", "A", "a", "A ", " A", "\u00c0", "A\u0300")
    assert answer.facts == 6


def test_a_refused_row_is_nobodys_first(tmp_path: Path) -> None:
    ledger = production_ledger()
    rows = [fact(NAME, source_id="A", unit="NOWHERE"), fact(NAME, source_id="A")]
    rejects = Rejects(folder=None)
    answer = record(ledger, tmp_path, NAME, rows, batch("stock"), rejects=rejects)
    assert (answer.facts, dict(rejects.codes)) == (1, {"unknown_unit": 1})


def test_duplicates_are_found_across_files_and_kinds_of_fact(tmp_path: Path) -> None:
    ledger, rejects = production_ledger(), Rejects(folder=None)
    files = [
        csv_file(tmp_path, name, facts_table(name, [fact(name, source_id="A")]))
        for name in ("StockCounted", "StockDeclared")
    ]
    answer = FactIntake(ledger).files(files, batch("stock"), rejects=rejects)
    assert (answer.facts, dict(rejects.codes)) == (1, {"duplicate_in_batch": 1})
    assert rejects.first[0]["file"] == "StockDeclared.csv"


def test_a_recorded_fact_is_refused_whatever_its_kind(tmp_path: Path) -> None:
    ledger, rejects = production_ledger(), Rejects(folder=None)
    given(ledger, tmp_path, "1", "A", "B")
    rows = [fact("StockDeclared", source_id="A"), fact("StockDeclared", source_id="C")]
    answer = record(ledger, tmp_path, "StockDeclared", rows, batch("stock", "2"), rejects=rejects)
    assert (answer.facts, dict(rejects.codes)) == (1, {"duplicate_in_ledger": 1})


def test_a_row_that_is_twice_a_duplicate_is_counted_once(tmp_path: Path) -> None:
    ledger = production_ledger()
    given(ledger, tmp_path, "1", "A")
    answer, rejects = given(ledger, tmp_path, "2", "A", "A", "B")
    assert (answer.facts, answer.rejected, rejects.codes.total()) == (1, 2, 2)


def test_other_sources_and_families_have_names_of_their_own(tmp_path: Path) -> None:
    ledger = production_ledger()
    given(ledger, tmp_path, "1", "A")
    other, _ = given(ledger, tmp_path, "1", "A", source="OTHER")
    rows = [fact("RequestDefined", source_id="A")]
    production = record(ledger, tmp_path, "RequestDefined", rows, batch())
    assert (other.facts, production.facts) == (1, 1)


@pytest.mark.parametrize(("window", "refused"), [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5), (6, 5)])
def test_duplicates_are_looked_for_as_far_as_the_window_goes(
    tmp_path: Path, window: int, refused: int
) -> None:
    ledger = production_ledger()
    declare(ledger, window)
    given(ledger, tmp_path, "1", "A", "B")
    given(ledger, tmp_path, "2", "C", "D", "E")
    _, rejects = given(ledger, tmp_path, "3", "A", "B", "C", "D", "E")
    assert rejects.codes.total() == refused
    latest = ["E", "D", "C", "B", "A"][:refused]
    assert [one["value"] for one in rejects.first] == latest[::-1]


def test_the_window_goes_over_many_blocks(tmp_path: Path) -> None:
    ledger = production_ledger()
    declare(ledger, 39)
    for number in range(40):
        given(ledger, tmp_path, str(number), f"F{number}")
    _, rejects = given(ledger, tmp_path, "last", *(f"F{number}" for number in range(40)))
    assert rejects.codes.total() == 39


def test_duplicates_within_a_batch_do_not_ask_the_window(tmp_path: Path) -> None:
    ledger = production_ledger()
    declare(ledger, 0)
    _, rejects = given(ledger, tmp_path, "1", "A", "A")
    assert dict(rejects.codes) == {"duplicate_in_batch": 1}


def test_the_window_is_a_million_unless_declared(tmp_path: Path) -> None:
    assert DEFAULT_WINDOW == 1_000_000
    ledger = production_ledger()
    given(ledger, tmp_path, "1", "A", *(f"x{number}" for number in range(20_000)))
    _, rejects = given(ledger, tmp_path, "2", "A")
    assert dict(rejects.codes) == {"duplicate_in_ledger": 1}


class Meanwhile:
    """Does something when a writer is about to append, once, at the n-th time."""

    def __init__(self, work: Callable[[], object], *, at: int) -> None:
        self.work = work
        self.left = at

    def __call__(self, point: str) -> None:
        self.left -= point == "append.before_lock"
        if point == "append.before_lock" and self.left == 0:
            self.work()


def raced(path: Path, work: Callable[[], object], *, at: int = 2) -> LedgerApplication:
    """Open a ledger in which somebody else works before the n-th append: 1 releases the schema."""
    clock, entropy = FakeClock(), CountingEntropy()
    store = store_at(path, clock=clock, entropy=entropy, fault_point=Meanwhile(work, at=at))
    return LedgerApplication.open(store, clock=clock, entropy=entropy)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    production_ledger(path)
    return path


def test_two_writers_of_one_batch_record_it_once(path: Path, tmp_path: Path) -> None:
    one = raced(path, lambda: given(reopened(path), tmp_path, "1", "A", "B"))
    answer, _ = given(one, tmp_path, "1", "A", "B")
    assert (answer.repeated, answer.facts) == (True, 2)
    assert recorded(one) == ["A", "B"]


def test_two_writers_of_one_name_and_two_contents_are_told(path: Path, tmp_path: Path) -> None:
    one = raced(path, lambda: given(reopened(path), tmp_path, "1", "A", "B"))
    with pytest.raises(AppendKeyConflictError):
        given(one, tmp_path, "1", "C")
    assert recorded(one) == ["A", "B"]


def test_a_fact_that_somebody_recorded_meanwhile_is_not_recorded_again(
    path: Path, tmp_path: Path
) -> None:
    one = raced(path, lambda: given(reopened(path), tmp_path, "other", "B", "C"))
    with pytest.raises(WrongExpectedVersionError) as caught:
        given(one, tmp_path, "1", "A", "B")
    assert caught.value.retriable
    assert recorded(one) == ["B", "C"]
    answer, rejects = given(one, tmp_path, "1", "A", "B")
    assert (answer.facts, dict(rejects.codes)) == (1, {"duplicate_in_ledger": 1})
    assert sorted(recorded(one)) == ["A", "B", "C"]


@pytest.mark.parametrize("at", [1, 2])
def test_writers_of_other_facts_do_not_hinder_one_another(
    path: Path, tmp_path: Path, at: int
) -> None:
    one = raced(path, lambda: given(reopened(path), tmp_path, "other", "C", "D"), at=at)
    answer, _ = given(one, tmp_path, "1", "A", "B")
    assert (answer.facts, answer.rejected) == (2, 0)
    assert recorded(one) == ["C", "D", "A", "B"]


def test_a_fact_is_taken_back_once_also_by_two_writers(path: Path, tmp_path: Path) -> None:
    given(reopened(path), tmp_path, "0", "A")

    def correct(ledger: LedgerApplication, new: str) -> Ingested:
        rows = [fact(NAME, source_id=new, supersedes="A", pieces=9)]
        return record(ledger, tmp_path, NAME, rows, batch("stock", new))

    one = raced(path, lambda: correct(reopened(path), "B"), at=1)
    with pytest.raises(WrongExpectedVersionError):
        correct(one, "C")
    assert correct(one, "C").facts == 0
    assert cube_of(one).get_column("total").to_list() == [9]
