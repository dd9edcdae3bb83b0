"""Who we are to Kafka: settings that fit together, and passwords that stay where they are."""

from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ConfigurationError
from ledger.kafka.client.access import access_error, unreached
from ledger.kafka.client.connection import Broker
from ledger.kafka.client.security import OPEN, Security, security_of
from ledger.kafka.errors import BrokerAccessError, BrokerError

WORD = "correct horse"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a password and an end of line."""
    path = tmp_path / "password"
    path.write_text(f"{WORD}\n")
    return path


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text("-")
    return path


def made(**given: Any) -> Security:
    plain: dict[str, Any] = {
        "protocol": "SASL_SSL",
        "mechanism": "SCRAM-SHA-512",
        "user": "publisher",
        "password": None,
        "password_file": None,
        "authority": None,
    }
    return security_of(**{**plain, **given})


def test_without_settings_the_connection_is_open() -> None:
    assert made(protocol="PLAINTEXT", user="") == OPEN
    assert OPEN.options == {"security_protocol": "PLAINTEXT"}


def test_a_file_gives_the_password_without_its_end_of_line(file: Path, authority: Path) -> None:
    security = made(password_file=file, authority=authority)
    assert security.options == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(authority),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "publisher",
        "sasl_plain_password": WORD,
    }


def test_the_environment_wins_over_the_file(file: Path) -> None:
    other = WORD[::-1]
    assert made(password=other, password_file=file).password == other
    assert made(password="", password_file=file).password == WORD


def test_tls_without_a_user_sends_no_login(authority: Path) -> None:
    security = made(protocol="SSL", user="", authority=authority)
    assert security.options.keys() == {"security_protocol", "ssl_cafile"}


def test_no_text_of_it_shows_the_password(file: Path) -> None:
    security = made(password_file=file)
    broker = Broker(servers="k:9092", security=security)
    assert WORD not in repr(security)
    assert WORD not in f"{broker} {broker!r}"


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"protocol": "PLAINTEXT"}, "kafka_user"),
        ({"protocol": "SSL"}, "kafka_user"),
        ({"user": ""}, "kafka_user"),
        ({"protocol": "SASL_PLAINTEXT", "user": ""}, "kafka_user"),
        ({}, "kafka_password_file"),
        ({"password": ""}, "kafka_password_file"),
        ({"password_file": Path("none")}, "kafka_password_file"),
        ({"password_file": Path()}, "kafka_password_file"),
        ({"password": WORD, "authority": Path("none.pem")}, "kafka_ca"),
        ({"protocol": "SASL_PLAINTEXT", "password": WORD, "authority": Path("c")}, "kafka_ca"),
        ({"protocol": "PLAINTEXT", "user": "", "authority": Path("c")}, "kafka_ca"),
        (
            {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "password": WORD},
            "kafka_mechanism",
        ),
    ],
)
def test_refuses_settings_that_do_not_fit(
    given: dict[str, Any], setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        made(**given)
    assert caught.value.facts["setting"] == setting
    assert WORD not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe secret"])
def test_refuses_a_password_file_without_a_password(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        made(password_file=path)
    assert str(path) in caught.value.facts["reason"]
    assert "secret" not in caught.value.facts["reason"]


# What Kafka's answers mean


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("TopicAuthorizationFailedError: registro.events.v1", "user publisher may not do this"),
        (
            "KafkaError: Unexpected error in X: [Error 31] ClusterAuthorizationFailedError",
            "user publisher may not do this",
        ),
        ("SaslAuthenticationFailedError: no", "user publisher is not let in"),
        ("UnsupportedSaslMechanismError: no", "user publisher is not let in"),
    ],
)
def test_a_refusal_names_the_user(text: str, part: str) -> None:
    error = access_error("k:9092", Security(protocol="SASL_SSL", user="publisher"), text)
    assert isinstance(error, BrokerAccessError)
    assert part in error.facts["reason"]
    assert not error.retriable


def test_a_refusal_of_an_open_connection_names_no_user() -> None:
    error = access_error("k:9092", OPEN, "TopicAuthorizationFailedError: t")
    assert error is not None
    assert "a client without a user" in error.facts["reason"]


@pytest.mark.parametrize(
    "text", ["KafkaTimeoutError: nothing", "NotLeaderForPartitionError", "", "OSError: x"]
)
def test_other_errors_are_no_refusals(text: str) -> None:
    assert access_error("k:9092", OPEN, text) is None


@pytest.mark.parametrize("servers", ["127.0.0.1:1", "127.0.0.1:1,127.0.0.1:2", "127.0.0.1:99999"])
def test_a_server_that_is_not_there_is_no_refusal(servers: str) -> None:
    error = unreached(servers, Security(protocol="SASL_SSL", user="u"), "timed out")
    assert type(error) is BrokerError
    assert error.retriable
