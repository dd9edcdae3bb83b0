"""Feed facts as they come: single events and small groups, recorded within a maximum delay.

Lines are gathered until the delay of the oldest one is over, or until there are enough of them;
then they are one batch, named by its content; they may be facts of several kinds of the family. The
same lines in the same group again are the same batch; a fact that is sent again otherwise is
refused as a duplicate.

Invariants:
1. Whoever was told of a group has it in the ledger, durably.
2. Groups are recorded in the order of their lines, by one thread, `LINES_MAX` lines at most.
3. A line waits in memory no longer than its delay and the time of a group that is being recorded;
   who offers more than is recorded waits too.
4. A line that is no fact is refused alone; after an error nothing more is recorded: `offer` and the
   end raise it.

Source: docs/production.md.
"""

import datetime as dt
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl

from ledger.facts.batches import Batch, FactFile, Ingested
from ledger.facts.ingest import FactIntake
from ledger.facts.jsonlines import flat_object
from ledger.facts.judging import kind_of
from ledger.facts.problems import FactProblem, problem_table
from ledger.facts.rejects import Rejects
from ledger.scratch import scratch_folder
from ledger.types import Position

LINES_MAX: Final = 4096
"""Lines after which a group is recorded without waiting: one block."""
WAITING_MAX: Final = 4 * LINES_MAX
"""Lines that may wait."""
_STRANGERS: Final = -1
"""What lines of no kind of fact are filed under."""


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
            batch: what is said of every group; its name is left out, since a name stands for one
                content.
            rejects: takes refused lines.
            delay: how long a line may wait.
            told: called with every group that was recorded.
        """
        self._intake = intake
        self._batch = replace(batch, batch=None)
        self._rejects = rejects
        self._delay = delay.total_seconds()
        self._told = told
        self._changed = threading.Condition()
        """Guards the fields below it."""
        self._lines: deque[bytes] = deque()
        self._due = 0.0
        """Monotonic time at which the oldest line has waited long enough."""
        self._ending = False
        self._error: Exception | None = None
        self._kinds: list[str] = []
        """Kinds of facts that came, in the order of their first lines: refused rows of each go to a
        file of their own."""
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
            Exception: a group could not be recorded: mostly a `LedgerError`, or what `told` raised.
        """
        self.finish()
        if self._error is not None and error is None:
            raise self._error

    def finish(self) -> None:
        """Record what waits, and stop; once more it does nothing.

        An interruption may come just as the block of the context manager ends, and keep its end
        from running: who must lose nothing calls this again.
        """
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def offer(self, line: bytes) -> None:
        """Take one fact as a JSON object on one line; wait while too many lines wait.

        Raises:
            Exception: an earlier group could not be recorded.
        """
        if not line.strip():
            return
        with self._changed:
            self._changed.wait_for(lambda: len(self._lines) < WAITING_MAX or self._error)
            if self._error is not None:
                raise self._error
            if not self._lines:
                self._due = time.monotonic() + self._delay
            self._lines.append(line if line.endswith(b"\n") else line + b"\n")
            if len(self._lines) in {1, LINES_MAX}:
                self._changed.notify_all()

    def _run(self) -> None:
        while lines := self._group():
            try:
                self._told(self._record(lines))
            except Exception as error:  # noqa: BLE001 - raised again in the thread of the caller
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return

    def _group(self) -> list[bytes]:
        """Return the lines that are recorded next; none when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._ending)
            # Others may join the first line until its delay is over.
            self._changed.wait_for(
                lambda: self._ending or len(self._lines) >= LINES_MAX,
                timeout=max(0.0, self._due - time.monotonic()),
            )
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), LINES_MAX))]
            # Those that are left came while a group was full: their delay is over sooner than that
            # of a line that comes now.
            self._due = time.monotonic()
            self._changed.notify_all()
            return lines

    def _record(self, lines: list[bytes]) -> Ingested:
        digest = hashlib.sha256(b"".join(lines)).hexdigest()[:16]
        by_kind, strangers = self._sorted(lines)
        if not by_kind:
            answer = _nothing(f"facts/{self._batch.family}/{self._batch.source}/{digest}")
        else:
            with scratch_folder() as folder:
                files = [
                    _file(folder, kind, self._kinds.index(kind), own, len(lines))
                    for kind, own in by_kind.items()
                ]
                answer = self._intake.files(files, self._batch, rejects=self._rejects)
        if answer.repeated or not strangers:
            return answer
        self._rejects.begin(_STRANGERS, "stdin", ("line",))
        self._rejects.add(_STRANGERS, pl.DataFrame(), problem_table(strangers))
        self._rejects.finish()
        return replace(
            answer,
            rows=answer.rows + len(strangers),
            rejected=answer.rejected + len(strangers),
        )

    def _sorted(
        self, lines: list[bytes]
    ) -> tuple[dict[str, dict[int, bytes]], list[tuple[int, str, FactProblem, str]]]:
        """Return the lines by kind of fact and place, and those that are of no kind."""
        by_kind: dict[str, dict[int, bytes]] = {}
        unread: dict[int, bytes] = {}
        strangers: list[tuple[int, str, FactProblem, str]] = []
        for place, line in enumerate(lines):
            found = flat_object(line)
            if found is None:
                unread[place] = line
                continue
            rules = kind_of(found, self._batch.family, self._intake.registry)
            if rules is None:
                strangers.append((place, "", FactProblem.NO_KIND, _shown(line)))
                continue
            if rules.name not in self._kinds:
                self._kinds.append(rules.name)
            by_kind.setdefault(rules.name, {})[place] = line
        if by_kind:
            # They are shown and kept beside the lines that came with them.
            next(iter(by_kind.values())).update(unread)
            return by_kind, strangers
        unreadable = [
            (place, "", FactProblem.UNREADABLE, _shown(line)) for place, line in unread.items()
        ]
        return {}, strangers + unreadable


def _file(folder: Path, kind: str, number: int, own: dict[int, bytes], places: int) -> FactFile:
    """Write the lines of one kind, each in the place in which it came."""
    path = folder / f"{kind}.jsonl"
    path.write_bytes(b"".join(own.get(place, b"\n") for place in range(places)))
    return FactFile(path=path, form="jsonl", name="stdin", number=number)


def _shown(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r\n")


def _nothing(key: str) -> Ingested:
    return Ingested(
        key=key,
        repeated=False,
        rows=0,
        facts=0,
        reversals=0,
        blocks=0,
        rejected=0,
        first=Position(0),
        last=Position(0),
    )
