"""What evidence is refused for: malformed notes, wrong signatures, a log that the ledger left.

Texts in Italian stand in `app.texts.evidence`. Facts are short and never hold a private key.
"""

from ledger.errors import LedgerError


class EvidenceError(LedgerError):
    """Evidence cannot be made or judged."""

    code = "evidence"
    exit_code = 70
    template = "the evidence cannot be made or judged"


class NoteFormatError(EvidenceError):
    """Bytes are not a signed note."""

    code = "note_format"
    exit_code = 71
    template = "not a signed note: {reason}"
    hint = "take the file again from where it came, byte for byte"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class EvidenceFileError(EvidenceError):
    """A file that was handed over cannot be read or written."""

    code = "evidence_file"
    exit_code = 84
    template = "file {path}: {reason}"
    hint = "correct the path, or ask whoever sent the file for it"

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(path=path, reason=reason)


class SignatureInvalidError(EvidenceError):
    """A signature that bears the name of a known key does not fit the text."""

    code = "signature_invalid"
    exit_code = 72
    template = "the signature of {key} does not fit the text"
    hint = "the text or the signature was changed: keep the file and compare it with other copies"

    def __init__(self, *, key: str) -> None:
        super().__init__(key=key)


class SignatureMissingError(EvidenceError):
    """None of the known keys has signed."""

    code = "signature_missing"
    exit_code = 73
    template = "no signature of a known key; known: {known_keys}; signed by: {signed_by}"
    hint = (
        "get the public key of who signed by another way (--vkey, policy file); if the ledger does "
        "not list it, the checkpoint is of another ledger, or the ledger was made anew: "
        "docs/operating.md"
    )

    def __init__(self, *, known_keys: str, signed_by: str) -> None:
        super().__init__(known_keys=known_keys or "none", signed_by=signed_by or "none")


class KeyFormatError(EvidenceError):
    """The text of a key cannot be read."""

    code = "key_format"
    exit_code = 74
    template = "{subject} is not the text of a key: {reason}"
    hint = "a key is one line, as `registro keys new` writes it"

    def __init__(self, *, subject: str, reason: str) -> None:
        super().__init__(subject=subject, reason=reason)


class KeyFileError(EvidenceError):
    """A signing key cannot be used."""

    code = "key_file"
    exit_code = 75
    template = "signing key {file}: {reason}"
    hint = "see `registro keys list`; a new key comes from `registro keys new`"

    def __init__(self, *, file: str, reason: str) -> None:
        super().__init__(file=file, reason=reason)


class CheckpointFormatError(EvidenceError):
    """The text of a note is not a checkpoint."""

    code = "checkpoint_format"
    exit_code = 76
    template = "not a checkpoint: {reason}"
    hint = "take the file again from where it came, byte for byte"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class LogFileError(EvidenceError):
    """A file of the log directory is missing, damaged or would have to be overwritten."""

    code = "log_file"
    exit_code = 77
    template = "log file {path}: {reason}"
    hint = "run `registro verify --source tiles`; never mend a log directory by hand"

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(path=path, reason=reason)


class LogConflictError(EvidenceError):
    """The ledger does not extend what was signed before; nothing was signed."""

    code = "log_conflict"
    exit_code = 78
    template = (
        "the signed checkpoint covers {size} records of {expected}; the ledger gives {actual}: "
        "nothing was signed"
    )
    hint = "do not seal: run `registro verify` and follow docs/it/discrepanza.md"

    def __init__(self, *, size: int, expected: str, actual: str) -> None:
        super().__init__(size=size, expected=expected, actual=actual)


class LogBusyError(EvidenceError):
    """Another process is sealing into the same directory."""

    code = "log_busy"
    exit_code = 79
    retriable = True
    template = "another process is sealing into {directory}"
    hint = "wait until it has finished, or stop the one that follows the ledger"

    def __init__(self, *, directory: str) -> None:
        super().__init__(directory=directory)


class TimestampError(EvidenceError):
    """A timestamp cannot be asked for, or does not stamp the checkpoint."""

    code = "timestamp"
    exit_code = 80
    template = "timestamp: {reason}"
    hint = "ask again with `registro timestamp request`, and check the certificate given with --ca"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class PolicyError(EvidenceError):
    """A file of witnesses cannot be read."""

    code = "witness_policy"
    exit_code = 81
    template = "policy {file}: {reason}"
    hint = "docs/formats/checkpoint.md shows a policy file"

    def __init__(self, *, file: str, reason: str) -> None:
        super().__init__(file=file, reason=reason)


class LogMissingError(EvidenceError):
    """There is no checkpoint in the log directory."""

    code = "log_missing"
    exit_code = 82
    template = "there is no checkpoint in {directory}"
    hint = "seal the ledger first with `registro seal`, or correct --dir"

    def __init__(self, *, directory: str) -> None:
        super().__init__(directory=directory)


class AlteredRecordError(EvidenceError):
    """A record to be sealed no longer gives its commitment; nothing was signed."""

    code = "record_altered"
    exit_code = 83
    template = (
        "record {position} does not give its commitment: stored {expected}, computed {actual}; "
        "nothing was signed"
    )
    hint = "do not seal: run `registro verify` and follow docs/it/discrepanza.md"

    def __init__(self, *, position: int, expected: str, actual: str) -> None:
        super().__init__(position=position, expected=expected, actual=actual)
