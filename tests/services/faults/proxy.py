"""A loopback proxy between a Kafka client and its broker that breaks what it is told to break.

Invariants:
1. Without a fault every frame passes unchanged, in order.
2. A fault strikes whole frames of one kind of request, the given number of times, and is counted.
3. A reply belongs to the request with its correlation id on the same connection.

Source: the public Kafka protocol (frames, request header, ProduceResponse 5 to 13).
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, Self

PRODUCE: Final = 0
FETCH: Final = 1
LIST_OFFSETS: Final = 2
METADATA: Final = 3
INIT_PRODUCER_ID: Final = 22

LENGTH: Final = struct.Struct(">i")
REQUEST: Final = struct.Struct(">hhi")
"""Kind, version, correlation id."""
SHORT: Final = struct.Struct(">h")
FLEXIBLE_PRODUCE: Final = 9
"""From this version on lengths are varints and fields may be tagged."""
PRODUCE_VERSIONS: Final = range(5, 14)
"""Versions of the reply that are read here."""
ERRORS_OF_RECORDS: Final = 8
"""From this version on a partition tells the errors of single records."""
TOPIC_IDS: Final = 13
"""From this version on topics are named by id."""
UUID_BYTES: Final = 16
AFTER_ERROR: Final = 3 * 8
"""Bytes of base offset, append time and log start behind an error code."""
INDEX_BYTES: Final = 4
MORE: Final = 0x80
"""Bit of a byte of a varint that says that another follows."""
CONNECT_SECONDS: Final = 5.0

Deed = Literal["drop", "delay", "half_close", "cut", "lose_reply", "alter", "spoil_and_alter"]
"""What is done:

drop             the request is swallowed, the connection stays
delay            the request waits before it goes on
half_close       the request goes on, then the client is told that nothing more comes
cut              some bytes of the request go on, then the connection is cut on both sides
lose_reply       the request goes on, its reply is swallowed and the connection is cut
alter            the request goes on, the error code in its reply is replaced
spoil_and_alter  likewise, but the broker refuses part of the request: a byte of it is changed
"""


@dataclass(kw_only=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    deed: Deed
    kind: int = PRODUCE
    """Kind of request that it strikes."""
    times: int = 1
    """How often it strikes."""
    skip: int = 0
    """Requests of the kind that are let through before."""
    seconds: float = 0.0
    """For `delay`."""
    after: int = 0
    """For `cut`: bytes that go on."""
    code: int = 0
    """For `alter` and `spoil_and_alter`: error code of the protocol."""
    struck: int = 0
    """How often it struck."""


@dataclass(slots=True)
class _Pair:
    """One client connection and its own connection to the broker."""

    client: socket.socket
    broker: socket.socket
    asked: dict[int, tuple[int, Fault | None]] = field(default_factory=dict)
    """Version of a produce request and what its reply suffers, by correlation id."""

    def cut(self) -> None:
        for one in (self.client, self.broker):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class Proxy:
    """Listens on loopback and passes frames on; `faults` may be changed at any time."""

    def __init__(self, *, port: int, upstream: int) -> None:
        """Listen at once.

        Args:
            port: of loopback, where clients connect.
            upstream: port of loopback, where the broker listens.
        """
        self._upstream = upstream
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.2)
        self._open = True
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._acceptor.join(timeout=CONNECT_SECONDS)
        self._listener.close()
        for pair in self._pairs:
            pair.cut()

    @contextlib.contextmanager
    def failing(self, *faults: Fault) -> Iterator[None]:
        """Let faults strike while the context is entered."""
        with self._lock:
            self._faults = list(faults)
        try:
            yield
        finally:
            with self._lock:
                self._faults = []

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue
            try:
                broker = socket.create_connection(("127.0.0.1", self._upstream), CONNECT_SECONDS)
            except OSError:
                client.close()
                continue
            client.settimeout(None)
            broker.settimeout(None)
            pair = _Pair(client, broker)
            self._pairs.append(pair)
            for pump in (self._requests, self._replies):
                threading.Thread(target=self._pumped, args=(pump, pair), daemon=True).start()

    @staticmethod
    def _pumped(pump: Callable[[_Pair], None], pair: _Pair) -> None:
        with contextlib.suppress(OSError, EOFError):
            pump(pair)
        pair.cut()

    def _requests(self, pair: _Pair) -> None:
        while True:
            frame = _frame(pair.client)
            kind, version, correlation = REQUEST.unpack_from(frame, LENGTH.size)
            fault = self._fault(kind)
            pair.asked[correlation] = (version, fault)
            if fault is None or not _strike(fault, pair, frame):
                pair.broker.sendall(frame)
            if fault is not None and fault.deed == "half_close":
                pair.client.shutdown(socket.SHUT_WR)

    def _replies(self, pair: _Pair) -> None:
        while True:
            frame = _frame(pair.broker)
            (correlation,) = LENGTH.unpack_from(frame, LENGTH.size)
            version, fault = pair.asked.pop(correlation)
            if fault is not None and fault.deed == "lose_reply":
                return
            if fault is not None and fault.deed in ("alter", "spoil_and_alter"):
                frame = with_error(frame, version=version, code=fault.code)
            pair.client.sendall(frame)

    def _fault(self, kind: int) -> Fault | None:
        """Return the fault that strikes a request now, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.kind != kind or fault.struck >= fault.times:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.struck += 1
                return fault
        return None


def _strike(fault: Fault, pair: _Pair, frame: bytes) -> bool:
    """Do to a request what a fault does; True when it must not go on from here."""
    match fault.deed:
        case "drop":
            return True
        case "delay":
            time.sleep(fault.seconds)
        case "cut":
            pair.broker.sendall(frame[: fault.after])
            raise EOFError
        case "spoil_and_alter":
            pair.broker.sendall(spoiled(frame))
            return True
        case "half_close" | "lose_reply" | "alter":
            pass
    return False


def _frame(sock: socket.socket) -> bytes:
    """Read one frame with its length before it.

    Raises:
        EOFError: the connection ended.
    """
    head = _exactly(sock, LENGTH.size)
    return head + _exactly(sock, LENGTH.unpack(head)[0])


def _exactly(sock: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        more = sock.recv(count - len(found))
        if not more:
            raise EOFError
        found += more
    return bytes(found)


def spoiled(frame: bytes) -> bytes:
    """Return a produce request whose last batch does not give its checksum."""
    # The end of the last batch: behind it stand at most three empty lists of tagged fields.
    at = len(frame) - 6
    return frame[:at] + bytes([frame[at] ^ 0xFF]) + frame[at + 1 :]


def with_error(frame: bytes, *, version: int, code: int) -> bytes:
    """Return the reply to a produce request with every partition's error code replaced.

    Args:
        frame: of the reply, with its length.
        version: of the request, one of `PRODUCE_VERSIONS`.
        code: of the protocol.

    Raises:
        ValueError: a version that is not known here.
    """
    if version not in PRODUCE_VERSIONS:
        raise ValueError(f"produce version {version} is not known to the proxy")
    made = bytearray(frame)
    walk = _Walk(frame, flexible=version >= FLEXIBLE_PRODUCE, at=2 * LENGTH.size)
    walk.tags()
    for _ in range(walk.count()):
        if version >= TOPIC_IDS:
            walk.at += UUID_BYTES
        else:
            walk.text()
        for _ in range(walk.count()):
            walk.at += INDEX_BYTES
            SHORT.pack_into(made, walk.at, code)
            walk.partition(version)
        walk.tags()
    return bytes(made)


@dataclass(slots=True)
class _Walk:
    """Steps through the fields of a frame."""

    data: bytes
    flexible: bool
    at: int

    def count(self) -> int:
        """Step over the length of a list and return it."""
        if self.flexible:
            return self._varint() - 1
        self.at += LENGTH.size
        return int(LENGTH.unpack_from(self.data, self.at - LENGTH.size)[0])

    def text(self) -> None:
        """Step over a text that may be null."""
        if self.flexible:
            length = self._varint() - 1
            self.at += max(length, 0)
            return
        self.at += SHORT.size
        self.at += max(SHORT.unpack_from(self.data, self.at - SHORT.size)[0], 0)

    def partition(self, version: int) -> None:
        """Step over what a partition says from its error code on."""
        self.at += SHORT.size + AFTER_ERROR
        if version >= ERRORS_OF_RECORDS:
            for _ in range(self.count()):
                self.at += INDEX_BYTES
                self.text()
                self.tags()
            self.text()
        self.tags()

    def tags(self) -> None:
        """Step over tagged fields, which only flexible versions have."""
        if self.flexible:
            for _ in range(self._varint()):
                self._varint()
                length = self._varint()
                self.at += length

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < MORE:
                return value
            shift += 7
