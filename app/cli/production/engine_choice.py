"""Options `--engine` and `--address`: where a rebuild folds the records.

Source: docs/production.md, beyond one machine; docs/adr/0017-distributed.md.
"""

import enum
import ipaddress
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from app.cli.context import Cli
from app.texts.usage import both
from ledger.errors import InvalidCommandError

if TYPE_CHECKING:
    from projections.runner.engines import Engine

LOCAL_NAMES = frozenset({"localhost", ""})


class EngineName(enum.StrEnum):
    """What folds the ranges of records."""

    PROCESSES = "processes"
    DASK = "dask"


EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help=both(
            "chi elabora: processi di questa macchina o un cluster Dask",
            "who folds: processes of this machine or a Dask cluster",
        ),
    ),
]
AddressOption = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="URL",
        help=both(
            "scheduler del cluster: tcp://host:porta o tls://host:porta",
            "scheduler of the cluster: tcp://host:port or tls://host:port",
        ),
    ),
]


def engine_of(
    cli: Cli, name: EngineName, address: str, *, workers: int, kafka: bool
) -> "Engine | None":
    """Return the engine that was asked for; None for the processes of this machine.

    Args:
        cli: to warn with.
        name: which engine.
        address: of its scheduler.
        workers: how many of its workers to wait for.
        kafka: whether the workers read from Kafka, with the login that the settings name.

    Raises:
        InvalidCommandError: an engine without address, an address without engine, or a password
            that others could read on its way to the workers.
    """
    from app.cli.kafka.broker_security import broker_security

    match name:
        case EngineName.PROCESSES:
            if address:
                raise _refused("--address", address, "it belongs to --engine dask")
            return None
        case EngineName.DASK:
            if not address:
                reason = "--engine dask needs the address of its scheduler"
                raise _refused("--address", address, reason)
            if kafka and in_the_open(address) and broker_security(cli.settings).password:
                reason = "the password for Kafka would travel in the clear: use tls://"
                raise _refused("--address", address, reason)
    from projections.runner.cluster import DaskEngine

    if in_the_open(address):
        cli.screen.warn(
            cli.tr(
                f"{address}: collegamento non cifrato e non autenticato; usare tls://",
                f"{address}: neither encrypted nor authenticated; use tls://",
            )
        )
    return DaskEngine(address=address, workers=workers)


def in_the_open(address: str) -> bool:
    """Return whether what goes there can be read and answered by others on the way."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme in {"tls", "wss"} or (parts.hostname or "") in LOCAL_NAMES:
        return False
    try:
        return not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return True


def _refused(field: str, value: str, reason: str) -> InvalidCommandError:
    return InvalidCommandError(subject="rebuild", field=field, value=value, reason=reason)
