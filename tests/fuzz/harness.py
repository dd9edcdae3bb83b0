"""Fuzz the readers of foreign bytes, guided by coverage, for a bounded time.

Usage: python -m tests.fuzz.harness SECONDS [NAME...]    all readers by default

Each reader gets its share of the time in a process of its own. Bytes that break one are left in
`fuzz-found/` under the reader's name; the exit code is then 1. What was found is put into
`test_found.py` as a case, after it is mended.
"""

import os
import sys
from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-untyped] # it has no stubs

from tests.fuzz.names import NAMES

FOUND: Final = Path("fuzz-found")
BYTES_MAX: Final = 65_536


def fuzz(name: str, seconds: int) -> int:
    """Fuzz one reader in a process of its own; return its exit code."""
    folder = FOUND / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    # The native reader's panics are caught; printing where each began would be most of the time.
    os.environ["RUST_BACKTRACE"] = "0"
    with atheris.instrument_imports(include=["ledger", "schemas"]):
        from tests.fuzz.targets import TARGETS, accepts  # noqa: PLC0415 - instrumented here
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={BYTES_MAX}",
        f"-artifact_prefix={folder}/",
        "-seed=1",
        "-verbosity=0",
        "-print_final_stats=1",
        str(corpus),
    ]

    def one(data: bytes) -> None:
        accepts(target, data)

    atheris.Setup([name, *options], one)
    atheris.Fuzz()
    return 0


def main(words: list[str]) -> int:
    """Fuzz the readers named, or all."""
    seconds, names = int(words[0]), words[1:] or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.stderr.write(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}\n")
        return 2
    broken = [name for name in names if fuzz(name, max(1, seconds // len(names)))]
    told = f"broken: {', '.join(broken)}" if broken else f"{len(names)} readers, none broken"
    sys.stdout.write(f"{told}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
