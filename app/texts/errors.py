"""The errors of the ledger and of its schemas in both languages: what happened, what to do.

Invariants:
1. English is that of the class; Italian uses the same facts (both tested).
2. Sentences and hints begin small and end without a full stop: they stand inside lines.
3. Nothing here imports the classes: showing an error loads no further layer.

Source: ledger.errors, schemas.errors, consumers.subscription, projections.arithmetic; docs/cli.md.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.texts.engines import ERRORS_ENGINES
from app.texts.evidence import ERRORS_EVIDENCE, LISTS
from app.texts.kafka import ERRORS_KAFKA
from app.texts.privacy import PRIVACY
from app.texts.reading import ERRORS_READING
from app.texts.rules import rule_texts
from app.texts.simulation import BATCH_TAKEN, ERRORS_SIMULATION
from app.texts.text import Lang, Text, render
from app.texts.values import facts_in

_ABSENT: Final = frozenset({"it is required", "write ROLE or ROLE@UNIT, or set REGISTRO_ACTOR"})
"""Reasons given for a field that nobody filled in: its value is not worth quoting."""
_DAMAGED: Final = "il contenuto è danneggiato"
_VERIFY: Final = Text(it="eseguire `registro verify`", en="run `registro verify`")

_COMMANDS: Final = {
    "ledger": (
        Text(it="il registro non può farlo", en="the ledger cannot do this"),
        Text(it="vedere docs/cli.md", en="see docs/cli.md"),
    ),
    "configuration": (
        Text(it="impostazione {setting}: {reason}", en="setting {setting}: {reason}"),
        Text(it="vedere `registro config show --origin`", en="see `registro config show --origin`"),
    ),
    "command": (
        Text(it="il comando non può essere eseguito", en="the command cannot be carried out"),
        Text(it="vedere docs/cli.md", en="see docs/cli.md"),
    ),
    "invalid_command": (
        Text(
            it="{subject}: il campo {field} ha il valore '{value}': {reason}",
            en="{subject}: field {field} has the value {value!r}: {reason}",
        ),
        Text(
            it="correggere il campo e ripetere il comando",
            en="correct the field and send the command again",
        ),
    ),
    # Shown only for a rule that this release does not know; else the rule's own texts are.
    "command_refused": (
        Text(it="rifiutato dalla regola {rule}: {detail}", en="refused by rule {rule}: {detail}"),
        Text(it="vedere la regola in docs/rules.md", en="see the rule in docs/rules.md"),
    ),
    "unknown_entity": (
        Text(
            it="non c'è nel registro: {kind} '{name}'",
            en="there is no {kind} {name!r} in this ledger",
        ),
        Text(it="cercare con `registro search`", en="look for it with `registro search`"),
    ),
    "wrong_expected_version": (
        Text(
            it="flusso {stream}: attesa la versione {expected}, trovata la {actual}",
            en="stream {stream}: expected version {expected}, found {actual}",
        ),
        Text(
            it="nel frattempo ha scritto qualcun altro: ripetere il comando",
            en="somebody else wrote meanwhile: repeat the command",
        ),
    ),
    "append_key_conflict": (
        Text(
            it="la chiave '{append_key}' è già stata usata per un altro contenuto "
            "(posizione {position})",
            en="key {append_key!r} was used before for other content (position {position})",
        ),
        Text(
            it="usare un'altra chiave, o registrare una correzione con `registro correct`",
            en="use a new key, or record a correction with `registro correct`",
        ),
    ),
}

_STORE: Final = {
    "store": (
        Text(it="archivio {store}: {reason}", en="store {store}: {reason}"),
        Text(it="vedere docs/operating.md", en="see docs/operating.md"),
    ),
    "store_unavailable": (
        Text(
            it="l'archivio {store} non si apre: {reason}",
            en="store {store} cannot be opened: {reason}",
        ),
        Text(
            it="controllare il percorso o l'URL dato con --ledger o REGISTRO_LEDGER",
            en="check the path or URL given with --ledger or REGISTRO_LEDGER",
        ),
    ),
    "store_folder_missing": (
        Text(
            it="l'archivio {store} non si apre: la cartella {folder} non esiste",
            en="store {store} cannot be opened: the folder {folder} does not exist",
        ),
        Text(
            it="creare la cartella, o correggere il percorso dato con --ledger o REGISTRO_LEDGER",
            en="create the folder, or correct the path given with --ledger or REGISTRO_LEDGER",
        ),
    ),
    "store_read_only": (
        Text(
            it="l'archivio {store} è in sola lettura: {reason}",
            en="store {store} is read-only: {reason}",
        ),
        Text(
            it="dare il permesso di scrittura sul file e sulla sua cartella, o lavorare su una "
            "copia del file insieme al suo -wal",
            en="give the right to write on the file and its folder, or work on a copy of the file "
            "together with its -wal",
        ),
    ),
    "copy_refused": (
        Text(
            it="la copia {store} non si può fare: {reason}",
            en="the copy {store} cannot be made: {reason}",
        ),
        Text(
            it="dare un nome libero, in una cartella che esiste e in cui si può scrivere",
            en="give a name that is free, in a folder that exists and can be written",
        ),
    ),
    "restore_refused": (
        Text(
            it="{store} non viene ripristinato: {reason}",
            en="{store} is not restored: {reason}",
        ),
        Text(
            it="dare una copia fatta dal comando backup in cui `registro verify --ledger COPIA` "
            "non trova discrepanze",
            en="give a copy made by the command backup in which `registro verify --ledger COPY` "
            "finds no discrepancy",
        ),
    ),
    "store_locked": (
        Text(
            it="un altro programma sta scrivendo nell'archivio {store} (attesa: {seconds} s)",
            en="store {store} is being written by another process (waited {seconds} s)",
        ),
        Text(
            it="attendere che finisca e ripetere il comando",
            en="wait for the other writer to finish and repeat the command",
        ),
    ),
    "ledger_missing": (
        Text(it="in {store} non c'è un registro", en="there is no ledger at {store}"),
        Text(it="crearlo con `registro init`", en="create it with `registro init`"),
    ),
    "ledger_exists": (
        Text(it="in {store} c'è già un registro", en="there is a ledger already at {store}"),
        Text(it="scegliere un altro percorso con --ledger", en="choose another path with --ledger"),
    ),
    "store_format": (
        Text(
            it="l'archivio {store} ha il formato '{found}'; questa versione legge '{expected}'",
            en="store {store} has the format {found!r}; this release reads {expected!r}",
        ),
        Text(
            it="aprirlo con la versione che lo ha scritto, o vedere docs/operating.md, upgrade",
            en="open it with the release that wrote it, or see docs/operating.md, upgrade",
        ),
    ),
    "append_only": (
        Text(
            it="l'archivio {store} ha impedito di cambiare una registrazione: {reason}",
            en="store {store} refused to change a stored record: {reason}",
        ),
        Text(
            it="una correzione è un nuovo evento: `registro correct`",
            en="a correction is a new event: `registro correct`",
        ),
    ),
    "stored_event_decode": (
        Text(
            it="registrazione {position} di tipo {event_type}: {reason}",
            en="record {position} of type {event_type}: {reason}",
        ),
        _VERIFY,
    ),
}

_DATA: Final = {
    "import_refused": (
        Text(
            it="{folder}: problemi trovati: {count}; nulla è stato registrato",
            en="{folder}: {count} problems; nothing was recorded",
        ),
        Text(
            it="correggere le righe elencate, o importare quelle buone con --rows",
            en="mend the rows listed, or import the good rows with --rows",
        ),
    ),
    "audit_refused": (
        Text(
            it="{folder}: problemi trovati: {count}; nulla è stato giudicato né registrato",
            en="{folder}: {count} problems; nothing was judged or recorded",
        ),
        Text(
            it="correggere le righe elencate e ripetere la verifica",
            en="mend the rows listed and repeat the audit",
        ),
    ),
    "dataset": (
        Text(it="cartella {folder}: {reason}", en="{folder}: {reason}"),
        Text(
            it="in docs/data-folder.md sono descritti i file di una cartella di dati",
            en="see docs/data-folder.md for the files of a data folder",
        ),
    ),
    "data_folder": (
        Text(
            it="{folder} non è una cartella di dati: {reason}",
            en="{folder} is no folder of data: {reason}",
        ),
        Text(
            it="correggere il percorso; docs/data-folder.md dice che cosa contiene la cartella",
            en="correct the path; docs/data-folder.md says what stands in a folder of data",
        ),
    ),
    "body_mismatch": (
        Text(
            it="questo registro è di '{expected}'; i dati sono di '{actual}'",
            en="this ledger belongs to {expected!r}; the data are of {actual!r}",
        ),
        Text(
            it="usare il registro di quell'ente, o crearne uno nuovo con `registro init --body`",
            en="use the ledger of that body, or `registro init --body` for a new one",
        ),
    ),
    "invalid_figure": (
        Text(
            it="cifra {figure}: il campo {field} ha il valore '{value}': {reason}",
            en="figure {figure}: field {field} has the value {value!r}: {reason}",
        ),
        Text(it="correggere la riga di figures.csv", en="correct the row of figures.csv"),
    ),
    "duplicate_figure": (
        Text(
            it="la cifra {figure} compare due volte, in {first} e in {second}",
            en="figure {figure} stands twice, at {first} and at {second}",
        ),
        Text(
            it="rinominare o togliere una delle due righe di figures.csv",
            en="rename or remove one of the two rows of figures.csv",
        ),
    ),
    "invalid_relation": (
        Text(
            it="relazione {relation}: il campo {field} ha il valore '{value}': {reason}",
            en="relation {relation}: field {field} has the value {value!r}: {reason}",
        ),
        Text(it="correggere la riga di relations.csv", en="correct the row of relations.csv"),
    ),
    "duplicate_relation": (
        Text(it="la relazione {relation} compare due volte", en="relation {relation} stands twice"),
        Text(
            it="rinominare o togliere una delle due righe di relations.csv",
            en="rename or remove one of the two rows of relations.csv",
        ),
    ),
}

_FACTS: Final = {
    "fact_file": (
        Text(it="file di fatti {file}: {reason}", en="{file}: {reason}"),
        Text(
            it="in docs/production.md sono descritti i file di fatti",
            en="see docs/production.md for the files of facts",
        ),
    ),
    "fact_batch": (
        Text(it="lotto {batch} di {source}: {reason}", en="batch {batch} of {source}: {reason}"),
        Text(
            it="correggere le righe elencate nel file degli scarti, o togliere --whole per "
            "registrare le altre",
            en="mend the rows listed in the reject file, or leave out --whole to record the others",
        ),
    ),
    "unknown_fact": (
        Text(
            it="i fatti di tipo {full_name} non hanno posto nel cubo della produzione",
            en="facts of {full_name} have no place in the cube of production",
        ),
        Text(
            it="leggere questo registro con la versione che conosce lo schema",
            en="read this ledger with the release that knows the schema",
        ),
    ),
    "cube_overflow": (
        Text(
            it="fatti di tipo {full_name}: la somma di {measured} supera i 64 bit di una cella",
            en="facts of {full_name}: the sum of {measured} leaves the 64 bits of a cell",
        ),
        Text(
            it="cercare fatti con numeri assurdi e correggerli alla fonte",
            en="look for facts with absurd numbers and correct them at their source",
        ),
    ),
}

_SCHEMAS: Final = {
    "schema": (
        Text(it="lo schema non può essere usato", en="the schema cannot be used"),
        Text(it="vedere docs/formats/schema-id.md", en="see docs/formats/schema-id.md"),
    ),
    "unknown_schema": (
        Text(
            it="lo schema {schema} non è conosciuto: {reason}",
            en="schema {schema} is not known: {reason}",
        ),
        Text(
            it="aprire il registro con la versione che lo ha scritto, o registrare prima il testo "
            "dello schema",
            en="open the ledger with the release that wrote it, or register the schema's text "
            "first",
        ),
    ),
    "invalid_schema": (
        Text(it="schema non valido, {path}: {reason}", en="invalid schema, {path}: {reason}"),
        Text(
            it="correggere il testo dello schema; `python -m schemas check` elenca ogni problema",
            en="mend the schema's text; `python -m schemas check` lists every problem of the files",
        ),
    ),
    "incompatible_schema": (
        Text(
            it="schema {full_name}, in {path}: {reason}",
            en="schema {full_name}, {path}: {reason}",
        ),
        Text(
            it="un cambiamento incompatibile vuole un nome nuovo e un convertitore: vedere "
            "docs/adr/0003-schemas.md",
            en="a breaking change is a new full name and an upcaster, see docs/adr/0003-schemas.md",
        ),
    ),
    "encoding": (
        Text(
            it="contenuto di tipo {full_name}, campo {path}: {reason}",
            en="record of {full_name}, {path}: {reason}",
        ),
        Text(
            it="dare al campo un valore del tipo che lo schema prevede",
            en="give the field a value of the type that its schema names",
        ),
    ),
    "decoding": (
        Text(
            it="contenuto illeggibile di tipo {full_name}, in {path}: {reason}",
            en="body of {full_name}, {path}: {reason}",
        ),
        _VERIFY,
    ),
}

ERRORS: Final[Mapping[str, tuple[Text, Text]]] = MappingProxyType(
    {
        **_COMMANDS,
        **_STORE,
        **_DATA,
        **_FACTS,
        **ERRORS_READING,
        **_SCHEMAS,
        **ERRORS_ENGINES,
        **ERRORS_EVIDENCE,
        **ERRORS_KAFKA,
        **ERRORS_SIMULATION,
        **PRIVACY,
    }
)
"""Sentence and hint of every error by its code; templates over the facts of the error."""


def error_texts(error: Exception, lang: Lang) -> tuple[str, str]:
    """Return what happened and what to do; an error of no known code speaks for itself."""
    facts = getattr(error, "facts", None)
    texts = ERRORS.get(getattr(error, "code", ""))
    if texts is None or not isinstance(facts, Mapping):
        return str(error), ""
    named = {str(name): str(value) for name, value in facts.items()}
    if "rule" in named:
        of_rule = rule_texts(named["rule"], named, lang)
        if of_rule is not None:
            return of_rule
    if lang == "it" and error.__cause__ is not None and _of_bytes(error):
        damage = damage_it(error.__cause__)
        named = named if damage is None else {**named, "reason": damage}
    translated = facts_in(named, lang)
    sentence, hint = (render(text.in_(lang), translated) for text in texts)
    if lang == "it" and _is_absent(named):
        names_itself = named["field"] in translated["reason"]
        told = "{subject}: {reason}" if names_itself else "{subject}: manca {field}; {reason}"
        sentence = render(told, translated)
    if named.get("kind") in LISTS:
        hint = LISTS[named["kind"]].in_(lang)
    if named.get("append_key", "").startswith("facts/"):
        hint = BATCH_TAKEN.in_(lang)
    return _with_known(sentence, translated, lang), _with_near(hint, translated, lang)


def _is_absent(facts: Mapping[str, str]) -> bool:
    """Return whether a field is refused because nobody filled it in: an option that is not there.

    An empty text that was given for a field of an event is quoted as the value that it is.
    """
    option = facts.get("field", "").startswith("--")
    return facts.get("reason") in _ABSENT or (option and facts.get("value") == "")


def _of_bytes(error: Exception) -> bool:
    return getattr(error, "code", "") in {"stored_event_decode", "decoding"}


def damage_it(error: BaseException) -> str | None:
    """Return what is wrong with stored bytes that could not be read; None for other errors.

    The library's and the codec's words for it name Python types and byte offsets.
    """
    code = getattr(error, "code", "")
    if code in {"decoding", "integrity_format", "field_bounds", "preimage"} or not code:
        return _DAMAGED
    if code == "unknown_schema":
        return error_texts(error, "it")[0] if isinstance(error, Exception) else None
    if code == "stored_event_decode":
        return (damage_it(error.__cause__) if error.__cause__ else None) or _DAMAGED
    return None


def _with_known(sentence: str, facts: Mapping[str, str], lang: Lang) -> str:
    """Return a sentence with what there is in place of what was named."""
    known = facts.get("known")
    if not known:
        return sentence
    return f"{sentence}; {'ci sono' if lang == 'it' else 'there are'}: {known}"


def _with_near(hint: str, facts: Mapping[str, str], lang: Lang) -> str:
    """Return a hint that begins with what was most likely meant."""
    near = facts.get("near") or facts.get("command")
    if not near:
        return hint
    if lang == "it":
        return f"forse {near}? Altrimenti {hint}"
    return f"did you mean {near}? Otherwise {hint}"
