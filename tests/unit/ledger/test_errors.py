"""The error tree: codes and exit codes are unique, messages are built from the facts."""

import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import consumers.subscription
from ledger import errors
from ledger.errors import CommandRefusedError, InvalidCommandError, LedgerError, StoreLockedError

DOCUMENT = Path(__file__).parents[3] / "docs" / "cli.md"


def tree(root: type[LedgerError] = LedgerError) -> Iterator[type[LedgerError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


OURS = [
    cls
    for cls in dict.fromkeys(tree())
    if cls.__module__ in {errors.__name__, consumers.subscription.__name__}
]


def fields_in(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def raised(cls: type[LedgerError]) -> LedgerError:
    return cls(**{name: f"<{name}>" for name in fields_in(cls.template)})


def test_codes_and_exit_codes_are_unique_over_the_whole_tree() -> None:
    codes = Counter(cls.code for cls in dict.fromkeys(tree()))
    exits = Counter(cls.exit_code for cls in dict.fromkeys(tree()))

    assert [code for code, count in codes.items() if count > 1] == []
    assert [code for code, count in exits.items() if count > 1] == []


@pytest.mark.parametrize("cls", OURS)
def test_every_error_has_its_own_code_in_the_range_of_the_product(cls: type[LedgerError]) -> None:
    assert {"code", "exit_code", "template"} <= set(vars(cls))
    assert re.fullmatch(r"[a-z][a-z_]*", cls.code)
    assert 10 <= cls.exit_code <= 99


@pytest.mark.parametrize("cls", OURS)
def test_every_message_holds_every_fact_that_its_template_names(cls: type[LedgerError]) -> None:
    error = raised(cls)

    for name in fields_in(cls.template):
        assert f"<{name}>" in str(error)
        assert error.facts[name] == f"<{name}>"
    assert str(error).strip()


@pytest.mark.parametrize("cls", [cls for cls in OURS if fields_in(cls.template)])
def test_refuses_an_error_without_its_facts(cls: type[LedgerError]) -> None:
    with pytest.raises((KeyError, TypeError)):
        cls()


@pytest.mark.parametrize("cls", OURS)
def test_every_error_is_described_for_operators(cls: type[LedgerError]) -> None:
    assert cls.__doc__
    assert f"| {cls.exit_code} | `{cls.code}` |" in DOCUMENT.read_text(encoding="utf-8")


def test_facts_become_text() -> None:
    error = StoreLockedError(store="a.db", seconds=5, tries=2)

    assert error.facts == {"store": "a.db", "seconds": "5", "tries": "2"}


def test_facts_that_look_like_fields_are_not_read_again() -> None:
    error = InvalidCommandError(subject="{x}", field="f", value="{reason}", reason="{0}")

    assert str(error) == "{x}: field f has the value '{reason}': {0}"


def test_a_refusal_carries_its_rule() -> None:
    error = CommandRefusedError(rule="weights_sum", detail="they sum to 99", total=99)

    assert error.rule == "weights_sum"
    assert error.facts["total"] == "99"


def test_only_errors_that_pass_by_themselves_are_retriable() -> None:
    retriable = {cls.__name__ for cls in OURS if cls.retriable}

    assert retriable == {
        "WrongExpectedVersionError",
        "StoreUnavailableError",
        "StoreLockedError",
        "ReadModelMovedError",
        "ViewsUnavailableError",
    }
