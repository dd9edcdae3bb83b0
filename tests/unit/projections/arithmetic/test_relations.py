"""Relations are read strictly: what is not documented is refused, with field and value."""

from decimal import Decimal

import pytest

from projections.arithmetic.figures import FigureId
from projections.arithmetic.relations import (
    QUOTIENTS,
    Comparison,
    InvalidRelationError,
    Operand,
    Relation,
    RelationFault,
    RelationId,
    RelationKind,
    RelationParams,
    operands_of,
    read_relation,
)
from tests.support.printed import claim

BINARY = sorted(QUOTIENTS | {RelationKind.DIFFERENCE, RelationKind.POINT_DIFFERENCE})


def fault_of(kind: str, operands: str, params: str = "") -> tuple[str, str, RelationFault]:
    with pytest.raises(InvalidRelationError) as caught:
        claim(kind, "r", operands, params)
    return caught.value.field, caught.value.value, caught.value.fault


def test_reads_signs_of_a_sum() -> None:
    relation = claim("sum", "r", "+a -b c")

    assert relation.operands == (
        Operand(figure_id=FigureId("a"), weight=Decimal(1)),
        Operand(figure_id=FigureId("b"), weight=Decimal(-1)),
        Operand(figure_id=FigureId("c"), weight=Decimal(1)),
    )


def test_reads_weights() -> None:
    relation = claim("weighted_mean_pct", "r", "12.5*a 0*b")

    assert [each.weight for each in relation.operands] == [Decimal("12.5"), Decimal(0)]


def test_reads_parameters() -> None:
    relation = claim(
        "change_pct", "r", "a b", "tolerance=0.5 base=increment compare=scope expect=agreement"
    )

    assert relation.params == RelationParams(
        tolerance=Decimal("0.5"),
        base_is_increment=True,
        comparison=Comparison.SCOPE,
        expects_agreement=True,
    )


@pytest.mark.parametrize("kind", BINARY)
def test_takes_two_operands_of_a_kind_with_a_and_b(kind: str) -> None:
    assert operands_of(RelationKind(kind)) == (2, 2)
    assert len(claim(kind, "r", "a b").operands) == 2


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("operands", ["", "a", "a b c"])
def test_refuses_another_number_of_operands(kind: str, operands: str) -> None:
    assert fault_of(kind, operands)[2] is RelationFault.OPERAND_COUNT


@pytest.mark.parametrize(
    ("kind", "operands"),
    [("equal", ""), ("equal", "a b"), ("sum", ""), ("mean", ""), ("weighted_mean_pct", "")],
)
def test_refuses_too_few_or_too_many_operands(kind: str, operands: str) -> None:
    assert fault_of(kind, operands)[2] is RelationFault.OPERAND_COUNT


@pytest.mark.parametrize("kind", ["", "Sum", "sum ", "avg", "SUM", "RelationKind.SUM"])
def test_refuses_an_unknown_kind(kind: str) -> None:
    assert fault_of(kind, "+a") == ("kind", kind, RelationFault.UNKNOWN_KIND)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("sum", "+"),
        ("sum", "-"),
        ("sum", "++a"),
        ("sum", "+-a"),
        ("sum", "2*a"),
        ("mean", "+a"),
        ("mean", "-a"),
        ("mean", "2*a"),
        ("equal", "-a"),
        ("weighted_mean_pct", "1*"),
        ("weighted_mean_pct", "1*2*a"),
        ("weighted_mean_pct", "1*-a"),
    ],
)
def test_refuses_a_malformed_operand(kind: str, word: str) -> None:
    assert fault_of(kind, word) == ("operands", word, RelationFault.MALFORMED_OPERAND)


@pytest.mark.parametrize(
    "weight",
    ["", "-1", "+1", "1,5", "1e3", ".5", "5.", "NaN", "inf", "\u0663", "1_000", "1" * 41, "a"],
)
def test_refuses_a_malformed_weight(weight: str) -> None:
    word = f"{weight}*a"

    assert fault_of("weighted_mean_pct", word) == (
        "operands",
        word,
        RelationFault.MALFORMED_WEIGHT,
    )


def test_refuses_an_operand_without_weight() -> None:
    assert fault_of("weighted_mean_pct", "a")[2] is RelationFault.MISSING_WEIGHT


@pytest.mark.parametrize(
    ("kind", "operands"),
    [("equal", "r"), ("sum", "+a -r"), ("weighted_mean_pct", "1*a 2*r"), ("ratio", "a r")],
)
def test_refuses_a_result_that_would_prove_itself(kind: str, operands: str) -> None:
    assert fault_of(kind, operands) == ("operands", "r", RelationFault.RESULT_AMONG_OPERANDS)


@pytest.mark.parametrize("param", ["tolerence=1", "=1", "Tolerance=1", "scope", "x=y"])
def test_refuses_an_unknown_parameter(param: str) -> None:
    assert fault_of("equal", "a", param) == ("params", param, RelationFault.UNKNOWN_PARAM)


@pytest.mark.parametrize(
    "param",
    [
        "tolerance=",
        "tolerance",
        "tolerance=-1",
        "tolerance=1%",
        "tolerance=1e2",
        "tolerance=NaN",
        "base=b",
        "base=",
        "compare=year",
        "compare=Vintage",
        "expect=identity",
        "expect",
    ],
)
def test_refuses_a_value_that_the_parameter_does_not_take(param: str) -> None:
    assert fault_of("ratio", "a b", param) == ("params", param, RelationFault.BAD_PARAM_VALUE)


def test_refuses_a_parameter_that_stands_twice() -> None:
    found = fault_of("equal", "a", "compare=scope compare=vintage")

    assert found == ("params", "compare=vintage", RelationFault.REPEATED_PARAM)


@pytest.mark.parametrize("kind", sorted(set(RelationKind) - QUOTIENTS))
def test_refuses_the_base_of_a_quotient_where_there_is_none(kind: str) -> None:
    operands = {"equal": "a", "weighted_mean_pct": "1*a 1*b"}.get(kind, "a b")

    assert fault_of(kind, operands, "base=increment")[2] is RelationFault.PARAM_NOT_FOR_KIND


@pytest.mark.parametrize(("relation_id", "result"), [("", "r"), ("x", "")])
def test_refuses_an_empty_name(relation_id: str, result: str) -> None:
    found = read_relation(relation_id=relation_id, kind="equal", result=result, operands=["a"])

    assert isinstance(found, tuple)
    assert [each.fault for each in found] == [RelationFault.EMPTY_NAME]


def test_returns_all_that_is_wrong_in_the_order_of_the_columns() -> None:
    found = read_relation(
        relation_id="x", kind="summ", result="", operands=["++"], params=["base=1", "y"]
    )

    assert isinstance(found, tuple)
    assert [each.fault for each in found] == [
        RelationFault.EMPTY_NAME,
        RelationFault.UNKNOWN_KIND,
        RelationFault.BAD_PARAM_VALUE,
        RelationFault.UNKNOWN_PARAM,
    ]


def test_names_relation_field_and_clipped_value_in_the_message() -> None:
    with pytest.raises(InvalidRelationError) as caught:
        claim("equal", "r", "a", "x" * 5000)

    message = str(caught.value)
    assert message.startswith("relation claim: field params has the value 'xxx")
    assert len(message) < 300


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        (RelationKind.SUM, Decimal(2)),
        (RelationKind.SUM, Decimal(0)),
        (RelationKind.MEAN, Decimal(-1)),
        (RelationKind.WEIGHTED_MEAN_PCT, Decimal(-1)),
        (RelationKind.WEIGHTED_MEAN_PCT, Decimal("NaN")),
        (RelationKind.WEIGHTED_MEAN_PCT, Decimal("1e41")),
    ],
)
def test_refuses_weights_that_the_kind_does_not_take_however_it_is_built(
    kind: RelationKind, weight: Decimal
) -> None:
    with pytest.raises(InvalidRelationError):
        Relation(
            relation_id=RelationId("x"),
            kind=kind,
            result=FigureId("r"),
            operands=(Operand(figure_id=FigureId("a"), weight=weight),),
        )


@pytest.mark.parametrize("tolerance", ["-1", "NaN", "Infinity", "1e50"])
def test_refuses_a_tolerance_that_is_no_plain_number(tolerance: str) -> None:
    with pytest.raises(InvalidRelationError):
        Relation(
            relation_id=RelationId("x"),
            kind=RelationKind.EQUAL,
            result=FigureId("r"),
            operands=(Operand(figure_id=FigureId("a")),),
            params=RelationParams(tolerance=Decimal(tolerance)),
        )
