"""A batch is whole or absent, the same one adds nothing, and what is refused can be mended."""

import csv
import datetime as dt
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import (
    AppendKeyConflictError,
    CommandRefusedError,
    FactBatchError,
    FactFileError,
)
from ledger.events.ledger import ActReference
from ledger.events.organisation import UnitEstablished
from ledger.facts.ingest import FactIntake
from ledger.facts.rejects import HEADING, Rejects
from ledger.rules import Rule
from ledger.types import Position
from tests.support.given import PLAN_ACT, TODAY, under_act
from tests.support.production import (
    YEAR,
    batch,
    blocks,
    cube_of,
    production_ledger,
    recorded_facts,
    take,
    text_file,
)

HEAD = "source_id,product,unit,counted_on,pieces\n"
NAME = "StockCounted"
GOOD = "A,P1,DP1,2023-03-31,5\nB,P2,DP2,2023-03-31,6\n"
BAD = "C,P1,NOWHERE,2023-03-31,5\nD,P1,DP1,31/03/2023,5\nE,P1,DP1,2023-03-31\n"


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerApplication:
    return production_ledger(tmp_path / "ledger.db")


def stock(ledger: LedgerApplication, *files: Any, **more: Any) -> Any:
    return take(ledger, *files, family="stock", **more)


def test_the_same_batch_again_adds_nothing(ledger: LedgerApplication, tmp_path: Path) -> None:
    file = text_file(tmp_path, "a.csv", HEAD + GOOD)
    first = stock(ledger, file)
    head, count = ledger.head(), ledger.store.count()

    again = stock(ledger, file)

    assert (first.repeated, first.facts, first.blocks) == (False, 2, 1)
    assert (again.repeated, again.facts, again.first, again.last) == (
        True,
        2,
        first.first,
        first.last,
    )
    assert (ledger.head(), ledger.store.count()) == (head, count)


def test_a_batch_without_a_name_is_named_by_its_content(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    first = stock(ledger, text_file(tmp_path, "a.csv", HEAD + GOOD), name=None)
    other_name = stock(ledger, text_file(tmp_path, "b.csv", HEAD + GOOD), name=None)
    assert other_name.repeated
    assert other_name.key == first.key


def test_the_same_facts_under_another_name_are_duplicates(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    file = text_file(tmp_path, "a.csv", HEAD + GOOD)
    stock(ledger, file, name="1")
    before = ledger.head()
    rejects = Rejects(folder=None)
    answer = stock(ledger, file, name="2", rejects=rejects)
    assert (answer.repeated, answer.facts, answer.rejected) == (False, 0, 2)
    assert dict(rejects.codes) == {"duplicate_in_ledger": 2}
    assert ledger.head() == before


def test_a_name_does_not_stand_for_two_contents(ledger: LedgerApplication, tmp_path: Path) -> None:
    stock(ledger, text_file(tmp_path, "a.csv", HEAD + GOOD))
    before = ledger.head()
    with pytest.raises(AppendKeyConflictError):
        stock(ledger, text_file(tmp_path, "b.csv", HEAD + GOOD.replace("5", "6")))
    assert ledger.head() == before


def test_the_name_of_a_batch_belongs_to_source_and_family(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    stock(ledger, text_file(tmp_path, "a.csv", HEAD + GOOD))
    other = stock(
        ledger,
        text_file(tmp_path, "b.csv", HEAD + GOOD + "Z,P1,DP1,2023-03-31,1\n"),
        source="OTHER",
    )
    assert (other.repeated, other.facts) == (False, 3)


def test_a_batch_all_of_which_is_refused_leaves_its_name_free(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    before = ledger.head()
    answer = stock(ledger, text_file(tmp_path, "a.csv", HEAD + BAD))
    assert (answer.facts, answer.blocks, answer.rejected) == (0, 0, 3)
    assert ledger.head() == before
    assert stock(ledger, text_file(tmp_path, "b.csv", HEAD + GOOD)).facts == 2


def test_good_rows_are_recorded_and_the_others_are_listed(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    rejects = Rejects(folder=tmp_path / "out", explain=lambda code: f"say {code}")
    answer = stock(ledger, text_file(tmp_path, "a.csv", HEAD + BAD + GOOD), rejects=rejects)
    assert (answer.rows, answer.facts, answer.rejected) == (5, 2, 3)
    assert [path.name for path in rejects.written] == ["a.rejects.csv", "a.problems.csv"]
    assert (tmp_path / "out" / "a.rejects.csv").read_text() == HEAD + BAD
    with (tmp_path / "out" / "a.problems.csv").open(encoding="utf-8-sig", newline="") as stream:
        found = list(csv.DictReader(stream, delimiter=";"))
    assert tuple(found[0]) == HEADING
    assert [(one["line"], one["column"], one["value"], one["code"]) for one in found] == [
        ("2", "unit", "NOWHERE", "unknown_unit"),
        ("3", "counted_on", "31/03/2023", "not_a_day"),
        ("4", "", "E,P1,DP1,2023-03-31", "field_count"),
    ]
    assert found[0]["reason"] == "say unknown_unit"


def test_a_whole_batch_with_one_bad_row_is_refused(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    before = ledger.head()
    rejects = Rejects(folder=tmp_path / "out")
    with pytest.raises(FactBatchError, match="1 of 3 rows"):
        stock(
            ledger,
            text_file(tmp_path, "a.csv", HEAD + GOOD + "C,P1,NOWHERE,2023-03-31,5\n"),
            whole=True,
            rejects=rejects,
        )
    assert ledger.head() == before
    assert (tmp_path / "out" / "a.rejects.csv").is_file()


def test_a_whole_batch_without_bad_rows_is_recorded(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    assert stock(ledger, text_file(tmp_path, "a.csv", HEAD + GOOD), whole=True).facts == 2


def test_refusals_of_an_earlier_batch_do_not_refuse_a_whole_one(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    rejects = Rejects(folder=tmp_path / "out")
    stock(ledger, text_file(tmp_path, "bad.csv", HEAD + BAD), rejects=rejects)
    good = text_file(tmp_path, "good.csv", HEAD + GOOD)
    answer = stock(ledger, good, name="2", rejects=rejects, whole=True)
    assert (answer.facts, answer.rejected, rejects.rows) == (2, 0, 3)


def test_a_dry_run_tells_the_same_and_writes_nothing(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    before, count = ledger.head(), ledger.store.count()
    file = text_file(tmp_path, "a.csv", HEAD + GOOD + BAD)
    files = sorted(tmp_path.rglob("*"))
    dry, wet = Rejects(folder=None), Rejects(folder=None)

    answer = stock(ledger, file, rejects=dry, dry_run=True)

    assert (ledger.head(), ledger.store.count()) == (before, count)
    assert sorted(tmp_path.rglob("*")) == files
    real = stock(ledger, file, rejects=wet)
    assert (answer.rows, answer.facts, answer.rejected) == (real.rows, real.facts, real.rejected)
    assert (dry.codes, dry.first) == (wet.codes, wet.first)


def test_a_mended_reject_file_is_a_new_batch(ledger: LedgerApplication, tmp_path: Path) -> None:
    rejects = Rejects(folder=tmp_path)
    stock(ledger, text_file(tmp_path, "a.csv", HEAD + BAD + GOOD), rejects=rejects)
    refused = tmp_path / "a.rejects.csv"
    mended = (
        refused.read_text()
        .replace("NOWHERE", "DP2")
        .replace("31/03/2023", "2023-03-31")
        .replace("E,P1,DP1,2023-03-31\n", "E,P1,DP1,2023-03-31,9\n")
    )
    answer = stock(ledger, text_file(tmp_path, "mended.csv", mended), name="2")
    assert (answer.facts, answer.rejected) == (3, 0)
    assert sorted(recorded_facts(ledger, NAME).get_column("source_id")) == list("ABCDE")


def test_a_reject_file_that_was_not_mended_is_refused_likewise(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    first, second = Rejects(folder=tmp_path), Rejects(folder=tmp_path)
    odd = '"F;P1",P1,DP1,2023-03-31,"1\n2"\n"G"x,P1,DP1,2023-03-31,1\nH,P1,"DP1\n'
    stock(ledger, text_file(tmp_path, "a.csv", HEAD + BAD + odd), rejects=first)
    again = (tmp_path / "a.rejects.csv").read_bytes()
    answer = stock(ledger, text_file(tmp_path, "again.csv", again), name="2", rejects=second)
    assert answer.rejected == first.rows == 6
    # A line that could not be taken apart stands in the reject file as one field.
    assert second.codes["field_count"] == first.codes["field_count"] + first.codes["unreadable"]


def test_an_earlier_reject_file_is_left_alone(ledger: LedgerApplication, tmp_path: Path) -> None:
    (tmp_path / "a.rejects.csv").write_text("mine")
    rejects = Rejects(folder=tmp_path)
    stock(ledger, text_file(tmp_path, "a.csv", HEAD + BAD), rejects=rejects)
    assert (tmp_path / "a.rejects.csv").read_text() == "mine"
    assert (tmp_path / "a.rejects-2.csv").read_text() == HEAD + BAD


def test_files_of_one_name_have_reject_files_of_their_own(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    (tmp_path / "x").mkdir()
    files = [
        text_file(tmp_path, "a.csv", HEAD + BAD),
        text_file(tmp_path / "x", "a.csv", HEAD + BAD),
    ]
    rejects = Rejects(folder=tmp_path / "out")
    answer = stock(ledger, *files, rejects=rejects)
    assert answer.rejected == 6
    assert {path.name: path.read_text() for path in rejects.written if "rejects" in path.name} == {
        "a.rejects.csv": HEAD + BAD,
        "a.rejects-2.csv": HEAD + BAD,
    }


def test_refused_lines_of_json_keep_every_value(ledger: LedgerApplication, tmp_path: Path) -> None:
    given = (
        '{"source_id":"A","product":"P1","unit":"NO","counted_on":"2023-03-31","pieces":5}\n'
        '{"source_id":"B","product":"P1","unit":"NO","counted_on":"2023-03-31","pieces":5,'
        '"supersedes":"X"}\n'
        '{"source_id":"C\n'
        '{"source_id":"D","product":"P1","unit":"DP1","counted_on":"2023-03-31","pieces":5}\n'
    )
    rejects = Rejects(folder=tmp_path)
    answer = stock(ledger, text_file(tmp_path, "a.jsonl", given), rejects=rejects)
    assert (answer.facts, answer.rejected) == (1, 3)
    with (tmp_path / "a.rejects.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[1][rows[0].index("supersedes")] == ""
    assert rows[2][rows[0].index("supersedes")] == "X"
    assert rows[3] == ['{"source_id":"C']
    assert [one["line"] for one in rejects.first] == [1, 2, 3]


def test_values_that_a_spreadsheet_would_run_are_listed_as_text(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    rejects = Rejects(folder=tmp_path)
    rows = "A,P1,=1+1,2023-03-31,5\nB,P1,-1+1,2023-03-31,5\nC,P1,DP1,2023-03-31,-7\n"
    stock(ledger, text_file(tmp_path, "a.csv", HEAD + rows), rejects=rejects)
    with (tmp_path / "a.problems.csv").open(encoding="utf-8-sig", newline="") as stream:
        shown = [one["value"] for one in csv.DictReader(stream, delimiter=";")]
    assert shown == ["'=1+1", "'-1+1", "-7"]
    assert (tmp_path / "a.rejects.csv").read_text() == HEAD + rows


def test_refused_rows_that_cannot_be_written_stop_the_batch(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    before = ledger.head()
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FactFileError, match="cannot be written"):
        stock(
            ledger,
            text_file(tmp_path, "a.csv", HEAD + GOOD + BAD),
            rejects=Rejects(folder=tmp_path / "taken"),
        )
    assert ledger.head() == before


def test_a_missing_file_is_named(ledger: LedgerApplication, tmp_path: Path) -> None:
    file = text_file(tmp_path, "a.csv", HEAD + GOOD)
    file.path.unlink()
    with pytest.raises(FactFileError, match=r"a\.csv"):
        stock(ledger, file)


def test_knowledge_from_the_future_is_refused(ledger: LedgerApplication, tmp_path: Path) -> None:
    file = text_file(tmp_path, "a.csv", HEAD + GOOD)
    with pytest.raises(CommandRefusedError) as caught:
        stock(ledger, file, as_of=TODAY + dt.timedelta(days=1))
    assert caught.value.rule == Rule.AS_OF_IN_FUTURE
    assert not blocks(ledger)


def test_an_act_that_the_ledger_does_not_know_is_refused(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    unknown = ActReference(
        organ="CdA", act_type="resolution", number="999", adopted_on=dt.date(YEAR, 1, 1)
    )
    file = text_file(tmp_path, "a.csv", HEAD + GOOD)
    with pytest.raises(CommandRefusedError) as caught:
        stock(ledger, file, acts=(unknown,))
    assert caught.value.rule == Rule.ACT_UNKNOWN
    assert stock(ledger, file, acts=(PLAN_ACT,)).facts == 2


def test_the_envelope_says_what_the_caller_said(ledger: LedgerApplication, tmp_path: Path) -> None:
    rows = "A,P1,DP1,2023-03-31,5\nB,P2,DP2,2023-01-31,6\n"
    stock(
        ledger,
        text_file(tmp_path, "a.csv", HEAD + rows),
        vintage="final",
        acts=(PLAN_ACT,),
        reason="closing",
    )
    envelope = ledger.read(after=Position(ledger.head() - 1), limit=1)[0].envelope
    assert (envelope.ref_from, envelope.ref_to) == (dt.date(YEAR, 1, 31), dt.date(YEAR, 3, 31))
    assert (envelope.vintage, envelope.acts, envelope.reason) == ("final", (PLAN_ACT,), "closing")
    assert envelope.source.system == "SRC"


def test_what_is_declared_meanwhile_counts_for_the_next_batch(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    intake = FactIntake(ledger)
    row = "{},P1,NEW,2023-03-31,5\n"
    said = {"family": "stock"}
    first = text_file(tmp_path, "1.csv", HEAD + row.format("A"))
    second = text_file(tmp_path, "2.csv", HEAD + row.format("B"))
    refused = intake.files([first], batch(name="1", **said), rejects=Rejects(folder=None))
    event = UnitEstablished(
        unit_code="NEW",
        unit_type="DP",
        name="New",
        parent_code="DG",
        valid_from=dt.date(2000, 1, 1),
    )
    ledger.execute(command("new", [under_act(event)]))
    taken = intake.files([second], batch(name="2", **said), rejects=Rejects(folder=None))
    assert (refused.facts, taken.facts) == (0, 1)


ROWS = 200_000
DEFECTS = {
    7: ("unknown_unit", "{id},P1,NOWHERE,2023-03-31,5"),
    107: ("not_a_number", "{id},P1,DP1,2023-03-31,1.234"),
    207: ("not_a_day", "{id},P1,DP1,2023-02-30,5"),
    307: ("missing", "{id},,DP1,2023-03-31,5"),
    407: ("out_of_range", "{id},P1,DP1,2023-03-31,-5"),
    507: ("field_count", "{id},P1,DP1,2023-03-31"),
    607: ("unknown_product", "{id},P9,DP1,2023-03-31,5"),
    707: ("duplicate_in_batch", "G0,P1,DP1,2023-03-31,5"),
    807: ("period_not_open", "{id},P1,DP1,2022-03-31,5"),
    907: ("bad_text", "{id}\x02,P1,DP1,2023-03-31,5"),
}
"""By place in each thousand rows."""


def large() -> Iterator[str]:
    yield HEAD
    for row in range(ROWS):
        defect = DEFECTS.get(row % 1000)
        line = "G{id},P1,DP1,2023-03-31,5" if defect is None else defect[1]
        yield line.format(id=row) + "\n"


def test_thousands_of_bad_rows_are_counted_and_located(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    path = tmp_path / "large.csv"
    with path.open("w") as stream:
        stream.writelines(large())
    each = ROWS // 1000
    rejects = Rejects(folder=tmp_path / "out")
    file = text_file(tmp_path, "large.csv", path.read_bytes())

    answer = stock(ledger, file, rejects=rejects, piece_bytes=1 << 18)

    assert (answer.rows, answer.rejected) == (ROWS, each * len(DEFECTS))
    assert answer.facts == ROWS - answer.rejected
    assert dict(rejects.codes) == {code: each for code, _ in DEFECTS.values()}
    with (tmp_path / "out" / "large.problems.csv").open(encoding="utf-8-sig", newline="") as stream:
        located = {(int(one["line"]), one["code"]) for one in csv.DictReader(stream, delimiter=";")}
    assert located == {
        (thousand * 1000 + place + 2, code)
        for thousand in range(each)
        for place, (code, _) in DEFECTS.items()
    }
    again = Rejects(folder=None)
    file = text_file(tmp_path, "again.csv", (tmp_path / "out" / "large.rejects.csv").read_bytes())
    repeated = stock(ledger, file, name="2", rejects=again)
    assert (repeated.rows, repeated.facts) == (answer.rejected, 0)
    # G0 itself is in the ledger now.
    first, second = dict(rejects.codes), dict(again.codes)
    assert second.pop("duplicate_in_ledger") + second.pop("duplicate_in_batch", 0) == first.pop(
        "duplicate_in_batch"
    )
    assert second == first


def test_memory_does_not_grow_with_the_refused_rows(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    peaks = []
    for rows in (3000, 30_000):
        lines = "".join(f"{n},P1,NOWHERE,2023-03-31,x\n{n},ragged\n" for n in range(rows // 2))
        file = text_file(tmp_path, f"{rows}.csv", HEAD + lines)
        tracemalloc.start()
        answer = stock(ledger, file, rejects=Rejects(folder=tmp_path), piece_bytes=1 << 15)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert answer.rejected == rows
    # Polars' own memory is not seen; a Python object for every row would be.
    assert peaks[1] < 2 * peaks[0]


def test_sums_of_a_ledger_with_many_blocks_are_those_of_its_rows(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    rows = "".join(f"{n},P1,DP1,2023-03-31,{n % 7}\n" for n in range(10_000))
    answer = stock(ledger, text_file(tmp_path, "a.csv", HEAD + rows))
    assert (answer.facts, answer.blocks) == (10_000, 3)
    assert answer.last - answer.first == 2
    assert cube_of(ledger).get_column("total").sum() == sum(n % 7 for n in range(10_000))
