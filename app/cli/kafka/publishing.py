"""Commands `registro publish`, `kafka topics`, `kafka check`, `tail`, and `restore` from Kafka."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.cli.evidence.verify import head_text
from app.cli.kafka.broker_security import broker_security
from app.cli.operations import backup as care
from app.output import jsontext
from app.output.logs import log_event
from app.output.table import Column, Table
from app.texts.kafka import FINDINGS, state_text
from app.texts.usage import both
from app.texts.words import word
from ledger.application import LedgerApplication
from ledger.errors import ConfigurationError, InvalidCommandError
from ledger.kafka.check import TopicsChecked, check_topics
from ledger.kafka.client import fast as fast_client
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import WAIT_SECONDS, Broker, Received
from ledger.kafka.client.source import Source
from ledger.kafka.decoding import decoded
from ledger.kafka.errors import PublishUnfinishedError
from ledger.kafka.guard import create_topics, mend_topics, mismatches
from ledger.kafka.publisher import Publisher
from ledger.kafka.restore import restore as restore_topics
from ledger.kafka.tails import Ledger
from ledger.kafka.topics import FACTS_PARTITIONS, Topics
from ledger.store.engine import file_of, shown, store_url
from ledger.store.mapper import AvroMapper
from ledger.verification import verify

FOLLOW_SECONDS: Final = 0.5
"""How often a following command looks for something new."""
TRY_SECONDS: Final = 60.0
"""How long a single run tries while Kafka confirms nothing."""
LISTED: Final = 20
_LOG: Final = logging.getLogger("registro.publish")


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    if name == "kafka":
        group = typer.Typer(no_args_is_help=True)
        group.command("topics")(topics)
        group.command("check")(check)
        root.add_typer(group, name="kafka")
        return
    commands: dict[str, Callable[..., None]] = {
        "publish": publish,
        "tail": tail,
        "restore": restore,
    }
    root.command(name)(commands[name])


def broker_of(cli: Cli, *, wait_seconds: float | None = None) -> Broker:
    """Return the broker that the settings name.

    Raises:
        ConfigurationError: none is named.
    """
    servers = cli.settings["kafka"]
    if not servers:
        raise ConfigurationError(setting="kafka", reason="no server is named: set REGISTRO_KAFKA")
    return Broker(
        servers=servers,
        wait_seconds=WAIT_SECONDS if wait_seconds is None else wait_seconds,
        security=broker_security(cli.settings),
        fast=fast_client.is_installed(),
    )


def topics_of(cli: Cli) -> Topics:
    """Return the topics that the settings name."""
    return Topics(prefix=cli.settings["kafka_prefix"])


def ledger_of(cli: Cli, ledger: LedgerApplication) -> Ledger:
    """Return what an opened ledger publishes.

    Raises:
        LedgerMissingError: it was never opened as a ledger.
    """
    return Ledger.of(ledger, topics_of(cli))


def publish(
    context: typer.Context,
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help=both("fino alla testa, poi fine (così senza --follow)", "to the head")
        ),
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help=both("resta in ascolto (fine: Ctrl-C)", "stay and wait (end: Ctrl-C)")
        ),
    ] = False,
    seconds: Annotated[
        float,
        typer.Option(
            min=1,
            help=both(
                "quanto insistere mentre Kafka non conferma nulla",
                "how long to try while Kafka confirms nothing",
            ),
        ),
    ] = TRY_SECONDS,
    refill: Annotated[
        bool,
        typer.Option(
            "--refill",
            help=both("rimanda ciò che un topic ha perso", "send again what a topic has lost"),
        ),
    ] = False,
) -> None:
    """Publish what is not on Kafka yet; what is there is compared first."""
    cli = cli_of(context)
    if once and follow:
        raise InvalidCommandError(
            subject="publish", field="--once", value="--follow", reason="give one of the two"
        )
    if cli.settings["publish"] == "off":
        raise ConfigurationError(setting="publish", reason="publishing is off")
    ledger = cli.open()
    log_event(_LOG, logging.INFO, "publish.started", kafka=cli.settings["kafka"], follow=follow)
    with Publisher(ledger_of(cli, ledger), broker_of(cli), refill=refill) as publisher:
        while True:
            try:
                done = publisher.publish(seconds=seconds)
            except PublishUnfinishedError as error:
                if not follow:
                    raise
                log_event(_LOG, logging.WARNING, "publish.retry", **error.facts)
                cli.screen.warn(str(error))
            else:
                if done.messages or not follow:
                    _published(cli, done.position, done.messages)
            if not follow:
                return
            time.sleep(FOLLOW_SECONDS)


def _published(cli: Cli, position: int, messages: int) -> None:
    log_event(_LOG, logging.INFO, "publish.progress", position=position, messages=messages)
    if cli.json:
        cli.screen.line(jsontext.line({"position": position, "messages": messages}))
        cli.screen.out.flush()
        return
    sent = cli.count(messages, ("messaggio inviato", "messaggi inviati"), ("message", "messages"))
    cli.screen.line(
        cli.tr(
            f"Pubblicato fino alla posizione {position}: {sent}.",
            f"Published up to position {position}: sent {sent}.",
        )
    )


def topics(
    context: typer.Context,
    *,
    create: Annotated[
        bool, typer.Option("--create", help=both("crea quelli che mancano", "create missing ones"))
    ] = False,
    mend: Annotated[
        bool,
        typer.Option(
            "--mend", help=both("rimette le impostazioni come devono", "set what is wrong")
        ),
    ] = False,
    partitions: Annotated[
        int,
        typer.Option(
            min=1, help=both("partizioni dei nuovi topic di fatti", "of new topics of facts")
        ),
    ] = FACTS_PARTITIONS,
    replicas: Annotated[
        int,
        typer.Option(min=1, help=both("copie dei nuovi topic; 3 in esercizio", "of new topics")),
    ] = 1,
) -> None:
    """Check that no topic can lose records; exit code 1 when one could."""
    cli = cli_of(context)
    own = topics_of(cli)
    with Admin(broker_of(cli)) as admin:
        created = (
            create_topics(admin, own, partitions=partitions, replicas=replicas) if create else ()
        )
        mended = mend_topics(admin, own) if mend else ()
        found = mismatches(admin, own)
    if cli.json:
        cli.answer({"topics": own.all, "created": created, "mended": mended, "problems": found})
    else:
        for name in created:
            cli.screen.line(cli.tr(f"Creato {name}.", f"Created {name}."))
        for name in mended:
            cli.screen.line(cli.tr(f"Sistemato {name}.", f"Mended {name}."))
        if found:
            titles = cli.tr(
                "topic|impostazione|trovato|deve essere|rimedio",
                "topic|setting|found|wanted|remedy",
            )
            columns = [Column(title) for title in titles.split("|")]
            rows = [
                (
                    m.topic,
                    m.setting,
                    state_text(m.found, cli.lang),
                    state_text(m.wanted, cli.lang),
                    m.remedy,
                )
                for m in found
            ]
            cli.screen.table(Table(columns=columns, rows=rows))
        else:
            cli.screen.line(
                cli.tr(
                    f"{len(own.all)} topic, nessuno può perdere registrazioni.",
                    f"{len(own.all)} topics, none can lose records.",
                )
            )
    if found:
        raise typer.Exit(NEGATIVE)


def check(context: typer.Context) -> None:
    """Compare every message with the ledger; exit code 1 when the topics are not its prefix."""
    cli = cli_of(context)
    ledger = cli.open()
    checked = check_topics(ledger_of(cli, ledger), broker_of(cli))
    if cli.json:
        cli.answer(
            {
                "clean": checked.clean,
                "position": checked.position,
                "head": checked.head,
                "messages": checked.messages,
                "counts": checked.counts,
                "findings": checked.findings,
            }
        )
    else:
        _show(cli, checked)
    if not checked.clean:
        raise typer.Exit(NEGATIVE)


def _show(cli: Cli, checked: TopicsChecked) -> None:
    for one in checked.findings[:LISTED]:
        offset = "" if one.offset is None else f" offset {one.offset}"
        place = f"{one.topic}/{one.partition}{offset}"
        cli.screen.line(f"{place}: {word(FINDINGS, one.kind, cli.lang)} {one.address}".rstrip())
    found = sum(checked.counts.values())
    if found > LISTED:
        cli.screen.line(
            cli.tr(
                f"... e altri {found - LISTED}: l'elenco con --json",
                f"... and {found - LISTED} more: the list with --json",
            )
        )
    verdict = (
        cli.tr("I topic sono un prefisso identico", "The topics are an identical prefix")
        if checked.clean
        else cli.tr("I topic NON sono un prefisso", "The topics are NOT a prefix")
    )
    cli.screen.line(
        cli.tr(
            f"{verdict} del registro: {checked.messages} messaggi confrontati, "
            f"pubblicato fino alla posizione {checked.position} di {checked.head}.",
            f"{verdict} of the ledger: {checked.messages} messages compared, "
            f"published up to position {checked.position} of {checked.head}.",
        )
    )


def tail(
    context: typer.Context,
    topic: Annotated[
        str,
        typer.Argument(
            help=both(
                "topic: events, facts.FAMIGLIA o il nome intero", "topic: events, facts.FAMILY"
            )
        ),
    ],
    *,
    last: Annotated[
        int | None,
        typer.Option(
            "-n", "--last", min=0, help=both("solo gli ultimi, per partizione", "last ones only")
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help=both("resta in ascolto (fine: Ctrl-C)", "stay and wait (end: Ctrl-C)")
        ),
    ] = False,
) -> None:
    """Print the messages of a topic as JSON Lines, events decoded."""
    cli = cli_of(context)
    own = topics_of(cli)
    name = next((one for one in own.all if topic in {one, _short(own, one)}), None)
    if name is None:
        known = ", ".join(_short(own, one) for one in own.all)
        raise InvalidCommandError(
            subject="tail", field="TOPIC", value=topic, reason=f"it is not one of: {known}"
        )
    registry = AvroMapper().registry

    def show(received: Received) -> None:
        cli.screen.line(jsontext.line(decoded(received, registry)))

    with Source(broker_of(cli)) as source:
        places = source.partitions(name)
        ends = source.ends(places)
        begins = {p: 0 if last is None else max(end - last, 0) for p, end in ends.items()}
        while True:
            source.open(begins)
            for place in places:
                while (received := source.take(place)) is not None:
                    show(received)
                    begins[place] = received.offset + 1
            cli.screen.out.flush()
            if not follow:
                return
            time.sleep(FOLLOW_SECONDS)


def _short(own: Topics, topic: str) -> str:
    return topic.removeprefix(f"{own.prefix}.").rpartition(".")[0]


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
