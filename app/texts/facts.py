"""Why a row of facts is refused, in both languages; completeness is tested."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.text import Lang, Text
from ledger.facts.problems import FactProblem

FACT_PROBLEMS: Final[Mapping[FactProblem, Text]] = MappingProxyType(
    {
        FactProblem.FIELD_COUNT: Text(
            it="la riga non ha tanti campi quanti l'intestazione",
            en="the line has not as many fields as the heading",
        ),
        FactProblem.UNREADABLE: Text(
            it="la riga non si può leggere: non è testo UTF-8, le virgolette non si chiudono o "
            "non è un oggetto JSON semplice",
            en="the line cannot be read: it is no UTF-8 text, its quotes do not match, or it is no "
            "plain JSON object",
        ),
        FactProblem.NO_KIND: Text(
            it="i nomi dei valori non sono quelli di un tipo di fatto della famiglia",
            en="the names of the values are those of no kind of fact of the family",
        ),
        FactProblem.MISSING: Text(it="il valore manca", en="the value is missing"),
        FactProblem.NOT_A_NUMBER: Text(
            it="serve un numero intero, senza punti né virgole",
            en="write a whole number, without points and commas",
        ),
        FactProblem.NOT_A_DAY: Text(
            it="serve un giorno che esiste, come 2023-12-31",
            en="write a real day as 2023-12-31",
        ),
        FactProblem.TIME_OF_DAY: Text(
            it="serve un giorno senza ora: nel file l'ora deve essere zero",
            en="write a day without a time: in the file the time of day must be zero",
        ),
        FactProblem.NOT_A_FLAG: Text(it="serve true o false", en="write true or false"),
        FactProblem.BAD_TEXT: Text(
            it="il testo ha caratteri di controllo o supera 512 byte",
            en="the text has control characters or is longer than 512 bytes",
        ),
        FactProblem.OUT_OF_RANGE: Text(
            it="il numero è fuori dai limiti della colonna",
            en="the number is outside the bounds of the column",
        ),
        FactProblem.NOT_A_CHOICE: Text(
            it="il valore non è tra quelli ammessi", en="the value is none of those allowed"
        ),
        FactProblem.UNKNOWN_UNIT: Text(
            it="in quel giorno la struttura non esiste", en="there is no such unit on that day"
        ),
        FactProblem.UNKNOWN_PRODUCT: Text(
            it="in quel giorno il prodotto non è a catalogo",
            en="the product is not catalogued on that day",
        ),
        FactProblem.UNKNOWN_NODE: Text(
            it="in quell'anno il nodo dei flussi non esiste",
            en="there is no such node of the money flows in that year",
        ),
        FactProblem.PERIOD_NOT_OPEN: Text(
            it="il giorno non cade in un periodo aperto", en="the day lies in no open period"
        ),
        FactProblem.AFTER_AS_OF: Text(
            it="il giorno è dopo la data di conoscenza del lotto",
            en="the day lies after the knowledge date of the batch",
        ),
        FactProblem.DUPLICATE_IN_BATCH: Text(
            it="un'altra riga del lotto ha lo stesso identificativo",
            en="another row of the batch has the same identifier",
        ),
        FactProblem.DUPLICATE_IN_LEDGER: Text(
            it="un fatto già registrato ha lo stesso identificativo",
            en="a fact recorded before has the same identifier",
        ),
        FactProblem.SUPERSEDED_UNKNOWN: Text(
            it="il fatto da correggere non è nel registro",
            en="the fact to be corrected is not in the ledger",
        ),
        FactProblem.SUPERSEDED_TWICE: Text(
            it="il fatto da correggere è già stato corretto",
            en="the fact to be corrected was taken back already",
        ),
    }
)

PROBLEMS_IT: Final = ("file", "riga", "colonna", "valore", "codice", "motivo")
"""Heading of the list of problems."""


def fact_problem_text(code: str, lang: Lang) -> str:
    """Return the sentence of a problem; an unknown code as it is."""
    try:
        return FACT_PROBLEMS[FactProblem(code)].in_(lang)
    except ValueError:
        return code
