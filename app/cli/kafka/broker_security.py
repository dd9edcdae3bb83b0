"""Who this run is to Kafka, from the settings and the environment."""

from os import environ
from pathlib import Path

from app.config import KAFKA_LOGIN, Settings
from ledger.kafka.client.security import Security, security_of


def broker_security(settings: Settings) -> Security:
    """Return protocol and identity of the connections to Kafka.

    Raises:
        ConfigurationError: the settings do not fit together, or a file cannot be read.
    """

    def path(name: str) -> Path | None:
        return Path(settings[name]).expanduser() if settings[name] else None

    return security_of(
        protocol=settings["kafka_security"],
        mechanism=settings["kafka_mechanism"],
        user=settings["kafka_user"],
        password=environ.get(KAFKA_LOGIN),
        password_file=path("kafka_password_file"),
        authority=path("kafka_ca"),
    )
