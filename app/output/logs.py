"""Log messages of the run: where they go, their form, and what never stands in them.

Invariants:
1. An event has a stable name (`publish.progress`) and facts by name; programs read these, never the
   sentence.
2. No secret of this run is written, whoever logs it: our own code, or a library at level debug.

Source: docs/operating.md, logs.
"""

import datetime as dt
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Final

HIDDEN: Final = "***"
LIBRARY: Final = "kafka"
_FACTS: Final = "registro_facts"
_SECRET_MIN: Final = 4
"""Shorter texts are not looked for: they would blot out half of every line."""


def log_event(logger: logging.Logger, level: int, event: str, **facts: object) -> None:
    """Log an event.

    Args:
        logger: of the command or module.
        level: of `logging`.
        event: stable name, `command.what`.
        facts: by stable names; shown as text unless they are numbers.
    """
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={_FACTS: facts})


def configure(*, level: str, as_json: bool, secrets: Iterable[str] = ()) -> None:
    """Send log messages to stderr.

    Args:
        level: name of the least level that is shown.
        as_json: one object on each line instead of text.
        secrets: texts that are replaced wherever they stand.
    """
    hidden = forms_of(secrets)
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonFormatter(hidden) if as_json else _TextFormatter(hidden))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The Kafka library reports each attempt and each connection; what comes of them is our own
    # error, event or answer.
    shown = {"DEBUG": logging.NOTSET, "INFO": logging.WARNING}
    logging.getLogger(LIBRARY).setLevel(shown.get(level.upper(), logging.CRITICAL))


def forms_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return the forms in which secrets may stand in a line, the longest first.

    Libraries write what they are given as Python texts, and JSON escapes either form again.
    """
    plain = {secret for secret in secrets if len(secret) >= _SECRET_MIN}
    plain |= {repr(secret)[1:-1] for secret in plain}
    escaped = {json.dumps(one, ensure_ascii=False)[1:-1] for one in plain}
    return tuple(sorted(plain | escaped, key=lambda one: (-len(one), one)))


def without(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret in it replaced."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _facts(record: logging.LogRecord) -> Mapping[str, object] | None:
    found = getattr(record, _FACTS, None)
    return found if isinstance(found, Mapping) else None


class _TextFormatter(logging.Formatter):
    def __init__(self, hidden: tuple[str, ...]) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        """Return a log message as text, the facts behind it as `name=value`."""
        facts = "".join(f" {name}={value}" for name, value in (_facts(record) or {}).items())
        return without(super().format(record) + facts, self._hidden)


class _JsonFormatter(logging.Formatter):
    def __init__(self, hidden: tuple[str, ...]) -> None:
        super().__init__()
        self._hidden = hidden

    def format(self, record: logging.LogRecord) -> str:
        """Return a log message as one line of JSON."""
        from app.output import jsontext  # noqa: PLC0415 - only with --log-format json

        facts = _facts(record)
        instant = dt.datetime.fromtimestamp(record.created, tz=dt.UTC)
        entry: dict[str, object] = {
            "time": instant.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if facts is not None:
            entry |= {"event": record.getMessage(), **facts}
        if record.exc_info is not None:
            entry["trace"] = self.formatException(record.exc_info)
        return without(jsontext.line(entry), self._hidden)
