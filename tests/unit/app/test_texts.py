"""The texts are complete, fit the facts they are filled with, and read in both languages."""

import ast
import csv
import importlib
import pkgutil
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import app.simulator
import consumers
import ledger
import projections
import schemas
from app.cli.main import build
from app.texts.errors import ERRORS, error_texts
from app.texts.reasons import NEAR_IT, REASONS_IT, problem_texts
from app.texts.rules import RULES, rule_texts
from app.texts.text import Lang, Text, render
from app.texts.titles import TITLES_IT, title_text
from app.texts.values import FACTS_IT, MISSING, PREFIXES_IT, facts_in, missing_text
from app.texts.words import RISK
from ledger.aggregates.risks import LEVELS, MEASURE_STATES, SCOPES
from ledger.errors import (
    CommandRefusedError,
    InvalidCommandError,
    LedgerError,
    LedgerMissingError,
    UnknownEntityError,
)
from ledger.intake.problems import problem
from ledger.intake.reasons import REASONS
from ledger.rules import Rule
from projections.cycle.values import Reason
from schemas.errors import SchemaError, UnknownSchemaError
from tests.support.dataset import EXAMPLE

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (consumers, ledger, projections, schemas, app.simulator)
CODES = sorted(REASONS)
COMMAND = re.compile(r"`registro ((?:[a-z]+ ?)+?)(?: --[a-z]+)?`")
ALL_TEXTS = [
    *(text for pair in ERRORS.values() for text in pair),
    *(text for rule in RULES.values() for text in (rule.title, rule.sentence, rule.hint)),
    *MISSING.values(),
]


@cache
def error_classes() -> list[type[LedgerError] | type[SchemaError]]:
    """Return both error trees, whole: every module of the lower layers is loaded."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: list[type[LedgerError | SchemaError]] = []
    pending: list[type[LedgerError | SchemaError]] = [LedgerError, SchemaError]
    while pending:
        error = pending.pop()
        # Other tests may have made classes of their own.
        if error.__module__.startswith(tuple(f"{package.__name__}." for package in PACKAGES)):
            found.append(error)
        pending.extend(error.__subclasses__())
    return found


def placeholders(template: str) -> set[str]:
    """Return the names of the facts that a template asks for."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the parsed modules of some folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


@cache
def refusals() -> list[tuple[str, set[str], str]]:
    """Return every call of `refuse`: member of Rule, facts given, place."""
    found = []
    for path, tree in trees("ledger"):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id != "refuse":
                continue
            rule = node.args[0]
            assert isinstance(rule, ast.Attribute), f"{path}:{node.lineno}: rule is not literal"
            facts = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            found.append((rule.attr, facts, f"{path.name}:{node.lineno}"))
    return found


@cache
def strings(*folders: str) -> set[str]:
    """Return all literal strings of some folders, apart from the texts under test."""
    return {
        node.value
        for path, tree in trees(*folders)
        if path.parent != ROOT / "app" / "texts"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def facts_for(template: str) -> Mapping[str, str]:
    """Return one made-up fact for each placeholder."""
    return {name: f"<{name}>" for name in placeholders(template)}


# Text and render


def test_gives_the_language_asked_for() -> None:
    text = Text(it="uno", en="one")

    assert (text.in_("it"), text.in_("en")) == ("uno", "one")


@pytest.mark.parametrize(
    "template",
    ["{missing}", "{0}", "{", "{known:d}", "{known.part}", "{known[part]}", "{}"],
)
def test_shows_the_facts_when_a_template_cannot_be_filled(template: str) -> None:
    shown = render(template, {"known": "k1"})

    assert shown == f"{template} (known=k1)"


def test_a_template_without_its_only_fact_is_shown_as_it_stands() -> None:
    assert render("about {what}", {}) == "about {what}"


@pytest.mark.property
@given(
    template=st.text(alphabet="{}ab!:.[]0", max_size=12),
    facts=st.dictionaries(st.sampled_from(["a", "b", "ab"]), st.text(max_size=5), max_size=3),
)
@settings(max_examples=200)
def test_rendering_never_fails(template: str, facts: dict[str, str]) -> None:
    assert isinstance(render(template, facts), str)


@pytest.mark.property
@given(value=st.text(max_size=20))
@settings(max_examples=100)
def test_a_fact_is_never_read_as_a_template(value: str) -> None:
    assert render("x {a} y", {"a": value}) == f"x {value} y"


# Completeness


def test_every_error_has_texts_and_no_text_is_left_over() -> None:
    assert {error.code for error in error_classes()} == set(ERRORS)


def test_every_error_has_an_italian_title_and_none_is_left_over() -> None:
    assert set(TITLES_IT) == {*ERRORS, "internal", "interrupted", "usage"}
    assert title_text("of_tomorrow", "it") == "of tomorrow"
    assert title_text("ledger_missing", "en") == "ledger missing"


def test_every_rule_has_texts() -> None:
    assert set(RULES) == set(Rule)


def test_every_reason_of_the_import_has_italian_texts_and_none_is_left_over() -> None:
    assert set(REASONS_IT) == set(REASONS)


def test_every_reason_of_a_missing_value_has_texts() -> None:
    assert {reason.value for reason in Reason} <= set(MISSING)


def test_every_reason_code_of_the_worked_example_has_texts_and_none_is_left_over() -> None:
    with (EXAMPLE / "guidelines.csv").open(encoding="utf-8", newline="") as file:
        codes = {code for row in csv.DictReader(file) for code in row["reason_code"].split()}

    assert codes
    assert codes == {code for code in MISSING if code.isupper()}


def test_every_level_scope_and_state_of_the_risk_register_has_a_word() -> None:
    assert {*LEVELS, *SCOPES, *MEASURE_STATES} <= set(RISK)


def test_exit_codes_and_codes_are_unique_and_in_range() -> None:
    errors = error_classes()
    numbers = Counter(error.exit_code for error in errors)
    codes = Counter(error.code for error in errors)

    assert [number for number, times in numbers.items() if times > 1] == []
    assert [code for code, times in codes.items() if times > 1] == []
    assert all(10 <= number < 99 for number in numbers)


# Facts


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_english_is_that_of_the_class_and_italian_uses_the_same_facts(
    error: type[LedgerError] | type[SchemaError],
) -> None:
    sentence, hint = ERRORS[error.code]

    assert sentence.en == error.template
    assert hint.en == error.hint or not error.hint
    assert placeholders(sentence.it) == placeholders(error.template)
    assert placeholders(hint.it) == placeholders(hint.en)


@pytest.mark.parametrize("code", CODES)
def test_italian_of_a_reason_uses_the_same_facts(code: str) -> None:
    reason = REASONS[code]
    message, hint = REASONS_IT[code]

    assert placeholders(message) == placeholders(reason.message)
    assert placeholders(hint) == placeholders(reason.hint)


def test_italian_of_the_near_hint_uses_the_same_facts() -> None:
    english = {reason.hint_near for reason in REASONS.values()} - {None}

    assert [placeholders(hint or "") for hint in english] == [placeholders(NEAR_IT)]


@pytest.mark.parametrize("rule", list(Rule), ids=str)
def test_every_refusal_by_a_rule_brings_the_facts_of_its_sentence(rule: Rule) -> None:
    texts = RULES[rule]
    asked = placeholders(texts.sentence.it) | placeholders(texts.sentence.en)
    sites = [(facts, place) for name, facts, place in refusals() if name == rule.name]

    assert sites, "no command is refused by this rule"
    assert {place: asked - facts for facts, place in sites if not asked <= facts} == {}
    assert placeholders(texts.sentence.it) == placeholders(texts.sentence.en)
    assert placeholders(texts.hint.it + texts.hint.en + texts.title.it + texts.title.en) == set()


def test_refusals_are_found_in_the_sources() -> None:
    found = refusals()

    assert len(found) > len(Rule)
    assert ("WEIGHTS_SUM", {"parent", "total", "weights"}) in [one[:2] for one in found]


def test_english_that_is_translated_stands_in_the_code() -> None:
    """Who rewords a reason in the code rewords it in `app.texts.values` too."""
    stated = strings("app", "ledger", "projections")

    assert sorted(set(FACTS_IT) - stated) == []
    assert [one for one in PREFIXES_IT if not any(text.startswith(one) for text in stated)] == []


def literals(keyword: str, *folders: str) -> set[object]:
    """Return the constants given for one keyword in the calls of some folders."""
    return {
        given.value.value
        for _, tree in trees(*folders)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for given in node.keywords
        if given.arg == keyword and isinstance(given.value, ast.Constant)
    }


def test_every_kind_of_thing_that_a_refusal_names_is_translated() -> None:
    kinds = literals("kind", "ledger/aggregates")
    wanted = literals("what", "ledger/intake")

    assert "objective" in kinds & wanted
    # Said alike in both languages.
    assert (kinds | wanted) - set(FACTS_IT) == {"schema"}


# Form


def test_texts_are_not_empty_and_italian_differs_from_english() -> None:
    assert [text for text in ALL_TEXTS if not text.it.strip() or not text.en.strip()] == []
    assert [text for text in ALL_TEXTS if text.it == text.en] == []


@pytest.mark.parametrize("code", CODES)
def test_italian_of_a_reason_is_not_empty_and_differs_from_english(code: str) -> None:
    message, hint = REASONS_IT[code]

    assert message.strip()
    assert hint.strip()
    assert message != REASONS[code].message
    assert hint != REASONS[code].hint


def test_texts_stand_inside_a_line() -> None:
    italian = [text.it for text in ALL_TEXTS] + [
        one for pair in REASONS_IT.values() for one in pair
    ]
    lines = [*italian, *(text.en for text in ALL_TEXTS), NEAR_IT]

    assert [line for line in lines if "\n" in line or line != line.strip()] == []
    assert [line for line in lines if line.endswith(".")] == []


def test_hints_name_commands_that_exist() -> None:
    root: Any = build(asked="*", lang="it")
    lines = [one for text in ALL_TEXTS for one in (text.it, text.en)]
    lines += [one for pair in REASONS_IT.values() for one in pair]
    named = {words for line in lines for words in COMMAND.findall(line)}

    unknown = []
    for words in named:
        command = root
        for word in words.split():
            children = getattr(command, "commands", None)
            command = command if children is None else children.get(word)
        if command is None or getattr(command, "commands", None):
            unknown.append(words)

    assert len(named) > 10
    assert unknown == []


# Errors


@pytest.mark.parametrize("lang", ["it", "en"])
def test_tells_an_error_with_its_facts(lang: Lang) -> None:
    sentence, hint = error_texts(LedgerMissingError(store="prova.db"), lang)

    assert "prova.db" in sentence
    assert "registro init" in hint


def test_english_of_an_error_is_its_own_message() -> None:
    error = UnknownEntityError(kind="objective", name="OGE9")

    assert error_texts(error, "en") == (str(error), error.hint)


def test_tells_in_italian_which_kind_of_thing_is_missing() -> None:
    sentence, _ = error_texts(UnknownEntityError(kind="objective", name="OGE9"), "it")

    assert sentence == "non c'è nel registro: obiettivo 'OGE9'"


def test_translates_a_reason_that_is_always_the_same() -> None:
    error = InvalidCommandError(
        subject="actor", field="role", value="", reason="write ROLE or ROLE@UNIT"
    )

    assert error_texts(error, "it")[0].endswith("scrivere RUOLO o RUOLO@UNITÀ")


def test_translates_the_beginning_of_a_reason_that_ends_with_a_value() -> None:
    error = UnknownEntityError(kind="indicator of 2023", name="OGE9")

    assert error_texts(error, "it")[0] == "non c'è nel registro: indicatore del 2023 'OGE9'"


def test_leaves_a_reason_as_it_came_when_it_is_not_known() -> None:
    error = InvalidCommandError(subject="a", field="b", value="c", reason="disk on fire")

    assert error_texts(error, "it")[0].endswith("disk on fire")


def test_names_of_peoples_data_are_not_translated() -> None:
    error = UnknownEntityError(kind="unit", name="unit")

    assert error_texts(error, "it")[0] == "non c'è nel registro: unità 'unit'"


def test_tells_a_schema_error() -> None:
    error = UnknownSchemaError(schema="a.b.C", reason="no such file")

    assert "a.b.C" in error_texts(error, "it")[0]
    assert error_texts(error, "en")[0] == str(error)


@pytest.mark.parametrize("lang", ["it", "en"])
def test_an_error_without_texts_speaks_for_itself(lang: Lang) -> None:
    assert error_texts(ValueError("boom"), lang) == ("boom", "")


def test_an_error_of_an_unknown_code_speaks_for_itself() -> None:
    class StrangeError(Exception):
        code = "strange"
        facts: Mapping[str, str] = {}

    assert error_texts(StrangeError("boom"), "it") == ("boom", "")


def test_an_error_without_facts_speaks_for_itself() -> None:
    class BareError(Exception):
        code = "ledger_missing"

    assert error_texts(BareError("boom"), "it") == ("boom", "")


# Rules


def test_a_refusal_is_told_by_its_rule() -> None:
    error = CommandRefusedError(
        rule="weights_sum", detail="-", parent="PS", total="90", weights="OGE1 30, OGE2 60"
    )

    sentence, hint = error_texts(error, "it")

    assert sentence == (
        "i pesi sotto PS sommano a 90, non a 100: OGE1 30, OGE2 60 (regola weights_sum)"
    )
    assert hint == "correggere i pesi prima di chiudere l'assegnazione"


def test_a_refusal_is_told_in_english_too() -> None:
    error = CommandRefusedError(rule="act_unknown", detail="-", act="CdA/resolution/1/2023-01-30")

    sentence, _ = error_texts(error, "en")

    assert sentence == "act CdA/resolution/1/2023-01-30 is not in this ledger (rule act_unknown)"


def test_a_refusal_by_an_unknown_rule_shows_its_detail() -> None:
    error = CommandRefusedError(rule="of_tomorrow", detail="why not")

    sentence, hint = error_texts(error, "it")

    assert sentence == "rifiutato dalla regola of_tomorrow: why not"
    assert hint


def test_the_revision_that_needs_an_act_is_told_in_italian() -> None:
    error = CommandRefusedError(
        rule="act_required", detail="-", what="the revision of the target of OGE1"
    )

    assert error_texts(error, "it")[0].startswith("la revisione dell'obiettivo di OGE1 richiede")


def test_an_empty_fact_of_a_refusal_is_shown_as_a_dash() -> None:
    facts = {"kind": "assignment", "name": "PS", "date": ""}

    told = rule_texts("entity_closed", facts, "it")

    assert told is not None
    assert "assegnazione 'PS' (inizio o fine: -)" in told[0]


def test_a_name_that_is_no_rule_has_no_texts() -> None:
    assert rule_texts("of_tomorrow", {}, "it") is None


# Problems of the import


@pytest.mark.parametrize("code", CODES)
def test_a_problem_is_told_in_italian_with_all_its_facts(code: str) -> None:
    reason = REASONS[code]
    given_facts = dict(facts_for(f"{reason.message} {reason.hint}"))
    found = problem(code, file="objectives.csv", column="weight_pct", facts=given_facts)

    message, hint = problem_texts(found, "it")

    assert "{" not in message + hint
    for name in placeholders(reason.message):
        assert given_facts[name] in message or name in {"file", "column"}
    for name in placeholders(reason.hint):
        assert given_facts[name] in hint or name in {"file", "column"}


@pytest.mark.parametrize("code", CODES)
def test_a_problem_is_told_in_english_by_itself(code: str) -> None:
    reason = REASONS[code]
    found = problem(code, file="f.csv", facts=facts_for(f"{reason.message} {reason.hint}"))

    assert problem_texts(found, "en") == (found.message, found.hint)


def test_a_missing_file_and_column_are_named() -> None:
    file = problem("file_missing", file="units.csv")
    column = problem("missing_column", file="units.csv", column="code", line=1)

    assert problem_texts(file, "it")[1] == "aggiungere il file units.csv"
    assert problem_texts(column, "it")[1] == "aggiungere la colonna code"


def test_asks_whether_the_near_name_was_meant() -> None:
    facts = {"what": "objective", "target": "OGE7", "near": "OGE1"}
    near = problem("dangling_reference", file="f.csv", facts=facts)
    far = problem("dangling_reference", file="f.csv", facts={**facts, "near": ""})

    assert problem_texts(near, "it") == (
        "non esiste: obiettivo OGE7",
        "forse si intendeva OGE1?",
    )
    assert problem_texts(far, "it")[1] == "correggere il nome, o aggiungere ciò che indica"


def test_a_row_refused_by_a_rule_is_told_by_the_rule() -> None:
    facts = {"rule": "target_not_set", "detail": "-", "indicator": "OGE1", "year": "2023"}
    found = problem("refused_by_rule", file="f.csv", line=3, facts=facts)

    message, hint = problem_texts(found, "it")

    assert message == ("l'indicatore OGE1 non ha un obiettivo per il 2023 (regola target_not_set)")
    assert hint == "fissarlo prima con `registro target set`"


def test_a_row_refused_for_its_shape_keeps_the_detail() -> None:
    facts = {"rule": "invalid_command", "detail": "act: no date"}
    found = problem("refused_by_rule", file="f.csv", facts=facts)

    assert problem_texts(found, "it")[0] == "rifiutato dalla regola invalid_command: act: no date"


def test_a_problem_of_an_unlisted_reason_keeps_its_own_texts() -> None:
    found = problem("of_tomorrow", file="f.csv", message="it is odd", hint="look at it")

    assert problem_texts(found, "it") == ("it is odd", "look at it")


def test_braces_in_a_value_do_no_harm() -> None:
    found = problem(
        "missing_column", file="f.csv", value="{x}", facts={"column": "{column} {nothing} {"}
    )

    sentence, _ = problem_texts(found, "it")
    assert sentence == "nell'intestazione manca la colonna {column} {nothing} {"


# Values


@pytest.mark.parametrize(
    ("code", "italian"),
    [
        ("weights_unpublished", "pesi non pubblicati"),
        ("not_recorded", "non registrato"),
        ("not_published", "non pubblicato"),
        ("target_missing", "obiettivo non pubblicato"),
        ("MISSING_LEGAL_BASIS", "base giuridica mancante"),
    ],
)
def test_says_why_a_value_is_missing(code: str, italian: str) -> None:
    assert missing_text(code, "it") == italian
    assert missing_text(code, "en") == MISSING[code].en


@pytest.mark.parametrize("code", ["", "NOT_OURS", "Weights_Unpublished"])
def test_a_code_of_somebody_else_is_shown_as_it_is(code: str) -> None:
    assert missing_text(code, "it") == code


def test_facts_stay_as_they_are_in_english() -> None:
    facts = {"kind": "unit", "reason": "bad path"}

    assert facts_in(facts, "en") == facts
    assert facts_in(facts, "it") == {"kind": "unità", "reason": "percorso non valido"}


def test_a_field_that_nobody_filled_in_is_said_to_be_missing() -> None:
    error = InvalidCommandError(
        subject="RiskAssessed", field="method", value="", reason="it is required"
    )

    assert error_texts(error, "it")[0] == "Rischio valutato: manca method; è obbligatorio"


@pytest.mark.parametrize(
    ("reason", "italian"),
    [
        ("Expected '=' (at line 3, column 9)", "il file non è TOML valido, riga 3, colonna 9"),
        ("[Errno 2] No such file or directory: 'x'", "il file non c'è"),
        ("there is no such field; did you mean label?", "il campo non esiste; forse label?"),
        ("unknown key 'a'; known: b, c", "chiave sconosciuta 'a'; le chiavi sono: b, c"),
        ("it has more than 38 digits", "ha più di 38 cifre"),
        ("disk on fire", "disk on fire"),
    ],
)
def test_reasons_with_values_in_them_are_told_in_italian(reason: str, italian: str) -> None:
    assert facts_in({"reason": reason}, "it") == {"reason": italian}
