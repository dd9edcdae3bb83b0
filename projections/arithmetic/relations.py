"""What a document claims of its figures: relations, read strictly.

Invariants:
1. A relation that exists is well-formed: its kind is known, its operands are as many and carry
   the signs or weights that the kind asks for, its result is none of them (it would prove
   itself), and its parameters apply to the kind.
2. Whether the figures it names exist is not asked here: that is a verdict.

Source: the README of the worked example, `relations.csv`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType

from ledger.errors import LedgerError
from projections.arithmetic.figures import DIGITS_MAX, FigureId, is_moderate

RelationId = NewType("RelationId", str)
"""Name of a relation, unique in its folder, for example `oge.index.closing.weighted`."""

_VALUE_CHARACTERS_MAX: Final = 120
_UNSIGNED: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_ONE: Final = Decimal(1)
_PAIR: Final = 2

PARAMS: Final = ("tolerance", "base", "compare", "expect")
"""Names of the parameters of a relation."""


class RelationKind(StrEnum):
    """How the result is computed; a is the first operand, b the second."""

    SUM = "sum"
    """Signed sum of the operands."""
    DIFFERENCE = "difference"
    """a - b."""
    POINT_DIFFERENCE = "point_difference"
    """a - b, of two percentages or indices."""
    RATIO = "ratio"
    """a / b."""
    SHARE_PCT = "share_pct"
    """100 a / b."""
    ACHIEVEMENT_UP_PCT = "achievement_up_pct"
    """100 a / b: result on target, where more is better."""
    CHANGE_PCT = "change_pct"
    """100 (a - b) / b."""
    DEVIATION_UP_PCT = "deviation_up_pct"
    """100 (a - b) / b: deviation from target, where more is better."""
    DEVIATION_DOWN_PCT = "deviation_down_pct"
    """-100 (a - b) / b: deviation from target, where less is better."""
    ACHIEVEMENT_DOWN_PCT = "achievement_down_pct"
    """100 - 100 (a - b) / b: result on target, where less is better."""
    MEAN = "mean"
    """Sum of the operands divided by their number."""
    WEIGHTED_MEAN_PCT = "weighted_mean_pct"
    """Sum of weight times operand, divided by the sum of the weights, whatever it is."""
    EQUAL = "equal"
    """a."""


QUOTIENTS: Final = frozenset(
    {
        RelationKind.RATIO,
        RelationKind.SHARE_PCT,
        RelationKind.ACHIEVEMENT_UP_PCT,
        RelationKind.CHANGE_PCT,
        RelationKind.DEVIATION_UP_PCT,
        RelationKind.DEVIATION_DOWN_PCT,
        RelationKind.ACHIEVEMENT_DOWN_PCT,
    }
)
"""The kinds that divide a by b."""

_TWO_OPERANDS: Final = QUOTIENTS | {RelationKind.DIFFERENCE, RelationKind.POINT_DIFFERENCE}


class Comparison(StrEnum):
    """Why two figures of one object may differ without either being wrong."""

    VINTAGE = "vintage"
    """They were known at two dates."""
    SCOPE = "scope"
    """They cover two scopes."""


class RelationFault(StrEnum):
    """What is wrong with the text of a relation; texts in both languages stand in `app`."""

    UNKNOWN_KIND = "unknown_kind"
    EMPTY_NAME = "empty_name"
    OPERAND_COUNT = "operand_count"
    MALFORMED_OPERAND = "malformed_operand"
    MALFORMED_WEIGHT = "malformed_weight"
    MISSING_WEIGHT = "missing_weight"
    RESULT_AMONG_OPERANDS = "result_among_operands"
    UNKNOWN_PARAM = "unknown_param"
    REPEATED_PARAM = "repeated_param"
    BAD_PARAM_VALUE = "bad_param_value"
    PARAM_NOT_FOR_KIND = "param_not_for_kind"


_REASONS: Final = {
    RelationFault.UNKNOWN_KIND: "is not one of the documented kinds",
    RelationFault.EMPTY_NAME: "a name must not be empty",
    RelationFault.OPERAND_COUNT: "the kind takes another number of operands",
    RelationFault.MALFORMED_OPERAND: "is not the name of a figure as this kind writes it",
    RelationFault.MALFORMED_WEIGHT: "the weight is not a plain number of at most 40 digits",
    RelationFault.MISSING_WEIGHT: "an operand of this kind is written WEIGHT*figure",
    RelationFault.RESULT_AMONG_OPERANDS: "a figure does not follow from itself",
    RelationFault.UNKNOWN_PARAM: "is not one of tolerance, base, compare, expect",
    RelationFault.REPEATED_PARAM: "a parameter may stand once",
    RelationFault.BAD_PARAM_VALUE: "the parameter does not take this value",
    RelationFault.PARAM_NOT_FOR_KIND: "the parameter does not apply to this kind",
}


class InvalidRelationError(LedgerError):
    """A relation is not written as documented; whoever typed the row mends the named field."""

    code = "invalid_relation"
    exit_code = 42
    template = "relation {relation}: field {field} has the value {value!r}: {reason}"
    hint = "correct the row of relations.csv"

    def __init__(self, *, relation: str, field: str, value: str, fault: RelationFault) -> None:
        self.relation = relation
        self.field = field
        self.value = value[:_VALUE_CHARACTERS_MAX]
        self.fault = fault
        super().__init__(
            relation=relation, field=field, value=self.value, fault=fault, reason=_REASONS[fault]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Operand:
    """A figure on the right-hand side of a relation."""

    figure_id: FigureId
    weight: Decimal = _ONE
    """1 or -1 in a sum, the weight (not negative) in a weighted mean, else 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RelationParams:
    """How a relation is to be judged."""

    tolerance: Decimal | None = None
    """Largest difference taken for rounding, in the unit of the result; not negative."""
    base_is_increment: bool = False
    """Whether b is the increase, so that the base of the quotient is a - b."""
    comparison: Comparison | None = None
    expects_agreement: bool = False
    """Whether it is a plausibility check and no identity."""


_NO_PARAMS: Final = RelationParams()


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """A printed figure and how it should follow from others.

    Raises:
        InvalidRelationError: operands or parameters do not fit the kind.
    """

    relation_id: RelationId
    kind: RelationKind
    result: FigureId
    operands: tuple[Operand, ...]
    """In order; a is the first and b the second. A figure may stand twice."""
    params: RelationParams = _NO_PARAMS
    note: str = ""

    def __post_init__(self) -> None:
        count = len(self.operands)
        least, most = operands_of(self.kind)
        if count < least or (most is not None and count > most):
            raise self._invalid("operands", f"{count} operands", RelationFault.OPERAND_COUNT)
        for operand in self.operands:
            if operand.figure_id == self.result:
                raise self._invalid("operands", self.result, RelationFault.RESULT_AMONG_OPERANDS)
            if not _fits(self.kind, operand.weight):
                raise self._invalid("operands", str(operand.weight), RelationFault.MALFORMED_WEIGHT)
        if self.params.base_is_increment and self.kind not in QUOTIENTS:
            raise self._invalid("params", "base=increment", RelationFault.PARAM_NOT_FOR_KIND)
        tolerance = self.params.tolerance
        if tolerance is not None and not _is_plain(tolerance):
            raise self._invalid("params", f"tolerance={tolerance}", RelationFault.BAD_PARAM_VALUE)

    def _invalid(self, field: str, value: str, fault: RelationFault) -> InvalidRelationError:
        return InvalidRelationError(
            relation=self.relation_id, field=field, value=value, fault=fault
        )


def read_relation(
    *,
    relation_id: str,
    kind: str,
    result: str,
    operands: Sequence[str],
    params: Sequence[str] = (),
    note: str | None = None,
) -> Relation | tuple[InvalidRelationError, ...]:
    """Read a relation as `relations.csv` writes it, or return all that is wrong with its words.

    Operands are not judged when the kind is unknown; whether they and the parameters fit the kind
    is judged once every word is right.

    Args:
        relation_id: its name.
        kind: one of `RelationKind`.
        result: name of the printed result.
        operands: words of the field: `+figure` or `-figure` in a sum (no sign is a plus),
            `WEIGHT*figure` in a weighted mean, else `figure`.
        params: words of the field, each `name=value`.
        note: free text.
    """
    faults = [
        _fault(relation_id, field, name, RelationFault.EMPTY_NAME)
        for field, name in (("relation_id", relation_id), ("result", result))
        if not name
    ]
    known = RelationKind(kind) if kind in {*RelationKind} else None
    read: list[Operand] = []
    if known is None:
        faults.append(_fault(relation_id, "kind", kind, RelationFault.UNKNOWN_KIND))
    else:
        for word in operands:
            operand = _operand(relation_id, known, word)
            if isinstance(operand, Operand):
                read.append(operand)
            else:
                faults.append(operand)
    given, bad_params = _params(relation_id, params)
    faults += bad_params
    if known is None or faults:
        return tuple(faults)
    try:
        return Relation(
            relation_id=RelationId(relation_id),
            kind=known,
            result=FigureId(result),
            operands=tuple(read),
            params=given,
            note=note or "",
        )
    except InvalidRelationError as error:
        return (error,)


def _operand(relation_id: str, kind: RelationKind, word: str) -> Operand | InvalidRelationError:
    weight, name = _ONE, word
    if kind is RelationKind.WEIGHTED_MEAN_PCT:
        text, star, name = word.partition("*")
        if not star:
            return _fault(relation_id, "operands", word, RelationFault.MISSING_WEIGHT)
        if not _is_unsigned(text):
            return _fault(relation_id, "operands", word, RelationFault.MALFORMED_WEIGHT)
        weight = Decimal(text)
    elif kind is RelationKind.SUM and word[:1] in {"+", "-"}:
        weight, name = (-_ONE if word[0] == "-" else _ONE), word[1:]
    if not name or name[0] in "+-" or "*" in name or name.split() != [name]:
        return _fault(relation_id, "operands", word, RelationFault.MALFORMED_OPERAND)
    return Operand(figure_id=FigureId(name), weight=weight)


def _params(
    relation_id: str, words: Sequence[str]
) -> tuple[RelationParams, list[InvalidRelationError]]:
    """Return what the good words say, and what is wrong with the others."""
    given: dict[str, str] = {}
    faults: list[InvalidRelationError] = []
    for word in words:
        name, _, value = word.partition("=")
        if name not in PARAMS:
            faults.append(_fault(relation_id, "params", word, RelationFault.UNKNOWN_PARAM))
        elif name in given:
            faults.append(_fault(relation_id, "params", word, RelationFault.REPEATED_PARAM))
        elif not _is_value_of(name, value):
            faults.append(_fault(relation_id, "params", word, RelationFault.BAD_PARAM_VALUE))
        else:
            given[name] = value
    return RelationParams(
        tolerance=Decimal(given["tolerance"]) if "tolerance" in given else None,
        base_is_increment="base" in given,
        comparison=Comparison(given["compare"]) if "compare" in given else None,
        expects_agreement="expect" in given,
    ), faults


def _is_unsigned(text: str) -> bool:
    return _UNSIGNED.fullmatch(text) is not None and len(text) <= DIGITS_MAX


def _is_value_of(param: str, value: str) -> bool:
    match param:
        case "tolerance":
            return _is_unsigned(value)
        case "base":
            return value == "increment"
        case "compare":
            return value in {*Comparison}
        case _:
            return value == "agreement"


def operands_of(kind: RelationKind) -> tuple[int, int | None]:
    """Return how many operands a kind takes: at least, and at most; None for no upper limit."""
    if kind in _TWO_OPERANDS:
        return _PAIR, _PAIR
    return 1, 1 if kind is RelationKind.EQUAL else None


def _fits(kind: RelationKind, weight: Decimal) -> bool:
    if kind is RelationKind.WEIGHTED_MEAN_PCT:
        return _is_plain(weight)
    return weight in ({_ONE, -_ONE} if kind is RelationKind.SUM else {_ONE})


def _is_plain(number: Decimal) -> bool:
    return number.is_finite() and number >= 0 and is_moderate(number)


def _fault(relation_id: str, field: str, value: str, fault: RelationFault) -> InvalidRelationError:
    return InvalidRelationError(relation=relation_id, field=field, value=value, fault=fault)
