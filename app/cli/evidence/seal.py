"""Commands `registro seal` and `witness-request`: sign the head, and let others sign it too."""

import datetime as dt
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.output import jsontext
from app.output.logs import log_event
from app.texts.usage import both
from ledger.errors import InvalidCommandError
from ledger.evidence.problems import EvidenceFileError, KeyFileError, NoteFormatError
from ledger.evidence.tiles import TileReader
from ledger.types import TreeSize

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.evidence.checkpoint import SignedCheckpoint
    from ledger.evidence.note import SignerKey
    from ledger.evidence.sealer import Sealed, Sealer

INTERVAL_SECONDS: Final = 60.0
"""How often a following sealer looks for new records."""
_LOG: Final = logging.getLogger("registro.seal")


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {"seal": seal, "witness-request": request}
    root.command(name)(commands[name])


def seal(
    context: typer.Context,
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=both("cartella dei sigilli", "folder of the sealed log")),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help=both("continua a sigillare (fine: Ctrl-C)", "go on sealing (end: Ctrl-C)"),
        ),
    ] = False,
    interval: Annotated[
        float,
        typer.Option(
            min=0.1, help=both("secondi tra un sigillo e l'altro", "seconds between two seals")
        ),
    ] = INTERVAL_SECONDS,
    max_delay: Annotated[
        str | None,
        typer.Option(
            metavar="DURATA",
            help=both(
                "attesa ammessa, per esempio 300, 5m, 1h: oltre, codice di uscita 1",
                "how long a record may wait, e.g. 300, 5m, 1h: beyond it exit code 1",
            ),
        ),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help=both(
                "file di una chiave privata; senza, REGISTRO_SIGNING_KEY o la cartella",
                "file of a private key; by default REGISTRO_SIGNING_KEY or the key folder",
            )
        ),
    ] = None,
    cosignature: Annotated[
        Path | None,
        typer.Option(
            "--add-cosignature",
            help=both(
                "aggiunge la firma ricevuta da un testimone (vuole --policy)",
                "add the signature received from a witness (needs --policy)",
            ),
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help=both("file dei testimoni", "file of the witnesses")),
    ] = None,
) -> None:
    """Sign the head of the ledger and write its log, for others to keep and to check."""
    from app.cli.evidence.sealing import log_folder

    cli = cli_of(context)
    place = log_folder(cli, folder)
    if cosignature is not None:
        _add_cosignature(cli, place, cosignature, policy)
        return
    limit = _limit(cli, max_delay)
    ledger = cli.open()
    opened = ledger.identity.opened
    cli.banner(sandbox=opened is not None and opened.sandbox)
    log_event(_LOG, logging.INFO, "seal.started", log=str(place), follow=follow)
    rounds = _Rounds(cli, ledger, place, key or [])
    late = False
    if follow and not cli.json:
        cli.screen.note(
            cli.tr(
                f"In attesa di registrazioni da sigillare, ogni {interval:g} s; fine con Ctrl-C.",
                f"Waiting for records to seal, every {interval:g} s; end with Ctrl-C.",
            )
        )
    while True:
        sealed = rounds.seal()
        if sealed.added or not follow:
            overdue = limit is not None and sealed.delay > limit
            late = late or overdue
            log_event(
                _LOG,
                logging.WARNING if overdue else logging.INFO,
                "seal.late" if overdue else "seal.progress",
                position=sealed.size,
                added=sealed.added,
                delay_seconds=math.ceil(sealed.delay.total_seconds()),
            )
            _show(cli, place, sealed, rounds.signers, late=overdue, line=follow)
        if not follow:
            break
        time.sleep(interval)
    if late:
        raise typer.Exit(NEGATIVE)


class _Rounds:
    """Seals again and again with the keys that the ledger lists at each time."""

    def __init__(
        self, cli: Cli, ledger: "LedgerApplication", place: Path, files: list[Path]
    ) -> None:
        self._cli = cli
        self._ledger = ledger
        self._place = place
        self._files = files
        self._sealer: Sealer | None = None
        self.signers: tuple[SignerKey, ...] = ()

    def seal(self) -> "Sealed":
        from app.cli.evidence.sealing import key_folder, keys_state, signers_at_hand
        from ledger.evidence.keys import published_verifiers, signing_now
        from ledger.evidence.sealer import sealer_of

        state = keys_state(self._ledger)
        signers = signing_now(signers_at_hand(self._cli, self._files), state)
        if not signers:
            why = "the ledger lists no active key" if state.published else "there is none"
            raise KeyFileError(file=str(key_folder(self._cli)), reason=why)
        if self._sealer is None or signers != self.signers:
            self.signers = signers
            self._sealer = sealer_of(
                self._ledger, self._place, signers, known=published_verifiers(state)
            )
        return self._sealer.seal()


def _limit(cli: Cli, given: str | None) -> dt.timedelta | None:
    from app.cli.evidence.sealing import SPAN_REASON, max_seal_delay, seconds_of

    seconds = max_seal_delay(cli) if given is None else seconds_of(given)
    if seconds is None and given is not None:
        raise InvalidCommandError(
            subject="seal", field="--max-delay", value=given, reason=SPAN_REASON
        )
    return None if seconds is None else dt.timedelta(seconds=seconds)


def _show(
    cli: Cli,
    place: Path,
    sealed: "Sealed",
    signers: "tuple[SignerKey, ...]",
    *,
    late: bool,
    line: bool,
) -> None:
    seconds = math.ceil(sealed.delay.total_seconds())
    if cli.json:
        answer = {
            "log": str(place),
            "origin": sealed.origin,
            "size": sealed.size,
            "root": sealed.root,
            "added": sealed.added,
            "delay_seconds": seconds,
            "late": late,
            "signed_by": [signer.verifier.label for signer in signers],
        }
        cli.screen.line(jsontext.line(answer) if line else jsontext.document(answer))
        cli.screen.out.flush()
        return
    if sealed.added:
        cli.screen.line(
            cli.tr(
                f"Sigillate le registrazioni fino alla {sealed.size} (nuove: {sealed.added}).",
                f"Sealed the records up to {sealed.size} (new: {sealed.added}).",
            )
        )
        cli.screen.line(
            cli.tr(f"Attesa più lunga: {seconds} s", f"Longest wait: {seconds} s")
            + (cli.tr(", oltre il limite", ", beyond the limit") if late else "")
        )
    else:
        cli.screen.line(
            cli.tr(
                f"Nulla di nuovo: il sigillo copre già {sealed.size} registrazioni.",
                f"Nothing new: the seal covers {sealed.size} records already.",
            )
        )
    cli.screen.line(cli.tr("Radice: ", "Root: ") + sealed.root.hex())
    cli.screen.line(cli.tr("Sigillo: ", "Checkpoint: ") + str(place / "checkpoint"))
    cli.screen.note(
        cli.tr(
            "Consegnarlo a chi sta fuori: solo una copia altrui mostra un registro rifatto.",
            "Hand it to somebody outside: only a copy of theirs shows a ledger made anew.",
        )
    )
    cli.screen.out.flush()


def _add_cosignature(cli: Cli, place: Path, file: Path, policy_file: Path | None) -> None:
    from app.cli.evidence.sealing import log_files
    from ledger.evidence.policy import (
        cosignatures,
        open_under,
        read_policy,
        with_signatures,
        witnesses_of,
    )

    if policy_file is None:
        raise InvalidCommandError(
            subject="seal",
            field="--policy",
            value="",
            reason="the file of the witnesses says whose signature it is",
        )
    policy = read_policy(policy_file)
    lines = _read(file)
    files, reader = log_files(place), TileReader(place)
    with files.locked():
        note = open_under(reader.checkpoint(), policy).note
        found = cosignatures(lines, note, list(policy.witnesses.values()))
        data = with_signatures(note, [one.signature for one in found])
        files.write_checkpoint(data)
    signed = open_under(data, policy)
    names = witnesses_of(signed, policy)
    if cli.json:
        cli.answer(
            {
                "log": str(place),
                "size": signed.checkpoint.size,
                "witnesses": {
                    who: dt.datetime.fromtimestamp(at, dt.UTC) for who, at in names.items()
                },
                "quorum": policy.quorum,
            }
        )
        return
    cli.screen.line(
        cli.tr(
            f"Il sigillo su {signed.checkpoint.size} registrazioni porta le firme di: "
            f"{', '.join(names)} (richieste: {policy.quorum}).",
            f"The checkpoint of {signed.checkpoint.size} records is signed by: "
            f"{', '.join(names)} (asked for: {policy.quorum}).",
        )
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise EvidenceFileError(path=str(file), reason=str(error)) from error
    except UnicodeDecodeError as error:
        raise NoteFormatError(reason="not valid UTF-8") from error


def request(
    context: typer.Context,
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=both("cartella dei sigilli", "folder of the sealed log")),
    ] = None,
    old: Annotated[
        int,
        typer.Option(
            min=0,
            help=both(
                "registrazioni dell'ultimo sigillo firmato dal testimone; 0 se è il primo",
                "records of the last checkpoint the witness signed; 0 for the first",
            ),
        ),
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help=both("file da scrivere", "file to write"))
    ] = None,
    vkey: Annotated[
        Path | None,
        typer.Option(help=both("file con le chiavi pubbliche", "file with the public keys")),
    ] = None,
) -> None:
    """Write what is sent to a witness to have the checkpoint signed; nothing is sent."""
    from app.cli.evidence.sealing import known_keys, log_folder
    from ledger.evidence.checkpoint import open_checkpoint
    from ledger.evidence.policy import witness_request

    cli = cli_of(context)
    place = log_folder(cli, folder)
    reader = TileReader(place)
    data = reader.checkpoint()
    ledger = cli.open() if vkey is None else None
    signed: SignedCheckpoint = open_checkpoint(data, known_keys(ledger, vkey))
    size = signed.checkpoint.size
    if old > size:
        raise InvalidCommandError(
            subject="witness-request",
            field="--old",
            value=str(old),
            reason=f"the checkpoint covers {size} records",
        )
    body = witness_request(reader.leaf_hashes(size), TreeSize(old), data)
    if out is None and not cli.json:
        cli.screen.out.write(body.decode())
        return
    if out is not None:
        _write_request(out, body)
    if cli.json:
        told = {"file": str(out)} if out is not None else {"request": body.decode()}
        cli.answer({"log": str(place), "old": old, "size": size, **told})
        return
    cli.screen.note(
        cli.tr(
            f"Richiesta scritta in {out}: mandarla al testimone. La sua risposta si aggiunge con "
            "`registro seal --add-cosignature FILE --policy FILE`.",
            f"Request written to {out}: send it to the witness. Add its answer with "
            "`registro seal --add-cosignature FILE --policy FILE`.",
        )
    )


def _write_request(out: Path, body: bytes) -> None:
    try:
        out.write_bytes(body)
    except OSError as error:
        raise InvalidCommandError(
            subject="witness-request", field="--out", value=str(out), reason=str(error)
        ) from error
