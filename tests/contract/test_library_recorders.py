"""The eventsourcing library's own suites, run against our recorder and our tracking store."""

from pathlib import Path
from uuid import uuid4  # noqa: TID251 - the library's suites choose identifiers, not the product

import pytest
from eventsourcing.persistence import ApplicationRecorder, TrackingRecorder
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    TrackingRecorderTestCase,
)

from ledger.clock import SystemClock, SystemEntropy
from ledger.store.engine import open_engine, store_url
from ledger.store.recorder import LedgerRecorder
from ledger.store.store import Store
from projections.tracking import ProjectionStore
from tests.support.ledgers import place_of

pytestmark = pytest.mark.contract


class _FileRecorder:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def new_originator_id(self) -> str:
        return str(uuid4())

    def create_recorder(self) -> LedgerRecorder:
        store = Store(
            open_engine(store_url(place_of(self.folder / f"{uuid4()}.db"))),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        store.create()
        return LedgerRecorder(store)


class TestApplicationRecorder(_FileRecorder, ApplicationRecorderTestCase[ApplicationRecorder]):
    def test_subscription(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleaving(_FileRecorder, NonInterleavingNotificationIDsBaseCase):
    pass


class TestTrackingRecorder(TrackingRecorderTestCase):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def create_recorder(self) -> TrackingRecorder:
        return ProjectionStore(open_engine(store_url(place_of(self.folder / "projections.db"))))


del ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase, TrackingRecorderTestCase
