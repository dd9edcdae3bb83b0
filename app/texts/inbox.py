"""Why a message of an inbox is refused, in both languages; completeness is tested."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.facts import fact_problem_text
from app.texts.text import Lang, Text
from ledger.kafka.inbox.problems import InboxProblem

INBOX_PROBLEMS: Final[Mapping[InboxProblem, Text]] = MappingProxyType(
    {
        InboxProblem.NO_VALUE: Text(it="il messaggio è vuoto", en="the message is empty"),
        InboxProblem.TOO_LONG: Text(
            it="il messaggio è più lungo di un fatto: al massimo 65536 byte",
            en="the message is longer than a fact: 65536 bytes at most",
        ),
        InboxProblem.CONTENT_TYPE: Text(
            it="l'intestazione content-type non è application/json né application/avro",
            en="the header content-type is neither application/json nor application/avro",
        ),
        InboxProblem.NO_SCHEMA: Text(
            it="manca l'intestazione ce_dataschema, che dice lo schema del corpo Avro",
            en="the header ce_dataschema is missing: it names the schema of the Avro body",
        ),
        InboxProblem.UNKNOWN_SCHEMA: Text(
            it="lo schema indicato non è mai stato rilasciato",
            en="the schema that is named was never released",
        ),
        InboxProblem.WRONG_FAMILY: Text(
            it="è un fatto di un'altra famiglia: va mandato alla sua casella",
            en="it is a fact of another family: send it to the inbox of that",
        ),
        InboxProblem.NOT_A_FACT: Text(
            it="i campi non sono quelli di un fatto della famiglia",
            en="the fields are those of no fact of the family",
        ),
        InboxProblem.NO_JSON: Text(
            it="il valore non è un oggetto JSON semplice", en="the value is no plain JSON object"
        ),
        InboxProblem.NO_AVRO: Text(
            it="il valore non è un corpo dello schema indicato",
            en="the value is no body of the schema that is named",
        ),
    }
)


def inbox_problem_text(code: str, lang: Lang) -> str:
    """Return the sentence of a problem of a message or of a row; an unknown code as it is."""
    try:
        return INBOX_PROBLEMS[InboxProblem(code)].in_(lang)
    except ValueError:
        return fact_problem_text(code, lang)
