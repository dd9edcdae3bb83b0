"""Names of the readers that are fuzzed, known before the readers are loaded."""

from typing import Final

NAMES: Final = (
    "note",
    "checkpoint",
    "signed",
    "vkey",
    "signer",
    "policy",
    "bundle",
    "leaf",
    "lengths",
    "preimage",
    "event",
    "block",
    "proof",
    "growth",
    "manifest",
    "question",
    "container",
    "dossier",
    "member",
)
