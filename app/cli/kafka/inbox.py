"""Command `registro inbox`: facts that other systems send by Kafka."""

import logging
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.choices import ActorOption, BatchActOption
from app.cli.context import NEGATIVE, Cli, cli_of
from app.output import jsontext
from app.output.format import number
from app.output.logs import log_event
from app.output.table import Column, Table
from app.texts.errors import error_texts
from app.texts.usage import both
from ledger.envelopes import parse_act, parse_actor
from ledger.errors import InvalidCommandError, LedgerError
from ledger.facts.batches import Batch
from ledger.facts.families import FAMILIES
from ledger.kafka.errors import BrokerError
from ledger.kafka.topics import FACTS_PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.kafka.inbox.intake import Inbox, Taken

RETRY_SECONDS: Final = 1.0
"""How long a following intake waits before it connects anew."""
MAX_DELAY: Final = 200
"""Milliseconds that a message may wait for others, by default."""
_LOG: Final = logging.getLogger("registro.inbox")


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(inbox)


@dataclass(kw_only=True)
class _Totals:
    """What a run has done."""

    messages: int = 0
    facts: int = 0
    refused: int = 0
    lost: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, taken: "Taken") -> None:
        """Count a batch."""
        self.messages += taken.messages
        self.facts += taken.facts
        self.refused += taken.refused
        self.lost += taken.lost
        self.codes.update(taken.codes)


def inbox(
    context: typer.Context,
    family: Annotated[
        str,
        typer.Argument(
            help=both("famiglia: " + ", ".join(FAMILIES), "family: " + ", ".join(FAMILIES)),
            metavar="FAMILY",
        ),
    ],
    *,
    source: Annotated[
        str | None,
        typer.Option(help=both("sistema che invia i fatti", "system that sends the facts")),
    ] = None,
    once: Annotated[
        bool,
        typer.Option(
            "--once",
            help=both("ciò che c'è ora, poi fine (così senza --follow)", "what is there now"),
        ),
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help=both("resta in ascolto (fine: Ctrl-C)", "stay and wait (end: Ctrl-C)")
        ),
    ] = False,
    max_delay: Annotated[
        int,
        typer.Option(
            "--max-delay",
            min=1,
            max=60_000,
            metavar="MS",
            help=both(
                "millisecondi che un messaggio può attendere gli altri",
                "milliseconds that a message may wait for others",
            ),
        ),
    ] = MAX_DELAY,
    actor: ActorOption = None,
    act: BatchActOption = None,
    reason: Annotated[
        str | None, typer.Option(help=both("motivo delle correzioni", "reason of corrections"))
    ] = None,
    accept_lost: Annotated[
        bool,
        typer.Option(
            "--accept-lost",
            help=both(
                "prosegue dopo messaggi scaduti prima dell'acquisizione",
                "go on behind messages that expired before they were taken in",
            ),
        ),
    ] = False,
    create: Annotated[
        bool,
        typer.Option(
            "--create",
            help=both(
                "crea o sistema i due topic, e finisce", "create or mend the two topics, and end"
            ),
        ),
    ] = False,
    partitions: Annotated[
        int, typer.Option(min=1, help=both("partizioni dei nuovi topic", "of new topics"))
    ] = FACTS_PARTITIONS,
    replicas: Annotated[
        int,
        typer.Option(min=1, help=both("copie dei nuovi topic; 3 in esercizio", "of new topics")),
    ] = 1,
) -> None:
    """Record the facts of an inbox; what is refused goes to its topic .dlq, exit code 1."""
    from app.cli.kafka.publishing import topics_of

    cli = cli_of(context)
    _check(family, once=once, follow=follow)
    topic = topics_of(cli).inbox(family)
    if create:
        _create(cli, topic, partitions, replicas)
        return
    said = _said(cli, family, source, actor=actor, act=act, reason=reason)
    reader = _Reader(cli, said, topic, share=follow, accept_lost=accept_lost)
    if reader.run(max_delay / 1000).refused:
        raise typer.Exit(NEGATIVE)


def _check(family: str, *, once: bool, follow: bool) -> None:
    if family not in FAMILIES:
        raise InvalidCommandError(
            subject="inbox",
            field="FAMILY",
            value=family,
            reason="one of " + ", ".join(FAMILIES),
        )
    if once and follow:
        raise InvalidCommandError(
            subject="inbox", field="--once", value="--follow", reason="give one of the two"
        )


def _said(
    cli: Cli,
    family: str,
    source: str | None,
    *,
    actor: str | None,
    act: str | None,
    reason: str | None,
) -> Batch:
    if source is None or not source.strip() or "/" in source:
        raise InvalidCommandError(
            subject="inbox", field="--source", value=source or "", reason="a name without '/'"
        )
    return Batch(
        family=family,
        source=source,
        batch=None,
        as_of=cli.clock.now().date(),
        actor=parse_actor(cli.actor(actor)),
        acts=() if act is None else (parse_act(act),),
        reason=reason,
    )


def _create(cli: Cli, topic: str, partitions: int, replicas: int) -> None:
    from app.cli.kafka.publishing import broker_of
    from ledger.kafka.client.broker import Admin
    from ledger.kafka.inbox.guard import create_inbox, inbox_mismatches

    with Admin(broker_of(cli)) as admin:
        created = create_inbox(admin, topic, partitions=partitions, replicas=replicas)
        found = inbox_mismatches(admin, topic)
    if cli.json:
        cli.answer({"topic": topic, "created": created, "problems": found})
    else:
        for name in created:
            cli.screen.line(cli.tr(f"Creato {name}.", f"Created {name}."))
        for one in found:
            cli.screen.warn(str(one.error()))
        if not found:
            cli.screen.line(cli.tr(f"La casella {topic} è pronta.", f"The inbox {topic} is ready."))
    if found:
        raise typer.Exit(NEGATIVE)


def _log_batch(taken: "Taken") -> None:
    place = {"partition": taken.partition, "first": taken.first, "last": taken.last}
    log_event(
        _LOG,
        logging.INFO,
        "inbox.batch",
        **place,
        messages=taken.messages,
        facts=taken.facts,
        position=taken.last_position if taken.facts else None,
    )
    if taken.refused:
        codes = ",".join(f"{code}={count}" for code, count in sorted(taken.codes.items()))
        log_event(
            _LOG, logging.WARNING, "inbox.refused", **place, refused=taken.refused, codes=codes
        )


class _Reader:
    """One run of the command."""

    def __init__(
        self, cli: Cli, said: Batch, topic: str, *, share: bool, accept_lost: bool
    ) -> None:
        self._cli = cli
        self._said = said
        self._topic = topic
        self._share = share
        self._accept_lost = accept_lost
        self._ledger = cli.open(read_only=False)
        self._totals = _Totals()

    @contextmanager
    def _entered(self) -> "Iterator[Inbox]":
        # What is known goes by the day on which it is recorded, however long the run lasts.
        from app.cli.kafka.publishing import broker_of
        from ledger.kafka.inbox.intake import Inbox

        with Inbox(
            self._ledger,
            broker_of(self._cli),
            self._topic,
            batch=lambda: replace(self._said, as_of=self._ledger.today()),
            clock=self._cli.clock,
            share=self._share,
            # Said for the hole that is there: one that opens later is told again.
            accept_lost=self._accept_lost and not self._totals.facts,
        ) as entered:
            yield entered

    def run(self, delay: float) -> _Totals:
        """Record what is there now, or what comes, and log how it went."""
        from app.cli.production.fact_sources import warn_if_undeclared

        warn_if_undeclared(self._cli, self._ledger, self._said.source)
        log_event(_LOG, logging.INFO, "inbox.started", topic=self._topic, follow=self._share)
        try:
            if self._share:
                self._follow(delay)
            else:
                self._once(delay)
        except LedgerError as error:
            log_event(_LOG, logging.ERROR, "inbox.failed", error=error.code, detail=str(error))
            raise
        finally:
            totals = self._totals
            log_event(
                _LOG,
                logging.INFO,
                "inbox.finished",
                topic=self._topic,
                messages=totals.messages,
                facts=totals.facts,
                refused=totals.refused,
                lost=totals.lost,
            )
        return self._totals

    def _once(self, delay: float) -> None:
        from app.cli.kafka.publishing import broker_of
        from ledger.kafka.inbox.intake import take_all

        begin = time.perf_counter()
        broker = broker_of(self._cli)
        with self._entered() as entered, self._cli.screen.progress(self._topic) as bar:
            ends = sum(entered.ends().values())

            def told(taken: "Taken") -> None:
                self._told(taken)
                stage = self._cli.tr("registrazione", "recording")
                bar(stage, sum(entered.places.values()), ends)

            take_all(entered, delay=delay, wait_seconds=broker.wait_seconds, told=told)
        self._show(time.perf_counter() - begin)

    def _follow(self, delay: float) -> None:
        """Record what comes until the run is interrupted."""
        from app.cli.kafka.required import publishing_beside

        try:
            with publishing_beside(self._cli) as recorded:
                while True:
                    try:
                        with self._entered() as entered:
                            while True:
                                for taken in entered.take(delay=delay):
                                    self._told(taken)
                                    if taken.facts:
                                        recorded(taken.last_position)
                    except BrokerError as error:
                        # What was not recorded is read again.
                        log_event(_LOG, logging.WARNING, "inbox.retry", **error.facts)
                        self._cli.screen.warn(error_texts(error, self._cli.lang)[0])
                        time.sleep(RETRY_SECONDS)
        finally:
            self._show(None)

    def _told(self, taken: "Taken") -> None:
        cli = self._cli
        self._totals.add(taken)
        _log_batch(taken)
        if cli.json:
            cli.screen.line(jsontext.line(taken))
            cli.screen.out.flush()
        elif self._share:
            it = f"partizione {taken.partition}, offset {taken.first}-{taken.last}: "
            en = f"partition {taken.partition}, offsets {taken.first}-{taken.last}: "
            it += f"{number(taken.facts, cli.lang)} fatti"
            en += f"{number(taken.facts, cli.lang)} facts"
            if taken.facts:
                it += f", posizioni {taken.first_position}-{taken.last_position}"
                en += f", positions {taken.first_position}-{taken.last_position}"
            if taken.refused:
                it += f"; rifiutati: {taken.refused}"
                en += f"; refused: {taken.refused}"
            cli.screen.note(cli.tr(it, en))

    def _show(self, seconds: float | None) -> None:
        cli, totals = self._cli, self._totals
        if cli.json:
            return
        facts, messages = number(totals.facts, cli.lang), number(totals.messages, cli.lang)
        it = f"Registrati {facts} fatti da {messages} messaggi"
        en = f"Recorded {facts} facts of {messages} messages"
        if seconds:
            rate = number(round(totals.facts / seconds), cli.lang)
            it, en = f"{it}, {rate} al secondo", f"{en}, {rate} a second"
        cli.screen.line(cli.tr(f"{it}.", f"{en}."))
        if totals.lost:
            lost = number(totals.lost, cli.lang)
            cli.screen.warn(
                cli.tr(
                    f"Offset perduti prima dell'acquisizione: {lost}.",
                    f"Offsets lost before they were taken in: {lost}.",
                )
            )
        if totals.refused:
            self._show_refused()

    def _show_refused(self) -> None:
        from app.texts.inbox import inbox_problem_text

        cli, totals = self._cli, self._totals
        dead = cli.remedy("dlq list")
        count = number(totals.refused, cli.lang)
        cli.screen.line(
            cli.tr(
                f"Messaggi rifiutati: {count}; l'elenco con `{dead}`.",
                f"Messages refused: {count}; the list with `{dead}`.",
            )
        )
        columns = [
            Column(cli.tr("motivo", "reason")),
            Column(cli.tr("quanti", "how many"), "right"),
        ]
        rows = [
            [inbox_problem_text(code, cli.lang), count]
            for code, count in totals.codes.most_common()
        ]
        cli.screen.table(Table(columns=columns, rows=rows))
