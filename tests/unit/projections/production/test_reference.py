"""Products, coefficients, units, clusters, calendars and flow nodes on a day; builders of them."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from ledger.errors import UnknownEntityError
from ledger.events.base import Event
from ledger.events.organisation import UnitClosed, UnitEstablished, UnitReorganised
from ledger.events.production import (
    FactSourceDeclared,
    HomogenisationCoefficientSet,
    ProductCatalogued,
    UnitClustered,
    WorkingCalendarSet,
)
from ledger.events.results import FlowNodeDefined
from ledger.feed import RecordedEvent
from ledger.records import EPOCH, AppendPart
from ledger.types import AppendKey, Position, StreamName, StreamVersion
from projections.cycle.values import Missing, Reason, Value
from projections.production.periods import Month, Period
from projections.production.reference import FlowNode, Reference, rolled_up
from tests.support.given import envelope

JAN_1 = dt.date(2023, 1, 1)
JUN_30 = dt.date(2023, 6, 30)
JUL_1 = dt.date(2023, 7, 1)
DEC_31 = dt.date(2023, 12, 31)


def recorded(
    event: Event, position: int, *, as_of: dt.date = JAN_1, supersedes: str | None = None
) -> RecordedEvent:
    """Return an event as the ledger would hold it."""
    return RecordedEvent(
        position=Position(position),
        recorded_at=EPOCH,
        stream=StreamName("test"),
        stream_version=StreamVersion(position),
        event=event,
        envelope=envelope(as_of, supersedes=supersedes),
        append=AppendPart(key=AppendKey(f"test/{position}")),
    )


def reference(*events: Event) -> Reference:
    """Return what events say, recorded in this order."""
    return Reference.of(recorded(event, number) for number, event in enumerate(events, start=1))


def product(
    code: str,
    *,
    area: str = "A1",
    line: str = "prestazioni",
    valid_from: dt.date = JAN_1,
    valid_to: dt.date | None = None,
) -> ProductCatalogued:
    """Return an entry of the catalogue."""
    return ProductCatalogued(
        product=code, label=code, area=area, line=line, valid_from=valid_from, valid_to=valid_to
    )


def coefficient(code: str, value: str, valid_from: dt.date = JAN_1) -> HomogenisationCoefficientSet:
    """Return a coefficient."""
    return HomogenisationCoefficientSet(
        product=code, coefficient=Decimal(value), valid_from=valid_from
    )


def unit(code: str, parent: str | None = None, valid_from: dt.date = JAN_1) -> UnitEstablished:
    """Return the beginning of a unit."""
    return UnitEstablished(
        unit_code=code,
        unit_type="DP",
        name=f"Unit {code}",
        parent_code=parent,
        valid_from=valid_from,
    )


def moved(code: str, parent: str, valid_from: dt.date) -> UnitReorganised:
    """Return the move of a unit below another."""
    return UnitReorganised(unit_code=code, parent_code=parent, valid_from=valid_from)


def clustered(code: str, cluster: str, valid_from: dt.date = JAN_1) -> UnitClustered:
    """Return the membership of a unit."""
    return UnitClustered(unit_code=code, cluster=cluster, valid_from=valid_from)


def node(
    code: str, parent: str | None = None, sign: str = "+", year: int = 2023
) -> FlowNodeDefined:
    """Return a flow node."""
    return FlowNodeDefined(year=year, node_code=code, parent_code=parent, label=code, sign=sign)


def calendars(year: int, days: Iterable[int]) -> list[WorkingCalendarSet]:
    """Return the calendars of the first months of a year."""
    return [
        WorkingCalendarSet(year=year, month=month, working_days=count)
        for month, count in enumerate(days, start=1)
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2022, 12, 31), None),
        (JAN_1, Decimal("1.5")),
        (JUN_30, Decimal("1.5")),
        (JUL_1, Decimal("0.25")),
    ],
)
def test_the_latest_coefficient_by_the_day_counts(day: dt.date, expected: Decimal | None) -> None:
    found = reference(coefficient("P1", "0.25", JUL_1), coefficient("P1", "1.5", JAN_1))

    assert found.coefficient("P1", day) == expected
    assert found.coefficient("P2", day) is None


def test_of_two_coefficients_of_one_day_the_one_recorded_later_counts() -> None:
    found = reference(coefficient("P1", "9"), coefficient("P1", "2"))

    assert found.coefficient("P1", DEC_31) == Decimal(2)


def test_a_corrected_event_is_not_seen() -> None:
    wrong = recorded(coefficient("P1", "9", JUL_1), 1)
    right = recorded(coefficient("P1", "2", JAN_1), 2, supersedes=wrong.event_id)

    assert Reference.of([wrong, right]).coefficient("P1", DEC_31) == Decimal(2)


def test_a_cut_before_the_correction_still_sees_the_event() -> None:
    wrong = recorded(coefficient("P1", "9"), 1, as_of=JAN_1)
    right = recorded(coefficient("P1", "2"), 2, as_of=JUL_1, supersedes=wrong.event_id)

    assert Reference.of([wrong, right], as_of=JUN_30).coefficient("P1", DEC_31) == Decimal(9)
    assert Reference.of([wrong, right], as_of=JUL_1).coefficient("P1", DEC_31) == Decimal(2)


@pytest.mark.parametrize(
    ("day", "area"),
    [
        (dt.date(2022, 12, 31), None),
        (JAN_1, "A1"),
        (JUL_1, "A2"),
        (dt.date(2023, 9, 30), "A2"),
        (dt.date(2023, 10, 1), None),
    ],
)
def test_an_entry_changes_and_ends(day: dt.date, area: str | None) -> None:
    ends = dt.date(2023, 9, 30)
    found = reference(product("P1"), product("P1", area="A2", valid_from=JUL_1, valid_to=ends))

    entry = found.product("P1", day)

    assert (None if entry is None else entry.area) == area


def test_the_tree_is_that_of_the_day() -> None:
    found = reference(
        unit("DG"),
        unit("R1", "DG"),
        unit("R2", "DG"),
        unit("S", "R1"),
        unit("T", "S"),
        moved("S", "R2", JUL_1),
    )

    assert found.ancestors("T", JUN_30) == ("S", "R1", "DG")
    assert found.ancestors("T", JUL_1) == ("S", "R2", "DG")
    assert found.below("R1", JUN_30) == {"S", "T"}
    assert found.below("R1", JUL_1) == frozenset()
    assert found.below("DG", JUL_1) == {"R1", "R2", "S", "T"}


def test_a_move_recorded_first_still_follows_the_beginning() -> None:
    found = reference(unit("DG"), moved("S", "R2", JUL_1), unit("R2", "DG"), unit("S", "DG"))

    assert found.ancestors("S", JUN_30) == ("DG",)
    assert found.ancestors("S", JUL_1) == ("R2", "DG")


def test_a_new_name_leaves_the_parent() -> None:
    renamed = UnitReorganised(unit_code="S", name="New", valid_from=JUL_1)

    state = reference(unit("DG"), unit("S", "DG"), renamed).unit("S", JUL_1)

    assert state is not None
    assert (state.name, state.parent_code, state.unit_type) == ("New", "DG", "DP")


def test_a_unit_that_ended_stays_below_its_last_parent() -> None:
    found = reference(unit("DG"), unit("S", "DG"), UnitClosed(unit_code="S", valid_to=JUN_30))

    assert found.exists("S", JUN_30)
    assert not found.exists("S", JUL_1)
    assert found.ancestors("S", DEC_31) == ("DG",)
    assert found.below("DG", DEC_31) == {"S"}


def test_a_unit_does_not_exist_before_it_begins() -> None:
    found = reference(unit("DG"), unit("S", "DG", JUL_1))

    assert not found.exists("S", JUN_30)
    assert found.ancestors("S", JUN_30) == ()
    assert found.below("DG", JUN_30) == frozenset()


def test_an_unknown_unit_has_nothing_above_or_below() -> None:
    found = reference(unit("DG"))

    assert found.ancestors("X", JAN_1) == ()
    assert found.below("X", JAN_1) == frozenset()
    assert not found.exists("X", JAN_1)


def test_a_circle_ends_where_it_closes() -> None:
    found = reference(unit("A"), unit("B", "A"), moved("A", "B", JUL_1))

    assert found.ancestors("A", JUL_1) == ("B",)
    assert found.ancestors("B", JUL_1) == ("A",)


def test_refuses_a_unit_that_neither_events_nor_facts_know() -> None:
    found = reference(unit("DG"))

    with pytest.raises(UnknownEntityError):
        found.inside("X", JAN_1, known=["Y"])


def test_facts_may_name_a_unit_that_no_event_does() -> None:
    assert reference(unit("DG")).inside("X", JAN_1, known=["X"]) == ("X",)


def test_a_cluster_is_inherited_from_the_nearest_unit_above() -> None:
    found = reference(
        unit("DG"),
        unit("S", "DG"),
        unit("T", "S"),
        clustered("DG", "national"),
        clustered("S", "small"),
        clustered("S", "large", JUL_1),
    )

    assert found.cluster("T", JUN_30) == "small"
    assert found.cluster("T", JUL_1) == "large"
    assert found.cluster("DG", JUL_1) == "national"
    assert found.cluster("X", JUL_1) is None


def test_working_days_are_summed_or_missing() -> None:
    found = reference(*calendars(2023, (21, 20, 23)))

    assert found.working_days_of(Period.parse("2023-Q1").months()) == 64
    assert found.working_days_of((Month(202303), Month(202304))) == Missing(
        Reason.CHILD_MISSING, ("calendar 202304",)
    )


def test_a_calendar_set_again_replaces_the_former() -> None:
    found = reference(*calendars(2023, (21,)), *calendars(2023, (22,)))

    assert found.working_days(2023, 1) == 22


def test_weights_are_whole_and_share_a_scale() -> None:
    found = reference(product("P1"), coefficient("P1", "1.25"), coefficient("P2", "3"))
    pairs = pl.DataFrame(
        {"item": ["P3", "P1", "P2"], "month": [202301] * 3}, schema_overrides={"month": pl.Int32}
    )

    table, scale = found.weights(pairs)

    assert scale == 100
    assert table.rows() == [
        ("P1", 202301, "A1", "prestazioni", 125),
        ("P2", 202301, "", "", 300),
        ("P3", 202301, "", "", None),
    ]


def test_the_first_day_of_the_month_decides_the_weight() -> None:
    found = reference(coefficient("P1", "1"), coefficient("P1", "2", dt.date(2023, 2, 2)))
    pairs = pl.DataFrame(
        {"item": ["P1"] * 2, "month": [202302, 202303]}, schema_overrides={"month": pl.Int32}
    )

    table, _ = found.weights(pairs)

    assert table["weight"].to_list() == [1, 2]


def test_flow_nodes_are_of_a_year() -> None:
    found = reference(node("N", "M", "-"), node("N", sign="+", year=2024))

    assert found.nodes(2023)["N"].sign == -1
    assert found.nodes(2023)["N"].parent_code == "M"
    assert found.nodes(2024)["N"].sign == 1
    assert found.nodes(2025) == {}


def test_events_of_other_kinds_are_passed_over() -> None:
    source = FactSourceDeclared(source="S", label="S", window_facts=0, sequential=False)

    assert reference(source) == Reference()


def nodes(*each: tuple[str, str | None, int]) -> dict[str, FlowNode]:
    return {
        code: FlowNode(code=code, parent_code=parent, label=code, sign=sign)
        for code, parent, sign in each
    }


def rolled(tree: dict[str, FlowNode], **amounts: int) -> dict[str, Value]:
    def of(code: str) -> Value:
        if code in amounts:
            return Fraction(amounts[code])
        return Missing(Reason.NOT_RECORDED, (code,))

    return rolled_up(tree, of)


TREE = nodes(("TOP", None, 1), ("A", "TOP", 1), ("A1", "A", 1), ("A2", "A", -1), ("B", "TOP", -1))


def test_a_parent_is_the_signed_sum_of_what_stands_below() -> None:
    found = rolled(TREE, A1=100, A2=30, B=5)

    assert found == {"A": 70, "A1": 100, "A2": 30, "B": 5, "TOP": 65}


def test_a_missing_leaf_makes_its_parents_missing() -> None:
    found = rolled(TREE, A1=100)

    assert found["A"] == Missing(Reason.CHILD_MISSING, ("A2",))
    assert found["TOP"] == Missing(Reason.CHILD_MISSING, ("A2", "B"))
    assert found["A1"] == 100


def test_an_amount_on_a_parent_is_neither_dropped_nor_added() -> None:
    found = rolled(TREE, A=1, A1=100, A2=30, B=5)

    assert found["A"] == Missing(Reason.NOT_DEFINED, ("A",))
    assert found["TOP"] == Missing(Reason.CHILD_MISSING, ("A",))


def test_a_node_below_itself_has_no_amount() -> None:
    found = rolled(nodes(("A", "B", 1), ("B", "A", 1)))

    assert isinstance(found["A"], Missing)
    assert isinstance(found["B"], Missing)
