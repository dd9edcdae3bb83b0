"""What `scripts/services` writes for people and tests is what the command line reads."""

import re
from pathlib import Path

from app.config import resolve
from tests.support.dataset import ROOT

WRITTEN = re.compile(r"^(REGISTRO_[A-Z_]+)=", re.MULTILINE)


def written() -> dict[str, str]:
    return dict.fromkeys(WRITTEN.findall((ROOT / "scripts/services").read_text("utf-8")), "x")


def test_services_up_names_ledger_and_kafka_to_the_command_line(tmp_path: Path) -> None:
    settings = resolve({}, environment=written(), folder=tmp_path)

    assert {settings["ledger"], settings["kafka"]} == {"x"}


def test_no_variable_of_services_up_gives_a_warning(tmp_path: Path) -> None:
    assert resolve({}, environment=written(), folder=tmp_path).unknown_variables == ()
