"""Who may do what on a broker with TLS, passwords and the access list of the example.

Run by `make test-services`. The broker is this file's own: the scripts of `ops/tls` start it.
"""

import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.kafka import required
from ledger.application import LedgerApplication
from ledger.kafka.check import check_topics
from ledger.kafka.client import connection
from ledger.kafka.client.broker import Admin, Sink
from ledger.kafka.client.connection import Broker, Partition
from ledger.kafka.client.source import Source
from ledger.kafka.errors import BrokerAccessError, BrokerError
from ledger.kafka.guard import create_topics, mend_topics, mismatches
from ledger.kafka.message import Message
from ledger.kafka.publisher import Publisher
from ledger.kafka.reached import reached
from ledger.kafka.topics import Topics
from tests.support.cli import Ran, run
from tests.support.kafka import SERVERS, ledger_with_facts, published_as
from tests.support.production import fact
from tests.support.secure_broker import SecureBroker, can_run, secure_broker

TOPICS = Topics()
INBOX = "registro.inbox.production.v1"
REFUSED = "registro.inbox.cost.v1.dlq"
WRONG = "not-the-password"
MESSAGE = Message(TOPICS.events, b"key", b"value", ())

pytestmark = [
    pytest.mark.skipif(
        not SERVERS or not can_run(),
        reason="no Kafka: make test-services; needs java, mvn, openssl",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """A broker with the topics of a ledger and one inbox, made by the operator."""
    with secure_broker(tmp_path_factory.mktemp("broker")) as broker:
        with Admin(broker.as_user("operator", wait=10)) as admin:
            create_topics(admin, TOPICS)
            admin.create({INBOX: 1, REFUSED: 1}, replicas=1, settings={})
        yield broker


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledger") / "registro.db"


@pytest.fixture(scope="module")
def published(secure: SecureBroker, path: Path) -> Iterator[LedgerApplication]:
    """A ledger, published by the publisher."""
    ledger = ledger_with_facts(path)
    with Publisher(published_as(ledger, "registro"), secure.as_user("publisher")) as publisher:
        publisher.publish(seconds=20)
    yield ledger
    ledger.store.engine.dispose()


@pytest.fixture
def settings(
    secure: SecureBroker, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Set the environment as a user of the command line would."""
    monkeypatch.chdir(tmp_path)

    def become(user: str) -> None:
        for name, value in {
            "LEDGER": str(path),
            "KAFKA": secure.servers,
            "KAFKA_SECURITY": "SASL_SSL",
            "KAFKA_USER": user,
            "KAFKA_PASSWORD_FILE": str(secure.password_file(user)),
            "KAFKA_CA": str(secure.secrets / "ca.pem"),
        }.items():
            monkeypatch.setenv(f"REGISTRO_{name}", value)

    return become


def write(broker: Broker, topic: str = TOPICS.events) -> None:
    sink = Sink(broker)
    try:
        sink.send(replace_topic(topic), 0)
        sink.flush(seconds=5)
    finally:
        sink.close()


def replace_topic(topic: str) -> Message:
    return Message(topic, MESSAGE.key, MESSAGE.value, MESSAGE.headers)


def end_of(broker: Broker, topic: str) -> int:
    with Source(broker) as source:
        return source.ends([Partition(topic, 0)])[Partition(topic, 0)]


def test_the_publisher_publishes_and_everybody_may_compare(
    secure: SecureBroker, published: LedgerApplication
) -> None:
    own = published_as(published, "registro")
    for user in ("publisher", "intake", "reader", "upstream", "operator"):
        found = check_topics(own, secure.as_user(user))
        assert (found.clean, found.position) == (True, published.head()), user


def test_status_tells_a_reader_how_far_publishing_got(
    secure: SecureBroker, published: LedgerApplication
) -> None:
    found = reached(published_as(published, "registro"), secure.as_user("reader"))
    assert (found.position, found.mismatches, found.diverged) == (published.head(), (), None)


@pytest.mark.parametrize("user", ["intake", "upstream", "operator", "reader"])
@pytest.mark.parametrize("topic", [TOPICS.events, TOPICS.facts("production")])
@pytest.mark.usefixtures("published")
def test_refuses_to_let_anybody_else_write_the_ledger(
    secure: SecureBroker, user: str, topic: str
) -> None:
    before = end_of(secure.as_user("reader"), topic)

    with pytest.raises(BrokerAccessError) as caught:
        write(secure.as_user(user), topic)

    assert f"user {user} may not do this" in caught.value.facts["reason"]
    assert end_of(secure.as_user("reader"), topic) == before


def test_an_inbox_is_written_by_feeding_systems_and_read_by_the_intake(
    secure: SecureBroker,
) -> None:
    write(secure.as_user("upstream"), INBOX)

    place = Partition(INBOX, 0)
    with Source(secure.as_user("intake")) as source:
        source.open({place: 0})
        received = source.take(place)
    assert received is not None
    assert received.message == replace_topic(INBOX)


@pytest.mark.parametrize("user", ["publisher", "reader"])
def test_refuses_others_at_an_inbox(secure: SecureBroker, user: str) -> None:
    with pytest.raises(BrokerAccessError):
        write(secure.as_user(user), INBOX)
    place = Partition(INBOX, 0)
    with Source(secure.as_user(user)) as source, pytest.raises(BrokerError):
        source.starts([place])


@pytest.mark.parametrize("user", ["upstream", "publisher", "operator", "reader"])
def test_refuses_to_let_anybody_but_the_intake_write_what_it_refused(
    secure: SecureBroker, user: str
) -> None:
    """The intake passes over every offset that stands there: who writes there hides facts."""
    before = end_of(secure.as_user("intake"), REFUSED)

    with pytest.raises(BrokerAccessError) as caught:
        write(secure.as_user(user), REFUSED)

    assert f"user {user} may not do this" in caught.value.facts["reason"]
    assert end_of(secure.as_user("intake"), REFUSED) == before
    write(secure.as_user("intake"), REFUSED)
    assert end_of(secure.as_user("intake"), REFUSED) == before + 1


@pytest.mark.parametrize("user", ["publisher", "intake", "upstream", "reader"])
def test_refuses_to_let_anybody_but_the_operator_touch_topics(
    secure: SecureBroker, user: str
) -> None:
    with Admin(secure.as_user(user)) as admin:
        with pytest.raises(BrokerAccessError):
            admin.create({"registro.other.v1": 1}, replicas=1, settings={})
        with pytest.raises(BrokerAccessError):
            admin.alter(TOPICS.events, {"retention.ms": "1000"})
        with pytest.raises(BrokerAccessError):
            admin.delete([TOPICS.events])
    with Admin(secure.as_user("operator")) as admin:
        assert mismatches(admin, TOPICS) == ()


def test_refuses_to_let_even_the_operator_delete_a_topic(secure: SecureBroker) -> None:
    with Admin(secure.as_user("operator")) as admin:
        assert mend_topics(admin, TOPICS) == []
        with pytest.raises(BrokerAccessError):
            admin.delete([TOPICS.events])


@pytest.mark.parametrize("client", [Admin, Source, Sink])
def test_a_wrong_password_is_called_so(
    secure: SecureBroker, client: Callable[[Broker], object]
) -> None:
    with pytest.raises(BrokerAccessError) as caught:
        client(secure.as_user("publisher", password=WRONG, wait=1))

    assert "user publisher is not let in" in caught.value.facts["reason"]
    assert WRONG not in str(caught.value)


def test_a_publisher_with_a_wrong_password_stops_at_once(
    secure: SecureBroker, published: LedgerApplication
) -> None:
    broker = secure.as_user("publisher", password=WRONG, wait=1)
    own = published_as(published, "registro")
    with Publisher(own, broker) as publisher, pytest.raises(BrokerAccessError):
        publisher.publish(seconds=3600)


def test_a_certificate_of_an_unknown_authority_is_refused(secure: SecureBroker) -> None:
    broker = secure.as_user("publisher", wait=1)
    stranger = replace(broker, security=replace(broker.security, authority=None))

    with pytest.raises(BrokerAccessError) as caught:
        Admin(stranger)

    assert "its certificate is not believed" in caught.value.facts["reason"]


def test_a_certificate_for_another_name_is_refused(secure: SecureBroker) -> None:
    # The certificate names 127.0.0.1 and localhost, and the broker listens on the first only.
    context = ssl.create_default_context(cafile=str(secure.secrets / "ca.pem"))
    host, port = secure.servers.split(":")
    with (
        socket.create_connection((host, int(port)), 5) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="another.example")


def test_a_client_in_plain_text_is_told_that_the_server_is_there(secure: SecureBroker) -> None:
    with pytest.raises(BrokerError) as caught:
        Admin(Broker(servers=secure.servers, wait_seconds=1))

    assert "takes connections" in caught.value.facts["reason"]


# The command line


def output_of(ran: Ran) -> str:
    return ran.out + ran.err


def test_status_by_the_command_line(
    settings: Callable[[str], None], published: LedgerApplication
) -> None:
    settings("reader")
    ran = run("status", "--json", "--max-lag-events", "0")
    answer = ran.json["published"]
    # Nothing was ever sealed here: no limit is for a stage that is not in use.
    assert (ran.code, answer["reachable"]) == (0, True)
    assert (answer["position"], answer["lag_events"]) == (published.head(), 0)


def test_forbidden_and_wrong_are_exit_codes_with_what_to_do(
    settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings("reader")
    forbidden = run("kafka", "topics", "--create", "--json")
    assert forbidden.code == 0  # they are all there: nothing had to be created
    monkeypatch.setenv("REGISTRO_KAFKA_PREFIX", "other")
    forbidden = run("kafka", "topics", "--create", "--json")
    assert (forbidden.code, forbidden.problem["type"]) == (89, "registro:error:broker_access")
    monkeypatch.setenv("REGISTRO_KAFKA_PASSWORD", WRONG)
    monkeypatch.setattr(connection, "WAIT_SECONDS", 1.0)
    wrong = run("--lang", "it", "kafka", "topics")
    assert wrong.code == 89
    assert "kafka_password_file" in wrong.err


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.usefixtures("published")
def test_no_password_is_written_even_at_level_debug(
    settings: Callable[[str], None], secure: SecureBroker, form: str
) -> None:
    settings("publisher")
    try:
        ran = run("publish", "--once", "--log-level", "debug", "--log-format", form)
        shown = run("config", "show", "--origin", "--log-level", "debug")
    finally:
        logging.basicConfig(level="WARNING", force=True)

    password = secure.password_file("publisher").read_text().strip()
    assert (ran.code, shown.code) == (0, 0)
    assert "sasl_plain_password" in ran.err, "the library logs its settings: the test sees them"
    assert password not in output_of(ran)
    assert password not in output_of(shown)


def _stock(source_id: str) -> bytes:
    row = fact("StockCounted", unit="DP1", source_id=source_id)
    return json.dumps({k: v for k, v in row.items() if v is not None}, default=str).encode()


def test_the_intake_records_as_itself_and_sees_what_the_publisher_wrote(
    secure: SecureBroker,
    published: LedgerApplication,
    settings: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = TOPICS.inbox("stock")
    monkeypatch.setenv("REGISTRO_ACTOR", "DCPCG")
    words = ("inbox", "stock", "--source", "SRC")
    settings("operator")
    created = run("inbox", "stock", "--create", "--partitions", "1")

    def take(source_id: str) -> Ran:
        sink = Sink(secure.as_user("upstream"))
        form = [("content-type", b"application/json")]
        for value in (_stock(source_id), b"{"):
            sink.send_raw(Partition(topic, 0), None, value, form)
        sink.flush(seconds=10)
        sink.close()
        settings("intake")
        return run(*words)

    alone = take("tls1")
    monkeypatch.setenv("REGISTRO_PUBLISH", "required")
    refused = take("tls2")
    monkeypatch.setattr(required, "REQUIRED_SECONDS", 20.0)
    own = published_as(published, "registro")
    with Publisher(own, secure.as_user("publisher")) as publisher, ThreadPoolExecutor() as pool:
        head = published.head()
        taking = pool.submit(take, "tls3")
        while published.head() == head:
            time.sleep(0.05)
        publisher.publish(seconds=20)
        watched = taking.result(timeout=60)
    seen = {}
    for user in ("intake", "publisher", "reader"):
        settings(user)
        seen[user] = run("status", "--json", "--stage", "inbox").json

    assert created.code == 0, created.err
    assert (alone.code, "Recorded 1 facts of 2 messages" in alone.out) == (1, True), alone.err
    assert refused.code == BrokerAccessError.exit_code
    assert "Recorded, not yet published" in refused.err
    assert watched.code == 1
    assert "Recorded and published" in watched.err
    assert [(one["family"], one["waiting"]) for one in seen["intake"]["inboxes"]][-1:] == [
        ("stock", 0)
    ]
    assert [seen[user]["inboxes"] for user in ("publisher", "reader")] == [[], []]


def test_the_projector_shares_the_topics_and_others_cannot_take_its_partitions(
    published: LedgerApplication, settings: Callable[[str], None]
) -> None:
    settings("projector")
    fed = run("catch-up", "--source", "kafka", "--json")
    answers: dict[str, Ran] = {}
    for user in ("reader", "intake", "upstream"):
        settings(user)
        answers[user] = run("catch-up", "--source", "kafka", "--json")

    assert fed.code == 0, fed.err
    assert {one["position"] for one in fed.json["projections"]} == {published.head()}
    for user, ran in answers.items():
        assert ran.code == BrokerAccessError.exit_code, user
