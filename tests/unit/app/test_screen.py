"""The screen: plain text and terminals, what goes where, and nothing read as markup."""

import datetime as dt
import io
import re
import sys
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.output.screen import Screen
from app.output.table import Column, Table, Tree
from app.texts.text import Lang

MARKUP = "[bold]x[/bold] [/] [link=a]y[/link] :smile: [red"
"""Text that Rich would interpret, or stumble over."""

TABLE = Table(
    title="Titolo",
    columns=[Column("nome"), Column("valore", "right")],
    rows=[["uno", Decimal("1234.5")], ["due e mezzo", None]],
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal on both streams, 120 columns wide."""
    both = Terminal()
    # Not sys.stdout: pytest puts its own there between this fixture and the test.
    monkeypatch.setattr(Screen, "out", property(lambda _: both))
    monkeypatch.setattr(Screen, "err", property(lambda _: both))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return both


def screen(*, lang: Lang = "it", color: bool = True, quiet: bool = False) -> Screen:
    return Screen(lang=lang, color=color, quiet=quiet)


# Plain text


def test_a_plain_table_is_aligned_and_in_the_readers_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen().table(TABLE)
    screen(lang="en").table(TABLE)

    assert capsys.readouterr().out.splitlines() == [
        "Titolo",
        "nome          valore",
        "uno          1.234,5",
        "due e mezzo        -",
        "Titolo",
        "nome          valore",
        "uno          1,234.5",
        "due e mezzo        -",
    ]


def test_a_table_without_rows_shows_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    screen().table(Table(columns=[Column("a"), Column("b")], rows=[]))

    assert capsys.readouterr().out == "a  b\n"


def test_no_line_of_a_plain_table_ends_with_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    screen().table(Table(columns=[Column("a"), Column("long title")], rows=[["x", ""], ["", ""]]))

    assert all(row == row.rstrip() for row in capsys.readouterr().out.splitlines())


def test_refuses_a_row_of_another_length() -> None:
    with pytest.raises((ValueError, IndexError)):
        screen().table(Table(columns=[Column("a"), Column("b")], rows=[["only one"]]))


def test_instants_are_shown_in_the_zone_of_the_body(capsys: pytest.CaptureFixture[str]) -> None:
    shown = screen()
    shown.zone = ZoneInfo("Europe/Rome")

    shown.table(
        Table(columns=[Column("x")], rows=[[dt.datetime(2024, 6, 30, 22, 0, tzinfo=dt.UTC)]])
    )

    assert "01/07/2024 00:00:00 CEST" in capsys.readouterr().out


def test_a_tree_shows_who_stands_below_whom(capsys: pytest.CaptureFixture[str]) -> None:
    root = Tree("root")
    first = root.add("first")
    first.add("deep")
    first.add("deeper").add("deepest")
    root.add("last").add("below")

    screen().tree(root)

    assert capsys.readouterr().out.splitlines() == [
        "root",
        "├─ first",
        "│  ├─ deep",
        "│  └─ deeper",
        "│     └─ deepest",
        "└─ last",
        "   └─ below",
    ]


def test_nothing_in_plain_text_is_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    shown = screen()
    shown.line(MARKUP)
    shown.title(MARKUP)
    shown.tree(Tree(MARKUP))
    shown.table(Table(title=MARKUP, columns=[Column(MARKUP)], rows=[[MARKUP]]))

    assert capsys.readouterr().out.splitlines() == [MARKUP] * 6


def test_results_go_to_stdout_and_the_run_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    shown = screen()
    shown.line("result")
    shown.title("title")
    shown.note("note")
    shown.warn("warning")

    out, err = capsys.readouterr()
    assert out == "result\ntitle\n"
    assert err == "note\nwarning\n"


def test_a_quiet_screen_keeps_results_and_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    shown = screen(quiet=True)
    shown.line("result")
    shown.note("note")
    shown.warn("warning")

    assert capsys.readouterr() == ("result\n", "warning\n")


@pytest.mark.parametrize("quiet", [True, False])
def test_progress_is_silent_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], *, quiet: bool
) -> None:
    with screen(quiet=quiet).progress("all") as advance:
        advance("file", 1, 2)

    assert capsys.readouterr() == ("", "")


def test_a_screen_writes_to_the_streams_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = screen()
    later = io.StringIO()
    monkeypatch.setattr(sys, "stdout", later)

    shown.line("x")

    assert later.getvalue() == "x\n"


# Terminals


def test_a_terminal_shows_a_drawn_table_with_every_text(terminal: Terminal) -> None:
    screen().table(TABLE)

    text = terminal.getvalue()
    for part in ("Titolo", "nome", "valore", "uno", "1.234,5", "due e mezzo"):
        assert part in text
    assert "─" in text or "━" in text


def test_nothing_on_a_terminal_is_read_as_markup(terminal: Terminal) -> None:
    shown = screen()
    shown.line(MARKUP)
    shown.title(MARKUP)
    shown.tree(Tree(MARKUP))
    shown.table(Table(title=MARKUP, columns=[Column(MARKUP)], rows=[[MARKUP]]))

    assert terminal.getvalue().count(MARKUP) == 6


def test_nothing_in_a_progress_bar_is_read_as_markup(terminal: Terminal) -> None:
    with screen().progress(MARKUP) as advance:
        advance(MARKUP, 1, 2)

    assert "[bold]x[/bold] [/]" in terminal.getvalue()


def test_a_quiet_terminal_shows_no_progress(terminal: Terminal) -> None:
    with screen(quiet=True).progress("all") as advance:
        advance("file", 1, 2)

    assert terminal.getvalue() == ""


def test_a_terminal_without_colours_shows_plain_text(terminal: Terminal) -> None:
    shown = screen(color=False)
    shown.title("title")
    shown.table(TABLE)

    assert "\x1b" not in terminal.getvalue()
    assert "nome          valore\n" in terminal.getvalue()


def test_a_title_stands_out_on_a_terminal(terminal: Terminal) -> None:
    screen().title("title")

    assert "\x1b[1mtitle" in terminal.getvalue()


@pytest.mark.parametrize(("value", "coloured"), [(None, True), ("1", False)])
def test_the_variable_no_color_takes_the_colours_of_progress(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, *, value: str | None, coloured: bool
) -> None:
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)

    with screen().progress("folding") as told:
        told("folding", 1, 2)

    assert (re.search(r"\x1b\[[39][0-9]m", terminal.getvalue()) is not None) is coloured
