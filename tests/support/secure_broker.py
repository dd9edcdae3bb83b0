"""A broker with TLS, passwords and an access list, started by the scripts of the example."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from ledger.kafka.client.connection import Broker
from ledger.kafka.client.security import Security

ROOT: Final = Path(__file__).parents[2]
TLS: Final = ROOT / "ops" / "tls"
START_SECONDS: Final = 60
_OPERATIONS: Final = {
    "AlterConfigs": ACLOperation.ALTER_CONFIGS,
    "Create": ACLOperation.CREATE,
    "Describe": ACLOperation.DESCRIBE,
    "DescribeConfigs": ACLOperation.DESCRIBE_CONFIGS,
    "Read": ACLOperation.READ,
    "Write": ACLOperation.WRITE,
}


def can_run() -> bool:
    """Tell whether this machine has what the broker and its certificates need."""
    return all(shutil.which(tool) for tool in ("java", "mvn", "openssl"))


@dataclass(frozen=True, kw_only=True, slots=True)
class SecureBroker:
    """A broker that runs."""

    servers: str
    secrets: Path
    """Folder of certificates and passwords."""

    def password_file(self, user: str) -> Path:
        """Return the file that holds the password of a user."""
        return self.secrets / f"{user}_password"

    def security(self, user: str, *, password: str | None = None) -> Security:
        """Return what a user's connections need; a wrong password may be given."""
        return Security(
            protocol="SASL_SSL",
            user=user,
            password=password or self.password_file(user).read_text().strip(),
            authority=self.secrets / "ca.pem",
        )

    def as_user(self, user: str, *, password: str | None = None, wait: float = 5) -> Broker:
        """Return the broker as a user sees it."""
        security = self.security(user, password=password)
        return Broker(servers=self.servers, wait_seconds=wait, security=security)


def acls() -> list[ACL]:
    """Return the access list of the example."""
    found = []
    for line in (TLS / "acls.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            principal, operation, kind, pattern, name = line.split()
            resource = ResourcePattern(
                ResourceType[kind.upper()], name, ACLResourcePatternType[pattern.upper()]
            )
            found.append(
                ACL(principal, "*", _OPERATIONS[operation], ACLPermissionType.ALLOW, resource)
            )
    return found


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def secure_broker(folder: Path) -> Iterator[SecureBroker]:
    """Start the broker of the example in a folder, with its access list, and stop it."""
    subprocess.run([ROOT / "scripts/kafka/home", folder / "home"], check=True, timeout=300)
    secrets, port = folder / "secrets", _free_port()
    subprocess.run([TLS / "make-secrets", secrets, "127.0.0.1", "localhost"], check=True)
    (folder / "work").mkdir()
    environment = {
        **os.environ,
        "KAFKA_HOME": str(folder / "home"),
        "DATA": str(folder / "data"),
        "SECRETS": str(secrets),
        "WORK": str(folder / "work"),
        "HOST": "127.0.0.1",
        "BIND": "127.0.0.1",
        "PORT": str(port),
        "CONTROLLER_PORT": str(_free_port()),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [TLS / "start-broker"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _await(process, port, folder / "log")
        broker = SecureBroker(servers=f"127.0.0.1:{port}", secrets=secrets)
        _give(broker.as_user("admin", wait=30))
        yield broker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the broker did not start:\n{log.read_text()[-2000:]}")


def _give(broker: Broker) -> None:
    client: Any = KafkaAdminClient(**broker.shared)
    try:
        answer = client.create_acls(acls())
        if answer["failed"]:
            raise RuntimeError(f"the access list was not taken: {answer['failed']}")
    finally:
        client.close()
