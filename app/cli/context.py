"""What every command gets: settings, language, screen, and the ledger it works on.

The store is imported when it is opened: the help of a command does without SQLAlchemy.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from app.config import Settings
from app.output import jsontext
from app.output.screen import Screen
from app.texts.text import Lang
from app.texts.usage import with_ledger
from ledger.clock import SystemClock, SystemEntropy
from ledger.errors import InvalidCommandError

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.store.store import Store

NEGATIVE = 1
"""Exit code of a check that found something."""


@dataclass(kw_only=True, slots=True)
class ToPublish:
    """What a run has still to publish, where the setting `publish` is `required`."""

    head_before: "Callable[[Cli], int]" = field(compare=False)
    """Returns the head in front of a run that records; refuses where Kafka is not named."""
    since: int | None = None
    """Position up to which nothing is to be done: the head before the run opened the ledger to
    record, or what was published since. None while it has not opened the ledger to record."""


@dataclass(frozen=True, kw_only=True)
class Cli:
    """One run of the command line."""

    settings: Settings
    json: bool
    screen: Screen
    to_publish: ToPublish | None = None
    """None where publishing is not required."""

    @property
    def lang(self) -> Lang:
        """Language of the texts."""
        return self.settings.lang

    def tr(self, it: str, en: str) -> str:
        """Return one of two texts, by language."""
        return it if self.lang == "it" else en

    def count(self, number: int, it: tuple[str, str], en: tuple[str, str]) -> str:
        """Return a number with its noun: each pair is singular, plural."""
        words = it if self.lang == "it" else en
        return f"{number} {words[0] if number == 1 else words[1]}"

    def remedy(self, command: str) -> str:
        """Return a command for the reader to type, on the ledger this run was given."""
        return with_ledger(f"registro {command}", self.settings.ledger_given)

    @functools.cached_property
    def clock(self) -> SystemClock:
        """The operating system's clock."""
        return SystemClock()

    @functools.cached_property
    def entropy(self) -> SystemEntropy:
        """The operating system's randomness."""
        return SystemEntropy()

    def store(self, *, read_only: bool = False) -> "Store":
        """Return the store that the settings name; nothing is opened yet."""
        from ledger.store.engine import open_engine, store_url
        from ledger.store.store import Store

        engine = open_engine(store_url(self.settings["ledger"]), read_only=read_only)
        return Store(engine, clock=self.clock, entropy=self.entropy)

    def open(self, *, read_only: bool = True) -> "LedgerApplication":
        """Open the ledger that the settings name.

        Raises:
            LedgerMissingError: there is none.
            StoreFormatError: it is of another release.
            ConfigurationError: what is recorded must be published, and no Kafka is named.
        """
        from ledger.application import LedgerApplication

        if not read_only and self.to_publish is not None and self.to_publish.since is None:
            self.to_publish.since = self.to_publish.head_before(self)
        store = self.store(read_only=read_only)
        ledger = LedgerApplication.open(store, clock=self.clock, entropy=self.entropy)
        self.screen.zone = ledger.zone
        return ledger

    def answer(self, value: Mapping[str, object]) -> None:
        """Write an answer as JSON to stdout."""
        self.screen.line(jsontext.document(value))

    def banner(self, *, sandbox: bool) -> None:
        """Mark what comes from a sandbox ledger, before anything else is shown."""
        if sandbox and not self.json:
            self.screen.line(
                self.tr(
                    "*** REGISTRO DI PROVA: i dati non fanno fede ***",
                    "*** SANDBOX LEDGER: these data prove nothing ***",
                )
            )

    def require_no_person(self, command: str) -> None:
        """Refuse a person in whose name a whole batch should be recorded.

        A person who is only set for all commands is left out, and the run says so.

        Args:
            command: that records for an office alone.

        Raises:
            InvalidCommandError: an option of this run names a person.
        """
        if self.settings.given("person"):
            raise InvalidCommandError(
                subject=command,
                field="--person",
                # The name itself goes nowhere.
                value="",
                reason=self.tr(
                    "questo comando registra a nome di un ufficio, con --actor: nessuna persona "
                    "vi è scritta",
                    "this command records in the name of an office, with --actor: no person is "
                    "written into it",
                ),
            )
        if self.settings["person"]:
            self.screen.note(
                self.tr(
                    "La persona impostata non viene registrata: questo comando registra a nome di "
                    "un ufficio.",
                    "The person that is set is not recorded: this command records in the name of "
                    "an office.",
                )
            )

    def actor(self, given: str | None) -> str:
        """Return who records: the option, else the setting.

        Raises:
            InvalidCommandError: neither says.
        """
        text = given or self.settings["actor"]
        if not text:
            raise InvalidCommandError(
                subject="actor",
                field="--actor",
                value="",
                reason="write ROLE or ROLE@UNIT, or set REGISTRO_ACTOR",
            )
        return text


def cli_of(context: typer.Context) -> Cli:
    """Return the run that a command belongs to."""
    found = context.find_object(Cli)
    if found is None:
        raise RuntimeError("the command was not started by app.cli.main")
    return found
