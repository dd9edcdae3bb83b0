"""Make a client of kafka-python so that one that cannot connect leaves nothing behind.

The library starts a thread with its own sockets before it looks for a server, and keeps both when
there is none: whoever tries again and again runs out of files. Nobody outside has that half-made
client in hand; so it is made here in two steps, and stopped when the second one fails.

Source: docs/adr/0016-operations.md.
"""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from kafka import KafkaConsumer

from ledger.kafka.client.records import read_quickly

STOP_MILLISECONDS: Final = 2000


def client_of(kind: Any, **settings: Any) -> Any:
    """Return a client of the library.

    Args:
        kind: its class.
        settings: what the class takes.
    """
    client = kind.__new__(kind)
    try:
        client.__init__(**settings)
    except BaseException:
        _stop(client)
        raise
    read_quickly(client)
    return client


def consumer_of(shared: Mapping[str, Any], **settings: Any) -> Any:
    """Return a consumer that commits nothing by itself and is shown what was committed only.

    Args:
        shared: what every client is told, `Broker.shared`.
        settings: its own.
    """
    return client_of(
        KafkaConsumer,
        **shared,
        metrics_enabled=False,
        enable_auto_commit=False,
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        check_crcs=True,
        **settings,
    )


def _stop(client: Any) -> None:
    """Stop the thread of a half-made client and close what it opened."""
    manager, net = getattr(client, "_manager", None), getattr(client, "_net", None)
    # Whatever fails here must not hide why there is no server.
    with contextlib.suppress(Exception):
        if manager is not None:
            manager.close()
    with contextlib.suppress(Exception):
        if net is not None:
            net.stop(timeout_ms=STOP_MILLISECONDS)
    with contextlib.suppress(Exception):
        if net is not None:
            net.close()
