"""A fact is taken back by a reversal with its own numbers, once; sums are right at once."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.production import FactSourceDeclared
from ledger.events.results import PeriodClosed
from ledger.facts.batches import Ingested
from ledger.facts.corrections import REVERSAL_SUFFIX
from ledger.facts.families import FAMILIES
from ledger.facts.rejects import Rejects
from tests.support.given import PLAN_ACT, under_act
from tests.support.production import (
    FIRST,
    LAST,
    YEAR,
    batch,
    csv_file,
    cube_of,
    fact,
    facts_table,
    production_ledger,
    record,
    recorded_facts,
    take,
)

NAME = "RequestDefined"


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerApplication:
    return production_ledger(tmp_path / "ledger.db")


def defined(source_id: str, pieces: int = 5, **values: Any) -> dict[str, object]:
    return fact(NAME, source_id=source_id, pieces=pieces, **values)


def given(
    ledger: LedgerApplication, folder: Path, name: str, *rows: dict[str, object], **said: Any
) -> tuple[Ingested, Rejects]:
    rejects = Rejects(folder=None)
    answer = record(ledger, folder, NAME, rows, batch(name=name, **said), rejects=rejects)
    return answer, rejects


def cells(ledger: LedgerApplication, view: str = "defining") -> dict[tuple[str, str], int]:
    cube = cube_of(ledger).filter(view=view)
    return {
        (unit, item): total for unit, item, total in cube.select("unit", "item", "total").rows()
    }


def test_the_reversal_has_the_numbers_of_the_original(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    old = defined("A", 7, elapsed_days=45, automated=True, defined_on=dt.date(YEAR, 2, 3))
    given(ledger, tmp_path, "1", old)

    answer, _ = given(ledger, tmp_path, "2", defined("B", 3, product="P2", supersedes="A"))

    facts = recorded_facts(ledger, NAME).to_dicts()
    assert (answer.facts, answer.reversals, answer.rejected) == (2, 1, 0)
    assert [row["source_id"] for row in facts] == ["A", "B", f"B{REVERSAL_SUFFIX}"]
    assert facts[2] == {
        **facts[0],
        "source_id": f"B{REVERSAL_SUFFIX}",
        "supersedes": "A",
        "reversal": True,
    }
    assert facts[1]["reversal"] is False


def test_a_corrected_fact_leaves_no_trace_in_the_cube(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    other = production_ledger()
    given(other, tmp_path, "other", defined("B", 3, elapsed_days=100, product="P2"))
    given(ledger, tmp_path, "1", defined("A", 7, elapsed_days=45, automated=True))

    given(ledger, tmp_path, "2", defined("B", 3, elapsed_days=100, product="P2", supersedes="A"))

    assert cube_of(ledger).equals(cube_of(other))


def test_an_original_of_the_same_batch_is_found(ledger: LedgerApplication, tmp_path: Path) -> None:
    answer, _ = given(
        ledger, tmp_path, "1", defined("B", 3, supersedes="A"), defined("A", 7), defined("C", 1)
    )
    assert (answer.facts, answer.reversals, answer.rejected) == (4, 1, 0)
    assert cells(ledger) == {("DP1", "P1"): 4}


def test_an_original_of_an_old_batch_is_found_behind_many_blocks(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    for number in range(40):
        given(ledger, tmp_path, f"later {number}", defined(f"later {number}", 1))

    answer, rejects = given(ledger, tmp_path, "last", defined("B", 3, supersedes="A"))

    assert (answer.reversals, dict(rejects.codes)) == (1, {})
    assert cells(ledger) == {("DP1", "P1"): 43}


def test_an_original_is_found_behind_the_window(ledger: LedgerApplication, tmp_path: Path) -> None:
    ledger.execute(
        command(
            "declare",
            [
                under_act(
                    FactSourceDeclared(source="SRC", label="S", window_facts=0, sequential=False)
                )
            ],
        )
    )
    given(ledger, tmp_path, "1", defined("A", 7))
    answer, _ = given(ledger, tmp_path, "2", defined("B", 3, supersedes="A"))
    assert answer.reversals == 1


def test_a_name_used_again_beyond_the_window_means_the_latest_fact(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    ledger.execute(
        command(
            "declare",
            [
                under_act(
                    FactSourceDeclared(source="SRC", label="S", window_facts=0, sequential=False)
                )
            ],
        )
    )
    given(ledger, tmp_path, "1", defined("A", 100), defined("OLD", 1))
    given(ledger, tmp_path, "2", defined("A2", 200, supersedes="A"))
    given(ledger, tmp_path, "3", defined("A", 7))

    answer, rejects = given(
        ledger,
        tmp_path,
        "4",
        defined("B", 3, supersedes="A"),
        # Makes the search go on to the first block, where the other A stands.
        defined("C", 1, supersedes="OLD"),
    )

    assert (answer.reversals, dict(rejects.codes)) == (2, {})
    assert cells(ledger) == {("DP1", "P1"): 200 + 3 + 1}


def test_a_fact_is_taken_back_once(ledger: LedgerApplication, tmp_path: Path) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    given(ledger, tmp_path, "2", defined("B", 3, supersedes="A"))

    answer, rejects = given(ledger, tmp_path, "3", defined("C", 1, supersedes="A"))

    assert (answer.facts, answer.rejected) == (0, 1)
    assert dict(rejects.codes) == {"superseded_twice": 1}
    assert rejects.first[0]["column"] == "supersedes"
    assert cells(ledger) == {("DP1", "P1"): 3}


def test_of_two_corrections_in_one_batch_the_first_stays(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    answer, rejects = given(
        ledger, tmp_path, "2", defined("B", 3, supersedes="A"), defined("C", 1, supersedes="A")
    )
    assert (answer.reversals, dict(rejects.codes)) == (1, {"superseded_twice": 1})
    assert cells(ledger) == {("DP1", "P1"): 3}


@pytest.mark.parametrize("superseded", ["nowhere", "B", f"B{REVERSAL_SUFFIX}"])
def test_an_unknown_original_is_refused(
    ledger: LedgerApplication, tmp_path: Path, superseded: str
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    answer, rejects = given(ledger, tmp_path, "2", defined("B", 3, supersedes=superseded))
    assert (answer.facts, dict(rejects.codes)) == (0, {"superseded_unknown": 1})
    assert cells(ledger) == {("DP1", "P1"): 7}


def test_a_fact_of_another_kind_or_source_is_no_original(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    record(
        ledger,
        tmp_path,
        "RequestReceived",
        [fact("RequestReceived", source_id="R")],
        batch(name="1"),
    )
    given(ledger, tmp_path, "2", defined("A", 7), source="OTHER")
    _, rejects = given(
        ledger, tmp_path, "3", defined("B", supersedes="R"), defined("C", supersedes="A")
    )
    assert dict(rejects.codes) == {"superseded_unknown": 2}


def test_a_reversal_cannot_be_corrected(ledger: LedgerApplication, tmp_path: Path) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    given(ledger, tmp_path, "2", defined("B", 3, supersedes="A"))
    _, rejects = given(ledger, tmp_path, "3", defined("C", 1, supersedes=f"B{REVERSAL_SUFFIX}"))
    assert dict(rejects.codes) == {"superseded_unknown": 1}


def test_a_correction_is_corrected_by_naming_it(ledger: LedgerApplication, tmp_path: Path) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    given(ledger, tmp_path, "2", defined("B", 3, supersedes="A"))
    answer, _ = given(ledger, tmp_path, "3", defined("C", 2, supersedes="B"))
    assert answer.reversals == 1
    assert cells(ledger) == {("DP1", "P1"): 2}


def test_a_chain_of_corrections_in_one_batch_leaves_the_last(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    answer, _ = given(
        ledger,
        tmp_path,
        "1",
        defined("A", 7),
        defined("B", 3, supersedes="A"),
        defined("C", 2, supersedes="B"),
    )
    assert (answer.facts, answer.reversals) == (5, 2)
    assert cells(ledger) == {("DP1", "P1"): 2}


def test_a_correction_of_a_refused_correction_is_refused_too(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    answer, rejects = given(
        ledger,
        tmp_path,
        "1",
        defined("D", 1, supersedes="C"),
        defined("B", 3, supersedes="nowhere"),
        defined("C", 2, supersedes="B"),
        defined("E", 4),
    )
    assert (answer.facts, answer.reversals) == (1, 0)
    assert dict(rejects.codes) == {"superseded_unknown": 3}
    assert cells(ledger) == {("DP1", "P1"): 4}


def test_the_original_is_the_recorded_fact_not_its_refused_duplicate(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    _, rejects = given(ledger, tmp_path, "2", defined("A", 70), defined("B", 3, supersedes="A"))
    assert dict(rejects.codes) == {"duplicate_in_ledger": 1}
    assert cells(ledger) == {("DP1", "P1"): 3}


def test_a_pure_cancellation_takes_a_fact_back_and_puts_nothing_in_its_place(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7), defined("K", 1))

    answer, rejects = given(
        ledger, tmp_path, "2", defined("X", 999, product="P2", supersedes="A", reversal=True)
    )

    assert (answer.rows, answer.facts, answer.reversals, dict(rejects.codes)) == (1, 1, 1, {})
    last = recorded_facts(ledger, NAME).to_dicts()[-1]
    assert last["source_id"] == "X"
    assert (last["pieces"], last["product"], last["reversal"]) == (7, "P1", True)
    assert cells(ledger) == {("DP1", "P1"): 1}


def test_a_cancellation_and_its_original_may_come_in_one_batch(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    answer, _ = given(
        ledger, tmp_path, "1", defined("A", 7), defined("X", supersedes="A", reversal=True)
    )
    assert (answer.facts, answer.reversals, answer.rejected) == (2, 1, 0)
    assert cells(ledger) == {}


def test_a_cancelled_fact_is_not_corrected_afterwards(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    given(ledger, tmp_path, "2", defined("X", supersedes="A", reversal=True))
    _, rejects = given(ledger, tmp_path, "3", defined("B", supersedes="A"))
    assert dict(rejects.codes) == {"superseded_twice": 1}


def test_a_reversal_that_names_no_fact_is_refused(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    answer, rejects = given(ledger, tmp_path, "1", defined("X", reversal=True))
    assert (answer.facts, dict(rejects.codes)) == (0, {"missing": 1})
    assert rejects.first[0]["column"] == "supersedes"


def test_every_kind_of_fact_is_taken_back_exactly(tmp_path: Path) -> None:
    ledger = production_ledger()
    for family, members in FAMILIES.items():
        for rules in members:
            rows = [fact(rules.name, source_id=f"{rules.name} A")]
            said = batch(family=family, name=f"{rules.name} 1")
            record(ledger, tmp_path, rules.name, rows, said)
            before = cube_of(ledger).height
            back = fact(
                rules.name,
                source_id=f"{rules.name} B",
                supersedes=f"{rules.name} A",
                reversal=True,
            )
            said = batch(family=family, name=f"{rules.name} 2")
            answer = record(ledger, tmp_path, rules.name, [back], said)
            assert (answer.reversals, answer.rejected) == (1, 0), rules.name
            assert before > 0
            assert cube_of(ledger).is_empty(), rules.name


def closed(ledger: LedgerApplication) -> None:
    event = PeriodClosed(year=YEAR, period_from=FIRST, period_to=LAST)
    ledger.execute(command("close", [under_act(event, as_of=dt.date(YEAR + 1, 6, 1))]))


def test_a_closed_period_takes_corrections_and_no_facts(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7), defined("K", 2))
    closed(ledger)

    answer, rejects = given(
        ledger,
        tmp_path,
        "2",
        defined("B", 3, supersedes="A"),
        defined("X", supersedes="K", reversal=True),
        defined("N", 1),
        as_of=dt.date(YEAR + 1, 7, 1),
        acts=(PLAN_ACT,),
    )

    assert (answer.facts, answer.reversals) == (3, 2)
    assert dict(rejects.codes) == {"period_not_open": 1}
    assert cells(ledger) == {("DP1", "P1"): 3}


def test_a_correction_outside_of_every_known_period_is_refused(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    given(ledger, tmp_path, "1", defined("A", 7))
    _, rejects = given(
        ledger, tmp_path, "2", defined("B", 3, supersedes="A", defined_on=dt.date(2022, 3, 1))
    )
    assert dict(rejects.codes) == {"period_not_open": 1}


def test_a_correction_in_text_needs_no_other_column(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    first = facts_table(NAME, [defined("A", 7)]).drop("supersedes", "reversal")
    second = facts_table(NAME, [defined("B", 3, supersedes="A")]).drop("reversal")
    take(ledger, csv_file(tmp_path, "one", first), name="1")
    answer = take(ledger, csv_file(tmp_path, "two", second), name="2")
    assert (answer.facts, answer.reversals) == (2, 1)
    assert recorded_facts(ledger, NAME).get_column("reversal").to_list() == [False, False, True]


def test_corrections_of_several_files_and_pieces_are_resolved_together(
    ledger: LedgerApplication, tmp_path: Path
) -> None:
    originals = [defined(f"A{n}", n + 1) for n in range(200)]
    corrections = [defined(f"B{n}", 1, supersedes=f"A{n}") for n in range(0, 200, 2)]
    files = [
        csv_file(tmp_path, "corrections", facts_table(NAME, corrections)),
        csv_file(tmp_path, "originals", facts_table(NAME, originals)),
    ]
    answer = take(ledger, *files, name="1", piece_bytes=300)
    assert (answer.rows, answer.facts, answer.reversals, answer.rejected) == (300, 400, 100, 0)
    assert cells(ledger) == {("DP1", "P1"): 100 + sum(range(2, 201, 2))}
    assert recorded_facts(ledger, NAME).filter(pl.col("reversal")).height == 100
