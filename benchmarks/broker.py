"""A Kafka broker for benchmarks, started on loopback and stopped at the end, and Kafka's own tools.

java (17 or later) and mvn must be there.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).parents[1] / "scripts" / "kafka"
TOOL_SECONDS: Final = 600


def can_run() -> bool:
    """Tell whether a broker can be started here, and say so if not."""
    found = shutil.which("java") is not None and shutil.which("mvn") is not None
    if not found:
        print("\nkafka: it needs java and mvn; skipped")
    return found


@contextlib.contextmanager
def started(folder: Path) -> Iterator[str]:
    """Run a broker and return where it is."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    subprocess.run([SCRIPTS / "broker", folder, str(port)], check=True, timeout=TOOL_SECONDS)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def tool(*words: object) -> str:
    """Run a tool that Kafka brings and return what it says."""
    return subprocess.run(
        [SCRIPTS / "tools", *map(str, words)],
        check=True,
        timeout=TOOL_SECONDS,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
