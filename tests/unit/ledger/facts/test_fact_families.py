"""Every released schema of facts has rules, in one family, that name columns it has."""

import pytest

from ledger.facts.families import FAMILIES, RULES, FactRules, family_of
from schemas.columns import FactField, layout
from schemas.registry import default_registry

ALL = [rules for members in FAMILIES.values() for rules in members]
EVERY = pytest.mark.parametrize("rules", ALL, ids=lambda rules: rules.name)


def fields(rules: FactRules) -> dict[str, FactField]:
    return {one.name: one for one in layout(default_registry().latest(rules.full_name))}


def released() -> set[str]:
    return set(default_registry().names("fact"))


def test_every_released_fact_is_in_one_family() -> None:
    assert sorted(rules.full_name for rules in ALL) == sorted(released())


def test_rules_and_families_are_found_by_full_name() -> None:
    assert set(RULES) == released()
    for family, members in FAMILIES.items():
        assert [family_of(rules.full_name) for rules in members] == [family] * len(members)


@pytest.mark.parametrize("name", ["registro.facts.Nothing", "RequestDefined", ""])
def test_an_unknown_fact_has_no_family(name: str) -> None:
    with pytest.raises(KeyError):
        family_of(name)


@EVERY
def test_every_fact_can_be_named_and_taken_back(rules: FactRules) -> None:
    found = fields(rules)
    assert found["source_id"] == FactField("source_id", "string", nullable=False)
    assert found["supersedes"] == FactField("supersedes", "string", nullable=True)
    assert found["reversal"] == FactField("reversal", "boolean", nullable=False)


@EVERY
def test_rules_name_columns_of_the_right_kind(rules: FactRules) -> None:
    found = fields(rules)
    assert found[rules.day] == FactField(rules.day, "date", nullable=False)
    codes = [*rules.units, *rules.choices, *filter(None, (rules.product, rules.node))]
    assert {found[name].kind for name in codes} <= {"string"}
    assert {found[name].kind for name in rules.ranges} <= {"int", "long"}
    assert len(codes) == len(set(codes))


@EVERY
def test_every_number_has_bounds_that_its_column_can_hold(rules: FactRules) -> None:
    found = fields(rules)
    numbers = {name for name, one in found.items() if one.kind in {"int", "long"}}
    assert set(rules.ranges) == numbers
    for name, (low, high) in rules.ranges.items():
        bits = 31 if found[name].kind == "int" else 63
        assert -(2**bits) <= low < high < 2**bits


@EVERY
def test_no_column_of_units_or_products_is_forgotten(rules: FactRules) -> None:
    found = fields(rules)
    assert {name for name in found if name == "unit" or name.endswith("_unit")} == set(rules.units)
    assert ("product" in found, "node" in found) == (
        rules.product is not None,
        rules.node is not None,
    )


@EVERY
def test_the_columns_of_a_kind_of_fact_tell_it_from_its_family(rules: FactRules) -> None:
    def needed(one: FactRules) -> set[str]:
        return {f.name for f in fields(one).values() if not f.nullable} - {"reversal"}

    others = [one for one in FAMILIES[family_of(rules.full_name)] if one is not rules]
    assert all(not needed(one) <= set(fields(rules)) for one in others)


def test_choices_are_not_empty_and_not_repeated() -> None:
    for rules in ALL:
        for allowed in rules.choices.values():
            assert allowed
            assert len(set(allowed)) == len(allowed)
