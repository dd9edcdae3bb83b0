"""A clean place to run the command line in, and a ledger that holds the worked example."""

import os
from pathlib import Path

import pytest

from tests.support.cli import run_words
from tests.support.dataset import EXAMPLE


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, without settings from outside."""
    for name in [name for name in os.environ if name.startswith("REGISTRO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def example_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with the worked example; only read by tests."""
    path = tmp_path_factory.mktemp("example") / "ledger.db"
    ran = run_words(["--ledger", str(path), "--quiet", "import", str(EXAMPLE)])
    assert ran.code == 0, ran.err
    return path
