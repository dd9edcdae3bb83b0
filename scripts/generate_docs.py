"""Write the generated parts of the documentation, or check that they are up to date.

A page marks each part with `<!-- generated: NAME -->` and `<!-- end -->`; what stands between is
made from the code. `--check` changes nothing and exits 1 when a page is out of date.
"""

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import app
import consumers
import ledger
import projections
from app.cli.commands import ENTRIES
from app.cli.main import PROGRAM, build
from app.cli.recording.write import COMMON
from app.config import SPECS
from ledger.errors import LedgerError
from schemas.errors import SchemaError

DOCS = Path(__file__).resolve().parent.parent / "docs"
PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
PACKAGES_WITH_ERRORS = (app, consumers, ledger, projections)
GENERAL_CODES = (
    (0, "done", "the command did what it was asked"),
    (
        1,
        "negative",
        "it checked, and found something: discrepancies, inconsistent figures, rejects",
    ),
    (2, "usage", "the command line is wrong"),
    (99, "internal", "an error nobody expected; repeat with `--debug` and report it"),
    (130, "interrupted", "interrupted by the user; nothing half-done is left behind"),
)


def exit_codes() -> str:
    """Return the table of exit codes."""
    rows = [*GENERAL_CODES, *((e.exit_code, e.code, _meaning(e)) for e in _errors())]
    lines = ["| exit code | name | meaning |", "|---:|---|---|"]
    lines += [f"| {number} | `{name}` | {meaning} |" for number, name, meaning in sorted(rows)]
    return "\n".join(lines) + "\n"


def _errors() -> Iterator[Any]:
    for package in PACKAGES_WITH_ERRORS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    pending: list[Any] = [LedgerError, SchemaError]
    while pending:
        error = pending.pop()
        pending.extend(error.__subclasses__())
        yield error


def _meaning(error: type[Exception]) -> str:
    return (inspect.getdoc(error) or "").splitlines()[0]


def settings() -> str:
    """Return the table of settings."""
    lines = ["| setting | option | variable | default | meaning |", "|---|---|---|---|---|"]
    for spec in SPECS:
        option = f"`--{spec.name.replace('_', '-')}`" if spec.name != "color" else "`--no-color`"
        default = f"`{spec.default}`" if spec.default else ""
        lines.append(
            f"| `{spec.name}` | {option} | `{spec.variable}` | {default} | {spec.help.en} |"
        )
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return every command with its arguments and options."""
    root: Any = build(asked="*", lang="en")
    parts: list[str] = []
    for entry in ENTRIES:
        parts.extend(_command(root.commands[entry.name], f"{PROGRAM} {entry.name}"))
    return "\n".join(parts)


def _command(command: Any, path: str) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children:
        if command.invoke_without_command:
            yield from _one(command, path)
        for name, child in children.items():
            yield from _command(child, f"{path} {name}")
        return
    yield from _one(command, path)


def _one(command: Any, path: str) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    if {p.name for p in options} >= set(COMMON):
        # What all recording commands share is described once, under Writing.
        options = [p for p in options if p.name not in COMMON]
    words = " ".join(p.metavar or p.name.upper() for p in arguments)
    yield f"### `{path}{' ' + words if words else ''}`\n"
    yield f"{command.help}\n"
    rows = [f"| `{p.metavar or p.name.upper()}` | {p.help or ''} |" for p in arguments]
    rows += [f"| `{' '.join(p.opts)}` | {p.help or ''} |" for p in options if p.help]
    if rows:
        yield "\n".join(["| argument or option | meaning |", "|---|---|", *rows]) + "\n"


PARTS: dict[str, Callable[[], str]] = {
    "exit-codes": exit_codes,
    "settings": settings,
    "commands": commands,
}


def rendered(text: str) -> str:
    """Return a page with its generated parts made anew."""
    return PART.sub(lambda m: f"{m[1]}\n{PARTS[m[2]]()}\n{m[3]}", text)


def main(arguments: list[str]) -> int:
    """Write or check every page."""
    stale = []
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        new = rendered(text)
        if new != text:
            stale.append(page.relative_to(DOCS.parent))
            if "--check" not in arguments:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        print(f"{page}: {'out of date' if '--check' in arguments else 'written'}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
