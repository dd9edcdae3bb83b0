"""The summary counts every verdict, also those never given."""

from collections.abc import Mapping

import pytest

from projections.arithmetic.verdict import RelationVerdict, Verdict, summarise
from tests.support.printed import claim, judged, printed


def verdict_of(result: str | None, params: str = "") -> RelationVerdict:
    return judged(claim("equal", "r", "a", params), [printed("r", result), printed("a", "1.0")])


def test_counts_verdicts_in_their_documented_order() -> None:
    given = [verdict_of("1.0"), verdict_of("9.0"), verdict_of("1.0"), verdict_of(None)]

    counts = summarise(given)

    assert list(counts) == list(Verdict)
    assert {name: count for name, count in counts.items() if count} == {
        Verdict.EXACT: 2,
        Verdict.INCONSISTENT: 1,
        Verdict.NOT_COMPUTABLE: 1,
    }


def test_counts_nothing_as_zeros() -> None:
    assert set(summarise([]).values()) == {0}


def test_summary_cannot_be_changed() -> None:
    counts = summarise([verdict_of("1.0")])

    assert isinstance(counts, Mapping)
    with pytest.raises(TypeError):
        counts[Verdict.EXACT] = 0  # type: ignore[index]  # the point of the test


def test_names_of_verdicts_are_those_of_ruling_18() -> None:
    assert [each.value for each in Verdict] == [
        "exact",
        "rounding",
        "inconsistent",
        "restated",
        "other_scope",
        "doubtful",
        "not_computable",
    ]
