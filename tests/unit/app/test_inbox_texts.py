"""Every reason for refusing a message has a sentence in both languages."""

from typing import get_args

import pytest

from app.texts.inbox import INBOX_PROBLEMS, inbox_problem_text
from app.texts.text import Lang
from ledger.facts.problems import FactProblem
from ledger.kafka.inbox.problems import InboxProblem


@pytest.mark.parametrize("lang", get_args(Lang))
def test_every_problem_has_a_sentence(lang: Lang) -> None:
    for problem in (*InboxProblem, *FactProblem):
        assert inbox_problem_text(problem, lang) not in {"", str(problem)}
    assert set(INBOX_PROBLEMS) == set(InboxProblem)


def test_no_problem_of_a_message_is_called_as_one_of_a_row() -> None:
    assert not set(InboxProblem) & set(FactProblem)


def test_an_unknown_problem_is_shown_as_it_is() -> None:
    assert inbox_problem_text("later", "it") == "later"
