"""The rules of the ledger in both languages: name, what a refusal says, what to do.

Invariants:
1. Every rule has its texts, and a sentence names only facts with which every refusal by that rule
   comes (tested against the calls of `refuse`).
2. Sentences and hints begin small and end without a full stop: they stand inside lines.

Source: ledger.rules, docs/rules.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.codes import choices_it
from app.texts.events import EVENTS_IT
from app.texts.fields import FIELDS
from app.texts.rule_text import RuleText, texts
from app.texts.rules_privacy import PRIVACY
from app.texts.text import Lang, render
from app.texts.values import facts_in
from ledger.rules import Rule

_ACTS: Final = {
    Rule.ACT_ALREADY_ADOPTED: texts(
        title=("atto già adottato", "act adopted already"),
        sentence=("l'atto {act} risulta già adottato", "act {act} was adopted already"),
        hint=(
            "se è lo stesso atto non serve fare nulla; altrimenti correggere numero o data",
            "nothing, when it is the same act; otherwise correct its number or day",
        ),
    ),
    Rule.ACT_UNKNOWN: texts(
        title=("atto sconosciuto", "act unknown"),
        sentence=("l'atto {act} non è nel registro", "act {act} is not in this ledger"),
        hint=(
            "registrare prima l'atto con `registro act adopt`, o correggere la citazione",
            "record the act first with `registro act adopt`, or correct the citation",
        ),
    ),
    Rule.ACT_NOT_IN_FORCE: texts(
        title=("atto non in vigore", "act not in force"),
        sentence=(
            (
                "l'atto {act}, in vigore dal {effective_from}, è citato al {cited_on}: non è "
                "ancora adottato, o non ha ancora effetto"
            ),
            (
                "act {act} is in force from {effective_from}; it is cited on {cited_on}, before it "
                "is adopted or takes effect"
            ),
        ),
        hint=(
            "citare l'atto che era in vigore, o correggere le date",
            "cite the act that was in force, or correct the dates",
        ),
    ),
    Rule.ACT_REQUIRED: texts(
        title=("atto necessario", "act required"),
        sentence=(
            "{what} richiede un atto che la autorizzi, e non ne è citato alcuno",
            "{what} needs an authorising act; none is cited",
        ),
        hint=(
            "citare l'atto con --act; senza atto la modifica non ha effetto e non si registra",
            "name the act with --act; without one the change has no force and is not recorded",
        ),
    ),
}

_ENVELOPE: Final = {
    Rule.AS_OF_IN_FUTURE: texts(
        title=("data di conoscenza futura", "day of knowledge in the future"),
        sentence=(
            "la data di conoscenza {as_of} è successiva a oggi, {today}",
            "the day of knowledge {as_of} is after today, {today}",
        ),
        hint=(
            "indicare il giorno in cui l'ente ha saputo, al più tardi oggi",
            "give the day on which the body knew, today at the latest",
        ),
    ),
    Rule.PERIOD_REVERSED: texts(
        title=("periodo rovesciato", "period reversed"),
        sentence=(
            "il periodo finisce il {last}, prima di iniziare il {first}",
            "the period ends on {last}, before it begins on {first}",
        ),
        hint=("scambiare o correggere le due date", "swap the two dates or correct one of them"),
    ),
    Rule.SUPERSEDED_UNKNOWN: texts(
        title=("evento da correggere sconosciuto", "event to correct unknown"),
        sentence=(
            "nessun evento {event_id} riguarda lo stesso oggetto",
            "there is no event {event_id} about the same subject",
        ),
        hint=(
            "cercare l'evento da correggere con `registro trail`",
            "look for the event to correct with `registro trail`",
        ),
    ),
    Rule.CORRECTION_NEEDS_REASON: texts(
        title=("modifica senza motivo", "change without reason"),
        sentence=(
            "la modifica di {subject} non dice il motivo",
            "the change of {subject} states no reason",
        ),
        hint=("indicare il motivo", "state the reason"),
    ),
}

_ENTITIES: Final = {
    Rule.IDENTITY_MISMATCH: texts(
        title=("identità discordanti", "identities differ"),
        sentence=(
            "{field} è '{value}' e dovrebbe essere '{expected}'",
            "{field} is '{value}' and should be '{expected}'",
        ),
        hint=("correggere uno dei due", "correct one of the two"),
    ),
    Rule.ALREADY_EXISTS: texts(
        title=("esiste già", "exists already"),
        sentence=(
            "c'è già nel registro: {kind} '{name}'",
            "{kind} '{name}' is in this ledger already",
        ),
        hint=(
            "scegliere un altro codice, o registrare una modifica di ciò che esiste",
            "choose another code, or record a change of the one that exists",
        ),
    ),
    Rule.UNKNOWN_REFERENCE: texts(
        title=("riferimento sconosciuto", "reference unknown"),
        sentence=(
            "non c'è nel registro: {kind} '{name}'",
            "there is no {kind} '{name}' in this ledger",
        ),
        hint=(
            "correggere il codice (`registro list`), o registrare prima ciò che indica",
            "correct the code (`registro list`), or record first what it names",
        ),
    ),
    Rule.ENTITY_CLOSED: texts(
        title=("non attivo", "not open"),
        sentence=(
            "fuori dal suo periodo di vita: {kind} '{name}' (inizio o fine: {date})",
            "outside its life: {kind} '{name}' (begin or end: {date})",
        ),
        hint=(
            "indicare chi è subentrato, o correggere la data",
            "name the successor, or correct the date",
        ),
    ),
    Rule.HIERARCHY_CYCLE: texts(
        title=("gerarchia circolare", "circular hierarchy"),
        sentence=(
            "l'unità risulterebbe sopra sé stessa o subentrerebbe a sé stessa: {path}",
            "the unit would be above itself, or its own successor: {path}",
        ),
        hint=(
            "correggere una delle unità del percorso",
            "correct one of the units of the path",
        ),
    ),
    Rule.HAS_OPEN_CHILDREN: texts(
        title=("unità sottostanti aperte", "open units below"),
        sentence=(
            "l'unità {unit} ha ancora unità aperte sotto di sé: {children}",
            "unit {unit} still has open units below it: {children}",
        ),
        hint=(
            "chiudere prima le unità sottostanti, o spostarle sotto un'altra",
            "close the units below first, or put them below another one",
        ),
    ),
    Rule.VALUE_NOT_ALLOWED: texts(
        title=("valore non ammesso", "value not allowed"),
        sentence=(
            "{field} è '{value}'; valori ammessi: {allowed}",
            "{field} is '{value}'; allowed: {allowed}",
        ),
        hint=("usare uno dei valori ammessi", "use one of the values allowed"),
    ),
    Rule.DATES_OUT_OF_ORDER: texts(
        title=("date fuori ordine", "dates out of order"),
        sentence=(
            "{second} ({later}) precede {first} ({earlier})",
            "{second} ({later}) is before {first} ({earlier})",
        ),
        hint=("correggere una delle due date", "correct one of the two dates"),
    ),
    Rule.COMPLETION_DATE_MISSING: texts(
        title=("data di completamento mancante", "day of completion missing"),
        sentence=(
            "la misura {measure} è attuata, ma manca la data di completamento",
            "the measure {measure} is done, and the day of completion is missing",
        ),
        hint=(
            "indicare il giorno con --completed-on",
            "give the day with --completed-on",
        ),
    ),
}

_PLANNING: Final = {
    Rule.WEIGHTS_SUM: texts(
        title=("somma dei pesi", "sum of the weights"),
        sentence=(
            "i pesi sotto {parent} sommano a {total}, non a 100: {weights}",
            "the weights below {parent} sum to {total}, not 100: {weights}",
        ),
        hint=(
            "correggere i pesi prima di chiudere l'assegnazione",
            "correct the weights before closing the assignment",
        ),
    ),
    Rule.WEIGHTS_INCOMPLETE: texts(
        title=("pesi incompleti", "weights incomplete"),
        sentence=(
            "tra i figli di {parent} mancano dei pesi; figli senza peso: {without}",
            "weights are missing below {parent}; children without a weight: {without}",
        ),
        hint=(
            "assegnare i pesi mancanti; se l'ente non pubblica pesi, non chiudere l'assegnazione",
            "set the missing weights; where the body publishes none, do not close the assignment",
        ),
    ),
    Rule.ASSIGNMENT_CLOSED: texts(
        title=("assegnazione chiusa", "assignment closed"),
        sentence=(
            "l'assegnazione di {parent} è chiusa: i suoi pesi cambiano solo con un atto",
            "the assignment of {parent} is closed: its weights change only under an act",
        ),
        hint=("citare l'atto con --act", "name the act with --act"),
    ),
    Rule.TARGET_ALREADY_SET: texts(
        title=("obiettivo già fissato", "target set already"),
        sentence=(
            "l'indicatore {indicator} ha già l'obiettivo {target}",
            "indicator {indicator} has the target {target} already",
        ),
        hint=("rivederlo con `registro target revise`", "revise it with `registro target revise`"),
    ),
    Rule.TARGET_NOT_SET: texts(
        title=("obiettivo non fissato", "target not set"),
        sentence=(
            "l'indicatore {indicator} non ha un obiettivo per il {year}",
            "indicator {indicator} has no target in {year}",
        ),
        hint=(
            "fissarlo prima con `registro target set`",
            "set it first with `registro target set`",
        ),
    ),
    Rule.OLD_VALUE_DIFFERS: texts(
        title=("valore di partenza diverso", "starting value differs"),
        sentence=(
            "{field}: la modifica parte da {stated}, il valore attuale è {present}",
            "{field}: the change starts from {stated}, the present value is {present}",
        ),
        hint=(
            "leggere il valore attuale con `registro trail` e decidere di nuovo",
            "read the present value with `registro trail` and decide again",
        ),
    ),
    Rule.NOTHING_CHANGES: texts(
        title=("nessun cambiamento", "nothing changes"),
        sentence=(
            "nulla cambia: {field} è già {value}",
            "nothing changes: {field} is {value} already",
        ),
        hint=(
            "non serve fare nulla: il registro lo dice già",
            "nothing: the ledger says so already",
        ),
    ),
}

_MEASUREMENT: Final = {
    Rule.PERIOD_NOT_OPEN: texts(
        title=("periodo non aperto", "period not open"),
        sentence=(
            "il periodo del risultato manca o non è aperto: {period}",
            "the period of the result is missing or not open: {period}",
        ),
        hint=(
            "aprire il periodo con `registro period open`; se è chiuso, registrare una correzione",
            "open the period with `registro period open`; when it was closed, record a correction",
        ),
    ),
    Rule.RESULT_ALREADY_RECORDED: texts(
        title=("risultato già registrato", "result recorded already"),
        sentence=(
            "{subject} ha già un risultato per {period}, conosciuto il {as_of}",
            "{subject} has a result for {period} already, known on {as_of}",
        ),
        hint=(
            "correggere il primo con `registro correct`, o indicare quando si è saputo il nuovo",
            "correct the first with `registro correct`, or give the day the new one was known",
        ),
    ),
    Rule.RESULT_STAGE: texts(
        title=("stadio del risultato", "stage of the result"),
        sentence=(
            (
                "{subject} ha già un risultato per {period}, noto dal {standing}; il nuovo ha "
                "stadio '{stage}' ed è noto dal {as_of}: prenderebbe il suo posto senza dirlo, o "
                "non conterebbe mai"
            ),
            (
                "{subject} has a result for {period} already, known on {standing}; the new one has "
                "the stage '{stage}' and is known on {as_of}: it would take its place unsaid, or "
                "never count"
            ),
        ),
        hint=(
            (
                "correggere il primo con `registro correct`, o indicare lo stadio con --vintage "
                "e con --as-of un giorno successivo"
            ),
            (
                "correct the first with `registro correct`, or name the stage with --vintage and a "
                "later day with --as-of"
            ),
        ),
    ),
    Rule.MISSING_NEEDS_REASON: texts(
        title=("motivo del dato mancante", "reason of a missing value"),
        sentence=(
            "{subject} deve avere un valore oppure il motivo per cui manca, non entrambi",
            "{subject} needs a value or the reason why it has none, never both",
        ),
        hint=("aggiungere il valore o il motivo", "add the value or the reason"),
    ),
    Rule.DEFINITION_VERSION: texts(
        title=("versione della definizione", "version of the definition"),
        sentence=(
            (
                "versioni dell'indicatore {indicator} finora: {versions}; la versione {version} "
                "non è la successiva, o cambia il metodo senza annuncio"
            ),
            (
                "versions of indicator {indicator} so far: {versions}; version {version} is not "
                "the next, or changes the method unannounced"
            ),
        ),
        hint=(
            "correggere la versione, o registrare prima il cambio di metodo",
            "correct the version, or record the change of method first",
        ),
    ),
    Rule.DEFINITION_MISSING: texts(
        title=("definizione mancante", "definition missing"),
        sentence=(
            "l'indicatore {indicator} non è definito per il periodo {first} - {last}",
            "indicator {indicator} has no definition for {first} - {last}",
        ),
        hint=(
            "definirlo per il periodo con `registro indicator define`",
            "define it for the period with `registro indicator define`",
        ),
    ),
}

_VALIDATION: Final = {
    Rule.REPORT_NOT_VALIDATED: texts(
        title=("relazione non validata", "report not validated"),
        sentence=(
            (
                "i parametri di {unit} al {date} richiedono che la relazione {report} sia dello "
                "stesso anno e già validata (D.Lgs. 150/2009, art. 14, c. 6)"
            ),
            (
                "parameters of {unit} on {date} need the report {report} to be of the same year "
                "and validated already (D.Lgs. 150/2009, art. 14(6))"
            ),
        ),
        hint=(
            "attendere la validazione, o correggere anno o data di conoscenza",
            "wait for the validation, or correct the year or the day of knowledge",
        ),
    ),
    Rule.VALIDATION_CONCLUDED: texts(
        title=("validazione conclusa", "validation concluded"),
        sentence=(
            "la validazione di {report} si è conclusa il {date}",
            "the validation of {report} was concluded on {date}",
        ),
        hint=(
            "registrare ciò che è nuovo nella validazione della relazione successiva",
            "record what is new in the validation of the next report",
        ),
    ),
    Rule.BLOCKING_FINDING_OPEN: texts(
        title=("rilievi bloccanti aperti", "blocking findings open"),
        sentence=(
            "la relazione {report} ha rilievi bloccanti senza risposta: {findings}",
            "report {report} has blocking findings without an answer: {findings}",
        ),
        hint=(
            (
                "registrare la risposta con `registro validation answer`, o concludere senza "
                "validazione con `registro validation refuse`"
            ),
            (
                "record the answer with `registro validation answer`, or conclude without "
                "validation with `registro validation refuse`"
            ),
        ),
    ),
    Rule.LEDGER_BOUND: texts(
        title=("registro di un altro ente", "ledger of another body"),
        sentence=(
            "il registro appartiene già a {body} e non può passare a {wanted}",
            "the ledger belongs to {body} already and cannot pass to {wanted}",
        ),
        hint=("aprire un altro registro per l'altro ente", "open another ledger for that body"),
    ),
}

RULES: Final[Mapping[Rule, RuleText]] = MappingProxyType(
    {**_ACTS, **_ENVELOPE, **_ENTITIES, **_PLANNING, **_MEASUREMENT, **_VALIDATION, **PRIVACY}
)
"""The texts of every rule."""


def rule_texts(name: str, facts: Mapping[str, str], lang: Lang) -> tuple[str, str] | None:
    """Return what a refusal says and what to do; None when `name` is no rule of this release.

    The sentence ends with the name of the rule, under which docs/rules.md explains it.
    """
    try:
        found = RULES[Rule(name)]
    except (ValueError, KeyError):
        return None
    filled = {fact: value or "-" for fact, value in facts_in(facts, lang).items()}
    if lang == "it" and {"field", "allowed"} <= filled.keys():
        field, allowed = filled["field"], filled["allowed"]
        filled["allowed"] = choices_it(field, allowed)
        if field in FIELDS:
            filled["field"] = f"{FIELDS[field].it.partition(':')[0]} ({field})"
    if lang == "it" and {"event_type", "until"} <= filled.keys():
        name_of_type = filled["event_type"].rpartition(".")[2]
        filled["event_type"] = f"'{EVENTS_IT.get(name_of_type, name_of_type)}'"
        filled["until"] = "/".join(reversed(filled["until"].split("-")))
    sentence = render(found.sentence.in_(lang), filled)
    return f"{sentence} ({'regola' if lang == 'it' else 'rule'} {name})", found.hint.in_(lang)
