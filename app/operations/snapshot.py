"""One look at a ledger and at everything that follows it: how far each stage is, and what is wrong.

Invariants:
1. Looking changes nothing: no table, no topic, no lock.
2. A stage that cannot be asked (Kafka is down, no database of read models) is reported with its
   reason; only a ledger that cannot be read ends the look with an error.
3. Status and metrics show the same numbers: both are made from a `Snapshot`.

Source: docs/operating.md, status; docs/adr/0016-operations.md.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ledger.types import Position

if TYPE_CHECKING:
    from ledger.kafka.guard import Mismatch
    from ledger.kafka.inbox.waiting import InboxWaiting

Stage = Literal["inbox", "published", "sealed", "projected"]
STAGES: Final[tuple[Stage, ...]] = ("inbox", "published", "sealed", "projected")
ProblemKind = Literal[
    "inbox_lost",
    "topics_unsafe",
    "topics_diverged",
    "checkpoint_invalid",
    "checkpoint_beyond_head",
    "seal_late",
    "read_models_unreadable",
    "read_model_halted",
    "lag_events",
    "lag_seconds",
]
PROBLEM_KINDS: Final[tuple[ProblemKind, ...]] = (
    "inbox_lost",
    "topics_unsafe",
    "topics_diverged",
    "checkpoint_invalid",
    "checkpoint_beyond_head",
    "seal_late",
    "read_models_unreadable",
    "read_model_halted",
    "lag_events",
    "lag_seconds",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Behind:
    """How far a stage is behind the head of the ledger."""

    position: Position
    """Last record that the stage has seen, 0 for none."""
    records: int
    """Records behind it."""
    events: int
    """Events in these records; facts are counted one by one."""
    seconds: float
    """Age of the oldest of them; 0 when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """How far Kafka has the ledger."""

    servers: str
    reachable: bool
    reason: str | None
    """Why Kafka was not asked or did not answer."""
    behind: Behind | None
    """None where nobody knows: Kafka does not answer, or its topics differ from the ledger."""
    mismatches: "tuple[Mismatch, ...]"
    """Topics that are missing or could lose records."""
    diverged: str | None
    """Where the topics differ from the ledger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedUpTo:
    """How far the ledger is sealed."""

    log: str
    """Folder of the sealed log."""
    checkpoint: bool
    """Whether there is a checkpoint."""
    behind: Behind
    max_delay_seconds: int | None
    """Longest that a record may wait for its seal; None for no limit."""
    reason: str | None
    """Why the checkpoint is not believed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadModel:
    """How far a read model is."""

    name: str
    generation: int
    behind: Behind
    fallbacks: int
    """Blocks of facts that the slow decoder had to read."""
    halted_at: int | None
    """Record at which it stopped; None while it runs."""
    halted_reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How far a stage that is in use may be behind; None for no limit."""

    events: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something that must hold and does not."""

    kind: ProblemKind
    stage: Stage
    name: str = ""
    """Of the read model or the inbox; empty for the other stages."""
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What one look found."""

    ledger: str
    """Where the ledger is, without password."""
    ledger_id: str | None
    origin: str | None
    body: str | None
    sandbox: bool
    head: Position
    """Position of the last record, 0 for an empty ledger."""
    last_recorded_at: dt.datetime | None
    age_seconds: float | None
    """Since the last append; None for an empty ledger."""
    inboxes: "tuple[InboxWaiting, ...]"
    """Of each family that has one; they are in front of the ledger, the other stages behind it."""
    inboxes_reason: str | None
    """Why the inboxes could not be asked."""
    published: Published | None
    """None when no Kafka is set, or publishing is off."""
    sealed: SealedUpTo | None
    """None when no folder of the sealed log is known."""
    read_models: tuple[ReadModel, ...]
    read_models_reason: str | None
    """Why the read models could not be asked."""

    @property
    def stages(self) -> tuple[tuple[Stage, str, Behind], ...]:
        """Stages behind the ledger whose place is known: stage, name of the read model, place."""
        found: list[tuple[Stage, str, Behind]] = []
        if self.published is not None and self.published.behind is not None:
            found.append(("published", "", self.published.behind))
        if self.sealed is not None and (
            self.sealed.checkpoint or self.sealed.max_delay_seconds is not None
        ):
            found.append(("sealed", "", self.sealed.behind))
        found.extend(("projected", model.name, model.behind) for model in self.read_models)
        return tuple(found)


def problems_of(found: Snapshot, limits: Limits) -> tuple[Problem, ...]:
    """Return what must hold and does not.

    Kafka that does not answer is no problem here: appends go on, and so does publishing when it is
    back. `Published.reachable` says it, and the metric `registro_kafka_up`.
    """
    return (
        *_of_inboxes(found, limits),
        *_of_published(found.published),
        *_of_sealed(found.sealed, found.head),
        *_of_read_models(found.read_models_reason),
        *(
            Problem(
                kind="read_model_halted",
                stage="projected",
                name=model.name,
                detail=f"{model.halted_at}: {model.halted_reason}",
            )
            for model in found.read_models
            if model.halted_at is not None
        ),
        *_of_limits(found, limits),
    )


def _of_inboxes(found: Snapshot, limits: Limits) -> list[Problem]:
    problems: list[Problem] = []
    for one in found.inboxes:
        if one.lost:
            detail = f"{one.topic}: {one.lost}"
            problems.append(
                Problem(kind="inbox_lost", stage="inbox", name=one.family, detail=detail)
            )
        if limits.events is not None and one.waiting > limits.events:
            detail = f"{one.waiting} > {limits.events}"
            problems.append(
                Problem(kind="lag_events", stage="inbox", name=one.family, detail=detail)
            )
    return problems


def _of_published(published: Published | None) -> list[Problem]:
    if published is None:
        return []
    problems = [
        Problem(
            kind="topics_unsafe",
            stage="published",
            detail=f"{one.topic}: {one.setting} is {one.found}, must be {one.wanted}; {one.remedy}",
        )
        for one in published.mismatches
    ]
    if published.diverged is not None:
        problems.append(
            Problem(kind="topics_diverged", stage="published", detail=published.diverged)
        )
    return problems


def _of_sealed(sealed: SealedUpTo | None, head: Position) -> list[Problem]:
    if sealed is None:
        return []
    problems = []
    if sealed.reason is not None:
        problems.append(Problem(kind="checkpoint_invalid", stage="sealed", detail=sealed.reason))
    if sealed.behind.position > head:
        detail = f"{sealed.behind.position} > {head}"
        problems.append(Problem(kind="checkpoint_beyond_head", stage="sealed", detail=detail))
    limit = sealed.max_delay_seconds
    if limit is not None and sealed.behind.seconds > limit:
        detail = f"{sealed.behind.seconds:.0f} s > {limit} s"
        problems.append(Problem(kind="seal_late", stage="sealed", detail=detail))
    return problems


def _of_read_models(reason: str | None) -> list[Problem]:
    if reason is None:
        return []
    return [Problem(kind="read_models_unreadable", stage="projected", detail=reason)]


def _of_limits(found: Snapshot, limits: Limits) -> list[Problem]:
    problems = []
    for stage, name, behind in found.stages:
        if limits.events is not None and behind.events > limits.events:
            detail = f"{behind.events} > {limits.events}"
            problems.append(Problem(kind="lag_events", stage=stage, name=name, detail=detail))
        if limits.seconds is not None and behind.seconds > limits.seconds:
            detail = f"{behind.seconds:.0f} s > {limits.seconds:g} s"
            problems.append(Problem(kind="lag_seconds", stage=stage, name=name, detail=detail))
    return problems
