"""What `registro rebuild` folds from: the store, a copy made from the topics, or the topics.

A copy serves every read model and takes room and time. Where only read models are asked for whose
ranges may be folded apart, or where workers elsewhere fold them, the topics are read by whoever
folds; then nothing is kept here.

Source: docs/kafka.md, reading from the topics; docs/production.md, beyond one machine.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from app.cli.context import Cli
from app.cli.kafka.from_topics import frozen_topics, told_of, topics_ledger
from projections.runner.contract import Projection
from projections.runner.engines import Engine, Progress, is_spread
from projections.runner.rebuilding import Rebuilt, rebuild_from
from projections.runner.runner import Runner
from projections.runner.views import Views
from projections.runner.workers import OwnProcess, ProcessEngine

Build: TypeAlias = Callable[[Projection, Progress], Rebuilt]
"""Builds one read model."""
Opening: TypeAlias = Callable[[], Views]


def from_store(cli: Cli, views: Opening, *, workers: int, engine: Engine | None) -> Build:
    """Return what builds read models from the ledger's own store.

    Args:
        cli: names the ledger.
        views: opens the read models, once there is a ledger.
        workers: processes, when no engine is given.
        engine: folds elsewhere.
    """
    ledger = cli.open()
    runner = Runner(ledger, views(), url=cli.settings["ledger"])

    def build(projection: Projection, told: Progress) -> Rebuilt:
        return runner.rebuild(projection, workers=workers, engine=engine, progress=told)

    return build


@contextlib.contextmanager
def from_topics(
    cli: Cli,
    views: Opening,
    asked: Sequence[Projection],
    *,
    workers: int,
    engine: Engine | None,
) -> Iterator[Build]:
    """Give what builds read models from the topics alone, as long as the context.

    Args:
        cli: names the broker and the topics.
        views: opens the read models, once there is a ledger.
        asked: read models that will be asked for.
        workers: processes, when no engine is given.
        engine: folds elsewhere.

    Raises:
        TopicRestoreError: the topics do not give the ledger that the settings name.
        BrokerError: Kafka does not answer.
    """
    direct = engine is not None or all(map(is_spread, asked))
    frozen = frozen_topics(cli) if direct and any(map(is_spread, asked)) else None
    spreading = engine or (ProcessEngine(workers=workers) if workers > 1 else OwnProcess())
    with contextlib.ExitStack() as stack:
        runner: Runner | None = None
        if not direct or not all(map(is_spread, asked)):
            topics = stack.enter_context(topics_ledger(cli))
            topics.restored.require_sound()
            _warn(cli, told_of(cli, topics.restored))
            runner = Runner(topics.ledger, views(), url=topics.url)

        def build(projection: Projection, told: Progress) -> Rebuilt:
            if runner is not None and not (direct and is_spread(projection)):
                return runner.rebuild(projection, workers=workers, progress=told)
            if frozen is None:
                raise ValueError(f"{projection.name} was not announced")
            done = rebuild_from(views(), projection, frozen, engine=spreading, progress=told)
            if frozen.restored is not None:
                _warn(cli, told_of(cli, frozen.restored))
            return done

        yield build


def _warn(cli: Cli, lines: Sequence[str]) -> None:
    for line in lines:
        cli.screen.warn(line)
