"""The errors about personal values and the file of their keys in both languages.

Source: ledger.privacy.errors, docs/privacy.md.
"""

from typing import Final

from app.texts.text import Text

PRIVACY: Final = {
    "key_store": (
        Text(
            it="file delle chiavi {store}: {reason}",
            en="key file {store}: {reason}",
        ),
        Text(
            it="controllare il percorso dato con --subject-keys o REGISTRO_SUBJECT_KEYS",
            en="check the path given with --subject-keys or REGISTRO_SUBJECT_KEYS",
        ),
    ),
    "key_store_exposed": (
        Text(
            it="altri possono leggere il file delle chiavi {store} (permessi {mode})",
            en="key file {store} can be read by others (mode {mode})",
        ),
        Text(
            it="dare al file i permessi 0600; chi può averlo letto può leggere i nomi delle "
            "persone",
            en="give it the mode 0600; who may have read it can read the persons' names",
        ),
    ),
    "personal_value": (
        Text(
            it="il valore del soggetto {subject} in {path} non si apre: {reason}",
            en="the value of subject {subject} at {path} does not open: {reason}",
        ),
        Text(
            it="eseguire `registro verify`; se non trova nulla, è cambiato il file delle chiavi",
            en="run `registro verify`; if it finds nothing, the key file was altered",
        ),
    ),
}
"""Sentence and hint by the code of the error."""
