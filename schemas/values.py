"""stopgap"""
import re
from decimal import Decimal
_C=re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?\Z")
def canonical_decimal(value: Decimal) -> str:
    text=format(value,"f")
    if "." in text: text=text.rstrip("0").rstrip(".")
    return "0" if text in {"-0",""} else text
def parse_decimal(text: str) -> Decimal:
    if not _C.match(text) or text=="-0": raise ValueError(f"{text!r} is not a canonical decimal")
    return Decimal(text)
