"""Why Kafka does not let us in: what its answers say, and what a look at the connection shows.

The client library drops the broker's answer to a wrong password together with the connection, and
reports only that nothing could be reached. So the steps of a connection are tried here one by one:
name and port, TLS, and by elimination the login.

Source: docs/security.md; docs/adr/0016-operations.md.
"""

import re
import socket
import ssl
from typing import Final

from ledger.kafka.client.security import Security
from ledger.kafka.errors import BrokerAccessError, BrokerError

PROBE_SECONDS: Final = 2.0
"""How long each step may take."""
_PORT: Final = 9092
_REFUSAL: Final = re.compile(r"(\w*Authorization\w*|\w*Sasl\w*)Error")


def access_error(servers: str, security: Security, text: str) -> BrokerAccessError | None:
    """Return the error that a text of the client library stands for; None when it is no refusal.

    Args:
        servers: asked.
        security: of the connection.
        text: type and message of the library's error.
    """
    found = _REFUSAL.search(text)
    if found is None:
        return None
    who = f"user {security.user}" if security.named else "a client without a user"
    if "Sasl" in found[0]:
        reason = f"{who} is not let in ({found[0]})"
    else:
        reason = f"{who} may not do this ({found[0]}): see the broker's access list"
    return BrokerAccessError(servers=servers, reason=reason)


def unreached(servers: str, security: Security, reason: str) -> BrokerError:
    """Return why no server could be asked, after trying the steps of a connection.

    Args:
        servers: `host:port`, several with commas.
        security: of the connection.
        reason: what the client library says.
    """
    error = BrokerError(servers=servers, reason=reason)
    for server in servers.split(","):
        host, port = _place_of(server)
        try:
            with socket.create_connection((host, port), timeout=PROBE_SECONDS) as plain:
                refused = _refusal(plain, host, security)
        except (OSError, OverflowError) as closed:
            error = BrokerError(servers=servers, reason=f"{server}: {closed}")
            continue
        if refused is None:
            return BrokerError(servers=servers, reason=f"{server} takes connections, but: {reason}")
        return BrokerAccessError(servers=servers, reason=f"{server}: {refused}")
    return error


def _refusal(plain: socket.socket, host: str, security: Security) -> str | None:
    """Return what an open connection is refused for, as far as it can be told."""
    if security.encrypted:
        authority = None if security.authority is None else str(security.authority)
        try:
            context = ssl.create_default_context(cafile=authority)
            context.wrap_socket(plain, server_hostname=host).close()
        except ssl.SSLCertVerificationError as error:
            return f"its certificate is not believed: {error.verify_message}"
        except ssl.SSLError as error:
            return f"no TLS with it: {error.reason or error}"
    if security.named:
        return (
            f"user {security.user} is not let in with {security.mechanism}: "
            "wrong user, password or mechanism"
        )
    return None


def _place_of(server: str) -> tuple[str, int]:
    host, colon, port = server.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        return server.strip(), _PORT
    return host.removeprefix("[").removesuffix("]"), int(port)
