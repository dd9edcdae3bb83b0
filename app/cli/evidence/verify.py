"""Command `registro verify`: was any record changed?"""

import enum
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.context import NEGATIVE, Cli, cli_of
from app.texts.discrepancies import detail_text, discrepancy_text
from app.texts.text import Lang
from app.texts.usage import both
from ledger.discrepancy import Discrepancy
from ledger.errors import InvalidCommandError
from ledger.types import DIGEST_BYTES, Digest, TreeSize

if TYPE_CHECKING:
    from app.cli.evidence.verify_log import Asked, Claims
    from app.cli.evidence.verify_models import Models
    from app.cli.kafka.from_topics import TopicsLedger
    from ledger.store.store import Store
    from ledger.verification import Checked, TreeHead

LISTED = 20
"""Discrepancies listed on the screen unless all are asked for."""
READ_MODEL = "read_model"
"""Kind of what differs beside the ledger, in tables that are derived from it."""


class Source(enum.StrEnum):
    """What is read and computed again."""

    STORE = "store"
    TILES = "tiles"
    KAFKA = "kafka"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a check found, whatever it read."""

    source: Source
    place: str
    checked: "Checked"
    claims: "Claims | None"
    kept: "TreeHead | None"
    models: "Models | None" = None
    """The read models, when there are any beside a store that was checked."""
    undone: tuple[str, ...] = ()
    """Erased subjects whose key is still in the key file: an erasure that was not ended."""
    topics: "TopicsLedger | None" = None
    """What was read from Kafka; its store is gone."""

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        """Everything that is not as it must be."""
        of_claims = () if self.claims is None else self.claims.discrepancies
        of_models = () if self.models is None else self.models.discrepancies
        of_topics = () if self.topics is None else self.topics.discrepancies
        return (*of_claims, *of_topics, *self.checked.discrepancies, *of_models)


def register(root: typer.Typer, name: str) -> None:
    """Add the command to the root."""
    root.command(name)(verify)


def verify(
    context: typer.Context,
    *,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="N:RADICE",
            help=both(
                "testa conservata fuori: posizione e radice, come le stampa questo comando",
                "head kept outside: position and root, as this command prints them",
            ),
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "sigillo da confrontare: firma, numero di registrazioni e radice",
                "checkpoint to compare: signature, number of records and root",
            )
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "sigillo di prima, conservato fuori: il registro deve esserne la continuazione",
                "older checkpoint, kept outside: the ledger must go on from it",
            )
        ),
    ] = None,
    vkey: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "file con le chiavi pubbliche; senza, quelle che il registro elenca",
                "file with the public keys; by default those that the ledger lists",
            )
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help=both(
                "file dei testimoni che devono aver firmato il sigillo",
                "file of the witnesses that must have signed the checkpoint",
            )
        ),
    ] = None,
    source: Annotated[
        Source,
        typer.Option(
            help=both(
                "che cosa ricalcolare: il registro (store), la cartella dei sigilli (tiles) o i "
                "soli topic (kafka)",
                "what to compute again: the ledger (store), the folder of the log (tiles) or the "
                "topics alone (kafka)",
            )
        ),
    ] = Source.STORE,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help=both("cartella dei sigilli", "folder of the sealed log")),
    ] = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help=both(
                "controlla anche ogni singolo fatto dei blocchi",
                "check every single fact of the blocks too",
            ),
        ),
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help=both("elenca ogni discrepanza", "list every discrepancy"))
    ] = False,
) -> None:
    """Recompute every commitment; exit code 1 on any discrepancy."""
    cli = cli_of(context)
    kept = None if head is None else parse_head(head)
    outside = [one for one in (checkpoint, since, vkey, policy, folder) if one is not None]
    asked = None
    if source is Source.TILES or outside:
        # The libraries of signatures are loaded only by those who ask about signatures.
        from app.cli.evidence.verify_log import Asked

        asked = Asked(checkpoint=checkpoint, since=since, vkey=vkey, policy=policy, folder=folder)
    if source is Source.KAFKA:
        outcome = _from_topics(cli, asked, kept, deep=deep)
    elif asked is not None:
        outcome = _with_claims(cli, asked, source, kept, deep=deep)
    else:
        outcome = _plain(cli, kept, deep=deep)
    if outcome.source is Source.STORE:
        outcome = replace(outcome, models=_models(cli, deep=deep), undone=_undone(cli))
    if cli.json:
        cli.answer(_json(outcome, cli.lang))
    else:
        _show(cli, outcome, every=show_all)
    if outcome.discrepancies:
        raise typer.Exit(NEGATIVE)


def parse_head(text: str) -> "TreeHead":
    """Read a head as `verify` prints it: position, colon, 64 hex digits.

    Raises:
        InvalidCommandError: it is not written so.
    """
    from ledger.verification import TreeHead

    size, _, root = text.partition(":")
    try:
        head = TreeHead(size=TreeSize(int(size)), root=Digest(bytes.fromhex(root)))
    except ValueError:
        head = None
    if head is None or head.size < 1 or len(head.root) != DIGEST_BYTES:
        raise InvalidCommandError(
            subject="verify",
            field="--head",
            value=text,
            reason="write POSITION:ROOT, the root in 64 hexadecimal digits",
        )
    return head


def head_text(head: "TreeHead") -> str:
    """Return a head as it is kept: position, colon, root in hex."""
    return f"{head.size}:{head.root.hex()}"


def _plain(cli: Cli, kept: "TreeHead | None", *, deep: bool) -> Outcome:
    checked, place = _store(cli, kept, (), deep=deep)
    return Outcome(source=Source.STORE, place=place, checked=checked, claims=None, kept=kept)


def _with_claims(
    cli: Cli, asked: "Asked", source: Source, kept: "TreeHead | None", *, deep: bool
) -> Outcome:
    from app.cli.evidence.verify_log import check_tiles, claims_of

    if source is Source.TILES:
        if kept is not None:
            raise InvalidCommandError(
                subject="verify",
                field="--head",
                value=head_text(kept),
                reason="with --source tiles give a checkpoint, with --since",
            )
        checked, claims, place = check_tiles(cli, asked)
        return Outcome(source=source, place=place, checked=checked, claims=claims, kept=None)
    claims = claims_of(cli, asked)
    checked, place = _store(cli, kept, claims.sizes, deep=deep)
    compared = claims.compared(checked.roots, records=_tree_size(checked))
    return Outcome(source=source, place=place, checked=checked, claims=compared, kept=kept)


def _from_topics(
    cli: Cli, asked: "Asked | None", kept: "TreeHead | None", *, deep: bool
) -> Outcome:
    from app.cli.kafka.from_topics import topics_ledger

    with topics_ledger(cli) as topics:
        claims = None
        if asked is not None:
            from app.cli.evidence.verify_log import claims_of

            claims = claims_of(cli, asked, ledger=topics.ledger)
        sizes = () if claims is None else claims.sizes
        checked = _checked(cli, topics.ledger.store, kept, sizes, deep=deep)
    if claims is not None:
        claims = claims.compared(checked.roots, records=_tree_size(checked))
    return Outcome(
        source=Source.KAFKA,
        place=topics.place,
        checked=checked,
        claims=claims,
        kept=kept,
        topics=topics,
    )


def _tree_size(checked: "Checked") -> int | None:
    """Return how many records the computed tree has; None when it could not be computed."""
    return None if checked.records and checked.ledger_id is None else checked.head.size


def _store(
    cli: Cli, kept: "TreeHead | None", sizes: tuple[TreeSize, ...], *, deep: bool
) -> "tuple[Checked, str]":
    from ledger.store.engine import shown

    store = cli.store(read_only=True)
    store.require()
    return _checked(cli, store, kept, sizes, deep=deep), shown(store.engine.url)


def _checked(
    cli: Cli,
    store: "Store",
    kept: "TreeHead | None",
    sizes: tuple[TreeSize, ...],
    *,
    deep: bool,
) -> "Checked":
    from ledger.store.mapper import AvroMapper
    from ledger.verification import verify as check

    with cli.screen.progress(cli.tr("verifica", "verify")) as progress:
        return check(
            store,
            AvroMapper(),
            kept=kept,
            sizes=sizes,
            deep=deep,
            progress=lambda done, total: progress(cli.tr("verifica", "verify"), done, total),
        )


def _undone(cli: Cli) -> tuple[str, ...]:
    from app.cli.privacy.persons import keys_path, undone_erasures

    path = keys_path(cli)
    return () if path is None or not path.exists() else undone_erasures(cli)


def _models(cli: Cli, *, deep: bool) -> "Models | None":
    from app.cli.production.views_place import may_exist

    if not may_exist(cli):
        return None
    from app.cli.evidence.verify_models import check_models

    return check_models(cli, deep=deep)


def _show(cli: Cli, outcome: Outcome, *, every: bool) -> None:
    screen, found = cli.screen, outcome.discrepancies
    if found:
        _list(cli, found, every=every)
    else:
        screen.line(_clean(cli, outcome))
    if outcome.models is not None:
        screen.line(outcome.models.line(cli))
    for subject in outcome.undone:
        screen.warn(
            cli.tr(
                f"Il soggetto {subject} è cancellato, ma la sua chiave è ancora qui: ripetere "
                "`registro subject erase`.",
                f"Subject {subject} is erased, but its key is still here: repeat "
                "`registro subject erase`.",
            )
        )
    screen.line(_head_line(cli, outcome))
    if outcome.topics is not None:
        for line in outcome.topics.lines(cli):
            screen.line(line)
    if outcome.claims is not None:
        for line in outcome.claims.lines(cli):
            screen.line(line)
    elif outcome.kept is None and not _touched(found):
        screen.line(
            cli.tr(
                f"Questo controllo legge solo {_read(cli, outcome)}. Chi potesse riscrivere tutto, "
                "o togliere la fine, non lascerebbe tracce qui: lo mostra solo una testa "
                "conservata altrove. Conservare la riga qui sopra e ripetere con --head.",
                f"This check reads {_read(cli, outcome)} alone. Whoever could write it all anew, "
                "or remove its end, would leave no trace here: only a head kept elsewhere shows "
                "it. Keep the line above and repeat with --head.",
            )
        )
    if outcome.kept is not None and not found:
        screen.line(
            cli.tr(
                f"Fino alla posizione {outcome.kept.size} il registro è quello della testa "
                "conservata.",
                f"Up to position {outcome.kept.size} the ledger is the one of the kept head.",
            )
        )


def _head_line(cli: Cli, outcome: Outcome) -> str:
    if outcome.source is not Source.TILES and _tree_size(outcome.checked) is None:
        return cli.tr(
            "Testa del registro: non si può calcolare, perché non se ne legge l'identità.",
            "Head of the ledger: it cannot be computed, because its identity cannot be read.",
        )
    return cli.tr("Testa del registro: ", "Head of the ledger: ") + head_text(outcome.checked.head)


def _touched(found: tuple[Discrepancy, ...]) -> bool:
    """Return whether more than the read models differs, which are made anew from the ledger."""
    return any(one.kind != READ_MODEL for one in found)


def _read(cli: Cli, outcome: Outcome) -> str:
    if outcome.source is Source.KAFKA:
        return cli.tr("i topic", "the topics")
    return cli.tr("il registro", "the ledger")


def _clean(cli: Cli, outcome: Outcome) -> str:
    checked = outcome.checked
    if outcome.source is Source.KAFKA:
        return cli.tr(
            f"Nessuna discrepanza nei topic: registrazioni ricalcolate {checked.records}, "
            f"eventi {checked.events}, posizioni senza lacune.",
            f"No discrepancy in the topics: records recomputed {checked.records}, "
            f"events {checked.events}, positions without gaps.",
        )
    if outcome.source is Source.STORE:
        return cli.tr(
            f"Nessuna discrepanza: registrazioni ricalcolate {checked.records}, "
            f"eventi {checked.events}, posizioni senza lacune.",
            f"No discrepancy: records recomputed {checked.records}, "
            f"events {checked.events}, positions without gaps.",
        )
    if checked.ledger_id is None:
        return cli.tr(
            f"Nessuna discrepanza nei sigilli: voci ricalcolate {checked.records}; il registro qui "
            "non c'è.",
            f"No discrepancy in the log: entries recomputed {checked.records}; the ledger is not "
            "here.",
        )
    return cli.tr(
        f"Nessuna discrepanza nei sigilli: voci ricalcolate {checked.records}, uguali al registro.",
        f"No discrepancy in the log: entries recomputed {checked.records}, as the ledger's.",
    )


def _list(cli: Cli, found: tuple[Discrepancy, ...], *, every: bool) -> None:
    screen = cli.screen
    screen.title(cli.tr(f"DISCREPANZE TROVATE: {len(found)}", f"DISCREPANCIES FOUND: {len(found)}"))
    listed = found if every else found[:LISTED]
    for one in listed:
        screen.line(_place(cli, one) + discrepancy_text(one.kind, cli.lang))
        screen.line(f"  {detail_text(one, cli.lang)}")
    if len(found) > len(listed):
        screen.line(cli.tr("... l'elenco intero con --all", "... the whole list with --all"))
    if not _touched(found):
        return
    screen.line(
        cli.tr(
            "Che fare: non toccare il registro; docs/it/discrepanza.md spiega i passi.",
            "What to do: do not touch the ledger; docs/it/discrepanza.md lists the steps.",
        )
    )


def _place(cli: Cli, one: Discrepancy) -> str:
    if not one.position:
        return ""
    place = cli.tr(f"posizione {one.position}", f"position {one.position}")
    return f"{place}, {one.stream}: " if one.stream else f"{place}: "


def _number(position: str) -> int | str | None:
    """Return a position as a number; a damaged one as it stands, null for the whole store."""
    return int(position) if position.lstrip("-").isdecimal() else position or None


def _json(outcome: Outcome, lang: Lang) -> dict[str, object]:
    checked = outcome.checked
    claims = {} if outcome.claims is None else outcome.claims.facts()
    models = [] if outcome.models is None else outcome.models.facts()
    return {
        "ledger": outcome.place,
        "ledger_id": checked.ledger_id,
        "clean": not outcome.discrepancies,
        "records": checked.records,
        "events": checked.events,
        "head": {"position": checked.head.size, "root": checked.head.root},
        **claims,
        "read_models": models,
        "keys_to_destroy": outcome.undone,
        **({} if outcome.topics is None else {"topics": outcome.topics.facts()}),
        "discrepancies": [
            {
                "kind": one.kind,
                "position": _number(one.position),
                "stream": one.stream or None,
                "detail": detail_text(one, lang),
                "expected": one.facts.get("expected"),
                "actual": one.facts.get("found"),
            }
            for one in outcome.discrepancies
        ],
    }
