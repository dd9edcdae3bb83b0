"""Commands `registro keys`: make, list and change the keys that sign checkpoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.choices import ActorOption
from app.cli.context import Cli, cli_of
from app.output.table import Column, Table
from app.texts.codes import code_text
from app.texts.usage import both
from ledger.aggregates.base import Proposal
from ledger.aggregates.signing import ACTIVE, KEY_STATES, RETIRED, RETIRING, KeysState
from ledger.envelopes import command
from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.events.ledger import SigningKeyPublished
from ledger.evidence.problems import KeyFileError
from ledger.types import Position

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.evidence.note import SignerKey, VerifierKey

_UNLISTED: Final = "unlisted"
Acts = Annotated[
    list[str] | None,
    typer.Option(help=both("atto che lo dispone", "act that orders it")),
]
Reason = Annotated[str | None, typer.Option(help=both("motivo", "reason"))]


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    group = typer.Typer(no_args_is_help=True)
    group.command("new", help=both("Crea la prima chiave.", "Make the first key."))(new)
    group.command("list", help=both("Elenca le chiavi.", "List the keys."))(show)
    group.command(
        "rotate",
        help=both(
            "Crea la chiave che subentra; quella di prima firma ancora accanto a lei.",
            "Make the key that takes over; the one before signs on beside it.",
        ),
    )(rotate)
    group.command(
        "retire",
        help=both("Una chiave non firma più.", "A key signs no more."),
    )(retire)
    root.add_typer(group, name=name)


def new(
    context: typer.Context,
    *,
    name: Annotated[
        str | None,
        typer.Option(
            help=both(
                "nome della chiave; senza, l'origine del registro", "name; the origin if none"
            )
        ),
    ] = None,
    vkey: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "pubblica una chiave che esiste già: file con la parte pubblica",
                "publish a key that exists already: file with its public half",
            )
        ),
    ] = None,
    actor: ActorOption = None,
    act: Acts = None,
    reason: Reason = None,
) -> None:
    """Make the first signing key and publish it in the ledger."""
    from app.cli.evidence.sealing import keys_state
    from ledger.evidence.keys import publication

    cli = cli_of(context)
    ledger = cli.open(read_only=False)
    active = keys_state(ledger).in_state(ACTIVE)
    if active:
        raise InvalidCommandError(
            subject="keys new",
            field="key_id",
            value=active[0].key_id,
            reason="there is an active key: use `registro keys rotate`",
        )
    signer, key = _key(cli, ledger, name, vkey)
    event = publication(key, state=ACTIVE, valid_from=cli.clock.now())
    _record(cli, ledger, [event], {"actor": actor, "act": act, "reason": reason}, signer)


def rotate(
    context: typer.Context,
    *,
    vkey: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "subentra una chiave che esiste già: file con la parte pubblica",
                "a key that exists already takes over: file with its public half",
            )
        ),
    ] = None,
    actor: ActorOption = None,
    act: Acts = None,
    reason: Reason = None,
) -> None:
    """Let a new key take over; what was retiring ends, what was active signs on beside it."""
    from app.cli.evidence.sealing import key_folder, keys_state
    from ledger.evidence.keys import rotation

    cli = cli_of(context)
    ledger = cli.open(read_only=False)
    if not keys_state(ledger).in_state(ACTIVE):
        raise KeyFileError(file=str(key_folder(cli)), reason="the ledger lists no active key")
    signer, key = _key(cli, ledger, None, vkey)
    events = rotation(key, keys_state(ledger), valid_from=cli.clock.now())
    _record(cli, ledger, events, {"actor": actor, "act": act, "reason": reason}, signer)


def retire(
    context: typer.Context,
    key_id: Annotated[
        str, typer.Argument(help=both("codice della chiave, 8 cifre", "id of the key, 8 digits"))
    ],
    *,
    actor: ActorOption = None,
    act: Acts = None,
    reason: Reason = None,
) -> None:
    """Let a key sign no more; old checkpoints of it stay valid."""
    from app.cli.evidence.sealing import keys_state
    from ledger.evidence.keys import publication, verifier_of

    cli = cli_of(context)
    ledger = cli.open(read_only=False)
    state = keys_state(ledger)
    known = state.published.get(key_id)
    if known is None:
        raise UnknownEntityError(
            kind="signing key", name=key_id, known=", ".join(sorted(state.published))
        )
    if known.event.key_state == RETIRED:
        _show(cli, [known.event], None, position=None)
        cli.screen.note(
            cli.tr(
                "È già ritirata: nulla è stato registrato.",
                "It is retired already: nothing was recorded.",
            )
        )
        return
    event = publication(verifier_of(known.event), state=RETIRED, valid_from=cli.clock.now())
    _record(cli, ledger, [event], {"actor": actor, "act": act, "reason": reason}, None)


def show(context: typer.Context) -> None:
    """List the keys of the ledger, and which private ones are at hand."""
    from app.cli.evidence.sealing import keys_state, signers_at_hand

    cli = cli_of(context)
    ledger = cli.open()
    rows = _rows(keys_state(ledger), [one.verifier for one in signers_at_hand(cli)])
    if cli.json:
        cli.answer(
            {
                "keys": [
                    {
                        "key_id": key.key_id.hex(),
                        "key_name": key.name,
                        "vkey": key.text,
                        "state": state,
                        "valid_from": None if event is None else event.valid_from,
                        "at_hand": at_hand,
                    }
                    for key, state, event, at_hand in rows
                ]
            }
        )
        return
    if not rows:
        cli.screen.line(
            cli.tr(
                "Nessuna chiave. La prima si crea con `registro keys new`.",
                "No key. The first one comes from `registro keys new`.",
            )
        )
        return
    columns = (
        Column(cli.tr("chiave", "key"), whole=True),
        Column(cli.tr("stato", "state")),
        Column(cli.tr("dal", "since")),
        Column(cli.tr("privata qui", "private here")),
        Column(cli.tr("parte pubblica", "public half"), whole=True),
    )
    shown = [
        [
            key.key_id.hex(),
            code_text("key_state", state, cli.lang),
            None if event is None else event.valid_from,
            at_hand,
            key.text,
        ]
        for key, state, event, at_hand in rows
    ]
    cli.screen.table(Table(columns=columns, rows=shown))


_Row = tuple["VerifierKey", str, SigningKeyPublished | None, bool]


def _rows(state: KeysState, at_hand: "Sequence[VerifierKey]") -> list[_Row]:
    from ledger.evidence.keys import verifier_of

    listed = [(verifier_of(event), event) for event in state.in_state(*KEY_STATES)]
    rows: list[_Row] = [(key, event.key_state, event, key in at_hand) for key, event in listed]
    known = {key for key, _ in listed}
    return [*rows, *((key, _UNLISTED, None, True) for key in at_hand if key not in known)]


def _key(
    cli: Cli, ledger: "LedgerApplication", name: str | None, vkey: Path | None
) -> "tuple[SignerKey | None, VerifierKey]":
    from ledger.evidence.keys import read_verifiers
    from ledger.evidence.note import SEED_BYTES, new_signer

    if vkey is not None:
        return None, read_verifiers(vkey)[0]
    opened = ledger.identity.opened
    signer = new_signer(
        name or ("" if opened is None else opened.origin), cli.entropy.token(SEED_BYTES)
    )
    return signer, signer.verifier


def _record(
    cli: Cli,
    ledger: "LedgerApplication",
    events: Sequence[SigningKeyPublished],
    common: dict[str, object],
    signer: "SignerKey | None",
) -> None:
    from app.cli.evidence.sealing import key_folder, keys_state
    from app.cli.recording.writing import envelope_of
    from ledger.evidence.keys import write_signer

    proposals = [
        Proposal(event=event, envelope=envelope_of(cli, ledger, event, common)) for event in events
    ]
    last = events[-1]
    session = ledger.session()
    receipt = session.submit(command(f"keys/{last.key_id}/{last.key_state}", proposals))
    # A key that is published must be at hand: its file is written before the ledger says so.
    path = None if signer is None else write_signer(key_folder(cli), signer)
    committed = ledger.commit(session, (receipt,))
    _show(cli, events, path, position=committed.head)
    _advise(cli, events, path, keys_state(ledger))


def _show(
    cli: Cli,
    events: Sequence[SigningKeyPublished],
    path: Path | None,
    *,
    position: Position | None,
) -> None:
    """Show the keys of a command, and where a new one was written."""
    from ledger.evidence.keys import PUBLIC_SUFFIX, verifier_of

    if cli.json:
        cli.answer(
            {
                "position": position,
                "key_file": None if path is None else str(path),
                "keys": [
                    {"key_id": one.key_id, "state": one.key_state, "vkey": verifier_of(one).text}
                    for one in events
                ],
            }
        )
        return
    for one in events:
        cli.screen.line(f"{one.key_id}  {code_text('key_state', one.key_state, cli.lang)}")
    if path is not None:
        cli.screen.line(cli.tr("Chiave privata: ", "Private key: ") + str(path))
        cli.screen.line(cli.tr("Parte pubblica: ", "Public half: ") + verifier_of(events[-1]).text)
        public = path.with_suffix(PUBLIC_SUFFIX)
        cli.screen.line(cli.tr("  nel file:     ", "  in the file: ") + str(public))


def _advise(
    cli: Cli, events: Sequence[SigningKeyPublished], path: Path | None, state: KeysState
) -> None:
    """Say what is left to do."""
    if path is not None:
        cli.screen.note(
            cli.tr(
                "Consegnare la parte pubblica a chi verifica, per altra via che il registro.",
                "Hand the public half to those who verify, by another way than the ledger.",
            )
        )
    for one in events:
        if one.key_state == RETIRING:
            cli.screen.note(
                cli.tr(
                    f"La chiave {one.key_id} firma ancora. Quando chi verifica ha la nuova: "
                    f"`registro keys retire {one.key_id}`.",
                    f"Key {one.key_id} signs on. Once those who verify have the new one: "
                    f"`registro keys retire {one.key_id}`.",
                )
            )
    if not state.in_state(ACTIVE):
        cli.screen.warn(
            cli.tr(
                "Nessuna chiave è più attiva: `registro seal` non firma finché non c'è una chiave "
                "nuova (`registro keys new`).",
                "No key is active any more: `registro seal` does not sign until there is a new one "
                "(`registro keys new`).",
            )
        )
