"""`registro production`, `completeness` and `forecast` over a small year of known facts."""

import datetime as dt
import shutil
from pathlib import Path
from typing import get_args

import pytest

from app.texts.production import FACTS, GAPS
from projections.production.completeness import Gap
from projections.production.measures import MEASURED
from projections.production.periods import OPENING
from tests.support.cli import Ran, run
from tests.support.production import batch, fact, production_ledger, record

DAY = dt.date(2023, 1, 20)


def facts_of_the_year(path: Path, folder: Path) -> None:
    """Two units, two products, January: a stock that balances, and one that does not."""
    ledger = production_ledger(path)
    record(
        ledger,
        folder,
        "RequestReceived",
        [fact("RequestReceived", pieces=10, received_on=DAY, origin_unit="DP2", routed_unit="DP1")],
        batch(name="1"),
    )
    record(
        ledger,
        folder,
        "RequestDefined",
        [
            fact("RequestDefined", pieces=6, defined_on=DAY, elapsed_days=10),
            fact("RequestDefined", pieces=2, defined_on=DAY, elapsed_days=40, automated=True),
        ],
        batch(name="2"),
    )
    stock = batch("stock", "1")
    opening = fact("StockDeclared", pieces=5, declared_on=dt.date(2023, 1, 1))
    counted = fact("StockCounted", pieces=7, counted_on=dt.date(2023, 1, 31))
    wrong = fact("StockCounted", pieces=3, counted_on=dt.date(2023, 1, 31), product="P2")
    begun = fact("StockDeclared", pieces=1, declared_on=dt.date(2023, 1, 1), product="P2")
    record(ledger, folder, "StockDeclared", [opening, begun], stock)
    record(ledger, folder, "StockCounted", [counted, wrong], batch("stock", "2"))
    present = fact("PresenceRecorded", staff_time=2000, month=dt.date(2023, 1, 1))
    record(ledger, folder, "PresenceRecorded", [present], batch("presence", "1"))
    ledger.store.engine.dispose()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("production")
    facts_of_the_year(folder / "ledger.db", folder)
    return folder / "ledger.db"


@pytest.fixture
def ledger(made: Path, clean_place: Path) -> Path:
    path = clean_place / "ledger.db"
    shutil.copy(made, path)
    return path


def on(ledger: Path, *words: str) -> Ran:
    return run("--ledger", str(ledger), *words)


def values(ran: Ran, scope: str = "") -> dict[str, str | None]:
    assert ran.code == 0, ran.err
    return {one["code"]: one["value"] for one in ran.json["indicators"] if one["scope"] == scope}


def test_figures_of_a_month_follow_from_the_facts(ledger: Path) -> None:
    found = values(on(ledger, "production", "--period", "2023-01", "--json"))

    assert found["received"] == "10"
    assert found["defined"] == "8"
    assert found["closing_stock"] == "10"
    assert found["homogenised_output"] == "12.00"
    assert found["productivity"] == "6.00"
    assert found["outflow"] == "0.80"
    assert found["automated_share"] == "25.00"
    assert found["within_30_share"] == "75.00"
    assert found["mean_days"] == "17.50"


def test_figures_by_unit_are_those_of_the_unit_and_all_below(ledger: Path) -> None:
    ran = on(ledger, "production", "--by", "unit", "--json", "--period", "2023-01")

    assert values(ran, "DP1")["received"] == "10"
    assert values(ran, "DR1")["received"] == "10"
    # What was received for its citizens elsewhere is no work of this unit.
    assert values(ran, "DP2").get("received") in {None, "0"}


@pytest.mark.parametrize("by", ["body", "area", "line", "product"])
def test_the_read_model_and_a_fresh_fold_agree(ledger: Path, by: str) -> None:
    words = ("production", "--by", by, "--json", "--period", "2023")
    read = on(ledger, *words).json["indicators"]
    folded = on(ledger, *words, "--as-of", "2023-12-31").json["indicators"]

    assert read == folded
    assert any(one["value"] is not None for one in read)


def test_what_was_not_known_yet_is_missing_with_a_reason(ledger: Path) -> None:
    ran = on(ledger, "production", "--period", "2023", "--as-of", "2023-12-30", "--json")

    assert set(values(ran).values()) == {None}
    assert {one["reason"] for one in ran.json["indicators"]} >= {"not_recorded"}


@pytest.mark.parametrize(
    ("pattern", "near"), [("ZZ*", ""), ("Outflow", "outflow"), ("outflow ", "outflow"), ("", "")]
)
def test_refuses_a_pattern_that_no_indicator_has(ledger: Path, pattern: str, near: str) -> None:
    words = ("production", "--period", "2023-01", "--indicator", pattern)
    ran = on(ledger, *words, "--json")
    italian = run("--lang", "it", "--ledger", str(ledger), *words)

    assert (ran.code, ran.out) == (15, "")
    assert ran.problem["facts"]["near"] == near
    assert f"indicatore '{pattern}'; ci sono: received, " in italian.err


def test_the_screen_names_indicators_in_the_readers_language(ledger: Path) -> None:
    italian = run("--lang", "it", "--ledger", str(ledger), "production", "--period", "2023-01")

    assert "giacenza in giorni, variante A" in italian.out
    assert "0,80" in italian.out
    assert "not recorded" not in italian.out


@pytest.mark.parametrize(
    "words",
    [
        ("--period", "2023-13"),
        ("--period", "gennaio"),
        ("--by", "colour"),
        ("--below", "NOWHERE"),
        ("--as-of", "ieri"),
        ("--at", "99999"),
    ],
)
def test_refuses_what_means_nothing(ledger: Path, words: tuple[str, str]) -> None:
    ran = on(ledger, "production", *words)

    assert ran.code not in {0, 1, 99}
    assert ran.err.startswith("Error [")


def test_a_ledger_without_facts_says_so(clean_place: Path) -> None:
    production_ledger(clean_place / "empty.db").store.engine.dispose()

    ran = on(clean_place / "empty.db", "production")

    assert ran.code == 56
    assert "RequestDefined" in ran.err
    assert "domande definite" in on(clean_place / "empty.db", "production", "--lang", "it").err


def test_completeness_lists_the_stock_that_does_not_balance(ledger: Path) -> None:
    ran = on(ledger, "completeness", "--year", "2023", "--json")

    assert ran.code == 1
    assert ran.json["checked"] == 2
    (difference,) = ran.json["differences"]
    assert (difference["product"], difference["difference"]) == ("P2", 2)
    assert ran.json["months_without_presence"] == []


def test_completeness_finds_a_month_without_presence_and_a_gap_in_a_sequence(
    ledger: Path, clean_place: Path
) -> None:
    declared = on(
        ledger,
        *("source", "declare", "SEQ", "numbered", "1000", "true"),
        *("--actor", "DCPCG", "--as-of", "2023-02-01"),
    )
    assert declared.code == 0, declared.err
    facts = clean_place / "facts.csv"
    for name in ("1", "4"):
        facts.write_text(
            "source_id,product,origin_unit,routed_unit,defining_unit,defined_on,pieces,automated,"
            f"elapsed_days\nS{name},P1,AG1,AG1,AG1,2023-02-0{name},1,false,3\n"
        )
        ran = on(
            ledger,
            *("ingest", "production", str(facts), "--source", "SEQ", "--batch", name),
            *("--actor", "DCPCG", "--as-of", "2023-12-31"),
        )
        assert ran.code == 0, ran.err

    found = on(ledger, "completeness", "--year", "2023", "--json").json

    assert found["sequence_gaps"] == [{"source": "SEQ", "first": 2, "last": 3}]
    assert [one["unit"] for one in found["months_without_presence"]] == ["AG1"]


def test_a_forecast_follows_the_recursion_and_is_compared_with_what_came(ledger: Path) -> None:
    words = ("forecast", "--after", "2023-01", "--months", "2")
    ran = on(ledger, *words, "--record", "S1", "--actor", "DCPCG", "--json")
    assert ran.code == 0, ran.err
    found = ran.json
    assert (found["opening_stock"], found["inflow"]) == ("11.25", "15")
    assert (found["staff_months"], found["productivity"]) == ("2", "6")
    # 11.25 + 15 - 12, then again.
    assert [one["stock"] for one in found["months"]] == ["14.25", "17.25"]

    compared = on(ledger, "forecast", "--compare", "S1", "--json").json

    assert [one["projected"] for one in compared["months"]] == ["14.25", "17.25"]
    assert compared["months"][0]["actual"] is None
    assert on(ledger, "forecast", "--compare", "nothing").code == 15
    again = on(ledger, *words, "--record", "S1", "--actor", "DCPCG", "--staff", "3")
    assert again.code == 17


def test_checks_are_shown_with_months_and_reasons_that_people_read(ledger: Path) -> None:
    ran = on(ledger, "completeness", "--year", "2023", "--lang", "it")
    (row,) = [line for line in ran.out.splitlines() if line.startswith("DP1 ")]
    assert "2023-01" in row
    assert "202.301" not in ran.out


@pytest.mark.parametrize("gap", get_args(Gap))
def test_every_gap_of_the_stock_equation_has_words(gap: str) -> None:
    assert GAPS[gap].it != GAPS[gap].en
    assert set(GAPS) == set(get_args(Gap))


def test_every_kind_of_fact_has_words() -> None:
    assert {name.rpartition(".")[2] for name in MEASURED} | {OPENING} == set(FACTS)


def test_what_is_missing_is_told_in_words(ledger: Path) -> None:
    shown = on(ledger, "production", "--period", "2024", "--lang", "it").out
    assert "calendario 2024-01" in shown
    assert "domande pervenute" in shown
    assert "RequestReceived" not in shown
    assert "202401" not in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--months", "0"), "--months"),
        (("--months", "121"), "--months"),
        (("--months", "100000"), "--months"),
        (("--after", "2023-13"), "scrivere un mese come 2023-12"),
        (("--after", "2023-1"), "scrivere un mese come 2023-12"),
        (("--after", "2023-01", "--staff", "x"), "scrivere un numero"),
        (("--after", "2023-01", "--staff=-1"), "non può essere negativo"),
    ],
)
def test_a_forecast_that_cannot_be_made_says_why_in_italian(
    ledger: Path, words: tuple[str, ...], told: str
) -> None:
    ran = on(ledger, "forecast", *words, "--lang", "it")
    assert ran.code not in {0, 1, 99}
    assert told in ran.err


def test_a_period_that_is_none_is_told_in_italian(ledger: Path) -> None:
    assert "scrivere un anno" in on(ledger, "production", "--period", "x", "--lang", "it").err
