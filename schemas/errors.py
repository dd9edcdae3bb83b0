"""What the package of schemas refuses, without logic.

Every error carries a stable `code`, an `exit_code` of the command line (50-55, unique) and the
`facts` its message is built from. This is a root of its own: the package imports nothing of the
ledger, so that a foreign consumer can use the folder alone.

Invariants:
1. Facts are short texts, never values of a record: a record may hold personal data.
2. A fact that a class names in its constructor is always there.

Source: docs/formats/schema-id.md, docs/adr/0003-schemas.md.
"""

from collections.abc import Mapping
from typing import ClassVar


class SchemaError(Exception):
    """Root of everything the schemas refuse or cannot do."""

    code: ClassVar[str] = "schema"
    exit_code: ClassVar[int] = 50
    template: ClassVar[str] = "the schema cannot be used"
    hint: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts: Mapping[str, str] = {name: str(value) for name, value in facts.items()}
        super().__init__(self.template.format_map(self.facts))


class UnknownSchemaError(SchemaError):
    """A schema is neither in the schema files nor among those learnt from the ledger.

    `schema` is a full name, a full name with a version, or a schema id in hexadecimal.
    """

    code = "unknown_schema"
    exit_code = 51
    template = "schema {schema} is not known: {reason}"
    hint = "open the ledger with the release that wrote it, or register the schema's text first"

    def __init__(self, *, schema: str, reason: str) -> None:
        super().__init__(schema=schema, reason=reason)


class InvalidSchemaError(SchemaError):
    """A schema text is damaged, or says what Registro's schemas do not say.

    `path` is the place: a file, a type, a field inside a type.
    """

    code = "invalid_schema"
    exit_code = 52
    template = "invalid schema, {path}: {reason}"
    hint = "mend the schema's text; `python -m schemas check` lists every problem of the files"

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(path=path, reason=reason)


class IncompatibleSchemaError(SchemaError):
    """Two schemas of one type cannot stand for each other."""

    code = "incompatible_schema"
    exit_code = 53
    template = "schema {full_name}, {path}: {reason}"
    hint = "a breaking change is a new full name and an upcaster, see docs/adr/0003-schemas.md"

    def __init__(self, *, full_name: str, path: str, reason: str) -> None:
        super().__init__(full_name=full_name, path=path, reason=reason)


class EncodingError(SchemaError):
    """A record does not fit its schema; nothing was written.

    `path` is the field, with dots and list positions from 0.
    """

    code = "encoding"
    exit_code = 54
    template = "record of {full_name}, {path}: {reason}"
    hint = "give the field a value of the type that its schema names"

    def __init__(self, *, full_name: str, path: str, reason: str) -> None:
        super().__init__(full_name=full_name, path=path, reason=reason)


class DecodingError(SchemaError):
    """Bytes are not the canonical body of a record of the schema; they were altered or misnamed."""

    code = "decoding"
    exit_code = 55
    template = "body of {full_name}, {path}: {reason}"
    hint = "run `registro verify`"

    def __init__(self, *, full_name: str, path: str, reason: str) -> None:
        super().__init__(full_name=full_name, path=path, reason=reason)
