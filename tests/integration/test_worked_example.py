"""The worked example: every figure that INPS published for 2023 comes back from events alone."""

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.intake.importer import import_folder
from projections.cycle.diff import difference
from projections.cycle.explain import explain
from projections.cycle.facts import fold
from projections.cycle.replay import Replay, replay
from projections.trail import trail
from tests.support.dataset import EXAMPLE, example_events
from tests.support.ledgers import new_ledger

PRE = dt.date(2024, 3, 1)
CLOSING = dt.date(2024, 6, 14)


def at(as_of: dt.date | None) -> Replay:
    return replay(example_events(), year=2023, as_of=as_of)


def value(code: str, as_of: dt.date) -> Decimal | None:
    line = at(as_of).line(code)
    assert line is not None
    return line.value


@pytest.mark.parametrize(
    ("code", "as_of", "expected"),
    [
        ("PS", PRE, "105.68"),
        ("PS", CLOSING, "106.92"),
        ("IEEP.A", PRE, "5332073821"),
        ("IEEP.A", CLOSING, "5906162514"),
        ("IEG", CLOSING, "6.16"),
        ("SR", CLOSING, "100"),
    ],
)
def test_replays_the_published_figure(code: str, as_of: dt.date, expected: str) -> None:
    assert value(code, as_of) == Decimal(expected)


def test_a_figure_is_not_known_before_it_was_published() -> None:
    assert value("PS", dt.date(2024, 2, 29)) is None


def test_every_money_flow_row_has_its_printed_deviation() -> None:
    nodes = {row["label"]: f"IEEP.{row['node_code']}" for row in _rows("ieep.csv")}
    printed = {
        row["figure_id"]: Decimal(row["value"])
        for row in _rows("figures.csv")
        if row["figure_id"].startswith("rp2023.ieep.") and row["figure_id"].endswith(".var")
    }
    labels = {
        row["figure_id"]: row["label"]
        for row in _rows("figures.csv")
        if row["figure_id"] in printed
    }
    replayed = at(CLOSING)

    assert len(printed) == len(nodes) == 21
    for figure, deviation in printed.items():
        label = max((name for name in nodes if labels[figure].startswith(name)), key=len)
        line = replayed.line(nodes[label])
        assert line is not None
        assert line.deviation_pct == deviation, label


def test_the_subtractive_row_is_inverted() -> None:
    line = at(CLOSING).line("IEEP.I.2.1")

    assert line is not None
    assert (line.rule, line.deviation_pct) == ("DR5", Decimal("-1183.53"))


def test_unknown_weights_stay_unknown_and_the_printed_total_stands_beside() -> None:
    line = at(CLOSING).line("VP")

    assert line is not None
    assert (line.value, line.value_missing) == (None, "weights_unpublished")
    assert line.published == Decimal("100.48")


def test_a_missing_value_is_null_with_its_reason() -> None:
    line = at(CLOSING).line("20.1")

    assert line is not None
    assert (line.value, line.missing_details) == (None, ("MISSING_LEGAL_BASIS",))


def test_outflow_is_judged_in_points() -> None:
    line = at(CLOSING).line("DEFL")

    assert line is not None
    assert (line.deviation_pct, line.achievement_pct) == (Decimal("0.03"), None)


def test_every_recorded_result_comes_back_as_printed() -> None:
    replayed = at(CLOSING)

    for row in _rows("objectives.csv"):
        line = replayed.line(row["code"])
        assert line is not None
        if row["result_basis"] in {"measured", "computed"} and row["result_closing"]:
            assert str(line.value) == row["result_closing"], row["code"]


def test_the_digest_is_the_same_in_another_ledger_and_after_another_order(tmp_path: Path) -> None:
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for source in EXAMPLE.iterdir():
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        if source.suffix == ".csv":
            lines = [lines[0], *reversed(lines[1:])]
        (shuffled / source.name).write_text("".join(lines), encoding="utf-8")
    ledger = new_ledger()
    report = import_folder(ledger, shuffled)

    again = replay(ledger.read(limit=10_000), year=2023, as_of=CLOSING)

    assert not report.errors
    assert again.digest == at(CLOSING).digest
    assert again.digest != at(PRE).digest


def test_replaying_half_the_ledger_gives_what_was_known_then() -> None:
    events = example_events()
    half = events[: len(events) // 2]

    assert replay(half, year=2023, as_of=None).position == half[-1].position


def test_the_restatements_are_the_14_money_flows_and_3_objectives() -> None:
    found = difference(fold(example_events()), year=2023, from_as_of=PRE, to_as_of=CLOSING)

    flows = [change for change in found.changed if change.code.startswith("IEEP.")]
    others = [change.code for change in found.changed if not change.code.startswith("IEEP.")]
    accertato = next(change for change in flows if change.code == "IEEP.A")
    assert len(flows) == 14
    assert others == ["PS", "OGE3", "OGE5"]
    assert (accertato.old, accertato.new) == (Decimal(5332073821), Decimal(5906162514))
    assert accertato.change_pct == Decimal("10.77")
    assert all(change.causes for change in found.changed)
    assert "PI.1" in {change.code for change in found.first_known}
    assert not {change.code for change in found.first_known} & {c.code for c in found.changed}


def test_a_figure_is_explained_down_to_its_records() -> None:
    explanation = explain(example_events(), code="PS", year=2023, as_of=CLOSING)

    assert explanation is not None
    weights = [step.weight for step in explanation.tree.children]
    assert weights == [30, 20, 20, 10, 20]
    assert explanation.tree.exact == "106.921"
    leaves = {r.address for step in explanation.tree.children for r in step.records}
    assert leaves <= {event.address for event in example_events()}
    assert len(leaves) == 5
    acts = {(act.organ, act.number) for act in explanation.acts}
    assert acts == {("CdA", "14"), ("CdA", "30")}


def test_an_unknown_indicator_is_not_explained() -> None:
    assert explain(example_events(), code="NO", year=2023, as_of=None) is None


def test_the_trail_of_an_objective_shows_who_when_and_under_which_act() -> None:
    entries = trail(example_events(), entity="OGE3")

    types = [entry.event_type.rsplit(".", 1)[1] for entry in entries]
    results = [entry for entry in entries if entry.event_type.endswith("ResultRecorded")]
    change = next(c for c in results[1].changes if c.name == "value")
    assert {"ObjectiveAssigned", "WeightSet", "TargetSet", "IndicatorDefined"} <= set(types)
    assert (change.before, change.after) == ("116.58", "122.79")
    assert [act.number for act in results[1].acts] == ["30"]


def test_the_trail_of_a_stream_is_the_stream() -> None:
    entries = trail(example_events(), entity="organisation")

    assert [entry.stream_version for entry in entries] == list(range(1, 149))


def _rows(name: str) -> list[dict[str, str]]:
    with (EXAMPLE / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
