"""How a client shows who it is to Kafka, and how it knows that it talks to the right Kafka.

Invariants:
1. A password is never part of a text made from these objects.
2. A password never goes out in the clear: the mechanism PLAIN needs TLS.

Source: docs/security.md; docs/adr/0016-operations.md.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.errors import ConfigurationError

PLAINTEXT: Final = "PLAINTEXT"
_PLAIN: Final = "PLAIN"


@dataclass(frozen=True, kw_only=True, slots=True)
class Security:
    """Protocol and identity of every connection."""

    protocol: str = PLAINTEXT
    """`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`."""
    mechanism: str = "SCRAM-SHA-512"
    user: str = ""
    password: str = field(default="", repr=False)
    authority: Path | None = None
    """PEM file of the authority that signs the broker's certificate; None takes the machine's."""

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted and the broker's certificate checked."""
        return self.protocol.endswith("SSL")

    @property
    def named(self) -> bool:
        """Whether the client says who it is."""
        return self.protocol.startswith("SASL_")

    @property
    def options(self) -> dict[str, Any]:
        """What the client library is told."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.encrypted:
            options["ssl_cafile"] = None if self.authority is None else str(self.authority)
        if self.named:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return options


OPEN: Final = Security()
"""Neither encrypted nor named: for a broker on the same machine."""


def security_of(
    *,
    protocol: str,
    mechanism: str,
    user: str,
    password: str | None,
    password_file: Path | None,
    authority: Path | None,
) -> Security:
    """Return what settings say, once they fit together.

    Args:
        protocol: Kafka's name of it.
        mechanism: of SASL.
        user: of SASL; empty without SASL.
        password: given directly; None or empty when a file holds it.
        password_file: holds the password and perhaps an end of line.
        authority: PEM file; needs TLS.

    Raises:
        ConfigurationError: something is missing, too much, or cannot be read.
    """
    security = Security(protocol=protocol, mechanism=mechanism, user=user, authority=authority)
    if not security.named:
        if user:
            reason = f"a user needs SASL, and kafka_security is {protocol}"
            raise ConfigurationError(setting="kafka_user", reason=reason)
    elif not user:
        raise ConfigurationError(setting="kafka_user", reason=f"{protocol} needs a user")
    if authority is not None:
        if not security.encrypted:
            reason = f"it needs SSL or SASL_SSL, and kafka_security is {protocol}"
            raise ConfigurationError(setting="kafka_ca", reason=reason)
        if not authority.is_file():
            raise ConfigurationError(setting="kafka_ca", reason=f"there is no file {authority}")
    if not security.named:
        return security
    if mechanism == _PLAIN and not security.encrypted:
        reason = "PLAIN would send the password in the clear: set kafka_security to SASL_SSL"
        raise ConfigurationError(setting="kafka_mechanism", reason=reason)
    return Security(
        protocol=protocol,
        mechanism=mechanism,
        user=user,
        password=_password(password, password_file),
        authority=authority,
    )


def _password(given: str | None, file: Path | None) -> str:
    if given:
        return given
    if file is None:
        reason = "name a file, or set REGISTRO_KAFKA_PASSWORD"
        raise ConfigurationError(setting="kafka_password_file", reason=reason)
    try:
        found = file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        # Nothing of the file is quoted.
        reason = f"{file} is not UTF-8 text"
        raise ConfigurationError(setting="kafka_password_file", reason=reason) from error
    except OSError as error:
        raise ConfigurationError(setting="kafka_password_file", reason=str(error)) from error
    if not found:
        raise ConfigurationError(setting="kafka_password_file", reason=f"{file} is empty")
    return found
