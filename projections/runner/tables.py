"""Tables of the read models, and where each projection stands.

Read models live in a database of their own: they can be thrown away and built anew, the ledger
cannot. Every row carries its generation: a rebuild grows beside the rows that are being read.

Invariants:
1. At most one generation of a projection is `live`, an index sees to it; readers ask for that one
   inside the transaction in which they read.
2. Rows of a generation and its position change in one transaction.
3. A digest of rows is believed only at the position that it names.

Source: docs/adr/0010-read-models.md.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from projections.production.cube import KEYS, VALUES

metadata = MetaData()

BUILDING: Final = "building"
LIVE: Final = "live"
RETIRED: Final = "retired"

generation = Table(
    "read_model_generation",
    metadata,
    Column("projection", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("fallbacks", BigInteger, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("halted_at", BigInteger),
    Column("halted_reason", Text),
    PrimaryKeyConstraint("projection", "generation"),
)
"""One row per generation: how far it has come, and why it stopped if it did."""

Index(
    "read_model_one_live",
    generation.c.projection,
    unique=True,
    sqlite_where=generation.c.state == LIVE,
    postgresql_where=generation.c.state == LIVE,
)

rows_digest = Table(
    "read_model_digest",
    metadata,
    Column("projection", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("projection", "generation"),
)
"""SHA-256 of the rows of a generation at the position where a rebuild left them."""

_TYPES: Final = {"month": Integer}

production_cell = Table(
    "production_cell",
    metadata,
    Column("generation", Integer, nullable=False),
    *(Column(name, _TYPES.get(name, Text), nullable=False) for name in KEYS),
    *(Column(name, BigInteger, nullable=False) for name in VALUES),
    # SQLite turns a sum that leaves 64 bits into a float, without a word.
    *(
        CheckConstraint(f"typeof({name}) = 'integer'", name=f"{name}_whole").ddl_if(
            dialect="sqlite"
        )
        for name in VALUES
    ),
    PrimaryKeyConstraint("generation", *KEYS),
    sqlite_with_rowid=False,
)
"""The cube of production, see `projections.production.cube`."""

organisation_change = Table(
    "organisation_change",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("change", Text, nullable=False),
    Column("name", Text),
    Column("unit_type", Text),
    Column("parent_code", Text),
    PrimaryKeyConstraint("generation", "position"),
)
"""What changed in the tree of units, and from which day: its state on a day follows from these."""

target_change = Table(
    "target_change",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("year", Integer, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Column("cause", Text),
    Column("act", Text),
    Column("as_of", Date, nullable=False),
    PrimaryKeyConstraint("generation", "position"),
)
"""History of the targets."""

indicator_value = Table(
    "indicator_value",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("year", Integer, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("value", Text),
    Column("target", Text),
    Column("vintage", Text),
    Column("as_of", Text, nullable=False),
    PrimaryKeyConstraint("generation", "position", "part"),
)
"""Values of the indicators of a year, one row per change."""

trail_index = Table(
    "trail_index",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("entity", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("correction", Boolean, nullable=False),
    PrimaryKeyConstraint("generation", "entity", "position"),
)
"""Which records speak of which entity."""
