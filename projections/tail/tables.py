"""Tables of the live tail: who works on what, and what waits to become visible.

They stand beside the read models, in the same database, and hold nothing that could not be read
from the topics again: a group that loses them begins anew where the generation stands.

Invariants:
1. Windows of one projection join without gaps, from the position of its live generation on.
2. Whatever a member writes names the epoch that it read: after a reset nothing of before is taken.

Source: docs/adr/0018-live-tail.md.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

metadata: Final = MetaData()

group = Table(
    "tail_group",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("merged", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("doubtful", BigInteger, nullable=False),
    Column("reread", BigInteger, nullable=False),
    Column("release", Text, nullable=False),
)
"""One row per projection: the generation that the group feeds, the position up to which it did, how
often it began anew, up to where every message is compared with the ledger, up to where the topics
were read from their beginning, and the release whose folds are used."""

window = Table(
    "tail_window",
    metadata,
    Column("projection", Text, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("facts", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    PrimaryKeyConstraint("projection", "after"),
)
"""A range of positions that becomes visible at once, and how much the ledger holds there."""

reach = Table(
    "tail_reach",
    metadata,
    Column("projection", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("topic_id", Text, nullable=False),
    Column("begin", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    PrimaryKeyConstraint("projection", "topic", "partition"),
)
"""One row per partition: which topic of its name it is, the offset before which everything is
visible, the offset that is read next, and the greatest address (position, place in the record) that
was taken."""

share = Table(
    "tail_share",
    metadata,
    Column("projection", Text, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("facts", BigInteger, nullable=False),
    Column("fallbacks", BigInteger, nullable=False),
    Column("cells", LargeBinary, nullable=False),
    Column("seen", LargeBinary, nullable=False),
    PrimaryKeyConstraint("projection", "through", "topic", "partition", "offset"),
)
"""What some messages of one partition give for a window: cells, and what they were made of."""
