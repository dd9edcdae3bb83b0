"""Words for why a value is missing, and for the English words that stand in facts.

A code without an entry is shown as it is: data folders of other bodies bring codes of their own.
The words for units of measure, closing stages and the risk register stand in `app.texts.words`.

Source: docs/indicators.md; `reason_code` of examples/inps-2023/guidelines.csv.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.events import EVENTS_IT
from app.texts.evidence import REASONS_EVIDENCE_IT
from app.texts.phrases import italian, opening
from app.texts.production import detail_text
from app.texts.text import Lang, Text
from app.texts.words import word

MISSING: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "not_recorded": Text(it="non registrato", en="not recorded"),
        "not_published": Text(it="non pubblicato", en="not published"),
        "weights_unpublished": Text(it="pesi non pubblicati", en="weights not published"),
        "weights_incomplete": Text(
            it="i pesi registrati non sommano a 100", en="the weights recorded do not sum to 100"
        ),
        "target_missing": Text(it="obiettivo non pubblicato", en="target not published"),
        "child_missing": Text(
            it="manca un valore da cui dipende", en="a value it rests on is missing"
        ),
        "division_by_zero": Text(it="denominatore pari a zero", en="denominator is zero"),
        "not_defined": Text(
            it="indicatore non definito per il periodo", en="indicator not defined for the period"
        ),
        "not_defined_by_rule": Text(
            it="non previsto dalla regola di scostamento",
            en="not foreseen by the deviation rule",
        ),
        "rule_unknown": Text(it="regola di scostamento sconosciuta", en="deviation rule not known"),
        "facts_not_read": Text(
            it="si calcola dai fatti: vedere `registro production`",
            en="computed from facts: see `registro production`",
        ),
        "stated": Text(it="motivo indicato dalla fonte", en="reason stated by the source"),
        "COST_BENEFIT_NEGATIVE": Text(
            it="rapporto tra costi e benefici sfavorevole", en="costs above benefits"
        ),
        "FUNDING": Text(it="mancanza di fondi", en="lack of funds"),
        "LEGISLATIVE_PROPOSAL_PENDING": Text(it="proposta di legge in attesa", en="bill pending"),
        "MINISTRY_REVIEW": Text(it="in esame presso il ministero", en="under ministry review"),
        "MISSING_LEGAL_BASIS": Text(it="base giuridica mancante", en="legal basis missing"),
        "REORGANISATION_PENDING": Text(
            it="riorganizzazione da completare", en="reorganisation pending"
        ),
        "RESCOPED": Text(it="contenuto ridefinito", en="scope redefined"),
        "SALE_DELAY": Text(it="ritardo nelle vendite", en="sale delayed"),
        "SITE_WORKS_DELAY": Text(it="ritardo nei lavori", en="works delayed"),
        "STAFF_SHORTAGE": Text(it="carenza di personale", en="shortage of staff"),
        "THIRD_PARTY_DELAY": Text(it="ritardo di terzi", en="delay of third parties"),
        "TRAINING_RESCHEDULED": Text(it="formazione rinviata", en="training rescheduled"),
    }
)
"""Why there is no value, by the code of `projections.cycle.values.Reason` or of the source."""

_KINDS: Final = (
    ("address", "indirizzo strategico"),
    ("assessment", "valutazione"),
    ("assignment", "assegnazione"),
    ("calendar", "calendario"),
    ("cycle", "ciclo"),
    ("product", "prodotto"),
    ("scenario", "scenario"),
    ("source", "fonte"),
    ("direction", "verso"),
    ("document", "documento"),
    ("entity", "elemento"),
    ("event", "evento"),
    ("figure", "cifra"),
    ("finding", "rilievo"),
    ("flow node", "nodo dei flussi di denaro"),
    ("guideline", "linea guida"),
    ("indicator", "indicatore"),
    ("hold", "blocco alla cancellazione"),
    ("kind of row", "tipo di riga"),
    ("ledger", "registro"),
    ("measure", "misura"),
    ("measurement system", "sistema di misurazione"),
    ("node", "nodo"),
    ("objective", "obiettivo"),
    ("parameter", "parametro"),
    ("period", "periodo"),
    ("programme", "programma"),
    ("project", "progetto"),
    ("replay run", "ricalcolo registrato"),
    ("report", "relazione"),
    ("result basis", "fondamento del risultato"),
    ("retention term", "termine di conservazione"),
    ("risk", "rischio"),
    ("risk level", "livello di rischio"),
    ("scale", "scala"),
    ("scope", "ambito"),
    ("sign", "segno"),
    ("subject", "soggetto"),
    ("type of measure", "tipo di misura"),
    ("unit", "unità"),
    ("unit of measure", "unità di misura"),
    ("validation", "validazione"),
    ("weight basis", "fondamento del peso"),
    ("year", "anno"),
)

_PHRASES: Final = (
    ("as_of", "data di conoscenza"),
    ("first day of the period", "primo giorno del periodo"),
    ("latest assessment", "ultima valutazione"),
    ("latest change", "ultima modifica"),
    ("project year", "anno del progetto"),
    ("table", "tabella"),
    ("string", "testo"),
    ("integer", "numero intero"),
    ("unknown", "sconosciuta"),
    ("none", "nessuno"),
)

_REASONS: Final = (
    ("a figure does not follow from itself", "una cifra non può derivare da sé stessa"),
    ("a name must not be empty", "un nome non può essere vuoto"),
    ("a parameter may stand once", "un parametro si scrive una volta sola"),
    ("an object with sign and of is expected", "serve un oggetto con sign e of"),
    ("an object with the key 'op' is expected", "serve un oggetto con la chiave 'op'"),
    ("an operand of this kind is written WEIGHT*figure", "l'operando si scrive PESO*cifra"),
    ("a list with at least one item is expected", "serve un elenco con almeno un elemento"),
    ("bad path", "percorso non valido"),
    ("is not a number", "non è un numero"),
    (
        "is not one of tolerance, base, compare, expect",
        "i parametri ammessi sono tolerance, base, compare, expect",
    ),
    ("is not one of the documented kinds", "il tipo non è tra quelli documentati"),
    (
        "is not the name of a figure as this kind writes it",
        "non è il nome di una cifra come questo tipo lo scrive",
    ),
    ("it is empty or holds characters that cannot be printed", "è vuoto o ha segni non stampabili"),
    ("it is empty: name a file or a URL", "è vuota: indicare un file o un URL"),
    ("it is required", "è obbligatorio"),
    ("it takes one value", "prende un solo valore"),
    ("not a database URL", "non è l'URL di una base di dati"),
    ("not read from the ledger", "non proviene dal registro"),
    (
        "only a ledger in a file is copied here; a server has tools of its own",
        "qui si copia solo un registro che sta in un file; un server ha strumenti propri",
    ),
    ("the date is not a day as YYYY-MM-DD", "la data non è un giorno come AAAA-MM-GG"),
    ("the day is in the future", "il giorno è nel futuro"),
    (
        "the kind takes another number of operands",
        "questo tipo prende un altro numero di operandi",
    ),
    ("the number is too large", "il numero è troppo grande"),
    ("the parameter does not apply to this kind", "il parametro non vale per questo tipo"),
    ("the parameter does not take this value", "il parametro non ammette questo valore"),
    (
        "the weight is not a plain number of at most 40 digits",
        "il peso non è un numero semplice di al massimo 40 cifre",
    ),
    ("there is no such day in the calendar", "il giorno non esiste nel calendario"),
    ("there is no such folder", "la cartella non esiste"),
    ("it is a file, not a folder", "è un file, non una cartella"),
    ("it is a folder, not a file", "è una cartella, non un file"),
    (
        "it holds neither figures.csv nor relations.csv",
        "non contiene né figures.csv né relations.csv",
    ),
    (
        "the file or its folder cannot be written",
        "il file o la sua cartella non si possono scrivere",
    ),
    (
        "its last appends stand in the file -wal beside it, which cannot be read here",
        "le ultime registrazioni sono nel file -wal accanto, che da qui non si può leggere",
    ),
    ("there is a file of this name already", "un file con questo nome esiste già"),
    ("its folder does not exist", "la sua cartella non esiste"),
    ("it is not there", "il file non c'è"),
    ("it belongs to another ledger", "appartiene a un altro registro"),
    ("it is no key file of this release", "non è un file di chiavi di questa versione"),
    ("its key is destroyed", "la sua chiave è distrutta"),
    (
        "another process kept a key for the same person: repeat the command",
        "un altro processo ha salvato una chiave per la stessa persona: ripetere il comando",
    ),
    (
        "value, key and place do not belong together",
        "valore, chiave e posto non vanno insieme",
    ),
    ("only a ledger in a file is restored here", "qui si ripristina solo un registro in un file"),
    ("it is before --from-as-of", "viene prima di --from-as-of"),
    ("this command shows no table", "questo comando non mostra tabelle"),
    ("the file exists already", "il file esiste già"),
    (
        "write a name that ends with .csv or .xlsx",
        "scrivere un nome che finisce con .csv o .xlsx",
    ),
    ("write bytes in hexadecimal digits", "scrivere i byte in cifre esadecimali"),
    ("a file has the key `events` with a list", "un file ha la chiave `events` con un elenco"),
    ("an entry has the key `type`", "ogni voce ha la chiave `type`"),
    ("there is no such file", "il file non c'è"),
    (
        "there is such a folder of rejects already",
        "una cartella di scarti con questo nome esiste già",
    ),
    ("values are nested too deeply", "i valori sono annidati troppo in profondità"),
    (
        "write POSITION:ROOT, the root in 64 hexadecimal digits",
        "scrivere POSIZIONE:RADICE, la radice in 64 cifre esadecimali",
    ),
    ("write ROLE or ROLE@UNIT", "scrivere RUOLO o RUOLO@UNITÀ"),
    (
        "write ROLE or ROLE@UNIT, or set REGISTRO_ACTOR",
        "scrivere RUOLO o RUOLO@UNITÀ, o impostare REGISTRO_ACTOR",
    ),
    (
        "write ORGAN/TYPE/NUMBER/DATE, for example CdA/resolution/177/2022-11-03",
        "scrivere ORGANO/TIPO/NUMERO/DATA, ad esempio CdA/resolution/177/2022-11-03",
    ),
    ("write a day as YYYY-MM-DD or DD/MM/YYYY", "scrivere il giorno come AAAA-MM-GG o GG/MM/AAAA"),
    ("write a real day as YYYY-MM-DD", "scrivere un giorno reale come AAAA-MM-GG"),
    ("write a whole number, without separators", "scrivere un numero intero, senza separatori"),
    (
        "write digits and at most one decimal mark, for example 1234.56",
        "scrivere cifre e al massimo un segno decimale, ad esempio 1234.56",
    ),
    (
        "write sqlite:/// and a path, without host and parameters",
        "scrivere sqlite:/// e un percorso, senza host né parametri",
    ),
    ("write yes or no", "scrivere yes o no"),
)

FACTS_IT: Final[Mapping[str, str]] = MappingProxyType(
    dict((*_KINDS, *_PHRASES, *_REASONS, *REASONS_EVIDENCE_IT))
)
"""Italian for English that facts hold and that is nobody's data. What the database or the operating
system says is not here, nor are sentences with values in them: both are shown as they came."""

TRANSLATED_FACTS: Final = frozenset(
    {"kind", "what", "first", "second", "expected", "actual", "guess", "found", "wanted", "reason"}
)
"""Facts that may hold such English; all others are shown as they are."""

SUBJECTS_IT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "act": "atto",
        "actor": "chi registra",
        "backup": "copia",
        "date": "data",
        "diff": "confronto",
        "event": "evento",
        "explain": "spiegazione",
        "forecast": "previsione",
        "export": "esportazione",
        "ingest": "lotto di fatti",
        "period": "periodo",
        "person": "persona",
        "position": "posizione",
        "production": "produzione",
        "projection": "proiezione",
        "rebuild": "ricostruzione",
        "record": "registrazione",
        "restore": "ripristino",
        "risk": "registro dei rischi",
        "scenario": "scenario",
        "simulate": "simulazione",
        "subscribe": "aggiornamenti",
        "verify": "verifica",
        "year": "anno",
    }
)
"""What a refused field belongs to, by the English word for it."""

PREFIXES_IT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "discrepancies found in it: ": "discrepanze trovate: ",
        "it is empty (": "è vuota (",
        "not JSON: ": "non è JSON: ",
        "the coefficient of ": "la fissazione del coefficiente di ",
        "the erasure of subject ": "la cancellazione del soggetto ",
        "the last position is ": "l'ultima posizione è la ",
        "the placing of hold ": "l'apposizione del blocco ",
        "the rejects cannot be written: ": "gli scarti non si possono scrivere: ",
        "the release of hold ": "la rimozione del blocco ",
        "the revision of the target of ": "la revisione dell'obiettivo di ",
        "the setting of the retention term of ": "la fissazione del termine di conservazione di ",
        "there is no file ": "non c'è il file ",
        "there is no such event; one of ": "l'evento non esiste; gli eventi sono ",
        "unknown keys: ": "chiavi sconosciute: ",
    }
)
"""Likewise for facts that go on with a value."""


def facts_in(facts: Mapping[str, str], lang: Lang) -> Mapping[str, str]:
    """Return facts in a language, as far as their words are known."""
    if lang == "en":
        return facts
    told = {
        name: _italian(value) if name in TRANSLATED_FACTS else value
        for name, value in facts.items()
    }
    if "subject" in told and "field" in told:
        told["subject"] = _subject(told["subject"])
    if "lacking" in told:
        told["lacking"] = ", ".join(detail_text(one, lang) for one in told["lacking"].split(", "))
    return told


def _subject(value: str) -> str:
    """Return what a refused field belongs to; names of event classes become those of events."""
    return SUBJECTS_IT.get(value) or EVENTS_IT.get(value, value)


def _italian(value: str) -> str:
    phrase = italian(value)
    if phrase is not None:
        return phrase
    for english, told in PREFIXES_IT.items():
        if value.startswith(english):
            return told + value.removeprefix(english)
    opened = opening(value)
    if opened is not None:
        return f"{opened[0]}: {_italian(opened[1])}"
    return FACTS_IT.get(value, value)


def missing_text(code: str, lang: Lang) -> str:
    """Return why there is no value, or the code itself."""
    return word(MISSING, code, lang)
