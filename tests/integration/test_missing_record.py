"""A ledger from which a record was deleted answers no question as if nothing had happened."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from ledger.errors import PositionGapError
from ledger.feed import RecordedEvent, read_all
from projections.cycle.explain import explain
from projections.cycle.facts import fold
from projections.cycle.replay import replay
from projections.risk_register import risk_register
from projections.trail import trail
from tests.integration.test_tampering import filled
from tests.support.ledgers import reopened
from tests.support.tampering import tamper

DAY = dt.date(2023, 12, 31)
QUESTIONS: Mapping[str, Callable[[Iterable[RecordedEvent]], object]] = {
    "facts": fold,
    "replay": lambda events: replay(events, year=2023, as_of=None),
    "explain": lambda events: explain(events, code="A", year=2023, as_of=None),
    "trail": lambda events: trail(events, entity="A"),
    "risks": lambda events: risk_register(events, on=DAY),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("position", [2, 5])
def test_a_question_stops_at_the_place_of_the_deleted_record(
    tmp_path: Path, question: str, position: int
) -> None:
    path = tmp_path / "ledger.db"
    filled(path).store.engine.dispose()
    tamper(path, ("DELETE FROM record WHERE position = ?", (position,)))
    ledger = reopened(path)

    with pytest.raises(PositionGapError) as caught:
        QUESTIONS[question](read_all(ledger))

    assert caught.value.facts == {"after": str(position - 1), "found": str(position + 1)}
    ledger.store.engine.dispose()
