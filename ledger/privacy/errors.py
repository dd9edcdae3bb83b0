"""What goes wrong with personal values and the file of their keys."""

from ledger.errors import LedgerError


class KeyStoreError(LedgerError):
    """The file of the subjects' keys cannot be used; the operator's move."""

    code = "key_store"
    exit_code = 64
    template = "key file {store}: {reason}"
    hint = "check the path given with --subject-keys or REGISTRO_SUBJECT_KEYS"


class KeyStoreExposedError(KeyStoreError):
    """The file of the subjects' keys can be read by others; its owner restricts it."""

    code = "key_store_exposed"
    exit_code = 65
    template = "key file {store} can be read by others (mode {mode})"
    hint = "give it the mode 0600; who may have read it can read the persons' names"


class PersonalValueError(LedgerError):
    """An encrypted value does not open with its key: one of the two was altered."""

    code = "personal_value"
    exit_code = 66
    template = "the value of subject {subject} at {path} does not open: {reason}"
    hint = "run `registro verify`; if it finds nothing, the key file was altered"
