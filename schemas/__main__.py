"""The maintainer's command: check, freeze and generate from the schema files.

- `python -m schemas check` lists everything that is wrong with the files, the frozen identities,
  the compatibility of versions and the generated classes.
- `python -m schemas freeze` adds new versions to the frozen identities.
- `python -m schemas generate` writes the event classes.

Exit codes: 0 nothing to say; 1 problems were found, one line each; 2 wrong usage.

Source: docs/adr/0003-schemas.md, docs/adr/0004-event-classes.md.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from schemas.compatibility import find_breaks
from schemas.errors import SchemaError
from schemas.fingerprints import FILE, Fingerprints, check, fingerprints_of, freeze
from schemas.generate import generate, outdated, write
from schemas.lint import lint
from schemas.registry import ReleasedSchema, SchemaRegistry
from schemas.sources import Problem, SchemaSource, read_sources
from schemas.syntax import load_text, parse

_HERE = Path(__file__).parent


def main(argv: Sequence[str], *, out: TextIO) -> int:
    """Run one command.

    Args:
        argv: arguments after the program's name.
        out: where lines are written.

    Returns:
        The exit code.
    """
    arguments = _parser().parse_args(argv)
    root: Path = arguments.root
    events: Path = arguments.events
    commands = {
        "check": lambda: _check(root, events=events, out=out),
        "freeze": lambda: _freeze(root, out=out),
        "generate": lambda: _generate(root, events=events, out=out),
    }
    try:
        return commands[arguments.command]()
    except SchemaError as error:
        out.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m schemas", description=__doc__)
    parser.add_argument("command", choices=["check", "freeze", "generate"])
    parser.add_argument(
        "--root", type=Path, default=_HERE / "avro", help="folder of the schema files"
    )
    parser.add_argument(
        "--events",
        type=Path,
        default=_HERE.parent / "ledger" / "events",
        help="folder of the generated event classes",
    )
    return parser


def _check(root: Path, *, events: Path, out: TextIO) -> int:
    sources, unreadable = read_sources(root)
    problems = [*unreadable, *lint(sources)]
    released, unresolved = _released(root, sources)
    problems += unresolved
    problems += _breaks(released)
    problems += _guarded(FILE, lambda: check(_fingerprints(released), root.parent / FILE))
    problems += _guarded("ledger/events", lambda: outdated(generate(sources), events))
    for problem in problems:
        out.write(f"{problem}\n")
    summary = f"{len(problems)} problems" if problems else "no problem"
    out.write(f"{len(sources)} schemas checked: {summary}\n")
    return 1 if problems else 0


def _freeze(root: Path, *, out: TextIO) -> int:
    sources, unreadable = read_sources(root)
    released, unresolved = _released(root, sources)
    # A damaged file must not hide that its frozen identity can no longer be compared.
    problems = [*unreadable, *unresolved]
    for problem in problems:
        out.write(f"{problem}\n")
    if problems:
        return 1
    added = freeze(_fingerprints(released), root.parent / FILE)
    for name in added:
        out.write(f"frozen: {name}\n")
    out.write(f"{len(added)} versions added\n")
    return 0


def _generate(root: Path, *, events: Path, out: TextIO) -> int:
    sources, unreadable = read_sources(root)
    for problem in unreadable:
        out.write(f"{problem}\n")
    if unreadable:
        return 1
    changed = write(generate(sources), events)
    for name in changed:
        out.write(f"written: {name}\n")
    out.write(f"{len(changed)} modules changed\n")
    return 0
