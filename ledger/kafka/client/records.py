r"""Let kafka-python read records whose header names are not UTF-8.

Kafka takes any bytes as the name of a header. The library decodes names strictly and gives up a
whole batch for one of them: a single message would keep everything behind it from being read, for
ever, since a batch cannot be entered behind the message either. So names are read leniently here.

Invariants:
1. A name that is UTF-8 is read as ever; in another one each byte that does not fit stands as
   `\xNN`.
2. Keys, values and header values come as they are; a record that is damaged is still refused.

Source: docs/adr/0015-inbox.md; docs/inbox.md.
"""

from typing import Any

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class _Name(bytearray):
    """Part of a batch; decoding it never fails."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002 - as the class it stands in for
        return super().decode(encoding, "backslashreplace")


class _Lenient(bytearray):
    """The bytes of a batch, whose parts are `_Name`."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Name(found) if isinstance(place, slice) else found


class LenientBatch(DefaultRecordBatch):  # type: ignore[misc] # kafka-python is untyped
    """A batch of records with names of any bytes."""

    _buffer: Any

    def _read_msg(self, *given: Any) -> Any:
        try:
            return super()._read_msg(*given)
        except UnicodeDecodeError:
            # Once for each batch: the library has not moved on yet, and reads on in the copy.
            self._buffer = _Lenient(self._buffer)
            return super()._read_msg(*given)


def read_leniently() -> None:
    """Have the library read every batch so, in this process."""
    memory_records.DefaultRecordBatch = LenientBatch
