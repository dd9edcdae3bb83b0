"""What holds on PostgreSQL beside the suites that run on every store: guards, roles, crashes."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.examples_folder import example_folder
from ledger.application import LedgerApplication
from ledger.errors import AppendOnlyError, StoreError, StoreLockedError, StoreUnavailableError
from ledger.facts.ingest import FactIntake
from ledger.facts.rejects import Rejects
from ledger.feed import read_all
from ledger.intake.importer import import_folder
from ledger.store.engine import open_engine, store_url, writing
from ledger.store.mapper import AvroMapper
from ledger.store.postgresql import grant_append_only
from ledger.store.store import Store
from ledger.verification import verify
from projections.cycle.replay import replay
from tests.support.ledgers import CountingEntropy, FakeClock, new_ledger, on_postgresql, place_of
from tests.support.production import batch, csv_file, fact, facts_table, production_ledger

pytestmark = [
    pytest.mark.skipif(
        "REGISTRO_TEST_POSTGRESQL" not in os.environ,
        reason="no PostgreSQL: scripts/services up, then make test-services",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRO_TEST_STORE", "postgresql")
    assert on_postgresql()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerApplication]:
    made = new_ledger(tmp_path / "ledger")
    yield made
    made.store.engine.dispose()


NO_REFUSAL = """
CREATE OR REPLACE FUNCTION registro_append_only() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RETURN NEW; END $$
"""


def plain(ledger: LedgerApplication) -> Engine:
    """Return an engine without any of the ledger's habits."""
    return create_engine(ledger.store.engine.url, poolclass=NullPool)


def test_the_same_import_gives_the_same_figures_and_a_clean_ledger(
    ledger: LedgerApplication,
) -> None:
    embedded = LedgerApplication.create(
        Store(open_engine(store_url(":memory:")), clock=FakeClock(), entropy=CountingEntropy()),
        clock=FakeClock(),
        entropy=CountingEntropy(),
        body="INPS",
    )
    for one in (ledger, embedded):
        import_folder(one, example_folder())

    digests = {replay(read_all(one), year=2023, as_of=None).digest for one in (ledger, embedded)}

    assert len(digests) == 1
    assert verify(ledger.store, AvroMapper()).discrepancies == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET part = part",
        "DELETE FROM record",
        "TRUNCATE record",
        "UPDATE store_format SET version = 2",
        "DELETE FROM store_format",
        "TRUNCATE store_format",
    ],
)
def test_nobody_changes_a_stored_row(ledger: LedgerApplication, statement: str) -> None:
    before = ledger.store.count()

    with pytest.raises(AppendOnlyError), writing(ledger.store.engine) as connection:
        connection.execute(text(statement))

    assert ledger.store.count() == before


@pytest.mark.parametrize(
    ("tampering", "missing"),
    [
        ("DROP TRIGGER record_no_update ON record", "record_no_update"),
        ("ALTER TABLE record DISABLE TRIGGER record_no_delete", "record_no_delete"),
        ("ALTER TABLE store_format DISABLE TRIGGER ALL", "store_format_no_update"),
        ("DROP TRIGGER record_no_truncate ON record", "record_no_truncate"),
        (
            NO_REFUSAL,
            "registro_append_only",
        ),
    ],
)
def test_a_guard_that_is_gone_is_reported(
    ledger: LedgerApplication, tampering: str, missing: str
) -> None:
    with plain(ledger).begin() as connection:
        connection.execute(text(tampering))

    found = verify(ledger.store, AvroMapper()).discrepancies

    assert missing in {one.facts.get("name") for one in found}


def test_a_row_changed_behind_the_guards_is_found(ledger: LedgerApplication) -> None:
    with plain(ledger).begin() as connection:
        connection.execute(text("ALTER TABLE record DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE record SET recorded_at = 1 WHERE position = 1"))
        connection.execute(text("ALTER TABLE record ENABLE TRIGGER USER"))

    assert {one.kind for one in verify(ledger.store, AvroMapper()).discrepancies} == {"commitment"}


def test_the_append_role_reads_and_appends_and_nothing_else(ledger: LedgerApplication) -> None:
    with plain(ledger).begin() as owner:
        owner.execute(text("DROP ROLE IF EXISTS registro_writer"))
        owner.execute(text("CREATE ROLE registro_writer LOGIN"))
        owner.execute(text("GRANT USAGE ON SCHEMA public TO registro_writer"))
        grant_append_only(owner, "registro_writer")
    url = ledger.store.engine.url.set(username="registro_writer")
    engine = create_engine(url, poolclass=NullPool)

    def refused(connection: Connection, statement: str) -> str:
        with pytest.raises(DBAPIError) as caught, connection.begin():
            connection.execute(text(statement))
        return str(caught.value.orig)

    with engine.connect() as connection:
        for statement in (
            "UPDATE record SET part = part",
            "DELETE FROM record",
            "TRUNCATE record",
            "ALTER TABLE record DISABLE TRIGGER USER",
            "DROP TABLE record",
            "UPDATE store_format SET version = 2",
        ):
            told = refused(connection, statement)
            assert "permission denied" in told or "must be owner" in told
    store = Store(open_engine(url), clock=FakeClock(), entropy=CountingEntropy())
    appending = LedgerApplication.open(store, clock=FakeClock(), entropy=CountingEntropy())
    head = appending.head()
    import_folder(appending, example_folder())
    assert appending.head() > head
    store.engine.dispose()
    with plain(ledger).begin() as owner:
        owner.execute(text("DROP OWNED BY registro_writer"))
        owner.execute(text("DROP ROLE registro_writer"))


def test_a_writer_waits_for_the_lock_and_gives_up_in_time(tmp_path: Path) -> None:
    first = new_ledger(tmp_path / "ledger")
    engine = open_engine(store_url(place_of(tmp_path / "ledger")), lock_wait_seconds=0.2)
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(first.store.engine):
            holding.set()
            done.wait(timeout=20)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(timeout=20)
    try:
        with pytest.raises(StoreLockedError), writing(engine):
            pass
    finally:
        done.set()
        thread.join()
        engine.dispose()
    with writing(first.store.engine):
        pass


@pytest.mark.parametrize(
    "point",
    ["append.locked", "append.before_insert", "append.before_commit"],
)
def test_a_server_process_killed_during_an_append_leaves_nothing(
    tmp_path: Path, point: str
) -> None:
    path = tmp_path / "ledger"
    new_ledger(path).store.engine.dispose()
    clock, entropy = FakeClock(), CountingEntropy()
    armed = threading.Event()

    def kill(reached: str) -> None:
        if reached != point or not armed.is_set():
            return
        armed.clear()
        admin = create_engine(store_url(place_of(path)), poolclass=NullPool)
        with admin.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    store = Store(
        open_engine(store_url(place_of(path))), clock=clock, entropy=entropy, fault_point=kill
    )
    ledger = LedgerApplication.open(store, clock=clock, entropy=entropy)
    before = store.count()
    armed.set()
    with pytest.raises((StoreUnavailableError, StoreError)):
        import_folder(ledger, example_folder())

    assert store.count() == before
    import_folder(LedgerApplication.open(store, clock=clock, entropy=entropy), example_folder())
    assert verify(store, AvroMapper()).discrepancies == ()
    store.engine.dispose()


def test_facts_are_the_same_records_on_both_databases(tmp_path: Path) -> None:
    on_server = production_ledger(tmp_path / "server")
    os.environ["REGISTRO_TEST_STORE"] = "sqlite"
    embedded = production_ledger(tmp_path / "embedded")
    os.environ["REGISTRO_TEST_STORE"] = "postgresql"
    facts = [fact("RequestDefined", pieces=n + 1) for n in range(5000)]
    file = csv_file(tmp_path, "facts", facts_table("RequestDefined", facts))
    for one in (on_server, embedded):
        answer = FactIntake(one).files([file], batch(), rejects=Rejects(folder=None))
        assert answer.blocks == 2

    heads = [verify(one.store, AvroMapper(), deep=True) for one in (on_server, embedded)]

    assert [one.discrepancies for one in heads] == [(), ()]
    assert heads[0].head == heads[1].head
    on_server.store.engine.dispose()
