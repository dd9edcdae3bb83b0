"""What can go wrong between the ledger and Kafka.

Source: docs/kafka.md; docs/cli.md for the exit codes.
"""

from ledger.errors import LedgerError


class BrokerError(LedgerError):
    """Kafka cannot be reached, or does not do what it is asked; the operator's move."""

    code = "broker"
    exit_code = 90
    retriable = True
    template = "Kafka at {servers}: {reason}"
    hint = "check the setting kafka and that the broker runs; nothing of the ledger is lost"

    def __init__(self, *, servers: str, reason: str) -> None:
        super().__init__(servers=servers, reason=reason)


class BrokerAccessError(BrokerError):
    """Kafka is there and does not let us in, or does not let us do this; retrying does not help."""

    code = "broker_access"
    exit_code = 89
    retriable = False
    hint = (
        "check the settings kafka_security, kafka_user, kafka_password_file and kafka_ca, and "
        "the access list of the broker: docs/security.md"
    )


class TopicGuardError(LedgerError):
    """A topic is missing or set up so that it could lose records; nothing is published."""

    code = "topic_guard"
    exit_code = 91
    template = "topic {topic}: {setting} is {found}, it must be {wanted}; mend it with: {remedy}"
    hint = "`{check}` shows everything that is wrong"

    def __init__(
        self, *, topic: str, setting: str, found: str, wanted: str, remedy: str, check: str
    ) -> None:
        """Say what is wrong.

        Args:
            topic: `*` for the broker itself.
            setting: of the topic.
            found: its value.
            wanted: what it must be.
            remedy: what mends it.
            check: command that shows everything that is wrong with the topics of this kind.
        """
        super().__init__(
            topic=topic, setting=setting, found=found, wanted=wanted, remedy=remedy, check=check
        )


class TopicDivergedError(LedgerError):
    """A topic does not hold what the ledger holds; nothing is published behind it."""

    code = "topic_diverged"
    exit_code = 92
    template = "topic {topic}, partition {partition}, offset {offset}: {reason}"
    hint = "run `registro kafka check`; docs/kafka.md says what to do for each finding"

    def __init__(self, *, topic: str, partition: int | str, offset: int | str, reason: str) -> None:
        super().__init__(topic=topic, partition=partition, offset=offset, reason=reason)


class PublisherBusyError(LedgerError):
    """Another publisher works on this ledger; one at a time keeps the order."""

    code = "publisher_busy"
    exit_code = 93
    retriable = True
    template = "another publisher works on {store}"
    hint = "leave the publishing to it, or stop it first"

    def __init__(self, *, store: str) -> None:
        super().__init__(store=store)


class PublishUnfinishedError(LedgerError):
    """The deadline passed before everything was on Kafka; the records stay in the ledger."""

    code = "publish_unfinished"
    exit_code = 94
    retriable = True
    template = "after {seconds} s Kafka has not confirmed all records up to {head}: {reason}"
    hint = "the records are safe in the ledger; run `registro publish --once` when Kafka is back"

    def __init__(self, *, head: int, seconds: str, reason: str) -> None:
        super().__init__(head=head, seconds=seconds, reason=reason)


class TopicRestoreError(LedgerError):
    """The topics do not give a whole ledger; nothing was restored or rebuilt."""

    code = "topic_restore"
    exit_code = 95
    template = "the topics do not give the ledger, at position {position}: {reason}"
    hint = "see docs/kafka.md, restore; `registro kafka check` compares with a ledger that is there"

    def __init__(self, *, position: int, reason: str) -> None:
        super().__init__(position=position, reason=reason)


class MessageFormatError(LedgerError):
    """A message, or the messages of a record, are not what the ledger writes."""

    code = "message_format"
    exit_code = 96
    template = "message {address}: {reason}"
    hint = "see docs/formats/message.md"

    def __init__(self, *, address: str, reason: str) -> None:
        super().__init__(address=address, reason=reason)


class InboxLostError(LedgerError):
    """Messages of an inbox are gone before they were taken in; nothing is taken behind the hole."""

    code = "inbox_lost"
    exit_code = 97
    template = (
        "topic {topic}, partition {partition}: the ledger goes on at offset {expected}, but the "
        "topic holds {start} to {end}"
    )
    hint = (
        "ask the senders for what is missing; then `registro inbox FAMILY --accept-lost` goes on "
        "behind the hole; see docs/inbox.md"
    )

    def __init__(self, *, topic: str, partition: int, expected: int, start: int, end: int) -> None:
        super().__init__(topic=topic, partition=partition, expected=expected, start=start, end=end)


class InboxForeignError(LedgerError):
    """The topics under the prefix of an inbox are of another ledger; nothing was taken."""

    code = "inbox_foreign"
    exit_code = 88
    template = (
        "topic {topic}: the topics under this prefix are of ledger {owner}, this is ledger {ledger}"
    )
    hint = "give each ledger a prefix of its own, by the setting kafka_prefix; see docs/inbox.md"

    def __init__(self, *, topic: str, ledger: str, owner: str) -> None:
        super().__init__(topic=topic, ledger=ledger, owner=owner)


class InboxMovedError(LedgerError):
    """Another intake recorded this part of the inbox meanwhile; nothing was appended."""

    code = "inbox_moved"
    exit_code = 98
    retriable = True
    template = (
        "topic {topic}, partition {partition}: the ledger goes on at offset {actual}, not at "
        "{expected}"
    )
    hint = "nothing is lost: the intake goes on where the ledger says"

    def __init__(self, *, topic: str, partition: int, expected: int, actual: int) -> None:
        super().__init__(topic=topic, partition=partition, expected=expected, actual=actual)
