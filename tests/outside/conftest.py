"""The outside verifiers, and evidence of the worked example for them to judge.

Without Go, its module or openssl the tests are skipped with the reason; with
REGISTRO_REQUIRE_OUTSIDE=1, as in `make test-outside`, they fail instead.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from ledger.evidence.note import SEED_BYTES, SignerKey, new_signer
from ledger.evidence.sealer import seal
from ledger.intake.importer import import_folder
from tests.support.dataset import EXAMPLE
from tests.support.ledgers import new_ledger

SOURCES = Path(__file__).parent
BUILD_SECONDS_MAX = 300
RUN_SECONDS_MAX = 60
REQUIRED = "REGISTRO_REQUIRE_OUTSIDE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What an outside verifier said."""

    accepted: bool
    reason: str
    """First word on standard error; empty when it accepted."""
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A sealed ledger on disk."""

    ledger: Path
    log: Path
    vkeys: Path
    signer: SignerKey
    old: bytes
    """Checkpoint of a smaller size."""


Judge = Callable[..., Verdict]


def absent(what: str) -> NoReturn:
    """Skip, or fail where outside verifiers are required."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def ran(*words: str | Path, folder: Path | None = None) -> Verdict:
    """Run a program and return its verdict."""
    done = subprocess.run(
        list(map(str, words)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    reason = "" if done.returncode == 0 else done.stderr.partition(":")[0].strip()
    return Verdict(accepted=done.returncode == 0, reason=reason, text=done.stdout + done.stderr)


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Return the Go driver, built from the sources beside this file."""
    if shutil.which("go") is None:
        absent("Go is not installed")
    folder = tmp_path_factory.mktemp("outside")
    for path in (*SOURCES.glob("*.go"), SOURCES / "go.mod", SOURCES / "go.sum"):
        shutil.copy(path, folder)
    built = subprocess.run(
        ["go", "build", "-mod=readonly", "-o", "outside", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS_MAX,
        check=False,
    )
    if built.returncode:
        absent(f"the Go driver cannot be built: {built.stderr.strip()}")
    return lambda *words: ran(folder / "outside", *words)


@pytest.fixture(scope="session")
def openssl() -> str:
    """Return openssl."""
    found = shutil.which("openssl")
    if found is None:
        absent("openssl is not installed")
    return found


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Seal the worked example twice: when it was empty, and whole. Only read by tests."""
    folder = tmp_path_factory.mktemp("evidence")
    ledger = new_ledger(folder / "ledger.db")
    opened = ledger.identity.opened
    assert opened is not None
    signer = new_signer(opened.origin, bytes(range(SEED_BYTES)))
    old = seal(ledger, folder / "ledger.log", [signer]).checkpoint
    import_folder(ledger, EXAMPLE)
    seal(ledger, folder / "ledger.log", [signer])
    ledger.store.engine.dispose()
    vkeys = folder / "keys"
    vkeys.write_text(signer.verifier.text + "\n", encoding="utf-8")
    return Evidence(
        ledger=folder / "ledger.db",
        log=folder / "ledger.log",
        vkeys=vkeys,
        signer=signer,
        old=old,
    )
