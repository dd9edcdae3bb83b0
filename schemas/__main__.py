"""The maintainer's command: check, freeze and generate from the schema files.

- `python -m schemas check` lists everything that is wrong with the files, the frozen identities,
  the compatibility of versions and the generated classes.
- `python -m schemas freeze` adds new versions to the frozen identities.
- `python -m schemas generate` writes the event classes.

Exit codes: 0 nothing to say; 1 problems were found, one line each; 2 wrong usage.

Source: docs/adr/0003-schemas.md, docs/adr/0004-event-classes.md.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

from schemas.compatibility import find_breaks
from schemas.errors import SchemaError
from schemas.fingerprints import FILE, check, fingerprints_of, freeze
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
    parser = argparse.ArgumentParser(
        prog="python -m schemas",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    problems += _guarded(FILE, lambda: check(fingerprints_of(released), root.parent / FILE))
    problems += _guarded("ledger/events", lambda: outdated(generate(sources), events))
    out.writelines(f"{problem}\n" for problem in problems)
    summary = f"{len(problems)} problems" if problems else "no problem"
    out.write(f"{len(sources)} schemas checked: {summary}\n")
    return 1 if problems else 0


def _freeze(root: Path, *, out: TextIO) -> int:
    sources, unreadable = read_sources(root)
    released, unresolved = _released(root, sources)
    # A damaged file must not hide that its frozen identity can no longer be compared.
    problems = [*unreadable, *unresolved]
    out.writelines(f"{problem}\n" for problem in problems)
    if problems:
        return 1
    added = freeze(fingerprints_of(released), root.parent / FILE)
    out.writelines(f"frozen: {name}\n" for name in added)
    out.write(f"{len(added)} versions added\n")
    return 0


def _generate(root: Path, *, events: Path, out: TextIO) -> int:
    sources, unreadable = read_sources(root)
    out.writelines(f"{problem}\n" for problem in unreadable)
    if unreadable:
        return 1
    changed = write(generate(sources), events)
    out.writelines(f"written: {name}\n" for name in changed)
    out.write(f"{len(changed)} modules changed\n")
    return 0


def _released(
    root: Path, sources: Sequence[SchemaSource]
) -> tuple[tuple[ReleasedSchema, ...], tuple[Problem, ...]]:
    """Return the schemas with their identities, and the types that have none."""
    registry = SchemaRegistry(root)
    released: list[ReleasedSchema] = []
    problems: list[Problem] = []
    for name, folder in sorted({(s.full_name, f"{s.context}/{s.name}") for s in sources}):
        try:
            released += registry.versions(name)
        except SchemaError as error:
            problems.append(_problem(folder, "identity", str(error)))
    return tuple(released), tuple(problems)


def _breaks(released: Sequence[ReleasedSchema]) -> list[Problem]:
    """Return which versions cannot read each other, from their self-contained texts."""
    problems: list[Problem] = []
    for name, group in itertools.groupby(released, key=lambda schema: schema.full_name):
        versions = tuple(group)
        breaks = find_breaks([parse(load_text(schema.normalised)) for schema in versions])
        for reader, writer, reason in breaks:
            numbers = versions[reader - 1].version, versions[writer - 1].version
            problems.append(
                Problem(
                    file=name,
                    path=reason.path,
                    rule="compatibility",
                    message=f"v{numbers[0]} cannot read v{numbers[1]}: {reason.reason}",
                )
            )
    return problems


def _guarded(file: str, step: Callable[[], Iterable[Problem]]) -> tuple[Problem, ...]:
    """Return the problems of a step; a step that cannot be carried out is one problem itself."""
    try:
        return tuple(step())
    except SchemaError as error:
        return (_problem(file, "unreadable", str(error)),)


def _problem(file: str, rule: str, message: str) -> Problem:
    return Problem(file=file, path="", rule=rule, message=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], out=sys.stdout))
