"""Every reason for which a file, a row or a cell is refused, with its English text.

The Italian text is rendered by `app` from the same code and facts; a code is stable once released.

Invariants:
1. Each reason says what is wrong (`message`) and what to do (`hint`), built from facts alone.
2. Codes are lower-case snake_case and unique.

Source: docs/data-folder.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """A stable code with the templates of its texts, in `str.format` syntax."""

    code: str
    message: str
    """What is wrong, and why."""
    hint: str
    """What to do."""
    hint_near: str | None = None
    """What to do when the fact `near` is not empty: it holds the known name most like the one
    written. None where there is no such fact."""


_NEAR: Final = "did you mean {near}?"

_FILE: Final = (
    ("file_missing", "the file is not in the folder", "add the file {file}"),
    ("file_unreadable", "the file cannot be read: {reason}", "check the file and its permissions"),
    ("not_a_file", "this is not a regular file", "put a CSV file of that name in its place"),
    (
        "file_too_large",
        "the file has more than {limit} bytes",
        "split the data into several folders and import one after the other",
    ),
    ("file_empty", "the file is empty", "write the header line, or take the file out"),
    ("no_rows", "the file has a header and no row", "add the rows, or take the file out"),
    (
        "not_a_table",
        "the content is of the kind {kind}, not CSV text",
        "open it in its own program and save it as CSV UTF-8, comma delimited",
    ),
    (
        "utf16",
        "the text is encoded in {encoding}, not in UTF-8",
        "save the file again as CSV UTF-8",
    ),
    (
        "semicolon_separated",
        "columns are separated by {separator} instead of commas",
        "export again with the comma as separator and the dot as decimal sign",
    ),
    (
        "blank_header",
        "the file begins with a blank line instead of the header",
        "delete the blank lines before the header",
    ),
    (
        "unknown_file",
        "the file is none of a data folder and is not read",
        "take it out of the folder",
        _NEAR,
    ),
)

_HEADER: Final = (
    ("missing_column", "the header has no column {column}", "add the column {column}"),
    (
        "unknown_column",
        "the header names a column that the table does not have",
        "delete the column",
        _NEAR,
    ),
    (
        "duplicate_column",
        "the header names the column twice, at places {first} and {second}",
        "keep one of the two",
    ),
    (
        "blank_column",
        "column {place} of the header has no name",
        "name the column, or delete it together with its values",
    ),
)

_RECORD: Final = (
    (
        "not_utf8",
        "byte {byte} at offset {offset} of the file is not UTF-8; its encoding may be {guess}",
        "save the file again as CSV UTF-8",
    ),
    (
        "cut_character",
        "the file ends in the middle of a character, at offset {offset}",
        "the file was cut: get a complete copy",
    ),
    ("nul_byte", "the row holds a NUL byte", "the file is damaged: export it again"),
    (
        "lone_cr",
        "a carriage return stands without a line feed",
        "save the file with line ends LF or CRLF",
    ),
    (
        "unclosed_quote",
        "a value opens with a quote that is never closed",
        "close the quote; if this is the last row, the file was cut: get a complete copy",
    ),
    (
        "stray_quote",
        "a quote stands inside a value that does not begin with one",
        'put the whole value between quotes and double the quote inside, as in "a ""b"" c"',
    ),
    (
        "text_after_quote",
        "text follows the closing quote of a value",
        'double the quotes inside the value, as in "a ""b"" c"',
    ),
    ("blank_line", "the line is blank", "delete the line"),
    ("empty_row", "all values of the row are empty", "delete the line"),
    (
        "too_few_columns",
        "the row has {found} values; the header has {expected} columns",
        "add the missing commas",
    ),
    (
        "truncated_row",
        "the last row has {found} values of {expected} and no line end",
        "the file was cut: get a complete copy",
    ),
    (
        "too_many_columns",
        "the row has {found} values; the header has {expected} columns",
        "put a value that holds a comma between quotes; decimals take a dot",
    ),
    (
        "row_over_lines",
        "the row runs over {lines} lines and has {found} values; the header has {expected} columns",
        "close the quote that was left open in its first line",
    ),
    (
        "field_too_long",
        "the value has {bytes} bytes; at most {limit} are allowed",
        "shorten the value",
    ),
    (
        "duplicate_key",
        "{key} stands in line {other_line} too",
        "keep one of the two rows, or correct the identifier",
    ),
)

_TEXT: Final = (
    ("empty_value", "the value is empty", "fill in the value"),
    (
        "outer_blanks",
        "the value begins or ends with a blank",
        "delete the blanks before and after the value",
    ),
    ("line_break", "the value holds a line break", "write the value on one line"),
    (
        "control_character",
        "the value holds the control character {character}",
        "delete it and type the value again",
    ),
    (
        "invisible_character",
        "the value holds the invisible character {character}",
        "type the value again instead of pasting it",
    ),
    (
        "text_too_long",
        "the value has {characters} characters; at most {limit} are allowed",
        "shorten the value",
    ),
    (
        "bad_code",
        "a code cannot hold {character}",
        "use letters a-z, digits and the signs {signs}, beginning with a letter or a digit",
    ),
    ("unknown_choice", "this is no known {what}; known are {choices}", "write one of them", _NEAR),
    (
        "word_blanks",
        "words are separated by more than one blank",
        "separate the words with one blank",
    ),
)

_NUMBER: Final = (
    ("not_a_number", "this is not a number", "write a number such as -1234.56"),
    (
        "foreign_digits",
        "the number holds {character}, which is not one of the digits 0-9",
        "type the number again with the digits 0-9",
    ),
    (
        "minus_sign",
        "the number holds {character} as a minus sign",
        "type the sign with the hyphen key: {suggestion}",
    ),
    ("plus_sign", "the number begins with a plus sign", "delete the plus sign"),
    (
        "exponent",
        "the number is written with an exponent",
        "write all digits; in a spreadsheet, format the cell as a number before exporting",
    ),
    ("negative_zero", "zero has no sign", "write 0, or the number that was meant"),
    (
        "comma_number",
        "the number is written with a decimal comma",
        "decimals take a dot and thousands no separator: {suggestion}",
    ),
    (
        "ambiguous_number",
        "the comma may stand for decimals ({decimal}) or for thousands ({thousands})",
        "write {decimal} or {thousands}",
    ),
    (
        "thousands_separator",
        "the number is written with separators of thousands",
        "write it without them: {suggestion}",
    ),
    (
        "unit_in_number",
        "the number is followed or preceded by {sign}",
        "write the number alone; the unit has its own column",
    ),
    (
        "bare_dot",
        "digits are missing before or after the dot",
        "write digits on both sides of the dot, as in 0.5",
    ),
    ("leading_zeros", "the number begins with zeros", "write {suggestion}"),
    (
        "too_many_digits",
        "the number has {digits} digits; at most {limit} are allowed",
        "write fewer digits",
    ),
    ("not_an_integer", "this is not a whole number", "write a whole number such as 1234"),
    ("below_minimum", "the least value allowed is {limit}", "correct the value"),
    ("above_maximum", "the greatest value allowed is {limit}", "correct the value"),
)

_DATE: Final = (
    ("not_a_date", "this is not a date", "write the date as year-month-day, as in 2024-06-14"),
    ("impossible_date", "there is no such day in the calendar", "correct the date"),
    (
        "day_first_date",
        "the date is not written as year-month-day",
        "write {suggestion}",
    ),
    (
        "ambiguous_date",
        "the date may be {day_first} (day first) or {month_first} (month first)",
        "write {day_first} or {month_first}",
    ),
    (
        "two_digit_year",
        "the year has two digits",
        "write the year with four digits, as in 2024-06-14",
    ),
    ("date_with_time", "a time of day follows the date", "write the date alone: {suggestion}"),
    (
        "unpadded_date",
        "month and day take two digits, with dashes between",
        "write {suggestion}",
    ),
    (
        "spreadsheet_date",
        "this is the serial number of a spreadsheet, perhaps of {suggestion}",
        "format the column as text year-month-day before exporting",
    ),
    ("date_after_limit", "the date lies after {limit}", "correct the date"),
    ("date_before_limit", "the date lies before {limit}", "correct the date"),
)

_MEANING: Final = (
    (
        "dangling_reference",
        "there is no {what} {target}",
        "correct the name, or add what it names",
        _NEAR,
    ),
    (
        "cycle",
        "the row is above itself: {path}",
        "correct one of the parents named",
    ),
    (
        "other_year",
        "the row is about another year; the folder is about {year}",
        "put the row into the folder of its year",
    ),
    (
        "conflicting_value",
        "{other_file} states {other} for the node {key}",
        "correct one of the two",
    ),
    (
        "row_changed",
        "the row was imported before with other content (key {append_key})",
        "put the old content back and record a correction with `registro correct`",
    ),
    ("refused_by_rule", "refused by rule {rule}: {detail}", "see the rule in docs/rules.md"),
)

_DATASET: Final = (
    ("toml_syntax", "this is not TOML: {reason}", "see docs/data-folder.md for the file"),
    ("missing_key", "{table} has no key {column}", "add the key {column}"),
    ("unknown_key", "{table} has no such key", "delete the key", _NEAR),
    ("wrong_type", "the value is not of the TOML type {expected}", "correct the value of {column}"),
    (
        "unknown_timezone",
        "there is no such time zone",
        "write the name of the IANA database, such as Europe/Rome",
    ),
    (
        "bad_language",
        "a language is written with the two small letters of ISO 639-1",
        "write for example it",
    ),
    (
        "bad_currency",
        "a currency is written with the three capital letters of ISO 4217",
        "write for example EUR",
    ),
    (
        "unknown_format",
        "the folder has the format {found}; this release reads {expected}",
        "import it with the release it was made for",
    ),
)

_ARITHMETIC: Final = (
    (
        "operand_count",
        "the number of operands is {found}; the kind {kind} takes {expected}",
        "correct the operands or the kind",
    ),
    (
        "malformed_operand",
        "this is not the name of a figure as the kind {kind} writes it",
        "write {form}, words separated by one blank",
    ),
    (
        "malformed_weight",
        "the weight is not a plain number of at most {limit} digits",
        "write a weight that is not negative, as in 12.5*figure",
    ),
    ("missing_weight", "the operand has no weight", "write WEIGHT*figure, as in 12.5*figure"),
    (
        "result_among_operands",
        "the result is among its own operands and would prove itself",
        "correct the result or the operands",
    ),
    ("repeated_param", "the parameter {param} stands twice", "delete one of the two"),
    (
        "bad_param_value",
        "the parameter {param} does not take this value",
        "write {param}={accepted}",
    ),
    (
        "param_not_for_kind",
        "the parameter {param} does not apply to the kind {kind}",
        "delete the parameter or correct the kind",
    ),
    (
        "precision_contradicted",
        "the value {number} cannot be printed with {decimals} decimals",
        "correct the value or its decimals",
    ),
)

REASONS: Final[Mapping[str, Reason]] = MappingProxyType(
    {
        code: Reason(code=code, message=message, hint=hint, hint_near=near[0] if near else None)
        for group in (
            _FILE,
            _HEADER,
            _RECORD,
            _TEXT,
            _NUMBER,
            _DATE,
            _MEANING,
            _DATASET,
            _ARITHMETIC,
        )
        for code, message, hint, *near in group
    }
)
"""All reasons by code."""
