"""Events and values of the context `replay`.

Generated from schemas/avro by `python -m schemas generate`; do not edit.
"""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from ledger.events.base import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayRun(Event):
    """A replay was run and its answer is kept, so that it can be repeated and compared."""

    TYPE: ClassVar[str] = "registro.replay.ReplayRun"
    KEYS: ClassVar[tuple[str, ...]] = ("run_id",)
    run_id: str
    """Name of the run: year, hyphen, 16 hexadecimal digits that derive from its inputs and its
    answer."""
    year: int
    """Year of the performance cycle."""
    cut: dt.date | None = None
    """Last day of knowledge, inclusive; null for everything known."""
    read_through: int
    """Position of the last record that was read, 1-based."""
    vintages: tuple[str, ...] = ()
    """Closing stages of the figures in the answer, in order of name."""
    indicators: int
    """Number of indicators in the answer."""
    definitions_digest: bytes
    """SHA-256 over the definitions in force, 32 raw bytes; see docs/formats/replay.md."""
    code_version: str
    """Version of the program that ran it."""
    output_digest: bytes
    """SHA-256 of the answer, 32 raw bytes; see docs/formats/replay.md."""
