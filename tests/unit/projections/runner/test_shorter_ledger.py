"""A ledger that ends before a read model does: a copy on Kafka, or a backup that was put back."""

import shutil
from pathlib import Path

import pytest

from ledger.application import LedgerApplication
from ledger.errors import ReadModelAheadError
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from tests.support.ledgers import embedded, reopened
from tests.unit.projections.runner.test_digests import facts_ledger, late_unit, views_at

pytestmark = embedded
TRAIL = PROJECTIONS["trail"]


@pytest.fixture
def longer(tmp_path: Path) -> LedgerApplication:
    return reopened(facts_ledger(tmp_path / "longer.db"))


@pytest.fixture
def shorter(longer: LedgerApplication, tmp_path: Path) -> LedgerApplication:
    """The ledger as it was before its last record."""
    shutil.copy(tmp_path / "longer.db", tmp_path / "shorter.db")
    late_unit(longer, "LATE")
    return reopened(tmp_path / "shorter.db")


def test_readers_are_not_taken_back(
    longer: LedgerApplication, shorter: LedgerApplication, tmp_path: Path
) -> None:
    views = views_at(tmp_path / "views.db")
    Runner(longer, views).rebuild(TRAIL)
    before = views.live(TRAIL.name)

    with pytest.raises(ReadModelAheadError) as caught:
        Runner(shorter, views).rebuild(TRAIL)

    assert caught.value.facts == {
        "projection": TRAIL.name,
        "position": str(longer.head()),
        "head": str(shorter.head()),
    }
    assert views.generations() == (before,)


def test_a_rebuild_that_was_overtaken_for_good_ends(
    longer: LedgerApplication, shorter: LedgerApplication, tmp_path: Path
) -> None:
    """The read model moved on while the rebuild was folding, and its own source never will."""
    views = views_at(tmp_path / "views.db")
    other = Runner(longer, views)

    def overtake(step: str) -> None:
        if step == "rebuild.folded":
            other.catch_up(TRAIL)

    with pytest.raises(ReadModelAheadError):
        Runner(shorter, views, fault_point=overtake).rebuild(TRAIL)

    live = views.live(TRAIL.name)
    assert live is not None
    assert live.position == longer.head()


def test_the_same_end_is_no_refusal(
    longer: LedgerApplication, shorter: LedgerApplication, tmp_path: Path
) -> None:
    views = views_at(tmp_path / "views.db")
    Runner(shorter, views).rebuild(TRAIL)

    again = Runner(shorter, views).rebuild(TRAIL)

    assert again.changed is False
    assert Runner(longer, views).rebuild(TRAIL).position == longer.head()
