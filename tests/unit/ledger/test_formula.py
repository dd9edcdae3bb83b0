"""The formula language: what it reads, what it writes, what it refuses and where."""

import json
import typing
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import FormulaError
from ledger.formula import (
    DEPTH_MAX,
    NODES_MAX,
    PARTS,
    RULES,
    Achievement,
    Cap,
    ChildrenMean,
    Constant,
    Days,
    Deviation,
    Flow,
    Formula,
    Indicator,
    Mean,
    Measure,
    Percent,
    Ratio,
    Recorded,
    Sum,
    Unpublished,
    WeightedMean,
    format_formula,
    parse_formula,
)

ONE = Constant(Decimal(1))
TWO = Constant(Decimal("2.5"))
ONE_TEXT = '{"op":"constant","value":"1"}'
TWO_TEXT = '{"op":"constant","value":"2.5"}'
EVERY_OPERATOR: list[tuple[str, Formula]] = [
    ('{"op":"recorded"}', Recorded()),
    ('{"node":"A.1","op":"flow"}', Flow("A.1")),
    ('{"name":"settled","op":"measure"}', Measure("settled")),
    (TWO_TEXT, TWO),
    ('{"code":"OGE1","op":"indicator","part":"value"}', Indicator("OGE1")),
    ('{"code":"X","op":"indicator","part":"achievement"}', Indicator("X", "achievement")),
    (
        f'{{"op":"sum","terms":[{{"of":{ONE_TEXT},"sign":"+"}},{{"of":{TWO_TEXT},"sign":"-"}}]}}',
        Sum((("+", ONE), ("-", TWO))),
    ),
    (f'{{"denominator":{TWO_TEXT},"numerator":{ONE_TEXT},"op":"ratio"}}', Ratio(ONE, TWO)),
    (f'{{"of":{ONE_TEXT},"op":"percent"}}', Percent(ONE)),
    ('{"op":"weighted_mean","part":"deviation"}', WeightedMean("deviation")),
    ('{"op":"children_mean","part":"value"}', ChildrenMean()),
    (f'{{"of":[{ONE_TEXT},{TWO_TEXT}],"op":"mean"}}', Mean((ONE, TWO))),
    (
        f'{{"of":{ONE_TEXT},"op":"deviation","rule":"DR2","target":{TWO_TEXT}}}',
        Deviation("DR2", ONE, TWO),
    ),
    (
        f'{{"of":{ONE_TEXT},"op":"achievement","rule":"DR1","target":{TWO_TEXT}}}',
        Achievement("DR1", ONE, TWO),
    ),
    (
        f'{{"at_least":"0","at_most":"150","of":{ONE_TEXT},"op":"cap"}}',
        Cap(ONE, Decimal(0), Decimal(150)),
    ),
    (f'{{"at_most":"-0.5","of":{ONE_TEXT},"op":"cap"}}', Cap(ONE, None, Decimal("-0.5"))),
    (f'{{"of":{ONE_TEXT},"op":"cap"}}', Cap(ONE)),
    (
        f'{{"days":{TWO_TEXT},"flow":{ONE_TEXT},"op":"days","stock":{TWO_TEXT}}}',
        Days(TWO, ONE, TWO),
    ),
    ('{"op":"unpublished","reason":"weights_unpublished"}', Unpublished("weights_unpublished")),
]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NUMBERS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(-(10**20), 10**20),
    st.integers(0, 15),
)
LEAVES: st.SearchStrategy[Formula] = st.one_of(
    st.just(Recorded()),
    st.builds(Flow, TEXTS),
    st.builds(Measure, TEXTS),
    st.builds(Constant, NUMBERS),
    st.builds(Indicator, TEXTS, st.sampled_from(PARTS)),
    st.builds(WeightedMean, st.sampled_from(PARTS)),
    st.builds(ChildrenMean, st.sampled_from(PARTS)),
    st.builds(Unpublished, TEXTS),
)


def _composed(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    term = st.tuples(st.sampled_from(["+", "-"]), inner)
    bound = st.none() | NUMBERS
    return st.one_of(
        st.builds(Sum, st.lists(term, min_size=1, max_size=3).map(tuple)),
        st.builds(Ratio, inner, inner),
        st.builds(Percent, inner),
        st.builds(Mean, several),
        st.builds(Deviation, st.sampled_from(RULES), inner, inner),
        st.builds(Achievement, st.sampled_from(RULES), inner, inner),
        st.builds(Cap, inner, bound, bound),
        st.builds(Days, inner, inner, inner),
    )


FORMULAS = st.recursive(LEAVES, _composed, max_leaves=12)


def refusal(text: str) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text, subject="PS")
    return caught.value


def nested(levels: int) -> str:
    return '{"op":"percent","of":' * (levels - 1) + '{"op":"recorded"}' + "}" * (levels - 1)


def mean_of(items: int) -> str:
    return json.dumps({"op": "mean", "of": [{"op": "recorded"}] * items})


@pytest.mark.parametrize(("text", "formula"), EVERY_OPERATOR)
def test_reads_and_writes_each_operator(text: str, formula: Formula) -> None:
    assert parse_formula(text, subject="PS") == formula
    assert format_formula(formula) == text


def test_the_table_of_operators_above_is_complete() -> None:
    assert {type(formula) for _, formula in EVERY_OPERATOR} == set(typing.get_args(Formula))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('{ "op" : "indicator", "code": "X" }', '{"code":"X","op":"indicator","part":"value"}'),
        ('{"op":"children_mean"}', '{"op":"children_mean","part":"value"}'),
        (
            '{"op":"sum","terms":[{"of":{"op":"recorded"}}]}',
            '{"op":"sum","terms":[{"of":{"op":"recorded"},"sign":"+"}]}',
        ),
        ('{"op":"flow","node":"\\u00e0"}', '{"node":"à","op":"flow"}'),
    ],
)
def test_writes_out_what_the_text_left_open(text: str, canonical: str) -> None:
    assert format_formula(parse_formula(text, subject="PS")) == canonical


@pytest.mark.parametrize(
    ("value", "written"),
    [("1.50", "1.5"), ("1E+2", "100"), ("0.0", "0"), ("-0.50", "-0.5"), ("1E-7", "0.0000001")],
)
def test_numbers_have_one_spelling(value: str, written: str) -> None:
    assert format_formula(Constant(Decimal(value))) == f'{{"op":"constant","value":"{written}"}}'


@pytest.mark.parametrize("value", ["-0", "-0.00", "NaN", "-Infinity", "1E+38", "1E-39"])
def test_a_number_without_canonical_text_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match=r"zero has no sign|finite|at most 38 digits"):
        format_formula(Cap(ONE, None, Decimal(value)))


@pytest.mark.property
@settings(max_examples=150, deadline=None)
@given(FORMULAS)
def test_what_is_written_is_read_back_and_written_the_same(formula: Formula) -> None:
    text = format_formula(formula)

    read = parse_formula(text, subject="PS")

    assert read == formula
    assert format_formula(read) == text


@pytest.mark.property
@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["op", "of", "terms", "value", "rule", "part", "code"]),
                inner | st.sampled_from(["sum", "mean", "cap", "constant", "indicator"]),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused_by_name(data: object) -> None:
    path, text = "$", json.dumps(data)

    try:
        text = format_formula(parse_formula(text, subject="PS"))
    except FormulaError as error:
        path = error.facts["path"]
    else:
        assert format_formula(parse_formula(text, subject="PS")) == text

    assert path.startswith("$")


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("", "$", "not JSON"),
        ("{", "$", "not JSON"),
        ("{'op':'recorded'}", "$", "not JSON"),
        ("[" * 100_000, "$", "not JSON"),
        ("9" * 5000, "$", "not JSON"),
        ('{"op":"recorded","op":"recorded"}', "$", "a key stands twice"),
        ("null", "$", "an object"),
        ("3", "$", "an object"),
        ('["recorded"]', "$", "an object"),
        ("{}", "$", "unknown operator None"),
        ('{"op":"RECORDED"}', "$", "unknown operator 'RECORDED'"),
        ('{"op":7}', "$", "unknown operator 7"),
        ('{"op":["sum"]}', "$", "unknown operator"),
        ('{"op":"recorded","of":1}', "$", "unknown keys: of"),
        ('{"op":"percent","of":{"op":"recorded","x":1,"a":2}}', "$.of", "unknown keys: a, x"),
        ('{"op":"flow"}', "$.node", "a text"),
        ('{"op":"flow","node":""}', "$.node", "a text"),
        ('{"op":"flow","node":4}', "$.node", "a text"),
        ('{"op":"measure","name":null}', "$.name", "a text"),
        ('{"op":"constant"}', "$.value", "a text"),
        ('{"op":"constant","value":2.5}', "$.value", "a text"),
        ('{"op":"constant","value":NaN}', "$.value", "a text"),
        ('{"op":"constant","value":"NaN"}', "$.value", "not a canonical decimal"),
        ('{"op":"constant","value":"1e3"}', "$.value", "not a canonical decimal"),
        ('{"op":"constant","value":"1.50"}', "$.value", "not a canonical decimal"),
        ('{"op":"constant","value":"-0"}', "$.value", "not a canonical decimal"),
        ('{"op":"constant","value":" 1"}', "$.value", "not a canonical decimal"),
        ('{"op":"constant","value":"1\\n"}', "$.value", "not a canonical decimal"),
        ('{"op":"constant","value":"\\u0661"}', "$.value", "not a canonical decimal"),
        (f'{{"op":"constant","value":"{"9" * 39}"}}', "$.value", "at most 38 digits"),
        ('{"op":"indicator"}', "$.code", "a text"),
        ('{"op":"indicator","code":"X","part":"target"}', "$.part", "one of value, deviation"),
        ('{"op":"weighted_mean","part":null}', "$.part", "one of value"),
        ('{"op":"sum"}', "$.terms", "at least one"),
        ('{"op":"sum","terms":[]}', "$.terms", "at least one"),
        ('{"op":"sum","terms":{}}', "$.terms", "at least one"),
        ('{"op":"sum","terms":["x"]}', "$.terms[0]", "sign and of"),
        ('{"op":"sum","terms":[{"sign":"*","of":{"op":"recorded"}}]}', "$.terms[0].sign", "one of"),
        (
            '{"op":"sum","terms":[{"of":{"op":"recorded"}},{"of":{"op":"x"}}]}',
            "$.terms[1].of",
            "unknown operator 'x'",
        ),
        (
            '{"op":"sum","terms":[{"of":{"op":"recorded"},"weight":"3"}]}',
            "$.terms[0]",
            "unknown keys: weight",
        ),
        ('{"op":"ratio","numerator":{"op":"recorded"}}', "$.denominator", "an object"),
        ('{"op":"percent"}', "$.of", "an object"),
        ('{"op":"mean","of":{"op":"recorded"}}', "$.of", "at least one"),
        ('{"op":"mean","of":[{"op":"recorded"},2]}', "$.of[1]", "an object"),
        (
            '{"op":"deviation","rule":"DR7","of":{"op":"recorded"},"target":{"op":"recorded"}}',
            "$.rule",
            "one of DR1, DR2, DR3, DR4, DR5, DR6",
        ),
        ('{"op":"achievement","rule":"DR1","of":{"op":"recorded"}}', "$.target", "an object"),
        ('{"op":"cap","of":{"op":"recorded"},"at_most":150}', "$.at_most", "a text"),
        ('{"op":"cap","of":{"op":"recorded"},"at_least":null}', "$.at_least", "a text"),
        ('{"op":"days","stock":{"op":"recorded"},"flow":{"op":"recorded"}}', "$.days", "an object"),
        ('{"op":"unpublished"}', "$.reason", "a text"),
    ],
)
def test_refuses_a_malformed_text_and_says_where(text: str, path: str, reason: str) -> None:
    error = refusal(text)

    assert error.facts["subject"] == "PS"
    assert error.facts["path"] == path
    assert reason in error.facts["reason"]


def test_reads_the_deepest_tree_and_refuses_one_level_more() -> None:
    parse_formula(nested(DEPTH_MAX), subject="PS")

    error = refusal(nested(DEPTH_MAX + 1))

    assert error.facts["path"] == "$" + ".of" * DEPTH_MAX
    assert f"deeper than {DEPTH_MAX}" in error.facts["reason"]


def test_reads_the_largest_tree_and_refuses_one_node_more() -> None:
    parse_formula(mean_of(NODES_MAX - 1), subject="PS")

    error = refusal(mean_of(NODES_MAX))

    assert error.facts["path"] == f"$.of[{NODES_MAX - 1}]"
    assert f"longer than {NODES_MAX} nodes" in error.facts["reason"]


def test_counts_the_nodes_of_the_whole_tree_not_of_one_level() -> None:
    half = json.loads(mean_of(NODES_MAX // 2))
    text = json.dumps({"op": "ratio", "numerator": half, "denominator": half})

    assert refusal(text).facts["path"].startswith("$.denominator.of[")
