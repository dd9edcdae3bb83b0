"""Feed facts as they come: single events and small groups, recorded within a maximum delay.

Lines are gathered until the delay of the oldest one is over, or until there are enough of them;
then they are one batch, named by its content. The same lines in the same group again are the same
batch; a fact that is sent again otherwise is refused as a duplicate.

Invariants:
1. Whoever was told of a group has it in the ledger, durably.
2. Groups are recorded in the order of their lines, by one thread.

Source: docs/production.md.
"""

import datetime as dt
import hashlib
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ledger.errors import LedgerError
from ledger.facts.batches import Batch, FactFile, Ingested
from ledger.facts.ingest import FactIntake
from ledger.facts.rejects import Rejects

LINES_MAX: Final = 4096
"""Lines after which a group is recorded without waiting: one block."""


class Feeding:
    """Records JSON Lines within a delay; use it as a context manager."""

    def __init__(
        self,
        intake: FactIntake,
        batch: Batch,
        *,
        rejects: Rejects,
        delay: dt.timedelta,
        told: Callable[[Ingested], None] = lambda _answer: None,
    ) -> None:
        """Prepare; recording begins with the first line.

        Args:
            intake: of the ledger.
            batch: what is said of every group; its name is left out.
            rejects: takes refused lines.
            delay: how long a line may wait.
            told: called with every group that was recorded.
        """
        self._intake = intake
        self._batch = batch
        self._rejects = rejects
        self._delay = delay.total_seconds()
        self._told = told
        self._lines: list[bytes] = []
        self._changed = threading.Condition()
        self._ending = False
        self._error: LedgerError | None = None
        self._thread = threading.Thread(target=self._run, name="feeding", daemon=True)

    def __enter__(self) -> Self:
        """Begin to record."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record what waits, and stop.

        Raises:
            LedgerError: a group could not be recorded.
        """
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def offer(self, line: bytes) -> None:
        """Take one fact as a JSON object on one line.

        Raises:
            LedgerError: an earlier group could not be recorded.
        """
        if not line.strip():
            return
        with self._changed:
            if self._error is not None:
                raise self._error
            self._lines.append(line if line.endswith(b"\n") else line + b"\n")
            if len(self._lines) in {1, LINES_MAX}:
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._ending)
                if not self._lines:
                    return
                # The first line has just come: others may join it until its delay is over.
                self._changed.wait_for(
                    lambda: self._ending or len(self._lines) >= LINES_MAX, timeout=self._delay
                )
                lines, self._lines = self._lines, []
            try:
                self._told(self._record(lines))
            except LedgerError as error:
                with self._changed:
                    self._error = error
                return

    def _record(self, lines: list[bytes]) -> Ingested:
        content = b"".join(lines)
        with tempfile.TemporaryDirectory(prefix="registro-") as folder:
            path = Path(folder) / f"{hashlib.sha256(content).hexdigest()[:16]}.jsonl"
            path.write_bytes(content)
            file = FactFile(path=path, form="jsonl", name="stdin")
            return self._intake.files([file], self._batch, rejects=self._rejects)
