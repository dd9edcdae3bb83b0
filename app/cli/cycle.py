"""Commands `registro replay`, `explain` and `diff`: the figures of a year."""

import fnmatch
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli.choices import (
    AsOfOption,
    AtOption,
    YearOption,
    chosen_year,
    facts_of,
    feed_of,
    optional_day,
    parse_day,
)
from app.cli.context import cli_of
from app.cli.cycle_view import (
    difference_json,
    explanation_json,
    replay_json,
    show_difference,
    show_explanation,
    show_replay,
)
from app.texts.usage import both
from ledger.errors import UnknownEntityError
from projections.cycle.diff import difference
from projections.cycle.explain import explain as explain_figure
from projections.cycle.replay import replay_facts


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {"replay": replay, "explain": explain, "diff": diff}
    root.command(name)(commands[name])


def code_version() -> str:
    """Return the version of this program."""
    return version("registro")


def replay(
    context: typer.Context,
    *,
    year: YearOption = None,
    as_of: AsOfOption = None,
    at: AtOption = None,
    indicator: Annotated[
        str | None,
        typer.Option(
            help=both("solo i codici di questa forma", "only codes of this shape"), metavar="GLOB"
        ),
    ] = None,
) -> None:
    """Recompute the indicators of a year from events alone."""
    cli = cli_of(context)
    day = optional_day(as_of, field="--as-of")
    ledger = cli.open()
    facts = facts_of(ledger, at)
    result = replay_facts(facts, year=chosen_year(cli, facts, year), as_of=day)
    lines = [
        line
        for line in result.indicators
        if indicator is None or fnmatch.fnmatchcase(line.code, indicator)
    ]
    if cli.json:
        cli.answer(replay_json(result, lines, code_version=code_version()))
        return
    cli.banner(sandbox=result.sandbox)
    show_replay(cli, result, lines, code_version=code_version())


def explain(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help=both("codice dell'indicatore", "indicator code"))],
    *,
    year: YearOption = None,
    as_of: AsOfOption = None,
    at: AtOption = None,
) -> None:
    """Explain a figure down to records and acts."""
    cli = cli_of(context)
    day = optional_day(as_of, field="--as-of")
    ledger = cli.open()
    facts = facts_of(ledger, at)
    chosen = chosen_year(cli, facts, year)
    found = explain_figure(feed_of(ledger, at), code=code, year=chosen, as_of=day)
    if found is None:
        raise UnknownEntityError(kind=f"indicator of {chosen}", name=code)
    if cli.json:
        cli.answer({"sandbox": facts.sandbox, **explanation_json(found)})
        return
    cli.banner(sandbox=facts.sandbox)
    show_explanation(cli, found)


def diff(
    context: typer.Context,
    *,
    from_as_of: Annotated[
        str,
        typer.Option("--from-as-of", metavar="AAAA-MM-GG", help=both("prima data", "first day")),
    ],
    to_as_of: Annotated[
        str,
        typer.Option("--to-as-of", metavar="AAAA-MM-GG", help=both("seconda data", "second day")),
    ],
    year: YearOption = None,
    at: AtOption = None,
) -> None:
    """Compare a year as known on two days."""
    cli = cli_of(context)
    first = parse_day(from_as_of, field="--from-as-of")
    second = parse_day(to_as_of, field="--to-as-of")
    ledger = cli.open()
    facts = facts_of(ledger, at)
    found = difference(facts, year=chosen_year(cli, facts, year), from_as_of=first, to_as_of=second)
    if cli.json:
        cli.answer({"sandbox": facts.sandbox, **difference_json(found)})
        return
    cli.banner(sandbox=facts.sandbox)
    show_difference(cli, found)
