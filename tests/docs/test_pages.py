"""The documentation keeps its word: links, lists of names, and every command of the README."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from app.texts.discrepancies import DISCREPANCIES
from ledger.rules import Rule
from tests.support.cli import run, run_words
from tests.support.dataset import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
README_LINES_MAX = 150


def headings(page: str, marks: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^{marks} `?([a-z_]+)`?$", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_rule_has_its_section() -> None:
    assert headings("rules.md", "##") == [rule.value for rule in Rule]


def test_every_discrepancy_has_its_section() -> None:
    assert sorted(headings("operating.md", "###")) == sorted(DISCREPANCIES)


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for page in folder.glob("0*.md"):
        assert page.name in index


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < README_LINES_MAX


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that holds the examples, as a clone does."""
    for name in ("REGISTRO_LEDGER", "REGISTRO_LANG", "REGISTRO_ACTOR", "REGISTRO_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("newcomer")
def test_every_command_of_the_readme_works() -> None:
    blocks = CONSOLE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("registro ")]
    assert len(commands) >= 8
    for command in commands:
        ran = run_words(shlex.split(command)[1:])
        allowed = {0, 1} if " audit " in command else {0}
        assert ran.code in allowed, (command, ran.err)
        assert ran.out


def test_the_yaml_of_the_command_page_is_accepted(newcomer: Path) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert yaml.safe_load(block)["events"]
    (newcomer / "events.yaml").write_text(block, encoding="utf-8")
    assert run("init", "--body", "INPS").code == 0
    act = ("act", "adopt", "CdA", "resolution", "2023-01-30", "plan", "--number", "14")
    unit = ("unit", "establish", "DCPCG", "dg", "Direzione", "2020-01-01")
    for words in (act, (*unit, "--as-of", "2023-01-01")):
        assert run(*words, "--actor", "DG").code == 0
    ran = run("record", "events.yaml")
    assert ran.code == 0, ran.err


def test_a_group_that_is_a_command_itself_has_its_section() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

    assert "\n### `registro dossier`\n" in text
    assert "| `--sealed-only` |" in text
