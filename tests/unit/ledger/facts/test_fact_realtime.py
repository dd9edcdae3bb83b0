"""Facts that come one by one are recorded within their delay, in order, and none is lost."""

import datetime as dt
import itertools
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ledger.application import LedgerApplication
from ledger.errors import CommandRefusedError
from ledger.facts.batches import Ingested
from ledger.facts.ingest import FactIntake
from ledger.facts.realtime import LINES_MAX, WAITING_MAX, Feeding
from ledger.facts.rejects import Rejects
from tests.support.production import batch, blocks, production_ledger, recorded_facts

NAME = "StockCounted"
SOON = dt.timedelta(milliseconds=30)
NEVER = dt.timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerApplication:
    return production_ledger(tmp_path / "ledger.db")


def line(source_id: str, **values: object) -> bytes:
    plain = {"product": "P1", "unit": "DP1", "counted_on": "2023-03-31", "pieces": 5}
    return json.dumps({"source_id": source_id, **plain, **values}).encode()


class Told:
    """Takes the answers, and lets a test wait for them."""

    def __init__(self) -> None:
        self.answers: list[Ingested] = []
        self.came = threading.Semaphore(0)

    def __call__(self, answer: Ingested) -> None:
        self.answers.append(answer)
        self.came.release()

    def wait(self) -> None:
        assert self.came.acquire(timeout=10)

    @property
    def facts(self) -> list[int]:
        return [answer.facts for answer in self.answers]


@pytest.fixture
def told() -> Told:
    return Told()


def feeding(ledger: LedgerApplication, told: Any, delay: dt.timedelta, **more: Any) -> Feeding:
    rejects = more.pop("rejects", None) or Rejects(folder=None)
    said = batch("stock", more.pop("name", None), **more)
    return Feeding(FactIntake(ledger), said, rejects=rejects, delay=delay, told=told)


def feed_and_raise(feeding: Feeding, first: bytes, error: BaseException) -> None:
    with feeding as feed:
        feed.offer(first)
        raise error


def ids(ledger: LedgerApplication) -> list[str]:
    return recorded_facts(ledger, NAME).get_column("source_id").to_list()


def test_a_single_line_is_recorded_when_its_delay_is_over(
    ledger: LedgerApplication, told: Told
) -> None:
    with feeding(ledger, told, SOON) as feed:
        begin = time.monotonic()
        feed.offer(line("A"))
        told.wait()
        assert time.monotonic() - begin >= SOON.total_seconds()
        assert ids(ledger) == ["A"]


def test_lines_that_come_within_the_delay_are_one_batch(
    ledger: LedgerApplication, told: Told
) -> None:
    with feeding(ledger, told, dt.timedelta(seconds=0.3)) as feed:
        for name in "ABC":
            feed.offer(line(name))
        told.wait()
        feed.offer(line("D"))
        told.wait()
    assert told.facts == [3, 1]
    assert len(blocks(ledger)) == 2


def test_enough_lines_are_recorded_without_waiting(ledger: LedgerApplication, told: Told) -> None:
    with feeding(ledger, told, NEVER) as feed:
        for number in range(LINES_MAX):
            feed.offer(line(f"{number:05}"))
        told.wait()
        assert told.facts == [LINES_MAX]
        feed.offer(line("last"))
    assert told.facts == [LINES_MAX, 1]


def test_nothing_is_lost_at_the_end_and_the_order_is_kept(
    ledger: LedgerApplication, told: Told
) -> None:
    expected = [f"{number:05}" for number in range(WAITING_MAX + 100)]
    with feeding(ledger, told, NEVER) as feed:
        for name in expected:
            feed.offer(line(name))
    assert ids(ledger) == expected
    assert max(told.facts) <= LINES_MAX
    assert [answer.first for answer in told.answers] == sorted(a.first for a in told.answers)


def test_who_is_told_finds_the_facts_in_the_ledger(ledger: LedgerApplication) -> None:
    seen: list[int] = []

    def told(answer: Ingested) -> None:
        assert ledger.head() == answer.last
        seen.append(recorded_facts(ledger, NAME).height)

    with feeding(ledger, told, SOON) as feed:
        feed.offer(line("A"))
        feed.offer(line("B"))
    assert seen[-1] == 2


def test_an_end_without_lines_records_nothing(ledger: LedgerApplication, told: Told) -> None:
    before = ledger.head()
    with feeding(ledger, told, NEVER) as feed:
        for empty in (b"", b"\n", b"  \r\n"):
            feed.offer(empty)
    assert (told.answers, ledger.head()) == ([], before)


def test_lines_with_and_without_a_line_break_are_alike(
    ledger: LedgerApplication, told: Told
) -> None:
    with feeding(ledger, told, NEVER) as feed:
        feed.offer(line("A") + b"\n")
        feed.offer(line("B"))
        feed.offer(line("C") + b"\r\n")
    assert ids(ledger) == ["A", "B", "C"]


def test_an_interruption_records_what_waits(ledger: LedgerApplication, told: Told) -> None:
    with pytest.raises(KeyboardInterrupt):
        feed_and_raise(feeding(ledger, told, NEVER), line("A"), KeyboardInterrupt())
    assert ids(ledger) == ["A"]


def test_bad_lines_are_refused_group_by_group_into_one_file(
    ledger: LedgerApplication, told: Told, tmp_path: Path
) -> None:
    rejects = Rejects(folder=tmp_path / "out")
    with feeding(ledger, told, SOON, rejects=rejects) as feed:
        for number in range(3):
            feed.offer(line(f"good{number}"))
            feed.offer(line(f"bad{number}", unit="NOWHERE"))
            feed.offer(b"nonsense")
            told.wait()
    assert told.facts == [1, 1, 1]
    assert [answer.rejected for answer in told.answers] == [2, 2, 2]
    assert rejects.rows == 6
    assert sorted(path.name for path in rejects.written) == [
        "stdin.problems.csv",
        "stdin.rejects.csv",
    ]
    kept = (tmp_path / "out" / "stdin.rejects.csv").read_text().splitlines()
    assert kept[0].startswith("source_id,")
    assert [row.partition(",")[0] for row in kept[1:]] == [
        "bad0",
        "nonsense",
        "bad1",
        "nonsense",
        "bad2",
        "nonsense",
    ]
    problems = (tmp_path / "out" / "stdin.problems.csv").read_text("utf-8-sig").splitlines()
    assert len(problems) == 1 + 6


def test_a_line_sent_again_is_refused_and_a_group_sent_again_adds_nothing(
    ledger: LedgerApplication, told: Told
) -> None:
    rejects = Rejects(folder=None)
    for lines in ("AB", "AB", "BC"):
        with feeding(ledger, told, NEVER, rejects=rejects) as feed:
            for name in lines:
                feed.offer(line(name))
    assert [answer.repeated for answer in told.answers] == [False, True, False]
    assert dict(rejects.codes) == {"duplicate_in_ledger": 1}
    assert ids(ledger) == ["A", "B", "C"]


def test_a_name_of_the_batch_does_not_stand_for_every_group(
    ledger: LedgerApplication, told: Told
) -> None:
    for name in "AB":
        with feeding(ledger, told, NEVER, name="mine") as feed:
            feed.offer(line(name))
    assert ids(ledger) == ["A", "B"]


def feed_until_it_raises(feeding: Feeding, first: bytes) -> None:
    limit = time.monotonic() + 10
    with feeding as feed:
        feed.offer(first)
        for number in itertools.count():
            time.sleep(0.001)
            feed.offer(line(f"more{number}"))
            assert time.monotonic() < limit, "nothing was raised"


TOMORROW = dt.date(2999, 1, 1)
"""A day of knowledge that no ledger takes."""


def test_an_error_of_the_ledger_reaches_who_offers(ledger: LedgerApplication, told: Told) -> None:
    feed = feeding(ledger, told, SOON, as_of=TOMORROW)
    with pytest.raises(CommandRefusedError):
        feed_until_it_raises(feed, line("A"))
    assert told.answers == []
    assert ids(ledger) == []


def test_an_error_at_the_end_reaches_who_waits(ledger: LedgerApplication, told: Told) -> None:
    feed = feeding(ledger, told, NEVER, as_of=TOMORROW)
    with pytest.raises(CommandRefusedError), feed:
        feed.offer(line("A"))
    assert told.answers == []


def declared(source_id: str, **values: object) -> bytes:
    plain = {"product": "P1", "unit": "DP1", "declared_on": "2023-03-01", "pieces": 5}
    return json.dumps({"source_id": source_id, **plain, **values}).encode()


def test_one_group_may_hold_several_kinds_of_facts(ledger: LedgerApplication, told: Told) -> None:
    with feeding(ledger, told, NEVER) as feed:
        for one in (line("A"), declared("B"), line("C"), declared("D")):
            feed.offer(one)
    assert told.facts == [4]
    assert ids(ledger) == ["A", "C"]
    assert recorded_facts(ledger, "StockDeclared").get_column("source_id").to_list() == ["B", "D"]


def test_an_identifier_is_refused_across_the_kinds_of_a_group(
    ledger: LedgerApplication, told: Told
) -> None:
    rejects = Rejects(folder=None)
    with feeding(ledger, told, NEVER, rejects=rejects) as feed:
        feed.offer(line("A"))
        feed.offer(declared("A"))
    assert told.facts == [1]
    assert dict(rejects.codes) == {"duplicate_in_batch": 1}


@pytest.mark.parametrize(
    ("stranger", "code"),
    [
        (b"nonsense", "unreadable"),
        (b'{"nothing":1}', "no_kind"),
        (b'{"source_id":"A","pieces":[1]}', "unreadable"),
        (line("A", further=1), "no_kind"),
    ],
)
def test_a_line_that_is_no_fact_is_refused_and_those_behind_it_are_recorded(
    ledger: LedgerApplication, told: Told, tmp_path: Path, stranger: bytes, code: str
) -> None:
    rejects = Rejects(folder=tmp_path / "out")
    with feeding(ledger, told, SOON, rejects=rejects) as feed:
        feed.offer(stranger)
        told.wait()
        feed.offer(line("B"))
        told.wait()
    assert [(one.facts, one.rejected) for one in told.answers] == [(0, 1), (1, 0)]
    assert dict(rejects.codes) == {code: 1}
    assert ids(ledger) == ["B"]
    assert (tmp_path / "out" / "stdin.rejects.csv").read_text().startswith("line\n")


def test_refused_lines_of_every_kind_have_a_file_of_their_own(
    ledger: LedgerApplication, told: Told, tmp_path: Path
) -> None:
    rejects = Rejects(folder=tmp_path / "out")
    with feeding(ledger, told, SOON, rejects=rejects) as feed:
        for number in range(2):
            feed.offer(declared(f"b{number}", unit="NOWHERE"))
            told.wait()
            feed.offer(line(f"a{number}", unit="NOWHERE"))
            told.wait()
    kept = {path.name: path.read_text().splitlines() for path in rejects.written}
    assert [row[:2] for row in kept["stdin.rejects.csv"][1:]] == ["b0", "b1"]
    assert [row[:2] for row in kept["stdin.rejects-2.csv"][1:]] == ["a0", "a1"]


def test_a_refused_line_is_named_by_its_place_among_all_lines_of_its_group(
    ledger: LedgerApplication, told: Told
) -> None:
    rejects = Rejects(folder=None)
    with feeding(ledger, told, NEVER, rejects=rejects) as feed:
        for one in (line("A"), line("C"), declared("B", unit="NOWHERE"), b'{"nothing":1}'):
            feed.offer(one)
    assert {one["line"]: one["code"] for one in rejects.first} == {3: "unknown_unit", 4: "no_kind"}


def test_what_the_listener_raises_is_raised_again(ledger: LedgerApplication) -> None:
    def told(_: Ingested) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        feed_until_it_raises(feeding(ledger, told, SOON), line("A"))
    assert ids(ledger)[0] == "A"


def test_an_error_does_not_hide_that_of_the_caller(ledger: LedgerApplication, told: Told) -> None:
    with pytest.raises(ZeroDivisionError):
        feed_and_raise(feeding(ledger, told, NEVER, as_of=TOMORROW), line("A"), ZeroDivisionError())


def test_who_offers_too_much_waits(ledger: LedgerApplication) -> None:
    free, waiting = threading.Event(), threading.Event()
    offered, total = 0, WAITING_MAX + 2 * LINES_MAX

    def told(_: Ingested) -> None:
        waiting.set()
        assert free.wait(30)

    def offer() -> None:
        nonlocal offered
        with feeding(ledger, told, SOON) as feed:
            for number in range(total):
                feed.offer(line(f"{number:05}"))
                offered += 1

    thread = threading.Thread(target=offer)
    thread.start()
    assert waiting.wait(30)
    thread.join(timeout=1)
    held = offered
    free.set()
    thread.join(timeout=60)
    assert held <= WAITING_MAX + LINES_MAX
    assert offered == total
    assert recorded_facts(ledger, NAME).height == offered
