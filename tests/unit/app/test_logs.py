"""Log messages: stable names, facts, one object on a line, and never a secret."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest

from app.output.logs import HIDDEN, configure, log_event, without

LOG = logging.getLogger("registro.test")


Read = Callable[[], str]


@pytest.fixture
def err(capsys: pytest.CaptureFixture[str]) -> Iterator[Read]:
    """Reads what went to stderr; the log is as before afterwards."""
    yield lambda: capsys.readouterr().err
    logging.basicConfig(level="WARNING", force=True)


def test_an_event_is_one_object_with_its_name_and_facts(err: Read) -> None:
    configure(level="info", as_json=True)
    log_event(LOG, logging.INFO, "publish.progress", position=12, topic='a "b"\nc')

    (line,) = err().splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "info",
        "logger": "registro.test",
        "message": "publish.progress",
        "event": "publish.progress",
        "position": 12,
        "topic": 'a "b"\nc',
    }


def test_an_event_as_text_has_its_facts_behind_it(err: Read) -> None:
    configure(level="info", as_json=False)
    log_event(LOG, logging.WARNING, "publish.retry", seconds=60)
    assert err() == "WARNING registro.test: publish.retry seconds=60\n"


def test_what_is_below_the_level_is_not_written(err: Read) -> None:
    configure(level="warning", as_json=True)
    log_event(LOG, logging.INFO, "publish.progress", position=12)
    assert err() == ""


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["warning", "error"]),
        ("warning", []),
        ("error", []),
    ],
)
def test_the_kafka_library_says_little_unless_everything_is_asked_for(
    err: Read, level: str, shown: list[str]
) -> None:
    configure(level=level, as_json=False)
    library = logging.getLogger("kafka.conn")
    for name in ("debug", "info", "warning", "error"):
        library.log(getattr(logging, name.upper()), name)
    assert [line.rpartition(" ")[2] for line in err().splitlines()] == shown


def test_a_trace_is_part_of_the_object(err: Read) -> None:
    configure(level="error", as_json=True, secrets=["s3cret!"])
    try:
        int("bad s3cret!")
    except ValueError:
        LOG.exception("broken")
    text = err()
    assert "ValueError" in json.loads(text)["trace"]
    assert "s3cret!" not in text


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("secret", ["s3cret!", 'with "quotes"', "back\\slash", "perché", "a b%c"])
def test_a_secret_is_written_nowhere(err: Read, secret: str, *, as_json: bool) -> None:
    configure(level="debug", as_json=as_json, secrets=[secret])
    # As libraries do it: in the message, in its arguments, in a whole configuration.
    logging.getLogger("kafka").debug("settings: %s", {"password": secret, "user": "u"})
    logging.getLogger("kafka").error("at postgresql://u:%s@host/db", secret)
    log_event(LOG, logging.INFO, "x", fact=f"a {secret} b")

    text = err()
    assert secret not in text
    assert json.dumps(secret)[1:-1] not in text
    assert text.count(HIDDEN) >= 2


def test_short_and_empty_secrets_do_not_blot_out_the_log(err: Read) -> None:
    configure(level="info", as_json=False, secrets=["", "a"])
    log_event(LOG, logging.INFO, "publish.started")
    assert "publish.started" in err()


def test_a_secret_within_a_longer_one_leaves_no_rest() -> None:
    assert without("long-word", ["long-word", "long"]) == HIDDEN
