"""Command `registro restore`: a ledger from a copy, or from what Kafka holds."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.texts.usage import both
from ledger.errors import InvalidCommandError


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(restore)


def restore(
    context: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(help=both("copia fatta con backup", "copy made by backup")),
    ] = None,
    *,
    from_kafka: Annotated[
        bool,
        typer.Option(
            "--from-kafka",
            help=both(
                "ricostruisce il registro dai soli topic", "rebuild it from the topics alone"
            ),
        ),
    ] = False,
) -> None:
    """Put a copy, or what Kafka holds, in the place of a ledger that is not there."""
    from app.cli.operations import backup as care

    if from_kafka == (source is not None):
        raise InvalidCommandError(
            subject="restore",
            field="--from-kafka",
            value="" if source is None else str(source),
            reason="name a copy or give --from-kafka, one of the two",
        )
    if source is not None:
        care.restore(context, source)
        return
    _from_kafka(cli_of(context))


def _from_kafka(cli: Cli) -> None:
    from app.cli.evidence.verify import head_text
    from app.cli.kafka.publishing import broker_of, topics_of
    from ledger.kafka.restore import restore as restore_topics
    from ledger.store.engine import file_of, shown, store_url
    from ledger.store.mapper import AvroMapper
    from ledger.verification import verify

    broker = broker_of(cli)
    path = file_of(store_url(cli.settings["ledger"]))
    existed = path is not None and path.exists()
    store = cli.store()
    try:
        done = restore_topics(store, broker, topics_of(cli))
    except BaseException:
        store.engine.dispose()
        if path is not None and not existed:
            # What is left is a file without tables: nothing was restored.
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        raise
    checked = verify(store, AvroMapper())
    if cli.json:
        cli.answer(
            {
                "ledger": shown(store.engine.url),
                "ledger_id": done.origin.ledger_id,
                "position": done.position,
                "head": head_text(checked.head),
                "messages": done.messages,
                "foreign": done.foreign,
                "repeated": done.repeated,
                "cut": done.cut,
                "discrepancies": len(checked.discrepancies),
            }
        )
    else:
        cli.screen.line(
            cli.tr(
                f"Ripristinato da Kafka fino alla posizione {done.position}: "
                f"{done.messages} messaggi, discrepanze {len(checked.discrepancies)}.",
                f"Restored from Kafka up to position {done.position}: "
                f"{done.messages} messages, discrepancies {len(checked.discrepancies)}.",
            )
        )
        if done.foreign or done.repeated:
            cli.screen.line(
                cli.tr(
                    f"Messaggi tralasciati: estranei {done.foreign}, ripetuti {done.repeated}.",
                    f"Messages passed over: foreign {done.foreign}, repeated {done.repeated}.",
                )
            )
        if done.cut:
            cli.screen.line(
                cli.tr(
                    "In fondo ai topic c'erano messaggi di una registrazione incompleta: esclusi.",
                    "At the end of the topics stood messages of an incomplete append: left out.",
                )
            )
        head = cli.tr("Testa del registro: ", "Head of the ledger: ") + head_text(checked.head)
        cli.screen.line(head)
    if checked.discrepancies:
        raise typer.Exit(NEGATIVE)
