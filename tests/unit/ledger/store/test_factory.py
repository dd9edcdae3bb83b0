"""The library's factory gives our recorder and refuses what the ledger has not."""

import pytest
from eventsourcing.utils import Environment

from ledger.store.factory import LedgerFactory
from ledger.store.recorder import LedgerRecorder
from tests.support.ledgers import new_ledger, store_at


def factory() -> LedgerFactory:
    return LedgerFactory(Environment("registro", {}), store=store_at(None))


def test_the_recorder_stands_over_the_store_given() -> None:
    store = store_at(None)

    recorder = LedgerFactory(Environment("registro", {}), store=store).application_recorder()

    assert isinstance(recorder, LedgerRecorder)
    assert recorder.store is store


def test_refuses_a_recorder_of_snapshots() -> None:
    with pytest.raises(NotImplementedError, match="no snapshots"):
        factory().aggregate_recorder("snapshots")


def test_refuses_a_recorder_of_tracking() -> None:
    with pytest.raises(NotImplementedError, match=r"projections\.tracking"):
        factory().tracking_recorder()


def test_refuses_a_recorder_of_processes() -> None:
    with pytest.raises(NotImplementedError, match="never appends"):
        factory().process_recorder()


def test_an_opened_ledger_uses_the_recorder() -> None:
    assert isinstance(new_ledger().recorder, LedgerRecorder)
