"""Why a message of an inbox is refused.

Source: docs/inbox.md.
"""

from dataclasses import dataclass
from enum import StrEnum


class InboxProblem(StrEnum):
    """Why a message is refused before its values are judged; see also `FactProblem`."""

    NO_VALUE = "no_value"
    """The value is null or empty."""
    TOO_LONG = "too_long"
    """The value is longer than a fact may be."""
    CONTENT_TYPE = "content_type"
    """The header `content-type` is neither application/json nor application/avro."""
    NO_SCHEMA = "no_schema"
    """An Avro body without a header that names its schema."""
    UNKNOWN_SCHEMA = "unknown_schema"
    """The schema, or the type of fact, that is named was never released."""
    WRONG_FAMILY = "wrong_family"
    """It is a fact of another family."""
    NOT_A_FACT = "not_a_fact"
    """The names of its values are those of no kind of fact."""
    NO_JSON = "no_json"
    """The value is no flat JSON object."""
    NO_AVRO = "no_avro"
    """The value is no body of the schema that is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One thing that is wrong with a message."""

    code: str
    """Of `InboxProblem` or `FactProblem`."""
    column: str = ""
    """Of the fact; empty when the message as a whole is refused."""
    value: str = ""
    """What was found there, cut to `SHOWN` characters."""

    SHOWN = 120

    def __str__(self) -> str:
        text = f"{self.column} {self.code}".strip()
        return f"{text}: {self.value[: self.SHOWN]}" if self.value else text
