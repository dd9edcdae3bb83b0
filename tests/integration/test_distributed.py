"""A rebuild on a cluster of real processes: one digest, whoever folds, whoever dies meanwhile."""

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ledger.errors import ProjectionError
from projections.runner.cluster import DaskEngine
from projections.runner.engines import EngineError
from projections.runner.models import PROJECTIONS
from projections.runner.rebuilding import Rebuilt
from projections.runner.runner import Runner
from tests.support.dask_cluster import ROOT, Cluster, cluster
from tests.support.ledgers import reopened
from tests.support.tampering import tamper
from tests.unit.projections.runner.test_digests import PRODUCTION, caught_up, facts_ledger, views_at

RANGES = 12
"""Three workers of one thread, four ranges each."""
MERGES = 2


@pytest.fixture(scope="module")
def facts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("facts") / "ledger.db")


@pytest.fixture(scope="module")
def wanted(facts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the whole ledger, by one process."""
    return caught_up(
        reopened(facts_file), tmp_path_factory.mktemp("wanted") / "views.db", PRODUCTION
    )


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three workers that are started anew when they die."""
    with cluster(tmp_path_factory.mktemp("three") / "dask") as made:
        yield made


def rebuilt(path: Path, place: Path, engine: DaskEngine, name: str = "production") -> Rebuilt:
    """Rebuild one read model of a ledger on a cluster."""
    return Runner(reopened(path), views_at(place), url=str(path)).rebuild(
        PROJECTIONS[name], engine=engine
    )


def test_three_workers_give_the_digest_of_one_process(
    three: Cluster, facts_file: Path, wanted: str, tmp_path: Path
) -> None:
    ledger, views = reopened(facts_file), views_at(tmp_path / "views.db")
    seen: list[tuple[int, int]] = []
    done = Runner(ledger, views, url=str(facts_file)).rebuild(
        PRODUCTION,
        engine=DaskEngine(address=three.address, workers=3),
        progress=lambda at, head: seen.append((at, head)),
    )

    assert done.digest == wanted == views.digest(PRODUCTION)
    assert done.events == sum(one.record.event_count for one in ledger.store.read())
    assert done.position == ledger.head()
    assert seen == sorted(seen)
    assert seen[-1] == (ledger.head(), ledger.head())
    assert len(list(three.faults.glob("before-*"))) == RANGES
    assert len(list(three.faults.glob("merge-*"))) == MERGES


@pytest.mark.crash
@pytest.mark.parametrize(
    "point",
    [
        *(("before", number) for number in (1, 7, RANGES)),
        *(("after", number) for number in (2, RANGES)),
        ("merge", MERGES),
    ],
    ids=str,
)
def test_a_worker_that_dies_does_not_show(
    point: tuple[str, int], three: Cluster, facts_file: Path, wanted: str, tmp_path: Path
) -> None:
    three.kill_at(*point)
    done = rebuilt(facts_file, tmp_path / "views.db", DaskEngine(address=three.address, workers=3))

    assert three.killed()
    assert done.digest == wanted
    assert len(list(three.faults.glob("before-*"))) >= RANGES


@pytest.mark.parametrize("name", sorted(set(PROJECTIONS) - {"production"}))
def test_governed_read_models_stay_on_this_machine(
    name: str, facts_file: Path, tmp_path: Path
) -> None:
    nowhere = DaskEngine(address="tcp://127.0.0.1:9", connect_seconds=0.2)
    done = rebuilt(facts_file, tmp_path / "views.db", nowhere, name)
    whole = caught_up(reopened(facts_file), tmp_path / "whole.db", PROJECTIONS[name])
    assert done.digest == whole


def test_the_first_record_that_cannot_be_folded_is_told(three: Cluster, tmp_path: Path) -> None:
    path = facts_ledger(tmp_path / "ledger.db")
    blocks = [one.position for one in reopened(path).store.read() if one.record.event_count > 1]
    first, last = blocks[len(blocks) // 3], blocks[-1]
    for place in (first, last):
        tamper(path, ("UPDATE record SET content = x'00' WHERE position = ?", (place,)))

    with pytest.raises(ProjectionError) as raised:
        rebuilt(path, tmp_path / "views.db", DaskEngine(address=three.address))

    assert raised.value.facts["position"] == str(first)
    assert views_at(tmp_path / "views.db").live("production") is None


def test_workers_that_do_not_come_end_the_wait(
    three: Cluster, facts_file: Path, tmp_path: Path
) -> None:
    engine = DaskEngine(address=three.address, workers=9, connect_seconds=1)
    begin = time.monotonic()
    with pytest.raises(EngineError, match="of 9 workers after 1 s"):
        rebuilt(facts_file, tmp_path / "views.db", engine)
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://127.0.0.1:9", "tcp://"])
def test_a_scheduler_that_is_not_there_ends_the_wait(
    address: str, facts_file: Path, tmp_path: Path
) -> None:
    engine = DaskEngine(address=address, connect_seconds=1)
    begin = time.monotonic()
    with pytest.raises(EngineError, match="the scheduler does not answer"):
        rebuilt(facts_file, tmp_path / "views.db", engine)
    assert time.monotonic() - begin < 10
    assert views_at(tmp_path / "views.db").live("production") is None


@pytest.mark.crash
@pytest.mark.parametrize("who", ["scheduler", "workers"])
def test_a_cluster_that_dies_ends_the_wait_and_the_next_rebuild_completes(
    who: str, facts_file: Path, wanted: str, tmp_path: Path
) -> None:
    with cluster(tmp_path / "dask", workers=1, nanny=False) as alone:
        victim = getattr(alone, who)
        runner = Runner(reopened(facts_file), views_at(tmp_path / "views.db"), url=str(facts_file))
        runner.rebuild(PRODUCTION, engine=DaskEngine(address=alone.address, connect_seconds=60))
        engine = DaskEngine(address=alone.address, connect_seconds=3)
        begin = time.monotonic()
        with pytest.raises(EngineError) as raised:
            runner.rebuild(PRODUCTION, engine=engine, progress=lambda _at, _head: victim.kill())

    assert time.monotonic() - begin < 40
    assert alone.address in str(raised.value)
    again = runner.rebuild(PRODUCTION)
    assert (again.digest, again.changed) == (wanted, False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of Dask for a cluster that speaks TLS only, by an authority of this test."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=2100))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(cert)}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        settings[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(cert)
        settings[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(secret)
    return settings


def test_a_cluster_that_speaks_tls_is_used_with_the_settings_of_dask(
    certificates: dict[str, str], facts_file: Path, wanted: str, tmp_path: Path
) -> None:
    place = tmp_path / "views.db"
    with cluster(tmp_path / "dask", workers=1, protocol="tls", extra=certificates) as secured:
        words = ["--engine", "dask", "--address", secured.address, "--ledger", str(facts_file)]
        # Dask reads its settings once for each process.
        ran = subprocess.run(
            [sys.executable, "-m", "app", "rebuild", "--projection=production", "--json", *words],
            cwd=ROOT,
            env={**os.environ, **certificates, "REGISTRO_VIEWS": str(place)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        with pytest.raises(EngineError, match="the scheduler does not answer"):
            rebuilt(facts_file, place, DaskEngine(address=secured.address, connect_seconds=1))
        plain = secured.address.replace("tls://", "tcp://")
        with pytest.raises(EngineError, match="the scheduler does not answer"):
            rebuilt(facts_file, place, DaskEngine(address=plain, connect_seconds=1))

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["digest"] == wanted
