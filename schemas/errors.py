"""Schema errors."""
class SchemaError(Exception):
    code="schema"; exit_code=50
    def __init__(self, message="", **facts):
        self.facts={k:str(v) for k,v in facts.items()}
        super().__init__(message or str(facts))
class UnknownSchemaError(SchemaError): code="unknown_schema"
class InvalidSchemaError(SchemaError): code="invalid_schema"
class EncodingError(SchemaError): code="encoding"
class DecodingError(SchemaError): code="decoding"
