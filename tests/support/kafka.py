"""Ledgers with topics of their own on the broker that `REGISTRO_TEST_KAFKA` names."""

import os
from pathlib import Path

from kafka import KafkaProducer

from ledger.application import LedgerApplication
from ledger.kafka.message import Message
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import Topics
from tests.support.ledgers import reopened
from tests.support.production import batch, fact, production_ledger, record

SERVERS = os.environ.get("REGISTRO_TEST_KAFKA", "")
FAST = os.environ.get("REGISTRO_TEST_KAFKA_FAST") == "1"
"""Whether the tests run with the optional client."""
UNITS = ("DP1", "DP2", "AG1", "DR1", "DG")


def published_as(ledger: LedgerApplication, prefix: str) -> Ledger:
    """Return what a ledger publishes under a prefix."""
    return Ledger.of(ledger, Topics(prefix=prefix))


def ledger_at(path: Path, prefix: str) -> Ledger:
    """Open a ledger and return what it publishes under a prefix."""
    return published_as(reopened(path), prefix)


def ledger_with_facts(path: Path, *, facts: int = 300) -> LedgerApplication:
    """Create a ledger of governed events and of facts in two families, over several units."""
    ledger = production_ledger(path)
    add_facts(ledger, path.parent, batch_name="1", facts=facts)
    return ledger


def add_facts(
    ledger: LedgerApplication, folder: Path, *, batch_name: str, facts: int = 300
) -> None:
    """Append a batch of facts to two families."""
    rows = [
        fact("RequestReceived", origin_unit=UNITS[n % 5], source_id=f"{batch_name}/{n}")
        for n in range(facts)
    ]
    record(ledger, folder, "RequestReceived", rows, batch(name=batch_name))
    stock = [
        fact("StockCounted", unit=UNITS[n % 3], source_id=f"s{batch_name}/{n}") for n in range(9)
    ]
    record(ledger, folder, "StockCounted", stock, batch(family="stock", name=batch_name))


def rogue(message: Message, *, partition: int = 0) -> None:
    """Write a message past the publisher, as anybody with access to the topic can."""
    producer = KafkaProducer(bootstrap_servers=SERVERS, acks="all")
    producer.send(
        message.topic,
        key=message.key,
        value=message.value,
        headers=list(message.headers),
        partition=partition,
    ).get(timeout=10)
    producer.close(timeout=2)
