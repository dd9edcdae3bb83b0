"""A run that follows does not end because a server did: it says why, waits, and goes on.

Source: docs/operating.md, the log; docs/kafka.md, the live tail.
"""

import logging
import time
from typing import Final

from app.cli.context import Cli
from app.output.logs import log_event
from app.texts.errors import error_texts
from ledger.errors import LedgerError

RETRY_SECONDS: Final = 1.0
"""How long a run waits before it tries again."""
_LOG: Final = logging.getLogger("registro.catch_up")


class Retries:
    """Why one run had to try again."""

    def __init__(self, cli: Cli) -> None:
        """Take where to say it."""
        self._cli = cli
        self._said: set[str] = set()

    def wait(self, error: LedgerError) -> None:
        """Say once on the screen, and every time in the log, why there is no going on; wait."""
        log_event(_LOG, logging.WARNING, "catch_up.retry", error=error.code, **error.facts)
        if str(error) not in self._said:
            self._said.add(str(error))
            self._cli.screen.warn(error_texts(error, self._cli.lang)[0])
        time.sleep(RETRY_SECONDS)
