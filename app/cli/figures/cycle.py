"""Commands `registro replay`, `explain` and `diff`: the figures of a year."""

import datetime as dt
import fnmatch
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.choices import (
    AsOfOption,
    AtOption,
    CheckOption,
    RecordOption,
    YearOption,
    chosen_year,
    facts_of,
    feed_of,
    nearest,
    optional_day,
    parse_day,
    require_match,
)
from app.cli.context import NEGATIVE, Cli, cli_of
from app.output.format import day as written_day
from app.texts.usage import both
from ledger.errors import InvalidCommandError, UnknownEntityError

if TYPE_CHECKING:
    from projections.cycle.facts import CycleFacts


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
    record: RecordOption = False,
    check: CheckOption = None,
    actor: Annotated[
        str | None,
        typer.Option(
            help=both("con --record, chi registra: RUOLO@UNITA", "with --record, who: ROLE@UNIT")
        ),
    ] = None,
) -> None:
    """Recompute the indicators of a year from events alone."""
    from app.cli.figures.cycle_view import replay_json, show_replay
    from app.cli.figures.runs import record_run, run_of
    from projections.cycle.replay import replay_facts

    cli = cli_of(context)
    day = optional_day(as_of, field="--as-of")
    if check is not None:
        if record or (year, as_of, at, indicator) != (None, None, None, None):
            raise typer.BadParameter(_check_alone(cli), param_hint="--check")
        _check(cli, check)
        return
    ledger = cli.open(read_only=not record)
    facts = facts_of(ledger, at)
    chosen = chosen_year(cli, facts, year)
    _require_known(facts, indicator, year=chosen)
    result = replay_facts(facts, year=chosen, as_of=day)
    kept = None
    if record:
        run = run_of(facts, result, code_version=code_version())
        kept = (run.run_id, record_run(cli, ledger, run, actor=actor))
    lines = [
        line
        for line in result.indicators
        if indicator is None or fnmatch.fnmatchcase(line.code, indicator)
    ]
    if cli.json:
        answer = replay_json(result, lines, code_version=code_version())
        if kept is not None:
            answer["run"] = {"run_id": kept[0], "position": kept[1]}
        cli.answer(answer)
        return
    cli.banner(sandbox=result.sandbox)
    if not lines:
        _note_nothing(cli, day)
    show_replay(cli, result, lines, code_version=code_version())
    if kept is not None:
        remedy = cli.remedy(f"replay --check {kept[0]}")
        cli.screen.line(
            cli.tr(
                f"Registrato alla posizione {kept[1]} come {kept[0]}; per ripeterlo: `{remedy}`",
                f"Recorded at position {kept[1]} as {kept[0]}; to repeat it: `{remedy}`",
            )
        )


def _check_alone(cli: Cli) -> str:
    return cli.tr(
        "un ricalcolo registrato ha già il suo anno, il suo giorno e la sua posizione",
        "a recorded replay has its own year, day and position",
    )


def _check(cli: Cli, wanted: str) -> None:
    from app.cli.figures.runs import check_run, run_json, show_checked

    checked = check_run(cli.open(), wanted, code_version=code_version())
    if cli.json:
        cli.answer(run_json(checked))
    else:
        show_checked(cli, checked)
    if checked.differences:
        raise typer.Exit(NEGATIVE)


def explain(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help=both("codice dell'indicatore", "indicator code"))],
    *,
    year: YearOption = None,
    as_of: AsOfOption = None,
    at: AtOption = None,
) -> None:
    """Explain a figure down to records and acts."""
    from app.cli.figures.explain_view import explanation_json, show_explanation
    from projections.cycle.explain import explain as explain_figure

    cli = cli_of(context)
    day = optional_day(as_of, field="--as-of")
    ledger = cli.open()
    facts = facts_of(ledger, at)
    chosen = chosen_year(cli, facts, year)
    found = explain_figure(feed_of(ledger, at), code=code, year=chosen, as_of=day)
    if found is None:
        raise _unknown(facts, code, year=chosen, as_of=day)
    if cli.json:
        cli.answer({"sandbox": facts.sandbox, **explanation_json(found)})
        return
    cli.banner(sandbox=facts.sandbox)
    show_explanation(cli, found)


def _unknown(
    facts: "CycleFacts", code: str, *, year: int, as_of: dt.date | None
) -> InvalidCommandError | UnknownEntityError:
    """Return the refusal of a code: not known yet on the day, or not at all."""
    from projections.cycle.knowledge import Knowledge

    whole = Knowledge(facts=facts, year=year, as_of=None)
    if as_of is not None and code in whole.codes:
        since = _known_since(facts, code, year=year)
        return InvalidCommandError(
            subject="explain",
            field="--as-of",
            value=as_of.isoformat(),
            reason=f"on that day it was not known yet; it is known since {since}",
        )
    near = nearest(code, whole.codes)
    return UnknownEntityError(kind=f"indicator of {year}", name=code, near=near)


def _known_since(facts: "CycleFacts", code: str, *, year: int) -> dt.date:
    """Return the first day on which an indicator of the year was known."""
    from projections.cycle.knowledge import Knowledge

    histories = (facts.year(year).objectives.get(code, ()), facts.definitions.get(code, ()))
    days = sorted({known.as_of for history in histories for known in history})
    cuts = (Knowledge(facts=facts, year=year, as_of=day) for day in days)
    return next((cut.as_of for cut in cuts if cut.as_of and code in cut.codes), days[-1])


def _require_known(facts: "CycleFacts", indicator: str | None, *, year: int) -> None:
    """Refuse a pattern that matches no indicator of the year, whenever it became known."""
    from projections.cycle.knowledge import Knowledge

    whole = Knowledge(facts=facts, year=year, as_of=None)
    require_match(indicator, sorted(whole.codes), kind=f"indicator of {year}")


def _note_nothing(cli: Cli, as_of: dt.date | None) -> None:
    if as_of is not None:
        cli.screen.warn(
            cli.tr(
                f"Al {written_day(as_of, 'it')} non era noto nessuno di questi indicatori.",
                f"On {written_day(as_of, 'en')} none of these indicators was known.",
            )
        )


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
    from app.cli.figures.cycle_view import difference_json, show_difference
    from projections.cycle.diff import difference

    cli = cli_of(context)
    first = parse_day(from_as_of, field="--from-as-of")
    second = parse_day(to_as_of, field="--to-as-of")
    if second < first:
        raise InvalidCommandError(
            subject="diff", field="--to-as-of", value=to_as_of, reason="it is before --from-as-of"
        )
    ledger = cli.open()
    facts = facts_of(ledger, at)
    found = difference(facts, year=chosen_year(cli, facts, year), from_as_of=first, to_as_of=second)
    if cli.json:
        cli.answer({"sandbox": facts.sandbox, **difference_json(found)})
        return
    cli.banner(sandbox=facts.sandbox)
    show_difference(cli, found)
