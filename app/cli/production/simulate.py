"""Command `registro simulate`: a believable year of production that hits the published figures."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import Cli, cli_of
from app.examples_folder import example_folder
from app.output.format import number
from app.output.table import Column, Table
from app.simulator.profile import Profile, read_profile, targets_of, unit_types
from app.texts.production import fact_text
from app.texts.usage import both
from ledger.aggregates.organisation import ORGANISATION
from ledger.aggregates.organisation import STREAM as ORGANISATION_STREAM
from ledger.envelopes import parse_act
from ledger.errors import FactBatchError, InvalidCommandError, LedgerMissingError
from ledger.facts.batches import Batch
from ledger.feed import read_all
from ledger.types import Digest

if TYPE_CHECKING:
    from app.simulator.generate import Batch as Simulated
    from app.simulator.summary import Expected
    from ledger.application import LedgerApplication

PROFILE = "inps-2023.toml"
DEFAULT_EVENTS = 1_000_000


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(simulate)


def simulate(
    context: typer.Context,
    *,
    year: Annotated[
        int | None, typer.Option(help=both("anno; senza, quello del profilo", "year"))
    ] = None,
    events: Annotated[
        int, typer.Option(min=1, help=both("quanti fatti", "how many facts"))
    ] = DEFAULT_EVENTS,
    seed: Annotated[int, typer.Option(min=0, help=both("seme", "seed"))] = 1,
    units: Annotated[
        int | None,
        typer.Option(help=both("quante strutture; senza, quelle reali", "how many units")),
    ] = None,
    append: Annotated[
        bool,
        typer.Option(
            "--append",
            help=both("registra in un registro di prova", "record into a sandbox ledger"),
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help=both("scrive file Parquet in una cartella", "write Parquet files")),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(help=both("quali cifre raggiungere", "which figures to hit")),
    ] = None,
) -> None:
    """Make a year of facts; the same arguments give the same facts."""
    from app.simulator.generate import generate
    from app.simulator.recorded import setup_commands
    from app.simulator.summary import expected
    from app.simulator.world import build_world

    cli = cli_of(context)
    if append == (out is not None):
        raise InvalidCommandError(
            subject="simulate", field="--append", value="", reason="say --append or --out DIR"
        )
    if out is not None and out.is_dir() and any(out.iterdir()):
        raise InvalidCommandError(
            subject="simulate",
            field="--out",
            value=str(out),
            reason="the folder holds files already: name another one",
        )
    chosen = read_profile(profile or example_folder("simulation") / PROFILE)
    asked = year or chosen.year
    ledger = _sandbox(cli, chosen) if append else _scratch(cli, chosen)
    known = list(read_all(ledger))
    targets = targets_of(chosen, known, year=asked)
    kinds = unit_types(known)
    world = build_world(targets, units or sum(kinds.values()), kinds, seed)
    told = expected(world, targets, events)
    begin = time.perf_counter()
    with cli.screen.progress("simulate") as bar:
        batches = _counted(generate(world, targets, events, seed), events, bar)
        if out is not None:
            facts = _write(out, batches)
        else:
            # The figures come from the ledger: after one of them is corrected, other facts follow.
            figures = hashlib.sha256(repr(targets).encode()).hexdigest()
            identity = f"{asked}/{events}/{seed}/{len(world.units)}/{figures}"
            act = parse_act(chosen.act)
            present = ledger.session().state(ORGANISATION, ORGANISATION_STREAM).units
            for one in setup_commands(world, year=asked, act=act, known_units=present):
                ledger.execute(one)
            facts = _append(cli, ledger, batches, identity=identity)
    seconds = time.perf_counter() - begin
    _show(cli, told, facts=facts, seconds=seconds, ledger=ledger if append else None)


def _sandbox(cli: Cli, profile: Profile) -> "LedgerApplication":
    """Return the sandbox ledger, made and filled with the figures when there is none.

    Raises:
        InvalidCommandError: the ledger is no sandbox: invented facts never enter a real one.
    """
    from app.cli.start.setup import create
    from ledger.intake.importer import import_folder

    try:
        ledger = cli.open(read_only=False)
    except LedgerMissingError:
        ledger = create(cli, body=None, sandbox=True)
    opened = ledger.identity.opened
    if opened is None or not opened.sandbox:
        raise InvalidCommandError(
            subject="simulate",
            field="--ledger",
            value=cli.settings["ledger"],
            reason="invented facts enter only a sandbox: registro init --sandbox",
        )
    import_folder(ledger, example_folder(profile.dataset))
    return ledger


def _scratch(cli: Cli, profile: Profile) -> "LedgerApplication":
    from ledger.application import LedgerApplication
    from ledger.intake.importer import import_folder
    from ledger.store.engine import open_engine, store_url
    from ledger.store.store import Store

    store = Store(open_engine(store_url(":memory:")), clock=cli.clock, entropy=cli.entropy)
    ledger = LedgerApplication.create(
        store, clock=cli.clock, entropy=cli.entropy, body=None, sandbox=True
    )
    import_folder(ledger, example_folder(profile.dataset))
    return ledger


def _counted(
    batches: "Iterator[Simulated]", events: int, bar: Callable[[str, int, int], None]
) -> "Iterator[Simulated]":
    done = 0
    for batch in batches:
        yield batch
        done += batch.frame.height
        bar(batch.full_name.rpartition(".")[2], done, events)


def _write(folder: Path, batches: "Iterator[Simulated]") -> int:
    folder.mkdir(parents=True, exist_ok=True)
    facts = 0
    for place, batch in enumerate(batches, start=1):
        short = batch.full_name.rpartition(".")[2]
        name = f"{place:06}-{batch.family}-{short}-{batch.source}-{batch.batch_id}-{batch.as_of}"
        batch.frame.write_parquet(folder / f"{name}.parquet")
        facts += batch.frame.height
    return facts


def _append(
    cli: Cli, ledger: "LedgerApplication", batches: "Iterator[Simulated]", *, identity: str
) -> int:
    from app.simulator.recorded import ACTOR
    from ledger.facts.ingest import FactIntake
    from ledger.facts.rejects import Rejects

    intake = FactIntake(ledger)
    facts = repeated = 0
    for batch in batches:
        refused = Rejects(folder=None)
        said = Batch(
            family=batch.family,
            source=batch.source,
            batch=batch.batch_id,
            as_of=batch.as_of,
            actor=ACTOR,
            vintage=batch.vintage,
            whole=True,
        )
        # Same arguments, same facts: their names stand for the content.
        name = f"registro/simulation/1\n{identity}/{batch.source}/{batch.batch_id}"
        digest = Digest(hashlib.sha256(name.encode()).digest())
        try:
            answer = intake.table(
                batch.full_name, batch.frame, said, digest=digest, rejects=refused
            )
        except FactBatchError as error:
            raise FactBatchError(
                batch=batch.batch_id,
                source=batch.source,
                reason=f"{error.facts['reason']} {dict(refused.codes)} {refused.first[:1]}",
            ) from error
        facts += answer.facts
        repeated += answer.repeated
    if repeated:
        cli.screen.note(
            cli.tr(
                f"{repeated} lotti erano già nel registro.",
                f"{repeated} batches were there already.",
            )
        )
    return facts


def _show(
    cli: Cli, told: "Expected", *, facts: int, seconds: float, ledger: "LedgerApplication | None"
) -> None:
    rate = round(facts / seconds) if seconds else 0
    head = None if ledger is None else ledger.head()
    if cli.json:
        cli.answer(
            {
                "facts": facts,
                "seconds": f"{seconds:.3f}",
                "rate": rate,
                "rejected": 0,
                "position": head,
                "units": told.units,
                "productivity": str(told.productivity),
                "outflow": str(told.outflow),
                "by_fact": dict(told.facts),
            }
        )
        return
    cli.banner(sandbox=True)
    lang = cli.lang
    it = f"Simulati {number(facts, lang)} fatti di {told.units} strutture, {number(rate, lang)}"
    en = f"Simulated {number(facts, lang)} facts of {told.units} units, {number(rate, lang)}"
    cli.screen.line(cli.tr(f"{it} al secondo.", f"{en} a second."))
    columns = [Column(cli.tr("fatto", "fact")), Column(cli.tr("quanti", "how many"), "right")]
    rows = [
        [fact_text(name.rpartition(".")[2], lang), number(count, lang)]
        for name, count in told.facts.items()
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
