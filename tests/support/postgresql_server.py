"""A PostgreSQL server of a test's own, which may be killed; loopback only."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

BIN = os.environ.get("REGISTRO_SERVICES_POSTGRESQL_BIN") or next(
    iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]),  # noqa: PTH207 - a place of the system
    "",
)
"""Where the server's programs are; empty without a server."""
OWNER = os.environ.get("SERVICE_USER", "postgres")
START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL server that may be killed."""

    folder: Path
    port: int
    password: str = ""
    """Of the owner; empty where everybody is believed."""

    @property
    def url(self) -> str:
        """Where the owner reaches it."""
        word = f":{self.password}" if self.password else ""
        return f"postgresql://registro{word}@127.0.0.1:{self.port}/postgres"

    @staticmethod
    def _run(*words: object) -> None:
        before = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*before, *map(str, words)],
            check=True,
            timeout=START_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def create(self) -> None:
        """Make its files."""
        if os.geteuid() == 0:
            owner = pwd.getpwnam(OWNER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        data = f"--pgdata={self.folder / 'data'}"
        secret = self.folder / "password"
        secret.write_text(self.password)
        believed = [f"--pwfile={secret}"] if self.password else []
        self._run(
            f"{BIN}/initdb",
            data,
            "--username=registro",
            f"--auth={'scram-sha-256' if self.password else 'trust'}",
            *believed,
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        )
        self._run(
            f"{BIN}/pg_ctl",
            f"--pgdata={self.folder / 'data'}",
            f"--log={self.folder / 'log'}",
            "--wait",
            f"--options={options}",
            "start",
        )

    def kill(self) -> None:
        """Kill the postmaster and everything it has started."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
        )
        for one in (pid, *map(int, listed.stdout.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        until = time.monotonic() + START_SECONDS
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.05)

    def answers(self) -> bool:
        """Tell whether it lets anybody in."""
        ran = subprocess.run(
            [f"{BIN}/pg_isready", "--quiet", f"--dbname={self.url}"], timeout=10, check=False
        )
        return ran.returncode == 0

    def ask(self, statement: str, **values: object) -> list[object]:
        """Run a statement as the owner, and return its first column."""
        engine = create_engine(
            self.url.replace("postgresql:", "postgresql+psycopg:"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        with engine.connect() as connection:
            found = connection.execute(text(statement), values)
            return list(found.scalars()) if found.returns_rows else []


@contextlib.contextmanager
def own_server(*, password: str = "") -> Iterator[Server]:
    """Give a server that runs, and remove it with all it holds.

    Args:
        password: of the owner; empty believes everybody.
    """
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Server(folder=folder, port=port, password=password)
    made.create()
    made.start()
    try:
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder)
