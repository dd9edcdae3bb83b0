"""What is wrong with bytes that are hashed: one root, named kinds, nothing of the ledger's errors.

The verifier turns these into discrepancies; a caller that builds records never sees them unless it
has a defect.
"""

from collections.abc import Mapping
from typing import ClassVar


class IntegrityFormatError(Exception):
    """Root: bytes or numbers that no record, leaf or proof can have."""

    code: ClassVar[str] = "integrity_format"
    template: ClassVar[str] = "the bytes are not as their format asks"

    def __init__(self, **facts: object) -> None:
        self.facts: Mapping[str, str] = {name: str(value) for name, value in facts.items()}
        super().__init__(self.template.format_map(self.facts))


class FieldBoundsError(IntegrityFormatError):
    """A field is outside the bounds of its format."""

    code = "field_bounds"
    template = "{field}: {reason}"

    def __init__(self, *, field: str, reason: str) -> None:
        super().__init__(field=field, reason=reason)


class PreimageError(IntegrityFormatError):
    """A preimage cannot be taken apart into its fields."""

    code = "preimage"
    template = "preimage, byte {offset}: {reason}"

    def __init__(self, *, offset: int, reason: str) -> None:
        super().__init__(offset=offset, reason=reason)


class ProofError(IntegrityFormatError):
    """A proof does not have the shape that its sizes ask for; nothing was hashed."""

    code = "proof"
    template = "proof: {reason}"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class RootMismatchError(IntegrityFormatError):
    """A proof leads to another root than the one expected."""

    code = "root_mismatch"
    template = "the proof leads to {computed}, expected was {expected}"

    def __init__(self, *, computed: bytes, expected: bytes) -> None:
        super().__init__(computed=computed.hex(), expected=expected.hex())
