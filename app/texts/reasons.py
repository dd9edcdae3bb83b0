"""Why a file, a row or a cell is refused, in Italian; English comes with the problem itself.

Invariants:
1. Every reason of the ledger has its Italian texts, with the same placeholders (tested).
2. Messages and hints begin small and end without a full stop: they stand inside lines.

Source: ledger.intake.reasons, docs/data-folder.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.rules import rule_texts
from app.texts.text import Lang, render
from app.texts.values import facts_in
from ledger.intake.problems import Problem
from ledger.intake.reasons import REASONS

NEAR_IT: Final = "forse si intendeva {near}?"
"""Hint when a known name is much like the one written."""

_AGAIN_UTF8: Final = "salvare di nuovo il file come CSV UTF-8"
_CUT: Final = "il file è troncato: procurarsi una copia completa"
_DELETE_LINE: Final = "cancellare la riga"
_ONE_OF_TWO: Final = "toglierne uno dei due"
_SHORTEN: Final = "accorciare il valore"
_CORRECT_VALUE: Final = "correggere il valore"
_CORRECT_DATE: Final = "correggere la data"
_WRITE: Final = "scrivere {suggestion}"

_FILE: Final = (
    ("file_missing", "il file non è nella cartella", "aggiungere il file {file}"),
    (
        "file_unreadable",
        "il file non si può leggere: {reason}",
        "controllare il file e i suoi permessi",
    ),
    ("not_a_file", "non è un file normale", "mettere al suo posto un file CSV con quel nome"),
    (
        "file_too_large",
        "il file supera {limit} byte",
        "dividere i dati in più cartelle e importarle una dopo l'altra",
    ),
    ("file_empty", "il file è vuoto", "scrivere l'intestazione, o togliere il file"),
    (
        "no_rows",
        "il file ha l'intestazione e nessuna riga",
        "aggiungere le righe, o togliere il file",
    ),
    (
        "not_a_table",
        "il contenuto è di tipo {kind}, non è testo CSV",
        "aprirlo con il suo programma e salvarlo come CSV UTF-8 separato da virgole",
    ),
    ("utf16", "il testo è codificato in {encoding}, non in UTF-8", _AGAIN_UTF8),
    (
        "semicolon_separated",
        "le colonne sono separate da {separator} anziché da virgole",
        "esportare di nuovo con la virgola come separatore e il punto per i decimali",
    ),
    (
        "blank_header",
        "il file comincia con una riga vuota al posto dell'intestazione",
        "cancellare le righe vuote prima dell'intestazione",
    ),
    (
        "unknown_file",
        "il file non fa parte di una cartella di dati e non viene letto",
        "toglierlo dalla cartella",
    ),
)

_HEADER: Final = (
    (
        "missing_column",
        "nell'intestazione manca la colonna {column}",
        "aggiungere la colonna {column}",
    ),
    (
        "unknown_column",
        "l'intestazione ha una colonna che la tabella non prevede",
        "cancellare la colonna",
    ),
    (
        "duplicate_column",
        "l'intestazione ha due volte la colonna, ai posti {first} e {second}",
        "tenerne una sola",
    ),
    (
        "blank_column",
        "la colonna {place} dell'intestazione non ha nome",
        "darle un nome, o cancellarla con i suoi valori",
    ),
)

_RECORD: Final = (
    (
        "not_utf8",
        (
            "il byte {byte} alla distanza {offset} dall'inizio del file non è UTF-8; la codifica "
            "può essere {guess}"
        ),
        _AGAIN_UTF8,
    ),
    (
        "cut_character",
        "il file finisce a metà di un carattere, alla distanza {offset} dall'inizio",
        _CUT,
    ),
    (
        "nul_byte",
        "la riga contiene un byte NUL",
        "il file è danneggiato: esportarlo di nuovo",
    ),
    (
        "lone_cr",
        "un ritorno a capo CR è senza il suo LF",
        "salvare il file con fine riga LF o CRLF",
    ),
    (
        "unclosed_quote",
        "le virgolette aperte di un valore non vengono chiuse",
        (
            "chiudere le virgolette; se è l'ultima riga il file è troncato: procurarsi una copia "
            "completa"
        ),
    ),
    (
        "stray_quote",
        "ci sono virgolette dentro un valore che non comincia con virgolette",
        'mettere tutto il valore tra virgolette e raddoppiare quelle interne, come in "a ""b"" c"',
    ),
    (
        "text_after_quote",
        "dopo le virgolette finali di un valore segue altro testo",
        'raddoppiare le virgolette interne al valore, come in "a ""b"" c"',
    ),
    ("blank_line", "la riga è vuota", _DELETE_LINE),
    ("empty_row", "tutti i valori della riga sono vuoti", _DELETE_LINE),
    (
        "too_few_columns",
        "la riga ha {found} valori; l'intestazione ha {expected} colonne",
        "aggiungere le virgole mancanti",
    ),
    (
        "truncated_row",
        "l'ultima riga ha {found} valori su {expected} e non ha la fine riga",
        _CUT,
    ),
    (
        "too_many_columns",
        "la riga ha {found} valori; l'intestazione ha {expected} colonne",
        "mettere tra virgolette un valore che contiene una virgola; per i decimali usare il punto",
    ),
    (
        "row_over_lines",
        (
            "la riga si estende su {lines} righe del file e ha {found} valori; l'intestazione ha "
            "{expected} colonne"
        ),
        "chiudere le virgolette rimaste aperte nella sua prima riga",
    ),
    (
        "field_too_long",
        "il valore ha {bytes} byte; il massimo è {limit}",
        _SHORTEN,
    ),
    (
        "duplicate_key",
        "{key} è anche alla riga {other_line}",
        "tenere una sola delle due righe, o correggere l'identificativo",
    ),
)

_TEXT: Final = (
    ("empty_value", "il valore è vuoto", "scrivere il valore"),
    (
        "outer_blanks",
        "il valore comincia o finisce con uno spazio",
        "cancellare gli spazi prima e dopo il valore",
    ),
    (
        "line_break",
        "il valore contiene un'interruzione di riga",
        "scrivere il valore su una sola riga",
    ),
    (
        "control_character",
        "il valore contiene il carattere di controllo {character}",
        "cancellarlo e scrivere di nuovo il valore",
    ),
    (
        "invisible_character",
        "il valore contiene il carattere invisibile {character}",
        "scrivere di nuovo il valore invece di incollarlo",
    ),
    ("text_too_long", "il valore ha {characters} caratteri; il massimo è {limit}", _SHORTEN),
    (
        "bad_code",
        "un codice non può contenere {character}",
        "usare lettere a-z, cifre e i segni {signs}, cominciando con una lettera o una cifra",
    ),
    (
        "unknown_choice",
        "il valore non è ammesso ({what}); valori ammessi: {choices}",
        "scrivere uno dei valori ammessi",
    ),
    (
        "word_blanks",
        "le parole sono separate da più di uno spazio",
        "separare le parole con un solo spazio",
    ),
)

_NUMBER: Final = (
    ("not_a_number", "non è un numero", "scrivere un numero, ad esempio -1234.56"),
    (
        "foreign_digits",
        "il numero contiene {character}, che non è una cifra da 0 a 9",
        "scrivere di nuovo il numero con le cifre da 0 a 9",
    ),
    (
        "minus_sign",
        "il numero ha {character} come segno meno",
        "scrivere il segno con il tasto del trattino: {suggestion}",
    ),
    ("plus_sign", "il numero comincia con il segno più", "cancellare il segno più"),
    (
        "exponent",
        "il numero è scritto con un esponente",
        (
            "scrivere tutte le cifre; nel foglio di calcolo dare alla cella il formato numero "
            "prima di esportare"
        ),
    ),
    ("negative_zero", "lo zero non ha segno", "scrivere 0, o il numero che si intendeva"),
    (
        "comma_number",
        "il numero è scritto con la virgola decimale",
        "i decimali vogliono il punto e le migliaia nessun separatore: {suggestion}",
    ),
    (
        "ambiguous_number",
        "la virgola può indicare i decimali ({decimal}) o le migliaia ({thousands})",
        "scrivere {decimal} o {thousands}",
    ),
    (
        "thousands_separator",
        "il numero è scritto con i separatori delle migliaia",
        "scriverlo senza separatori: {suggestion}",
    ),
    (
        "unit_in_number",
        "prima o dopo il numero c'è {sign}",
        "scrivere solo il numero; l'unità di misura ha una sua colonna",
    ),
    (
        "bare_dot",
        "mancano le cifre prima o dopo il punto",
        "scrivere cifre da entrambe le parti del punto, come in 0.5",
    ),
    ("leading_zeros", "il numero comincia con degli zeri", _WRITE),
    (
        "too_many_digits",
        "il numero ha {digits} cifre; il massimo è {limit}",
        "scrivere meno cifre",
    ),
    ("not_an_integer", "non è un numero intero", "scrivere un numero intero, ad esempio 1234"),
    ("below_minimum", "il valore minimo ammesso è {limit}", _CORRECT_VALUE),
    ("above_maximum", "il valore massimo ammesso è {limit}", _CORRECT_VALUE),
)

_DATE: Final = (
    ("not_a_date", "non è una data", "scrivere la data come anno-mese-giorno, ad es. 2024-06-14"),
    ("impossible_date", "questo giorno non esiste nel calendario", _CORRECT_DATE),
    ("day_first_date", "la data non è scritta come anno-mese-giorno", _WRITE),
    (
        "ambiguous_date",
        "la data può essere {day_first} (prima il giorno) o {month_first} (prima il mese)",
        "scrivere {day_first} o {month_first}",
    ),
    (
        "two_digit_year",
        "l'anno ha due cifre",
        "scrivere l'anno con quattro cifre, come in 2024-06-14",
    ),
    ("date_with_time", "dopo la data c'è un'ora", "scrivere solo la data: {suggestion}"),
    ("unpadded_date", "mese e giorno vogliono due cifre, separati da trattini", _WRITE),
    (
        "spreadsheet_date",
        "è il numero di serie di un foglio di calcolo, forse del {suggestion}",
        "dare alla colonna il formato testo anno-mese-giorno prima di esportare",
    ),
    ("date_after_limit", "la data è successiva al {limit}", _CORRECT_DATE),
    ("date_before_limit", "la data è precedente al {limit}", _CORRECT_DATE),
)

_MEANING: Final = (
    (
        "dangling_reference",
        "non esiste: {what} {target}",
        "correggere il nome, o aggiungere ciò che indica",
    ),
    (
        "cycle",
        "la riga è sopra sé stessa: {path}",
        "correggere uno dei livelli superiori indicati",
    ),
    (
        "other_year",
        "la riga riguarda un altro anno; la cartella è del {year}",
        "mettere la riga nella cartella del suo anno",
    ),
    (
        "conflicting_value",
        "{other_file} riporta {other} per il nodo {key}",
        "correggere uno dei due valori",
    ),
    (
        "row_changed",
        "la riga è già stata importata con un altro contenuto (chiave {append_key})",
        "ripristinare il contenuto e registrare una correzione con `registro correct`",
    ),
    (
        "refused_by_rule",
        "rifiutato dalla regola {rule}: {detail}",
        "vedere la regola in docs/rules.md",
    ),
)

_DATASET: Final = (
    (
        "toml_syntax",
        "non è TOML: {reason}",
        "in docs/data-folder.md è descritto come si scrive il file",
    ),
    ("missing_key", "in {table} manca la chiave {column}", "aggiungere la chiave {column}"),
    ("unknown_key", "{table} non prevede questa chiave", "cancellare la chiave"),
    (
        "wrong_type",
        "il valore non è del tipo TOML {expected}",
        "correggere il valore di {column}",
    ),
    (
        "unknown_timezone",
        "il fuso orario non esiste",
        "scrivere il nome della banca dati IANA, ad esempio Europe/Rome",
    ),
    (
        "bad_language",
        "la lingua si scrive con le due lettere minuscole di ISO 639-1",
        "scrivere ad esempio it",
    ),
    (
        "bad_currency",
        "la valuta si scrive con le tre lettere maiuscole di ISO 4217",
        "scrivere ad esempio EUR",
    ),
    (
        "unknown_format",
        "la cartella ha il formato {found}; questa versione legge il formato {expected}",
        "importarla con la versione per cui è stata preparata",
    ),
)

_ARITHMETIC: Final = (
    (
        "operand_count",
        "gli operandi sono {found}; il tipo {kind} ne prende {expected}",
        "correggere gli operandi o il tipo",
    ),
    (
        "malformed_operand",
        "non è il nome di una cifra come lo scrive il tipo {kind}",
        "scrivere {form}, con uno spazio tra una parola e l'altra",
    ),
    (
        "malformed_weight",
        "il peso non è un numero semplice di al massimo {limit} cifre",
        "scrivere un peso non negativo, come in 12.5*cifra",
    ),
    ("missing_weight", "l'operando è senza peso", "scrivere PESO*cifra, come in 12.5*cifra"),
    (
        "result_among_operands",
        "il risultato è tra i suoi stessi operandi e proverebbe sé stesso",
        "correggere il risultato o gli operandi",
    ),
    ("repeated_param", "il parametro {param} compare due volte", _ONE_OF_TWO),
    (
        "bad_param_value",
        "il parametro {param} non ammette questo valore",
        "scrivere {param}={accepted}",
    ),
    (
        "param_not_for_kind",
        "il parametro {param} non vale per il tipo {kind}",
        "cancellare il parametro o correggere il tipo",
    ),
    (
        "precision_contradicted",
        "il valore {number} non può essere stampato con {decimals} decimali",
        "correggere il valore o i decimali",
    ),
)

REASONS_IT: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        code: (message, hint)
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
        for code, message, hint in group
    }
)
"""Italian message and hint by code, in `str.format` syntax."""


def problem_texts(found: Problem, lang: Lang) -> tuple[str, str]:
    """Return what is wrong and what to do.

    A problem of a code without Italian texts keeps its English ones.
    """
    texts = REASONS_IT.get(found.code)
    if lang == "en" or texts is None:
        return found.message, found.hint
    given = facts_in(found.facts, lang)
    facts = {"file": found.file, "column": found.column or "", **given}
    if "rule" in facts:
        of_rule = rule_texts(facts["rule"], facts, lang)
        if of_rule is not None:
            return of_rule
    message, hint = texts
    reason = REASONS.get(found.code)
    if reason is not None and reason.hint_near is not None and facts.get("near"):
        hint = NEAR_IT
    return render(message, facts), render(hint, facts)
