"""Recorded replays: keep what a replay gave, and repeat it later to compare.

Source: docs/formats/replay.md for both digests.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.cli.context import Cli
from app.cli.privacy.persons import record
from app.output.format import day
from app.output.table import Column, Table
from ledger.aggregates.base import Proposal
from ledger.aggregates.planning import year_bounds
from ledger.application import LedgerApplication
from ledger.envelopes import input_digest, parse_actor
from ledger.errors import UnknownEntityError
from ledger.events.ledger import Envelope, Source
from ledger.events.replay import ReplayRun
from ledger.feed import RecordedEvent, read_all
from ledger.types import BEFORE_FIRST, Position
from projections.cycle.facts import CycleFacts, fold
from projections.cycle.knowledge import Knowledge
from projections.cycle.replay import Replay, replay_facts

DEFINITIONS_DOMAIN = "registro/definitions/v1"
SYSTEM = "replay"
"""Source system of recorded replays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing in which a repeated replay differs from the recorded one."""

    field: str
    """Name of the field of `ReplayRun`."""
    recorded: str
    found: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRun:
    """A recorded replay and what its repetition gave."""

    recorded: RecordedEvent
    run: ReplayRun
    differences: tuple[Difference, ...]


def run_of(facts: CycleFacts, result: Replay, *, code_version: str) -> ReplayRun:
    """Return the event that keeps a replay."""
    definitions = definitions_digest(facts, result)
    identity = [
        result.year,
        result.as_of,
        result.position,
        definitions.hex(),
        code_version,
        result.digest,
    ]
    return ReplayRun(
        run_id=f"{result.year}-{input_digest(identity).hex()[:16]}",
        year=result.year,
        cut=result.as_of,
        read_through=result.position,
        vintages=tuple(sorted({line.vintage for line in result.indicators if line.vintage})),
        indicators=len(result.indicators),
        definitions_digest=definitions,
        code_version=code_version,
        output_digest=bytes.fromhex(result.digest),
    )


def definitions_digest(facts: CycleFacts, result: Replay) -> bytes:
    """Return the digest of the definitions that a replay used; see docs/formats/replay.md."""
    knowledge = Knowledge(facts=facts, year=result.year, as_of=result.as_of)
    codes = sorted(line.code for line in result.indicators)
    text = json.dumps(
        {
            "domain": DEFINITIONS_DOMAIN,
            "year": result.year,
            "definitions": [_definition(knowledge, code) for code in codes],
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(text.encode()).digest()


def _definition(knowledge: Knowledge, code: str) -> dict[str, object]:
    definition = knowledge.definition(code)
    if definition is None:
        return {"code": code, "version": None}
    event = definition.event
    return {
        "code": code,
        "version": event.version,
        "formula": event.formula,
        "deviation_rule": event.deviation_rule,
        "measure_unit": event.measure_unit,
        "decimals": event.decimals,
        "cap": None if event.cap is None else format(event.cap, "f"),
    }


def record_run(
    cli: Cli, ledger: LedgerApplication, run: ReplayRun, *, actor: str | None
) -> Position:
    """Append a run, and return the position of its record.

    Raises:
        CommandRefusedError: an earlier run of the same inputs gave another answer.
    """
    first, last = year_bounds(run.year)
    envelope = Envelope(
        ref_from=first,
        ref_to=last,
        as_of=ledger.today(),
        actor=parse_actor(cli.actor(actor)),
        source=Source(system=SYSTEM),
    )
    key = f"replay/{run.run_id}"
    record(cli, ledger, [Proposal(event=run, envelope=envelope)], key=key)
    return find_run(ledger, run.run_id).position


def find_run(ledger: LedgerApplication, wanted: str) -> RecordedEvent:
    """Return the record of a run by its position, its name or the identity of its event.

    Raises:
        UnknownEntityError: there is none.
    """
    known = []
    for recorded in read_all(ledger):
        if isinstance(recorded.event, ReplayRun):
            if wanted in {recorded.address, recorded.event_id, recorded.event.run_id}:
                return recorded
            known.append(recorded.event.run_id)
    raise UnknownEntityError(kind="replay run", name=wanted, known=", ".join(known))


def check_run(ledger: LedgerApplication, wanted: str, *, code_version: str) -> CheckedRun:
    """Repeat a recorded replay at its position and compare.

    Raises:
        UnknownEntityError: there is no such run.
    """
    recorded = find_run(ledger, wanted)
    run = recorded.event
    if not isinstance(run, ReplayRun):
        raise TypeError("find_run returns runs")
    through = Position(min(run.read_through, recorded.position - 1))
    facts = fold(read_all(ledger, through=through) if through > BEFORE_FIRST else ())
    repeated = run_of(
        facts, replay_facts(facts, year=run.year, as_of=run.cut), code_version=code_version
    )
    return CheckedRun(recorded=recorded, run=run, differences=differences(run, repeated))


def differences(run: ReplayRun, repeated: ReplayRun) -> tuple[Difference, ...]:
    """Return in what a repetition differs, the answer first."""
    pairs = (
        ("output_digest", run.output_digest.hex(), repeated.output_digest.hex()),
        ("definitions_digest", run.definitions_digest.hex(), repeated.definitions_digest.hex()),
        ("code_version", run.code_version, repeated.code_version),
        ("indicators", str(run.indicators), str(repeated.indicators)),
        ("vintages", ", ".join(run.vintages), ", ".join(repeated.vintages)),
        ("read_through", str(run.read_through), str(repeated.read_through)),
    )
    return tuple(
        Difference(field=field, recorded=recorded, found=found)
        for field, recorded, found in pairs
        if recorded != found
    )


def run_json(checked: CheckedRun) -> dict[str, object]:
    """Return a checked run as JSON."""
    return {
        "run_id": checked.run.run_id,
        "position": checked.recorded.position,
        "year": checked.run.year,
        "as_of": checked.run.cut,
        "read_through": checked.run.read_through,
        "recorded_at": checked.recorded.recorded_at,
        "code_version": checked.run.code_version,
        "same": not checked.differences,
        "differences": list(checked.differences),
    }


def show_checked(cli: Cli, checked: CheckedRun) -> None:
    """Show whether a repetition gave the same, and if not in what it differs."""
    run = checked.run
    cut_it = "" if run.cut is None else f", noto al {day(run.cut, 'it')}"
    cut_en = "" if run.cut is None else f", known on {day(run.cut, 'en')}"
    cli.screen.title(
        cli.tr(
            f"Ricalcolo {run.run_id}: anno {run.year}{cut_it}, fino alla posizione "
            f"{run.read_through}",
            f"Replay {run.run_id}: year {run.year}{cut_en}, through position {run.read_through}",
        )
    )
    if not checked.differences:
        cli.screen.line(
            cli.tr(
                "Ripetuto: stessa impronta, stesse definizioni, stessa versione del programma.",
                "Repeated: same digest, same definitions, same version of the program.",
            )
        )
        return
    _show_differences(cli, checked.differences)
    if all(one.field == "code_version" for one in checked.differences):
        cli.screen.line(
            cli.tr(
                "Le cifre sono le stesse: le ha ricalcolate un'altra versione del programma.",
                "The figures are the same: another version of the program computed them.",
            )
        )


def _show_differences(cli: Cli, found: Sequence[Difference]) -> None:
    names = {
        "output_digest": cli.tr("impronta della risposta", "digest of the answer"),
        "definitions_digest": cli.tr("impronta delle definizioni", "digest of the definitions"),
        "code_version": cli.tr("versione del programma", "version of the program"),
        "indicators": cli.tr("numero di indicatori", "number of indicators"),
        "vintages": cli.tr("stadi", "stages"),
        "read_through": cli.tr("ultima posizione letta", "last position read"),
    }
    columns = (
        Column(cli.tr("differisce", "differs")),
        Column(cli.tr("registrato", "recorded")),
        Column(cli.tr("ripetuto", "repeated")),
    )
    rows = [[names[one.field], one.recorded or "-", one.found or "-"] for one in found]
    cli.screen.table(Table(title=cli.tr("DIVERSO", "DIFFERENT"), columns=columns, rows=rows))
