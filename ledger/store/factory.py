"""The library's infrastructure factory over one `Store`."""

from typing import Any, NoReturn

from eventsourcing.persistence import InfrastructureFactory, TrackingRecorder
from eventsourcing.utils import Environment

from ledger.store.recorder import LedgerRecorder
from ledger.store.store import Store


class LedgerFactory(InfrastructureFactory[TrackingRecorder]):
    """Give the library's application our recorder.

    Snapshots stay off (a free-form state has no Avro schema) and projections keep their own
    tracking, so the recorders for those purposes are refused with the reason.
    """

    def __init__(self, env: Environment, *, store: Store) -> None:
        super().__init__(env)
        self._store = store

    def application_recorder(self) -> LedgerRecorder:
        """Return the recorder of the ledger."""
        return LedgerRecorder(self._store)

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        """Refuse: there are no snapshots in the ledger."""
        raise NotImplementedError(f"no recorder for {purpose}: the ledger takes no snapshots")

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> NoReturn:
        """Refuse: projections keep their tracking beside their own tables."""
        raise NotImplementedError("tracking stands in projections.tracking")

    def process_recorder(self) -> NoReturn:
        """Refuse: a projection never appends to the ledger."""
        raise NotImplementedError("a projection never appends to the ledger")
