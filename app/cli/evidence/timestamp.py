"""Commands `registro timestamp`: have a third party stamp the checkpoint, and keep its stamp."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.context import cli_of
from app.output.format import instant
from app.texts.text import Lang
from app.texts.usage import both
from ledger.evidence.problems import EvidenceFileError, LogMissingError
from ledger.evidence.tiles import TileReader
from ledger.evidence.timestamps import (
    REPLY_BYTES_MAX,
    checked_time,
    checkpoint_name,
    reply_name,
    request,
)

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
"""Months as openssl writes them, in any locale."""
_OPENSSL_TIME: Final = re.compile(
    rf"(?P<month>{'|'.join(_MONTHS)}) +(?P<day>\d+) (?P<time>\d\d:\d\d:\d\d)(?:\.\d+)? "
    r"(?P<year>\d{4}) GMT"
)

Folder = Annotated[
    Path | None,
    typer.Option("--dir", help=both("cartella dei sigilli", "folder of the sealed log")),
]


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    group = typer.Typer(no_args_is_help=True)
    group.command(
        "request",
        help=both(
            "Scrive la richiesta di marca temporale per il sigillo.",
            "Write the request of a timestamp for the checkpoint.",
        ),
    )(ask)
    group.command(
        "add",
        help=both(
            "Verifica la marca ricevuta e la conserva accanto al sigillo.",
            "Check the stamp received and keep it beside the checkpoint.",
        ),
    )(add)
    root.add_typer(group, name=name)


def ask(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help=both("file da scrivere", "file to write"))],
    folder: Folder = None,
) -> None:
    """Write the request of a timestamp for the checkpoint; nothing is sent."""
    from app.cli.evidence.sealing import log_files, log_folder
    from ledger.evidence.checkpoint import parse_checkpoint
    from ledger.evidence.note import parse_note

    cli = cli_of(context)
    place = log_folder(cli, folder)
    data = TileReader(place).checkpoint()
    size = parse_checkpoint(parse_note(data).text).size
    query = request(_kept(place, size) or data)
    files = log_files(place)
    with files.locked():
        # What is stamped is kept as it is: the checkpoint itself changes with the next seal.
        if _kept(place, size) is None:
            files.write_beside(checkpoint_name(size), data)
    try:
        out.write_bytes(query)
    except OSError as error:
        raise EvidenceFileError(path=str(out), reason=str(error)) from error
    if cli.json:
        cli.answer({"log": str(place), "size": size, "request": str(out)})
        return
    cli.screen.line(
        cli.tr(
            f"Richiesta per il sigillo su {size} registrazioni: {out}",
            f"Request for the checkpoint of {size} records: {out}",
        )
    )
    cli.screen.note(
        cli.tr(
            "Mandarla a chi appone marche temporali; la risposta si aggiunge con "
            f"`registro timestamp add RISPOSTA --ca CA.pem --size {size}`.",
            "Send it to a timestamping authority; add its reply with "
            f"`registro timestamp add REPLY --ca CA.pem --size {size}`.",
        )
    )


def add(
    context: typer.Context,
    reply: Annotated[Path, typer.Argument(help=both("risposta ricevuta", "reply received"))],
    *,
    authority: Annotated[
        Path,
        typer.Option("--ca", help=both("certificati di fiducia, PEM", "trusted certificates, PEM")),
    ],
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=both(
                "registrazioni del sigillo marcato; senza, quelle del sigillo presente",
                "records of the stamped checkpoint; by default those of the present one",
            ),
        ),
    ] = None,
    folder: Folder = None,
) -> None:
    """Check a timestamp received and keep it beside the checkpoint."""
    from app.cli.evidence.sealing import log_files, log_folder
    from ledger.evidence.checkpoint import parse_checkpoint
    from ledger.evidence.note import parse_note

    cli = cli_of(context)
    place = log_folder(cli, folder)
    if size is None:
        present = TileReader(place).checkpoint()
        size = parse_checkpoint(parse_note(present).text).size
    data = _kept(place, size)
    if data is None:
        raise LogMissingError(directory=str(place / checkpoint_name(size)))
    try:
        with reply.open("rb") as file:
            stamp = file.read(REPLY_BYTES_MAX)
        with authority.open("rb"):
            pass
    except OSError as error:
        raise EvidenceFileError(path=str(error.filename), reason=str(error)) from error
    told = checked_time(stamp, data, authority=authority)
    files = log_files(place)
    with files.locked():
        files.write_beside(reply_name(size), stamp)
    if cli.json:
        cli.answer({"log": str(place), "size": size, "time": told, "stamp": reply_name(size)})
        return
    cli.screen.line(
        cli.tr(
            f"Marca temporale del sigillo su {size} registrazioni: {_time(told, cli.lang)}",
            f"Timestamp of the checkpoint of {size} records: {_time(told, cli.lang)}",
        )
    )
    cli.screen.line(
        cli.tr("Conservata in: ", "Kept in: ") + str(place / reply_name(size)),
    )


def _time(told: str, lang: Lang) -> str:
    """Return a time of openssl as the reader's language writes it; what is no such time stays."""
    found = _OPENSSL_TIME.fullmatch(told)
    if found is None:
        return told
    day = dt.date(int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"]))
    time = dt.time.fromisoformat(found["time"])
    return instant(dt.datetime.combine(day, time, dt.UTC), lang)


def _kept(place: Path, size: int) -> bytes | None:
    path = place / checkpoint_name(size)
    return path.read_bytes() if path.is_file() else None
