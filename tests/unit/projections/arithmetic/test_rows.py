"""Rows of both tables become what the audit checks; what cannot is named with its place."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.errors import DatasetError
from ledger.intake.problems import Problem
from ledger.intake.specs import figure_spec, relation_spec
from ledger.intake.tables import read_table
from projections.arithmetic.audit import audit
from projections.arithmetic.rows import AuditTables, from_tables, read_audit_tables
from projections.arithmetic.verdict import Reason, Verdict

TODAY = dt.date(2024, 12, 31)
FIGURES = "figure_id,document,label,raw,value,unit,decimals,vintage,as_of,ref_from,ref_to,locator\n"
RELATIONS = "relation_id,kind,result,operands,params,note\n"
DATES = "2024-06-14,2023-01-01,2023-12-31"


def figure_line(name: str, value: str, decimals: int = 0, unit: str = "EUR") -> str:
    return f"{name},doc,label,{value},{value},{unit},{decimals},CONSUNTIVO,{DATES},001:1\n"


KNOWN = "".join(figure_line(name, "1") for name in ("alpha", "beta", "gamma"))


def read(folder: Path, relations: str, figures: str = KNOWN) -> AuditTables:
    (folder / "figures.csv").write_text(FIGURES + figures, encoding="utf-8")
    (folder / "relations.csv").write_text(RELATIONS + relations, encoding="utf-8")
    return read_audit_tables(folder, today=TODAY)


def places(problems: tuple[Problem, ...]) -> list[tuple[str, int | None, str | None, str | None]]:
    return [(one.code, one.line, one.column, one.value) for one in problems]


def test_reads_a_folder_that_holds_nothing_else(tmp_path: Path) -> None:
    tables = read(tmp_path, "x,sum,alpha,+beta -gamma,tolerance=1,a note\n")

    assert tables.problems == ()
    assert [each.figure_id for each in tables.figures] == ["alpha", "beta", "gamma"]
    (relation,) = tables.relations
    assert (relation.relation_id, relation.kind, relation.note) == ("x", "sum", "a note")
    (verdict,) = audit(tables.figures, tables.relations)
    assert verdict.verdict is Verdict.ROUNDING


def test_keeps_text_precision_and_dates_of_a_figure(tmp_path: Path) -> None:
    line = f'a,doc,"Costi, totali","1.234",1234000,EUR,-3,RENDICONTO,{DATES},001:7\n'

    (figure,) = read(tmp_path, "x,equal,b,a,,\n", line).figures

    assert (figure.raw, figure.decimals, figure.label) == ("1.234", -3, "Costi, totali")
    assert (figure.vintage, figure.locator) == ("RENDICONTO", "001:7")
    assert (figure.as_of, figure.ref_from, figure.ref_to) == (
        dt.date(2024, 6, 14),
        dt.date(2023, 1, 1),
        dt.date(2023, 12, 31),
    )


@pytest.mark.parametrize(
    ("row", "code", "column", "value"),
    [
        ("x,summ,alpha,+beta,,", "unknown_choice", "kind", "summ"),
        ("x,equal,alpha,beta gamma,,", "operand_count", "operands", "beta gamma"),
        ("x,ratio,alpha,beta,,", "operand_count", "operands", "beta"),
        ("x,sum,alpha,,,", "operand_count", "operands", ""),
        ("x,mean,alpha,+beta,,", "malformed_operand", "operands", "+beta"),
        ("x,sum,alpha,+beta ++gamma,,", "malformed_operand", "operands", "++gamma"),
        ("x,sum,alpha,+beta  -gamma,,", "word_blanks", "operands", "+beta  -gamma"),
        ("x,weighted_mean_pct,alpha,-1*beta,,", "malformed_weight", "operands", "-1*beta"),
        ("x,weighted_mean_pct,alpha,beta,,", "missing_weight", "operands", "beta"),
        ("x,equal,alpha,alpha,,", "result_among_operands", "operands", "alpha"),
        ("x,equal,alpha,beta,tolerence=1,", "unknown_choice", "params", "tolerence=1"),
        ("x,equal,alpha,beta,tolerance=-1,", "bad_param_value", "params", "tolerance=-1"),
        ("x,equal,alpha,beta,compare=year,", "bad_param_value", "params", "compare=year"),
        (
            "x,equal,alpha,beta,tolerance=1 tolerance=2,",
            "repeated_param",
            "params",
            "tolerance=2",
        ),
        ("x,sum,alpha,+beta,base=increment,", "param_not_for_kind", "params", "base=increment"),
        ("x,,alpha,+beta,,", "empty_value", "kind", ""),
        (",sum,alpha,+beta,,", "empty_value", "relation_id", ""),
    ],
)
def test_refuses_a_bad_relation_with_file_line_column_and_value(
    tmp_path: Path, row: str, code: str, column: str, value: str
) -> None:
    tables = read(tmp_path, f"good,equal,alpha,beta,,\n{row}\n")

    assert places(tables.errors) == [(code, 3, column, value)]
    assert {one.file for one in tables.problems} == {"relations.csv"}
    assert [each.relation_id for each in tables.relations] == ["good"]


def test_finds_all_problems_of_all_rows_in_one_pass(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        "a,equal,alpha,beta,zeta=1 compare=x,\n"
        "b,summ,alpha,+beta,base=b,\n"
        "c,weighted_mean_pct,alpha,beta x*gamma,,\n",
    )

    assert [(one.line, one.column, one.code) for one in tables.errors] == [
        (2, "params", "unknown_choice"),
        (2, "params", "bad_param_value"),
        (3, "kind", "unknown_choice"),
        (3, "params", "bad_param_value"),
        (4, "operands", "missing_weight"),
        (4, "operands", "malformed_weight"),
    ]


def test_suggests_the_kind_that_was_meant(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "x,share,alpha,beta gamma,,\n").problems

    assert found.hint == "did you mean share_pct?"


def test_says_how_many_operands_a_kind_takes(tmp_path: Path) -> None:
    few, none = read(tmp_path, "x,ratio,alpha,beta,,\ny,sum,alpha,,,\n").problems

    assert few.message == "the number of operands is 1; the kind ratio takes 2"
    assert none.message == "the number of operands is 0; the kind sum takes >= 1"


@pytest.mark.parametrize(
    ("kind", "operands", "form"),
    [
        ("sum", "+", "+figure -figure"),
        ("weighted_mean_pct", "1*", "WEIGHT*figure"),
        ("mean", "-a", "figure"),
    ],
)
def test_says_how_a_kind_writes_its_operands(
    tmp_path: Path, kind: str, operands: str, form: str
) -> None:
    (found,) = read(tmp_path, f"x,{kind},alpha,{operands},,\n").problems

    assert found.hint.startswith(f"write {form},")


@pytest.mark.parametrize(
    ("param", "accepted"),
    [
        ("tolerance", "N (N >= 0)"),
        ("base", "increment"),
        ("compare", "vintage|scope"),
        ("expect", "agreement"),
    ],
)
def test_says_what_a_parameter_takes(tmp_path: Path, param: str, accepted: str) -> None:
    (found,) = read(tmp_path, f"x,ratio,alpha,beta gamma,{param}=?,\n").problems

    assert found.hint == f"write {param}={accepted}"


def test_refuses_both_relations_of_one_name(tmp_path: Path) -> None:
    tables = read(tmp_path, "x,equal,alpha,beta,,\ny,equal,alpha,beta,,\nx,equal,beta,gamma,,\n")

    assert places(tables.errors) == [
        ("duplicate_key", 2, "relation_id", "x"),
        ("duplicate_key", 4, "relation_id", "x"),
    ]
    assert [each.relation_id for each in tables.relations] == ["y"]


def test_warns_of_an_unknown_figure_and_audits_the_relation(tmp_path: Path) -> None:
    tables = read(tmp_path, "x,sum,alpha,+betta -beta +betta,,\ny,equal,delta,beta,,\n")

    assert tables.errors == ()
    assert places(tables.problems) == [
        ("dangling_reference", 2, "operands", "betta"),
        ("dangling_reference", 3, "result", "delta"),
    ]
    assert tables.problems[0].hint == "did you mean beta?"
    verdicts = audit(tables.figures, tables.relations)
    assert [(one.verdict, one.reason) for one in verdicts] == [
        (Verdict.NOT_COMPUTABLE, Reason.OPERAND_MISSING),
        (Verdict.NOT_COMPUTABLE, Reason.RESULT_MISSING),
    ]


@pytest.mark.parametrize(("decimals", "code"), [(41, "above_maximum"), (-41, "below_minimum")])
def test_refuses_a_figure_beyond_the_precision_allowed(
    tmp_path: Path, decimals: int, code: str
) -> None:
    figures = KNOWN + figure_line("wide", "1", decimals)

    tables = read(tmp_path, "x,equal,alpha,wide,,\n", figures)

    assert places(tables.errors) == [(code, 5, "decimals", str(decimals))]
    assert tables.problems == tables.errors, "no second problem for a relation that names it"
    assert "40" in tables.errors[0].message
    (verdict,) = audit(tables.figures, tables.relations)
    assert verdict.reason is Reason.OPERAND_MISSING


def test_refuses_a_value_of_more_digits_than_the_audit_decides(tmp_path: Path) -> None:
    read(tmp_path, "x,equal,alpha,beta,,\n")
    figures = read_table(tmp_path / "figures.csv", figure_spec(TODAY))
    relations = read_table(tmp_path / "relations.csv", relation_spec())
    first = figures.rows[0]
    wide = replace(first, value=replace(first.value, value=Decimal("9" * 41)))

    tables = from_tables(replace(figures, rows=(wide, *figures.rows[1:])), relations)

    assert [(one.code, one.line, one.column) for one in tables.problems] == [
        ("too_many_digits", 2, "value")
    ]
    assert tables.problems[0].facts["digits"] == "41"


def test_warns_of_a_value_that_its_decimals_cannot_print(tmp_path: Path) -> None:
    tables = read(tmp_path, "x,equal,alpha,odd,,\n", KNOWN + figure_line("odd", "1.25", 1))

    assert tables.errors == ()
    assert places(tables.problems) == [("precision_contradicted", 5, "decimals", "1")]
    assert "1.25" in tables.problems[0].message
    (verdict,) = audit(tables.figures, tables.relations)
    assert verdict.reason is Reason.PRECISION_CONTRADICTED


def test_lists_problems_of_figures_before_those_of_relations(tmp_path: Path) -> None:
    figures = KNOWN + figure_line("wide", "1", 99) + figure_line("bad", "1,5")

    tables = read(tmp_path, "x,nothing,alpha,beta,,\n", figures)

    assert [one.file for one in tables.problems] == sorted(one.file for one in tables.problems)
    assert [one.file for one in tables.problems][-1] == "relations.csv"
    assert {one.line for one in tables.problems if one.file == "figures.csv"} == {5, 6}


def test_leaves_out_a_figure_that_the_table_refuses(tmp_path: Path) -> None:
    figures = KNOWN + figure_line("later", "1").replace("2024-06-14", "2099-01-01")

    tables = read(tmp_path, "x,equal,alpha,later,,\n", figures)

    assert places(tables.errors) == [("date_after_limit", 5, "as_of", "2099-01-01")]
    assert "later" not in {each.figure_id for each in tables.figures}


@pytest.mark.parametrize("missing", ["figures.csv", "relations.csv"])
def test_names_a_table_that_is_missing(tmp_path: Path, missing: str) -> None:
    read(tmp_path, "x,equal,alpha,beta,,\n")
    (tmp_path / missing).unlink()

    tables = read_audit_tables(tmp_path, today=TODAY)

    assert [(one.code, one.file) for one in tables.problems] == [("file_missing", missing)]


def test_warns_of_a_file_with_almost_the_right_name(tmp_path: Path) -> None:
    read(tmp_path, "x,equal,alpha,beta,,\n")
    (tmp_path / "relations.csv").rename(tmp_path / "relation.csv")

    tables = read_audit_tables(tmp_path, today=TODAY)

    assert ("unknown_file", "warning") in {(one.code, one.severity) for one in tables.problems}


def test_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        read_audit_tables(tmp_path / "nowhere", today=TODAY)


def test_refuses_columns_separated_by_semicolons_as_a_whole(tmp_path: Path) -> None:
    read(tmp_path, "x,equal,alpha,beta,,\n")
    table = tmp_path / "relations.csv"
    table.write_text(RELATIONS.replace(",", ";") + "x;equal;alpha;beta;;\n", encoding="utf-8")

    tables = read_audit_tables(tmp_path, today=TODAY)

    assert [one.code for one in tables.errors] == ["semicolon_separated"]
    assert tables.relations == ()
