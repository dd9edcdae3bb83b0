"""What others do with the same messages: confluent-kafka, kafka-python, Kafka's own tools.

They send and read messages of ours, not random bytes, which no compression shortens. The tools
begin with a JVM: what they say of themselves is without it, and stands beside what a watch says.
"""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.broker import tool
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.message import Message

PARTITIONS: Final = 4
_SENT: Final = re.compile(r"([0-9.]+) records/sec")
_IN_FLIGHT: Final = 4096


@dataclass(kw_only=True)
class Others:
    """The others, and the messages that they send."""

    servers: str
    folder: Path
    messages: Sequence[tuple[Message, int]]
    """In order of the ledger, with the number of the partition."""
    said: dict[str, list[float]] = field(default_factory=dict)
    """What the tools say of themselves, messages a second, the first round left out."""

    def topic(self, name: str) -> None:
        """Create a topic unless it is there."""
        with Admin(Broker(servers=self.servers)) as admin:
            if name not in admin.states([name]):
                admin.create({name: PARTITIONS}, replicas=1, settings={})

    def confluent_sends(self, turn: int) -> int:
        """Send with confluent-kafka, idempotent and acknowledged by all as we do, never waiting."""
        from confluent_kafka import Producer  # noqa: PLC0415 - an optional extra

        topic = f"confluent{turn}"
        self.topic(topic)
        producer: Any = Producer(
            {
                "bootstrap.servers": self.servers,
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "zstd",
                "queue.buffering.max.messages": 500_000,
                "delivery.report.only.error": True,
            }
        )
        for number, (one, partition) in enumerate(self.messages):
            producer.produce(topic, one.value, one.key, partition, headers=list(one.headers))
            if not number % _IN_FLIGHT:
                producer.poll(0)
        if producer.flush(60):
            raise TimeoutError(topic)
        return len(self.messages)

    def tool_sends(self, turn: int) -> int:
        """Send with ProducerPerformance: texts with what our messages hold, in any order."""
        topic = f"tool{turn}"
        self.topic(topic)
        payloads = self.folder / "payloads"
        if not payloads.exists():
            lines = (_text(one).replace("\n", " ") for one, _ in self.messages)
            payloads.write_text("\n".join(lines), encoding="utf-8")
        settings = ("acks=all", "compression.type=zstd", "batch.size=1048576", "linger.ms=5")
        said = tool(
            "org.apache.kafka.tools.ProducerPerformance",
            *("--bootstrap-server", self.servers, "--topic", topic, "--throughput", "-1"),
            *("--num-records", len(self.messages), "--payload-file", payloads),
            *("--command-property", *settings),
        )
        self._keep("ProducerPerformance", _SENT.findall(said), turn)
        return len(self.messages)

    def confluent_reads(self, _: int) -> int:
        """Read with confluent-kafka what it sent: key, value and headers of each message."""
        from confluent_kafka import (  # noqa: PLC0415 - an optional extra
            OFFSET_BEGINNING,
            Consumer,
            TopicPartition,
        )

        consumer: Any = Consumer(
            {"bootstrap.servers": self.servers, "group.id": "bench", "enable.auto.commit": False}
        )
        places = [TopicPartition("confluent0", n, OFFSET_BEGINNING) for n in range(PARTITIONS)]
        consumer.assign(places)
        done = 0
        while done < len(self.messages):
            found = [(m.key(), m.value(), m.headers()) for m in consumer.consume(10_000, 1.0)]
            done += len(found)
        consumer.close()
        return done

    def library_reads(self, places: Sequence[Partition]) -> int:
        """Read partitions with kafka-python as it comes."""
        from kafka import KafkaConsumer, TopicPartition  # noqa: PLC0415 - as a subscriber would

        consumer: Any = KafkaConsumer(
            bootstrap_servers=[self.servers],
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_records=10_000,
        )
        consumer.assign([TopicPartition(*one) for one in places])
        done = 0
        while done < len(self.messages):
            done += sum(map(len, consumer.poll(timeout_ms=1000).values()))
        consumer.close()
        return done

    def tool_reads(self, topic: str, turn: int) -> int:
        """Read with ConsumerPerformance: it counts bytes and makes nothing of them."""
        said = tool(
            "org.apache.kafka.tools.ConsumerPerformance",
            *("--bootstrap-server", self.servers, "--topic", topic),
            *("--num-records", len(self.messages), "--timeout", 30_000, "--hide-header"),
        )
        rows = [line.split(",") for line in said.splitlines() if line.count(",") >= _FETCH_RATE]
        self._keep("ConsumerPerformance", [row[_FETCH_RATE].strip() for row in rows], turn)
        return len(self.messages)

    def _keep(self, name: str, found: Sequence[str], turn: int) -> None:
        if found and turn:
            self.said.setdefault(name, []).append(float(found[-1]))

    def show(self) -> None:
        """Print what the tools said of themselves, and forget it."""
        for name, found in self.said.items():
            middle, low, high = statistics.median(found), min(found), max(found)
            print(
                f"  {name + ' of itself, without its start':<52} median {middle:>12,.1f}   "
                f"{low:>12,.1f} to {high:>12,.1f}"
            )
        self.said.clear()


_FETCH_RATE: Final = 9
"""Column of ConsumerPerformance: messages a second while it fetched (`fetch.nMsg.sec`)."""


def _text(message: Message) -> str:
    """Return key, headers and value of a message as one text, a character for each byte."""
    parts = [message.key, *(b"%s%s" % (name.encode(), value) for name, value in message.headers)]
    return b"".join((*parts, message.value)).decode("latin-1")
