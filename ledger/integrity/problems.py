class IntegrityFormatError(Exception):
    code="integrity_format"
