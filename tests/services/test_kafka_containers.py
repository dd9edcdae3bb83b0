"""What docker-compose.yml runs, run here: its scripts, roles, commands and variables, no container.

The PostgreSQL server is this module's own and asks for passwords; Kafka is the one that
`REGISTRO_TEST_KAFKA` names.
"""

import dataclasses
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid1

import pytest
import yaml
from kafka import KafkaProducer
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ledger.application import LedgerApplication
from ledger.errors import StoreError
from ledger.kafka.client.broker import Admin
from ledger.kafka.client.connection import Broker
from ledger.kafka.errors import BrokerError
from ledger.kafka.topics import Topics, dead_letters_of
from ledger.store.engine import open_engine, store_url
from ledger.store.store import Store
from tests.support.cli import Ran, run
from tests.support.dataset import ROOT
from tests.support.kafka import SERVERS
from tests.support.ledgers import CountingEntropy, FakeClock
from tests.support.postgresql_server import BIN, Server, own_server
from tests.support.production import fact, set_up

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())[
    "services"
]
ROLES = ("publisher", "intake", "projector", "app")
ACT = ("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--number", "1")

pytestmark = [
    pytest.mark.skipif(
        not SERVERS or not BIN or shutil.which("openssl") is None,
        reason="no Kafka, no PostgreSQL or no openssl: scripts/services up",
    ),
    pytest.mark.timeout(120),
    # kafka-python leaves the socket of a connection that fails to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """One machine with the services that always run."""

    server: Server
    secrets: Path
    prefix: str
    path: str
    """Where programs are looked for."""

    def environment(self, service: str) -> dict[str, str]:
        """Return the variables of a service, with the places of this machine."""
        given = {}
        for name, value in SERVICES[service]["environment"].items():
            found = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", str(value))
            found = found.replace("postgres:5432", f"127.0.0.1:{self.server.port}")
            found = found.replace("kafka:29092", SERVERS)
            given[name] = found.replace("/run/secrets", str(self.secrets))
        if given.get("PGHOST") == "postgres":
            given |= {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port)}
        return given | {"REGISTRO_KAFKA_PREFIX": self.prefix, "PATH": self.path, "HOME": "/nowhere"}

    def script(
        self, service: str, file: str, *words: str, before: Sequence[str] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run a script of the images with the variables of a service; `before` starts it."""
        secrets = {"SECRETS": str(self.secrets), "SQL": str(ROOT / "ops/postgres/roles.sql")}
        return subprocess.run(
            [*before, ROOT / file, *words],
            env=self.environment(service) | secrets,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def password(self, service: str) -> str:
        """Return what a service logs into the database with."""
        file = self.environment(service)["PGPASSWORD_FILE"]
        return Path(file).read_text().strip()

    def sql(self, service: str, statement: str, *, database: str = "registro") -> list[object]:
        """Run a statement with the role of a service."""
        role = self.environment(service)["PGUSER"]
        word = self.password(service)
        engine = create_engine(
            f"postgresql+psycopg://{role}:{word}@127.0.0.1:{self.server.port}/{database}",
            poolclass=NullPool,
        )
        with engine.begin() as connection:
            found = connection.execute(text(statement))
            return list(found.scalars()) if found.returns_rows else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a machine on which `setup` and `roles` have run, as compose has them run."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "ops", folder / "ops", ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([folder / "ops/make-secrets"], check=True, capture_output=True)
    secrets = folder / "ops/secrets"
    programs = folder / "bin"
    programs.mkdir()
    (programs / "registro-setup").symlink_to(ROOT / "ops/image/setup")
    (programs / "registro").symlink_to(Path(sys.executable).parent / "registro")
    path = f"{programs}:{BIN}:{os.environ['PATH']}"
    with own_server(password=(secrets / "postgres_password").read_text().strip()) as server:
        server.ask("CREATE DATABASE registro")
        made = Site(server=server, secrets=secrets, prefix=f"t{uuid1().hex}", path=path)
        setup = SERVICES["setup"]["command"]
        words = [re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", word) for word in setup]
        ran = made.script("setup", "ops/image/entrypoint", *words)
        assert ran.returncode == 0, ran.stderr
        ran = made.script("roles", "ops/postgres/apply-roles")
        assert (ran.returncode, ran.stderr) == (0, "")
        _given(made)
        yield made
        # Connections of commands that ran in this process end with their server.
        gc.collect()
    topics = Topics(prefix=made.prefix)
    inbox = topics.inbox("production")
    with Admin(Broker(servers=SERVERS)) as admin:
        admin.delete([*topics.all, inbox, dead_letters_of(inbox)])


def _given(site: Site) -> None:
    """Record what facts refer to, with the role that records by hand."""
    role, word = "registro_app", site.password("app")
    url = store_url(f"postgresql://{role}:{word}@127.0.0.1:{site.server.port}/registro")
    clock, entropy = FakeClock(), CountingEntropy()
    store = Store(open_engine(url), clock=clock, entropy=entropy)
    ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
    set_up(ledger)
    store.engine.dispose()


@pytest.fixture
def become(site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that sets the variables of a service, password included."""

    def become(service: str) -> None:
        for name, value in site.environment(service).items():
            if name not in {"PATH", "HOME", "PGPASSWORD_FILE"}:
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("PGPASSWORD", site.password(service))

    return become


def command_of(service: str) -> list[str]:
    """Return what a service runs, once instead of for ever."""
    given = SERVICES[service]["command"]
    words = [re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", word) for word in given]
    return [word for word in words if word not in {"--follow", "--interval", "1"}]


def health_of(service: str) -> list[str]:
    """Return the words of a service's health check."""
    return [*SERVICES[service]["healthcheck"]["test"][2:]]


def send(site: Site, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=SERVERS, acks="all")
    for value in values:
        producer.send(
            Topics(prefix=site.prefix).inbox("production"),
            value=value,
            headers=[("content-type", b"application/json")],
        )
    producer.flush(timeout=20)
    producer.close(timeout=2)


def message(source_id: str) -> bytes:
    row = fact("RequestReceived", source_id=source_id)
    return json.dumps({k: v for k, v in row.items() if v is not None}, default=str).encode()


def test_every_service_does_its_work_with_its_own_role(site: Site, become: Any) -> None:
    send(site, *(message(f"c{n}") for n in range(5)))
    ran: dict[str, Ran] = {}
    for service in ("intake", "publisher", "projector"):
        become(service)
        ran[service] = run(*command_of(service))
        ran[f"{service} health"] = run(*health_of(service))
    become("app")
    ran["metrics"] = run("metrics", "--once")
    ran["recorded"] = run(*ACT)
    become("projector")
    ran["projected"] = run("rebuild")
    become("app")
    ran["status"] = run("status", "--json")
    ran["verify"] = run("verify")
    ran["check"] = run("kafka", "check")

    assert {name: one.err for name, one in ran.items() if one.code} == {}
    assert "Recorded 5 facts" in ran["intake"].out
    assert "Recorded and published" in ran["intake"].err
    assert "Recorded and published" in ran["recorded"].err
    answer = ran["status"].json
    assert (answer["problems"], answer["read_models_reason"]) == ([], None)
    assert {one["position"] for one in answer["read_models"]} == {answer["position"]}
    assert answer["published"]["position"] == answer["position"]
    assert [(one["family"], one["waiting"]) for one in answer["inboxes"]] == [("production", 0)]
    assert answer["ledger"] == f"postgresql://127.0.0.1:{site.server.port}/registro"
    assert 'registro_inbox_waiting_messages{family="production",partition="0"} 0.0' in (
        ran["metrics"].out
    )


@pytest.mark.parametrize("service", ["publisher", "projector"])
def test_who_only_reads_the_ledger_records_nothing(
    site: Site, become: Any, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(service)
    monkeypatch.setenv("REGISTRO_PUBLISH", "async")
    before = site.sql(service, "SELECT count(*) FROM record")

    ran = run(*ACT[:-1], service)

    assert ran.code == StoreError.exit_code
    assert "permission denied" in ran.err
    assert site.sql(service, "SELECT count(*) FROM record") == before


@pytest.mark.parametrize(
    ("service", "database", "statement"),
    [
        *(
            (service, "registro", statement)
            for service in ROLES
            for statement in (
                "UPDATE record SET stream = 'x'",
                "DELETE FROM record",
                "TRUNCATE record",
                "DROP TABLE record",
                "ALTER TABLE record DISABLE TRIGGER ALL",
                "INSERT INTO store_format SELECT * FROM store_format",
                "CREATE TABLE mine (x int)",
                "CREATE TEMP TABLE mine (x int)",
                "CREATE ROLE mine",
                "SET ROLE registro",
            )
        ),
        *(
            (service, "registro", "INSERT INTO record SELECT * FROM record")
            for service in ("publisher", "projector")
        ),
        *(
            (service, "registro_views", statement)
            for service in ("publisher", "intake", "app")
            for statement in ("DELETE FROM read_model_generation", "CREATE TABLE mine (x int)")
        ),
        *((service, "postgres", "CREATE TABLE mine (x int)") for service in ROLES),
    ],
)
def test_refuses_what_a_service_does_not_need(
    site: Site, become: Any, service: str, database: str, statement: str
) -> None:
    become("projector")
    assert run("catch-up").code == 0

    with pytest.raises(DBAPIError, match=r"denied|must be owner"):
        site.sql(service, statement, database=database)


@pytest.mark.parametrize("service", ROLES)
def test_refuses_a_role_without_its_password(site: Site, service: str) -> None:
    role = site.environment(service)["PGUSER"]
    engine = create_engine(
        f"postgresql+psycopg://{role}:wrong@127.0.0.1:{site.server.port}/registro"
    )
    with pytest.raises(DBAPIError, match="password authentication failed"):
        engine.connect()


def test_what_sets_up_may_be_repeated_and_takes_back_what_was_given_beside_it(site: Site) -> None:
    owner = site.server
    kept = owner.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'registro_app'")
    setup = site.script("setup", "ops/image/entrypoint", "setup", "INPS", "production")
    grant = "GRANT DELETE ON record TO registro_writer"
    _as_owner(site, grant)
    assert site.sql("app", "SELECT has_table_privilege('record', 'DELETE')") == [True]

    roles = site.script("roles", "ops/postgres/apply-roles")

    assert (setup.returncode, roles.returncode) == (0, 0), setup.stderr + roles.stderr
    assert site.sql("app", "SELECT has_table_privilege('record', 'DELETE')") == [False]
    assert site.sql("app", "SELECT has_table_privilege('record', 'INSERT')") == [True]
    assert kept


def test_what_a_role_was_made_member_of_or_allowed_beside_is_taken_back(site: Site) -> None:
    for statement in (
        "CREATE ROLE stranger LOGIN IN ROLE registro_writer, registro_app",
        "GRANT registro_writer TO registro_publisher WITH ADMIN OPTION",
        "GRANT registro_app, pg_write_all_data TO registro_projector",
        "REVOKE registro_writer FROM registro_intake",
        "ALTER ROLE registro_intake SUPERUSER CREATEDB NOINHERIT",
        "ALTER ROLE registro_writer LOGIN",
        "GRANT DELETE ON record TO PUBLIC",
        "GRANT DELETE ON record TO registro_projector WITH GRANT OPTION",
        "GRANT UPDATE (stream) ON record TO registro_publisher",
        "GRANT TEMP ON DATABASE registro TO registro_app",
    ):
        _as_owner(site, statement)

    ran = site.script("roles", "ops/postgres/apply-roles")

    assert (ran.returncode, ran.stderr) == (0, "")
    members = """
        SELECT role.rolname || ' < ' || member.rolname
        FROM pg_auth_members JOIN pg_roles role ON role.oid = roleid
        JOIN pg_roles member ON member.oid = member
        WHERE role.rolname LIKE 'registro\\_%' OR member.rolname LIKE 'registro\\_%'
        ORDER BY 1"""
    assert site.sql("app", members) == [
        "registro_reader < registro_projector",
        "registro_reader < registro_publisher",
        "registro_writer < registro_app",
        "registro_writer < registro_intake",
    ]
    odd = """
        SELECT rolname FROM pg_roles
        WHERE rolname LIKE 'registro\\_%' AND (rolsuper OR rolcreatedb OR NOT rolinherit
        OR rolcanlogin <> (rolname NOT IN ('registro_reader', 'registro_writer')))"""
    assert site.sql("app", odd) == []
    for right in (
        "has_table_privilege('record', 'DELETE')",
        "has_database_privilege('registro', 'TEMP')",
    ):
        for service in ROLES:
            assert site.sql(service, f"SELECT {right}") == [False], (service, right)
    updates = "SELECT has_any_column_privilege('record', 'UPDATE')"
    assert site.sql("publisher", updates) == [False]


def _state(site: Site) -> list[object]:
    """Return what a run would change: passwords as the server keeps them, and a right."""
    engine = create_engine(
        site.server.url.replace("postgresql:", "postgresql+psycopg:").replace(
            "/postgres", "/registro"
        ),
        poolclass=NullPool,
    )
    with engine.begin() as connection:
        passwords = "SELECT rolname || coalesce(rolpassword, '') FROM pg_authid ORDER BY 1"
        right = "SELECT has_table_privilege('registro_writer', 'record', 'DELETE')"
        return [*connection.scalars(text(passwords)), *connection.scalars(text(right))]


@pytest.mark.parametrize("content", [None, "", "\n", "two\nlines\n"])
@pytest.mark.parametrize("name", ["postgres", *(f"postgres_{one}" for one in ROLES)])
def test_refuses_a_secret_that_is_missing_or_empty_and_changes_nothing(
    site: Site, tmp_path: Path, name: str, content: str | None
) -> None:
    secrets = tmp_path / "secrets"
    shutil.copytree(site.secrets, secrets)
    file = secrets / f"{name}_password"
    file.unlink()
    if content is not None:
        file.write_text(content)
    _as_owner(site, "GRANT DELETE ON record TO registro_writer")
    before = _state(site)

    ran = dataclasses.replace(site, secrets=secrets).script("roles", "ops/postgres/apply-roles")
    after = _state(site)
    _as_owner(site, "REVOKE DELETE ON record FROM registro_writer")

    assert ran.returncode == 1
    assert str(file) in ran.stderr
    assert before == after
    assert before[-1] is True


@pytest.mark.skipif(shutil.which("script") is None, reason="no program that gives a terminal")
def test_nobody_at_a_terminal_is_asked_for_passwords(site: Site) -> None:
    at_terminal = ("script", "--quiet", "--return", "/dev/null", "--command")

    ran = site.script("roles", "ops/postgres/apply-roles", before=at_terminal)

    assert (ran.returncode, ran.stdout) == (0, "")
    assert site.sql("app", "SELECT 1") == [1]


def test_a_server_that_is_gone_is_an_error_of_the_script(site: Site) -> None:
    gone = dataclasses.replace(site, server=dataclasses.replace(site.server, port=1))
    ran = gone.script("roles", "ops/postgres/apply-roles")
    assert ran.returncode != 0
    assert "connection" in ran.stderr


def _as_owner(site: Site, statement: str) -> None:
    engine = create_engine(
        site.server.url.replace("postgresql:", "postgresql+psycopg:").replace(
            "/postgres", "/registro"
        ),
        poolclass=NullPool,
    )
    with engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("setting", ["log_statement = 'all'", "log_min_duration_statement = 0"])
def test_no_password_enters_the_log_of_the_server(site: Site, setting: str) -> None:
    _as_owner(site, f"ALTER DATABASE registro SET {setting}")
    before = len((site.server.folder / "log").read_text())

    ran = site.script("roles", "ops/postgres/apply-roles")
    _as_owner(site, f"ALTER DATABASE registro RESET {setting.split(maxsplit=1)[0]}")

    assert ran.returncode == 0, ran.stderr
    log = (site.server.folder / "log").read_text()[before:]
    assert log.count("SCRAM-SHA-256$") == len(ROLES), "the log shows what the server was sent"
    for service in ROLES:
        assert site.password(service) not in log


def test_a_database_that_does_not_answer_is_named_as_the_user_wrote_it(
    become: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    become("publisher")
    monkeypatch.setenv("REGISTRO_LEDGER", "postgresql://127.0.0.1:1/registro")

    ran = run(*command_of("publisher"))

    assert ran.code not in {0, BrokerError.exit_code}
    assert "postgresql://127.0.0.1:1/registro" in ran.err
    assert "psycopg" not in ran.err
