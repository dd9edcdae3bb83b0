"""The whole error tree of the ledger, without logic.

Every error carries a stable `code`, an `exit_code` of the command line (10-99, unique) and the
`facts` its message is built from. The English message stands here; the Italian one is rendered by
`app.texts.errors` from the same code and facts, so that no layer below `app` knows a language.

Invariants:
1. Facts are short texts, never payloads: a payload may hold personal data.
2. `exit_code` is unique over the tree and documented in docs/cli.md (tested).
"""

from collections.abc import Mapping
from typing import ClassVar


class LedgerError(Exception):
    """Root of everything the ledger refuses or cannot do."""

    code: ClassVar[str] = "ledger"
    exit_code: ClassVar[int] = 10
    retriable: ClassVar[bool] = False
    template: ClassVar[str] = "the ledger cannot do this"
    hint: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts: Mapping[str, str] = {name: str(value) for name, value in facts.items()}
        super().__init__(self.template.format_map(self.facts))


class ConfigurationError(LedgerError):
    """A setting is missing or wrong; the operator mends it."""

    code = "configuration"
    exit_code = 11
    template = "setting {setting}: {reason}"
    hint = "see `registro config show --origin`"


class CommandError(LedgerError):
    """A command cannot be carried out."""

    code = "command"
    exit_code = 12
    template = "the command cannot be carried out"


class InvalidCommandError(CommandError):
    """The shape of a command is wrong; the caller mends the named field."""

    code = "invalid_command"
    exit_code = 13
    template = "{subject}: field {field} has the value {value!r}: {reason}"
    hint = "correct the field and send the command again"


class CommandRefusedError(CommandError):
    """A rule of the domain forbids the command in the present state of the ledger.

    `rule` is the stable name of the rule; texts in both languages stand in `app.texts.rules`.
    """

    code = "command_refused"
    exit_code = 14
    template = "refused by rule {rule}: {detail}"
    hint = "see the rule in docs/rules.md"

    def __init__(self, *, rule: str, detail: str, **facts: object) -> None:
        self.rule = rule
        super().__init__(rule=rule, detail=detail, **facts)


class UnknownEntityError(CommandError):
    """Something named by a command or a query is not in the ledger."""

    code = "unknown_entity"
    exit_code = 15
    template = "there is no {kind} {name!r} in this ledger"
    hint = "look for it with `registro search`"


class WrongExpectedVersionError(LedgerError):
    """Another writer changed a stream between reading and appending; read again and retry."""

    code = "wrong_expected_version"
    exit_code = 16
    retriable = True
    template = "stream {stream}: expected version {expected}, found {actual}"
    hint = "somebody else wrote meanwhile: repeat the command"


class AppendKeyConflictError(LedgerError):
    """The idempotency key was used before with other content; nothing was appended."""

    code = "append_key_conflict"
    exit_code = 17
    template = "key {append_key!r} was used before for other content (position {position})"
    hint = "use a new key, or record a correction with `registro correct`"


class StoreError(LedgerError):
    """The store cannot be used as asked."""

    code = "store"
    exit_code = 18
    template = "store {store}: {reason}"


class StoreUnavailableError(StoreError):
    """The database cannot be reached or opened; the operator's move."""

    code = "store_unavailable"
    exit_code = 19
    retriable = True
    template = "store {store} cannot be opened: {reason}"
    hint = "check the path or URL given with --ledger or REGISTRO_LEDGER"


class ViewsUnavailableError(StoreUnavailableError):
    """The database of the read models cannot be reached or opened; the ledger can."""

    code = "views_unavailable"
    exit_code = 68
    template = "read models {store} cannot be opened: {reason}"
    hint = "check the setting views (REGISTRO_VIEWS); without it they stand beside the ledger"


class ViewsDeniedError(StoreError):
    """The database does not let this role make the tables of the read models."""

    code = "views_denied"
    exit_code = 67
    template = "read models {store} cannot be made: {reason}"
    hint = (
        "set views (REGISTRO_VIEWS) to a database of which this role is the owner; without it they "
        "stand beside the ledger, where only the ledger's owner may make them"
    )


class StoreFolderMissingError(StoreUnavailableError):
    """The folder in which the ledger's file would stand does not exist."""

    code = "store_folder_missing"
    exit_code = 34
    retriable = False
    template = "store {store} cannot be opened: the folder {folder} does not exist"
    hint = "create the folder, or correct the path given with --ledger or REGISTRO_LEDGER"


class StoreReadOnlyError(StoreError):
    """The ledger's file or its folder cannot be written."""

    code = "store_read_only"
    exit_code = 35
    template = "store {store} is read-only: {reason}"
    hint = (
        "give the right to write on the file and its folder, or work on a copy of the file "
        "together with its -wal"
    )


class StoreLockedError(StoreError):
    """Another process is writing and did not finish in time; retry."""

    code = "store_locked"
    exit_code = 20
    retriable = True
    template = "store {store} is being written by another process (waited {seconds} s)"
    hint = "wait for the other writer to finish and repeat the command"


class LedgerMissingError(StoreError):
    """There is no ledger at the given place."""

    code = "ledger_missing"
    exit_code = 21
    template = "there is no ledger at {store}"
    hint = "create it with `registro init`"


class LedgerExistsError(StoreError):
    """There is a ledger already at the given place."""

    code = "ledger_exists"
    exit_code = 22
    template = "there is a ledger already at {store}"
    hint = "choose another path with --ledger"


class StoreFormatError(StoreError):
    """The store was written by another release, or is not a ledger."""

    code = "store_format"
    exit_code = 23
    template = "store {store} has the format {found!r}; this release reads {expected!r}"
    hint = "open it with the release that wrote it, or see docs/operating.md, upgrade"


class CopyRefusedError(StoreError):
    """A copy of the ledger cannot be made under the name given."""

    code = "copy_refused"
    exit_code = 36
    template = "the copy {store} cannot be made: {reason}"
    hint = "give a name that is free, in a folder that exists and can be written"


class RestoreRefusedError(StoreError):
    """A copy is not put in the place of a ledger: it is missing, or not whole."""

    code = "restore_refused"
    exit_code = 37
    template = "{store} is not restored: {reason}"
    hint = (
        "give a copy made by the command backup in which `registro verify --ledger COPY` finds no "
        "discrepancy"
    )


class AppendOnlyError(StoreError):
    """Something tried to change or delete a stored record."""

    code = "append_only"
    exit_code = 24
    template = "store {store} refused to change a stored record: {reason}"
    hint = "a correction is a new event: `registro correct`"


class StoredEventDecodeError(StoreError):
    """A stored record cannot be decoded; it was altered or its schema is unknown."""

    code = "stored_event_decode"
    exit_code = 25
    template = "record {position} of type {event_type}: {reason}"
    hint = "run `registro verify`"


class PositionGapError(LedgerError):
    """A record is missing between two positions; the ledger was tampered with or is damaged."""

    code = "position_gap"
    exit_code = 31
    template = "after position {after} comes {found}: a record is missing"
    hint = "run `registro verify`"


class ImportRefusedError(LedgerError):
    """A data folder has problems and nothing of it was recorded."""

    code = "import_refused"
    exit_code = 26
    template = "{folder}: {count} problems; nothing was recorded"
    hint = "mend the rows listed, or import the good rows with --rows"


class AuditRefusedError(LedgerError):
    """The tables of an audit have problems, and no relation was judged or recorded."""

    code = "audit_refused"
    exit_code = 38
    template = "{folder}: {count} problems; nothing was judged or recorded"
    hint = "mend the rows listed and repeat the audit"


class DatasetError(LedgerError):
    """A data folder cannot be read as such."""

    code = "dataset"
    exit_code = 27
    template = "{folder}: {reason}"
    hint = "see docs/data-folder.md for the files of a data folder"


class DataFolderError(DatasetError):
    """What was named as a folder of data is none."""

    code = "data_folder"
    exit_code = 39
    template = "{folder} is no folder of data: {reason}"
    hint = "correct the path; docs/data-folder.md says what stands in a folder of data"


class BodyMismatchError(LedgerError):
    """Data of one body were offered to the ledger of another."""

    code = "body_mismatch"
    exit_code = 28
    template = "this ledger belongs to {expected!r}; the data are of {actual!r}"
    hint = "use the ledger of that body, or `registro init --body` for a new one"


class ProjectionError(LedgerError):
    """A projection stopped; it stays at the position before the event named."""

    code = "projection"
    exit_code = 29
    template = "projection {projection} stopped at record {position}: {reason}"
    hint = "run `registro verify`; a projection never skips an event"


class ReadModelMovedError(ProjectionError):
    """Another process moved a read model between a look and a write; look again."""

    code = "read_model_moved"
    exit_code = 59
    retriable = True
    template = "read model {projection} stands at {position} no more: another process moved it"
    hint = "repeat the command; one process at a time rebuilds a read model"

    def __init__(self, *, projection: str, position: int) -> None:
        super().__init__(projection=projection, position=position)


class ReadModelAheadError(LedgerError):
    """A read model covers more records than what it would be rebuilt from; it stays as it is."""

    code = "read_model_ahead"
    exit_code = 46
    template = (
        "read model {projection} is at position {position}, what it would be rebuilt from ends at "
        "{head}"
    )
    hint = (
        "publish what is missing with `registro publish --once`; beside a running `catch-up`, stop "
        "it first or rebuild from the ledger; after a restore, name other read models by the "
        "setting views"
    )

    def __init__(self, *, projection: str, position: int, head: int) -> None:
        super().__init__(projection=projection, position=position, head=head)


class FormulaError(LedgerError):
    """The formula of an indicator definition is not valid."""

    code = "formula"
    exit_code = 30
    template = "formula of {subject}, at {path}: {reason}"
    hint = "see docs/indicators.md for the formula language"


class FactFileError(LedgerError):
    """A file of facts cannot be read as such; nothing of the batch was recorded."""

    code = "fact_file"
    exit_code = 32
    template = "{file}: {reason}"
    hint = "see docs/production.md for the files of facts"

    def __init__(self, *, file: str, reason: str) -> None:
        super().__init__(file=file, reason=reason)


class FactBatchError(LedgerError):
    """A batch of facts is refused whole."""

    code = "fact_batch"
    exit_code = 33
    template = "batch {batch} of {source}: {reason}"
    hint = "mend the rows listed in the reject file, or leave out --whole to record the others"

    def __init__(self, *, batch: str, source: str, reason: str) -> None:
        super().__init__(batch=batch, source=source, reason=reason)
