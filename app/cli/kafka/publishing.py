"""Commands `registro publish`, `kafka topics`, `kafka check` and `tail`."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.cli.kafka.broker_security import broker_security
from app.output import jsontext
from app.output.logs import log_event
from app.output.table import Column, Table
from app.texts.errors import error_texts
from app.texts.kafka import FINDINGS, state_text
from app.texts.usage import both
from app.texts.words import word
from ledger.errors import ConfigurationError, InvalidCommandError
from ledger.kafka.client import fast as fast_client
from ledger.kafka.errors import PublisherBusyError, PublishUnfinishedError
from ledger.kafka.topics import FACTS_PARTITIONS, Topics

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.kafka.check import TopicsChecked
    from ledger.kafka.client.connection import Broker, Received
    from ledger.kafka.guard import Mismatch
    from ledger.kafka.publisher import Publisher
    from ledger.kafka.tails import Ledger

FOLLOW_SECONDS: Final = 0.5
"""How often a following command looks for something new."""
TRY_SECONDS: Final = 60.0
"""How long a single run tries while Kafka confirms nothing."""
TURN_SECONDS: Final = 15.0
"""How long a following publisher waits for its turn: longer than a recording command takes."""
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
    commands: dict[str, Callable[..., None]] = {"publish": publish, "tail": tail}
    root.command(name)(commands[name])


def broker_of(cli: Cli, *, wait_seconds: float | None = None) -> "Broker":
    """Return the broker that the settings name.

    Raises:
        ConfigurationError: none is named.
    """
    from ledger.kafka.client.connection import WAIT_SECONDS, Broker

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


def ledger_of(cli: Cli, ledger: "LedgerApplication") -> "Ledger":
    """Return what an opened ledger publishes.

    Raises:
        LedgerMissingError: it was never opened as a ledger.
    """
    from ledger.kafka.tails import Ledger

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
    from ledger.kafka.publisher import Publisher

    cli = cli_of(context)
    if once and follow:
        raise InvalidCommandError(
            subject="publish", field="--once", value="--follow", reason="give one of the two"
        )
    if cli.settings["publish"] == "off":
        raise ConfigurationError(setting="publish", reason="publishing is off")
    ledger = cli.open()
    log_event(_LOG, logging.INFO, "publish.started", kafka=cli.settings["kafka"], follow=follow)
    broker = broker_of(cli, wait_seconds=None if follow else _wait_within(seconds))
    publisher = Publisher(ledger_of(cli, ledger), broker, refill=refill)
    with _in_turn(publisher, seconds=TURN_SECONDS if follow else 0):
        while True:
            try:
                done = publisher.publish(seconds=seconds)
            except PublishUnfinishedError as error:
                if not follow:
                    raise
                log_event(_LOG, logging.WARNING, "publish.retry", **error.facts)
                cli.screen.warn(error_texts(error, cli.lang)[0])
            else:
                if done.messages or not follow:
                    _published(cli, done.position, done.messages)
            if not follow:
                return
            time.sleep(FOLLOW_SECONDS)


@contextlib.contextmanager
def _in_turn(publisher: "Publisher", *, seconds: float) -> Iterator[None]:
    """Enter a publisher; wait while a command that has recorded publishes for itself.

    Raises:
        PublisherBusyError: another publisher holds the lock for longer.
    """
    until = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(publisher)
            except PublisherBusyError:
                if time.monotonic() >= until:
                    raise
                time.sleep(FOLLOW_SECONDS)
            else:
                break
        yield


def _wait_within(seconds: float) -> float:
    """Return how long one request may take, so that all attempts end within a time.

    Where no server answers, each attempt takes one such wait, and a pause lies between two.
    """
    from ledger.kafka.client.connection import WAIT_SECONDS
    from ledger.kafka.publisher import BACKOFF_SECONDS

    attempts = math.ceil((seconds + BACKOFF_SECONDS) / (WAIT_SECONDS + BACKOFF_SECONDS))
    return (seconds + BACKOFF_SECONDS) / attempts - BACKOFF_SECONDS


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
    """Check how the topics are set up; exit code 1 when one is not as it must be."""
    from ledger.kafka.client.broker import Admin
    from ledger.kafka.guard import create_topics, mend_topics, mismatches

    cli = cli_of(context)
    own = topics_of(cli)
    with Admin(broker_of(cli)) as admin:
        created = (
            create_topics(admin, own, partitions=partitions, replicas=replicas) if create else ()
        )
        mended = mend_topics(admin, own) if mend else ()
        found = mismatches(admin, own)
        copies = min((state.replicas for state in admin.states(own.all).values()), default=0)
    if cli.json:
        cli.answer({"topics": own.all, "created": created, "mended": mended, "problems": found})
    else:
        for name in created:
            cli.screen.line(cli.tr(f"Creato {name}.", f"Created {name}."))
        for name in mended:
            cli.screen.line(cli.tr(f"Sistemato {name}.", f"Mended {name}."))
        if found:
            _show_mismatches(cli, found)
        else:
            _show_sound(cli, len(own.all), copies)
    if found:
        raise typer.Exit(NEGATIVE)


def _show_mismatches(cli: Cli, found: "Sequence[Mismatch]") -> None:
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


def _show_sound(cli: Cli, topics: int, copies: int) -> None:
    """Say that nothing is wrong with the settings, and what they cannot help."""
    cli.screen.line(
        cli.tr(
            f"{topics} topic, tutti impostati come devono.",
            f"{topics} topics, all set up as they must be.",
        )
    )
    if copies == 1:
        cli.screen.line(
            cli.tr(
                "Con una sola copia (replica) il guasto di un disco perde ciò che è su Kafka: "
                "in esercizio ne servono 3.",
                "With one replica the loss of a disk loses what is on Kafka: production wants 3.",
            )
        )


def check(context: typer.Context) -> None:
    """Compare every message with the ledger; exit code 1 when the topics are not its prefix."""
    from ledger.kafka.check import check_topics
    from ledger.kafka.client.broker import Admin

    cli = cli_of(context)
    own = ledger_of(cli, cli.open())
    broker = broker_of(cli)
    with Admin(broker) as admin:
        there = admin.identities(own.topics.all)
    absent = [topic for topic in own.topics.all if topic not in there]
    checked = check_topics(own, broker)
    if cli.json:
        cli.answer(
            {
                "clean": checked.clean,
                "position": checked.position,
                "head": checked.head,
                "messages": checked.messages,
                "counts": checked.counts,
                "findings": checked.findings,
                "missing": absent,
            }
        )
    else:
        _show(cli, checked)
        for topic in absent:
            remedy = "`registro kafka topics --create`"
            cli.screen.warn(
                cli.tr(
                    f"Il topic {topic} non c'è: {remedy}, poi `{cli.remedy('publish --once')}`.",
                    f"Topic {topic} is not there: {remedy}, then `{cli.remedy('publish --once')}`.",
                )
            )
    if absent or not checked.clean:
        raise typer.Exit(NEGATIVE)


def _show(cli: Cli, checked: "TopicsChecked") -> None:
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
    from ledger.kafka.client.source import Source
    from ledger.kafka.decoding import decoded
    from ledger.store.mapper import AvroMapper

    cli = cli_of(context)
    own = topics_of(cli)
    name = next((one for one in own.all if topic in {one, _short(own, one)}), None)
    if name is None:
        known = ", ".join(_short(own, one) for one in own.all)
        raise InvalidCommandError(
            subject="tail", field="TOPIC", value=topic, reason=f"it is not one of: {known}"
        )
    registry = AvroMapper().registry

    def show(received: "Received") -> None:
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
