"""Commands `registro dossier` and `dossier check`: figures with their proofs, for somebody outside.

Source: docs/formats/dossier.md; docs/it/fascicolo.md for who receives one.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from app.cli.choices import AsOfOption, YearOption, chosen_year, nearest, optional_day
from app.cli.context import NEGATIVE, Cli, cli_of
from app.texts.usage import both
from ledger.errors import (
    InvalidCommandError,
    PositionGapError,
    ProjectionError,
    UnknownEntityError,
)
from ledger.events.ledger import LedgerOpened, SchemaReleased
from ledger.evidence.keyid import ED25519
from ledger.evidence.tiles import TileReader
from ledger.evidence.timestamps import checkpoint_name, reply_name
from ledger.feed import RecordedEvent, read_all
from ledger.records import RecordKind, StoredRecord
from ledger.types import Position
from schemas.errors import UnknownSchemaError
from schemas.registry import ReleasedSchema

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.evidence.checkpoint import SignedCheckpoint
    from ledger.evidence.dossier.format import Claim, FactAddress, Question, SchemaOf
    from ledger.evidence.dossier.making import SealedLog, Shown
    from ledger.store.reader import RecordReader

_REFUSED_OPTIONS: Final = {
    "record_unsealed": "--event",
    "record_differs": "--event",
    "no_such_fact": "--event",
    "log_differs": "--dir",
    "since_differs": "--since",
}
"""The option that a refused dossier asks about, by the reason of the refusal."""
_NAMING: Final = ("position", "index", "since")
"""Facts of a refusal that together are the value of that option."""


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    group = typer.Typer()
    group.callback(invoke_without_command=True)(make)
    group.command(
        "check",
        help=both(
            "Verifica un fascicolo dal solo file, senza registro.",
            "Check a dossier from the file alone, without a ledger.",
        ),
    )(check)
    root.add_typer(group, name=name)


VkeyOption = Annotated[
    Path | None,
    typer.Option(
        "--vkey",
        help=both(
            "file con le chiavi pubbliche del registro, avute per altra via",
            "file with the ledger's public keys, had by another way",
        ),
    ),
]


def make(
    context: typer.Context,
    *,
    year: YearOption = None,
    as_of: AsOfOption = None,
    indicator: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODICE",
            help=both(
                "indicatore da provare; ripetibile; senza, tutti",
                "indicator to prove; may be repeated; by default all",
            ),
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            metavar="P.I",
            help=both(
                "registrazione o singolo fatto da mostrare: posizione, o posizione.indice",
                "record or single fact to show: position, or position.index",
            ),
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "sigillo precedente, conservato altrove: prova che il registro lo continua",
                "earlier checkpoint kept elsewhere: prove that the log continues it",
            )
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=both("file zip da scrivere", "zip file to write"))
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=both("cartella dei sigilli", "folder of the sealed log")),
    ] = None,
    vkey: VkeyOption = None,
    sealed_only: Annotated[
        bool,
        typer.Option(
            "--sealed-only",
            help=both(
                "usa solo ciò che è già sigillato, anche se è stato registrato altro",
                "use only what is sealed, even when more was recorded",
            ),
        ),
    ] = False,
) -> None:
    """Write a dossier: figures, the records they rest on, and the proofs."""
    if context.invoked_subcommand is not None:
        return
    from app.cli.evidence.dossier_view import show_made
    from app.cli.evidence.sealing import log_folder

    cli = cli_of(context)
    target = _target(cli, out)
    wanted = [_address(cli, text) for text in event or ()]
    ledger = cli.open()
    log = _sealed_log(cli, ledger, log_folder(cli, folder), vkey=vkey, since=since)
    _refuse_unsealed(cli, ledger, log, sealed_only=sealed_only)
    asked = _Asked(
        codes=tuple(dict.fromkeys(indicator or ())),
        every=not indicator and not event,
        year=year,
        as_of=optional_day(as_of, field="--as-of"),
        events=tuple(wanted),
    )
    data, told = _dossier(cli, ledger, log, asked)
    _write(cli, target, data)
    show_made(cli, target, data, told)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    codes: tuple[str, ...]
    every: bool
    year: int | None
    as_of: dt.date | None
    events: tuple[tuple[int, int | None], ...]
    """Position and, for a fact, index."""


def _invalid(cli: Cli, field: str, value: object, it: str, en: str) -> InvalidCommandError:
    return InvalidCommandError(
        subject="dossier", field=field, value=str(value), reason=cli.tr(it, en)
    )


def _target(cli: Cli, out: Path | None) -> Path:
    if out is None:
        raise _invalid(cli, "--out", "", "dire quale file scrivere", "say which file to write")
    path = out.expanduser()
    if path.exists():
        raise _invalid(cli, "--out", out, "il file esiste già", "the file is there already")
    if not path.absolute().parent.is_dir():
        raise _invalid(cli, "--out", out, "la cartella non esiste", "the folder does not exist")
    return path


def _address(cli: Cli, text: str) -> tuple[int, int | None]:
    position, dot, index = text.partition(".")
    numbers = [part for part in (position, index) if part.isascii() and part.isdecimal()]
    if len(numbers) != (2 if dot else 1) or int(position) < 1:
        raise _invalid(
            cli,
            "--event",
            text,
            "scrivere POSIZIONE, o POSIZIONE.INDICE per un fatto",
            "write POSITION, or POSITION.INDEX for a fact",
        )
    return int(position), int(index) if dot else None


def _sealed_log(
    cli: Cli, ledger: "LedgerApplication", folder: Path, *, vkey: Path | None, since: Path | None
) -> "SealedLog":
    from app.cli.evidence.sealing import known_keys
    from ledger.evidence.checkpoint import open_checkpoint
    from ledger.evidence.dossier.making import SealedLog

    keys = tuple(key for key in known_keys(ledger, vkey) if key.algorithm == ED25519)
    reader = TileReader(folder)
    data = reader.checkpoint()
    head = open_checkpoint(data, keys)
    earlier = None if since is None else _read(cli, "--since", since)
    opened: SignedCheckpoint | None = None if earlier is None else open_checkpoint(earlier, keys)
    return SealedLog(
        checkpoint=data,
        head=head,
        keys=keys,
        leaves=tuple(reader.leaves(head.checkpoint.size)),
        since=earlier,
        since_head=None if opened is None else opened.checkpoint,
        stamp=_stamp(folder, head.checkpoint.size, data),
    )


def _read(cli: Cli, field: str, path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise _invalid(
            cli, field, path, "il file non si può leggere", "the file cannot be read"
        ) from error


def _stamp(folder: Path, size: int, checkpoint: bytes) -> bytes | None:
    """Return the timestamp of a checkpoint, when its very bytes were stamped."""
    stamped, reply = folder / checkpoint_name(size), folder / reply_name(size)
    if not (stamped.is_file() and reply.is_file()) or stamped.read_bytes() != checkpoint:
        return None
    return reply.read_bytes()


def _refuse_unsealed(
    cli: Cli, ledger: "LedgerApplication", log: "SealedLog", *, sealed_only: bool
) -> None:
    head = ledger.head()
    if head > log.size and not sealed_only:
        raise _invalid(
            cli,
            "--sealed-only",
            "",
            f"il sigillo copre {log.size} registrazioni su {head}: eseguire prima "
            "`registro seal`, o chiedere solo ciò che è sigillato con --sealed-only",
            f"the checkpoint covers {log.size} of {head} records: run `registro seal` first, or "
            "ask for what is sealed with --sealed-only",
        )


def _dossier(
    cli: Cli, ledger: "LedgerApplication", log: "SealedLog", asked: _Asked
) -> "tuple[bytes, Question]":
    from app.texts.dossier import instructions, refusal_text
    from ledger.evidence.dossier.making import DossierRefusedError, build, question

    events = tuple(read_all(ledger, through=Position(log.size)))
    opened = next(one for one in events if isinstance(one.event, LedgerOpened))
    year, claims = _claims(cli, events, asked)
    whole = {int(opened.position), *(one.position for claim in claims for one in claim.records)}
    records, facts = _records(cli, ledger.store, asked.events, whole, size=log.size)
    told = question(
        cast(LedgerOpened, opened.event),
        year=year,
        as_of=asked.as_of,
        claims=claims,
        facts=facts,
        records=records,
    )
    _refuse_different(told, [one for one in events if one.position in whole])
    texts = instructions(told, log.head.checkpoint, stamped=log.stamp is not None)
    schemas = _schemas(ledger, events)
    try:
        return build(told, log=log, records=records, schema_of=schemas, texts=texts), told
    except DossierRefusedError as error:
        raise InvalidCommandError(
            subject="dossier",
            field=_REFUSED_OPTIONS[error.reason],
            value=".".join(error.facts[name] for name in _NAMING if name in error.facts),
            reason=refusal_text(error.reason, error.facts, cli.lang),
        ) from error


def _claims(
    cli: Cli, events: Sequence[RecordedEvent], asked: _Asked
) -> "tuple[int | None, tuple[Claim, ...]]":
    from app.cli.evidence.dossier_claims import CycleAt, claims_of
    from projections.cycle.facts import fold
    from projections.cycle.knowledge import Knowledge

    if not asked.every and not asked.codes:
        return None, ()
    facts = fold(events)
    year = chosen_year(cli, facts, asked.year)
    known = Knowledge(facts=facts, year=year, as_of=asked.as_of).codes
    for code in asked.codes:
        if code not in known:
            kind = f"indicator of {year}"
            raise UnknownEntityError(kind=kind, name=code, near=nearest(code, known))
    cycle = CycleAt(events=events, facts=facts, year=year, as_of=asked.as_of)
    return year, claims_of(cycle, asked.codes or known)


def _refuse_different(told: "Question", events: Sequence[RecordedEvent]) -> None:
    """Refuse a dossier whose records would not give its own figures: nobody could check it."""
    from app.cli.evidence.dossier_claims import differences

    for found in differences(told, events):
        raise ProjectionError(
            projection="dossier", position=events[-1].position, reason=found.detail
        )


def _records(
    cli: Cli,
    store: "RecordReader",
    asked: Iterable[tuple[int, int | None]],
    whole: Iterable[int],
    *,
    size: int,
) -> "tuple[list[Shown], list[FactAddress]]":
    """Return the records to show, with the one in front of each in its stream, and the facts."""
    from ledger.evidence.dossier.format import FactAddress
    from ledger.evidence.dossier.making import Shown

    shown = {position: Shown(stored=_stored(store, position), whole=True) for position in whole}
    facts: list[FactAddress] = []
    for position, index in asked:
        if position > size:
            raise _invalid(
                cli,
                "--event",
                position,
                f"il sigillo copre {size} registrazioni",
                f"the checkpoint covers {size} records",
            )
        stored = _stored(store, position)
        block = stored.record.kind is RecordKind.BLOCK
        if block != (index is not None):
            raise _invalid(
                cli,
                "--event",
                position,
                "di un blocco si mostra un fatto, POSIZIONE.INDICE; di un evento la POSIZIONE",
                "of a block one fact is shown, POSITION.INDEX; of an event the POSITION",
            )
        shown.setdefault(position, Shown(stored=stored, whole=not block))
        if index is not None:
            facts.append(FactAddress(position=position, index=index))
    before = [
        Shown(stored=stored, whole=False)
        for one in shown.values()
        if one.whole
        for stored in _before(store, one.stored)
    ]
    return [*shown.values(), *before], facts


def _stored(store: "RecordReader", position: int) -> StoredRecord:
    (found,) = store.read(after=Position(position - 1), limit=1)
    if found.position != position:
        raise PositionGapError(after=position - 1, found=found.position)
    return found


def _before(store: "RecordReader", stored: StoredRecord) -> tuple[StoredRecord, ...]:
    version = stored.record.stream_version
    if version <= 1:
        return ()
    return store.read_stream(stored.record.stream, after=version - 2, through=version - 1)


def _schemas(ledger: "LedgerApplication", events: Iterable[RecordedEvent]) -> "SchemaOf":
    """Return where schemas are found: in the files, else among the texts of the ledger."""
    texts = {
        one.event.schema_id: one.event.text
        for one in events
        if isinstance(one.event, SchemaReleased)
    }
    registry = ledger.avro.registry

    def schema_of(schema_id: bytes) -> ReleasedSchema:
        try:
            return registry.by_id(schema_id)
        except UnknownSchemaError:
            if schema_id not in texts:
                raise
            return registry.register_text(texts[schema_id])

    return schema_of


def _write(cli: Cli, target: Path, data: bytes) -> None:
    try:
        with target.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise _invalid(
            cli, "--out", target, f"non si può scrivere: {error}", f"cannot be written: {error}"
        ) from error


def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help=both("fascicolo (zip)", "dossier (zip)"))],
    *,
    vkey: VkeyOption = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "file dei testimoni che devono aver firmato il sigillo",
                "file of the witnesses that must have signed the checkpoint",
            )
        ),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help=both("elenca ogni difetto", "list every fault"))
    ] = False,
) -> None:
    """Check a dossier from the file alone; exit code 1 on any fault."""
    from app.cli.evidence.dossier_claims import differences
    from app.cli.evidence.dossier_view import Judged, show_checked
    from ledger.evidence.dossier.checking import check_dossier
    from ledger.evidence.keys import read_verifiers
    from ledger.evidence.policy import read_policy

    cli = cli_of(context)
    data = _read(cli, "FILE", file)
    keys = () if vkey is None else read_verifiers(vkey)
    asked = None if policy is None else read_policy(policy)
    checked = check_dossier(data, keys, policy=asked)
    faults = list(checked.faults)
    if checked.question is not None:
        faults += differences(checked.question, checked.events)
    show_checked(
        cli,
        Judged(
            file=file,
            data=data,
            own_key=not keys and asked is None,
            checked=checked,
            faults=faults,
            quorum=None if asked is None else asked.quorum,
        ),
        every=show_all,
    )
    if faults:
        raise typer.Exit(NEGATIVE)
