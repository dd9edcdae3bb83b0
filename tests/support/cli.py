"""The command line, run inside the test's own process."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer, parsed."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """The problem object on stderr, parsed."""
        return json.loads(self.err[self.err.index("{") :])


def run(*argv: str) -> Ran:
    """Run a command line; English unless the words say otherwise."""
    return run_words(argv if "--lang" in argv else ("--lang", "en", *argv))


def run_words(argv: Sequence[str]) -> Ran:
    """Run a command line as it is."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    return Ran(code, out.getvalue(), err.getvalue())
