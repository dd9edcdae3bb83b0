"""Every command and the module that holds it, so that help needs none of them.

Invariant: each module has a function `register(root)` that adds exactly the commands listed here
(tested).
"""

from dataclasses import dataclass
from typing import Final

from app.texts.text import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One command of the first level."""

    name: str
    module: str
    """Module below `app.cli`."""
    help: Text
    panel: Text


_START = Text(it="Cominciare", en="Begin")
_READ = Text(it="Leggere", en="Read")
_CHECK = Text(it="Controllare", en="Check")
_WRITE = Text(it="Registrare", en="Record")
_CARE = Text(it="Gestire", en="Look after")


def _entry(panel: Text, name: str, module: str, it: str, en: str) -> Entry:
    return Entry(name=name, module=module, help=Text(it=it, en=en), panel=panel)


ENTRIES: Final[tuple[Entry, ...]] = (
    _entry(
        _START,
        "demo",
        "start.demo",
        "Il ciclo 2023 dell'INPS, dall'inizio alla fine, in un registro di prova.",
        "The 2023 cycle of INPS from end to end, in a sandbox ledger.",
    ),
    _entry(
        _START,
        "init",
        "start.setup",
        "Crea un registro nuovo.",
        "Create a new ledger.",
    ),
    _entry(
        _START,
        "import",
        "start.intake",
        "Registra una cartella di dati; ripetuto, non aggiunge nulla.",
        "Record a data folder; repeated, it adds nothing.",
    ),
    _entry(
        _READ,
        "replay",
        "figures.cycle",
        "Ricalcola gli indicatori di un anno dai soli eventi.",
        "Recompute the indicators of a year from events alone.",
    ),
    _entry(
        _READ,
        "explain",
        "figures.cycle",
        "Spiega una cifra fino alle registrazioni e agli atti.",
        "Explain a figure down to records and acts.",
    ),
    _entry(
        _READ,
        "diff",
        "figures.cycle",
        "Confronta un anno come era noto in due date.",
        "Compare a year as known on two days.",
    ),
    _entry(
        _READ,
        "trail",
        "figures.history",
        "La storia di un'entità: chi, quando, con quale atto, prima e dopo.",
        "The history of an entity: who, when, under which act, before and after.",
    ),
    _entry(
        _READ, "show", "figures.history", "Una registrazione per intero.", "One record in full."
    ),
    _entry(
        _READ,
        "list",
        "figures.history",
        "Elenca ciò che il registro conosce: indicatori, unità, atti, documenti...",
        "List what the ledger knows: indicators, units, acts, documents...",
    ),
    _entry(
        _READ,
        "search",
        "figures.history",
        "Cerca un testo negli eventi.",
        "Search the events for a text.",
    ),
    _entry(
        _START,
        "ingest",
        "production.ingest",
        "Registra un lotto di fatti di produzione; ripetuto, non aggiunge nulla.",
        "Record a batch of production facts; repeated, it adds nothing.",
    ),
    _entry(
        _START,
        "inbox",
        "kafka.inbox",
        "Registra i fatti che altri sistemi mandano via Kafka, ognuno una volta.",
        "Record the facts that other systems send by Kafka, each once.",
    ),
    _entry(
        _CARE,
        "dlq",
        "kafka.dlq",
        "Messaggi rifiutati: elencarli, leggerli, rimandarli.",
        "Refused messages: list them, read them, send them again.",
    ),
    _entry(
        _START,
        "simulate",
        "production.simulate",
        "Simula un anno di produzione che raggiunge le cifre pubblicate.",
        "Simulate a year of production that hits the published figures.",
    ),
    _entry(
        _READ,
        "production",
        "production.indicators",
        "Indicatori di produzione dai fatti: per struttura, area, mese...",
        "Indicators of production from facts: by unit, area, month...",
    ),
    _entry(
        _READ,
        "forecast",
        "production.forecast",
        "Proietta giacenza e giorni; registra e confronta scenari.",
        "Project stock and days; record and compare scenarios.",
    ),
    _entry(
        _CHECK,
        "completeness",
        "production.indicators",
        "I fatti di un anno sono completi? Giacenze, presenze, sequenze.",
        "Are the facts of a year whole? Stocks, presences, sequences.",
    ),
    _entry(
        _CARE,
        "rebuild",
        "production.readmodels",
        "Ricostruisce le viste di lettura accanto a quelle in uso.",
        "Rebuild the read models beside those in use.",
    ),
    _entry(
        _CARE,
        "catch-up",
        "production.catching_up",
        "Porta le viste di lettura al passo col registro.",
        "Bring the read models up to the ledger.",
    ),
    _entry(
        _READ,
        "risk",
        "figures.risk",
        "Il registro dei rischi: matrice, misure in ritardo, registrazioni.",
        "The risk register: matrix, overdue measures, recording.",
    ),
    _entry(
        _READ,
        "subscribe",
        "figures.subscribe",
        "Segue gli aggiornamenti degli indicatori, in JSON Lines.",
        "Follow the updates of indicators, as JSON Lines.",
    ),
    _entry(
        _CHECK,
        "audit",
        "figures.audit",
        "Verifica l'aritmetica delle cifre stampate.",
        "Check the arithmetic of printed figures.",
    ),
    _entry(
        _CHECK,
        "verify",
        "evidence.verify",
        "Ricalcola ogni impegno: nulla è stato cambiato?",
        "Recompute every commitment: was anything changed?",
    ),
    _entry(
        _CHECK,
        "seal",
        "evidence.seal",
        "Firma lo stato del registro e ne scrive i sigilli.",
        "Sign the state of the ledger and write its sealed log.",
    ),
    _entry(
        _CHECK,
        "witness-request",
        "evidence.seal",
        "Scrive la richiesta di firma per un testimone.",
        "Write the request for a witness's signature.",
    ),
    _entry(
        _CHECK,
        "timestamp",
        "evidence.timestamp",
        "Marche temporali del sigillo.",
        "Timestamps of the checkpoint.",
    ),
    _entry(
        _CARE,
        "keys",
        "evidence.keys",
        "Chiavi di firma: creare, elencare, sostituire.",
        "Signing keys: make, list, change.",
    ),
    _entry(
        _CHECK,
        "dossier",
        "evidence.dossier",
        "Un fascicolo con cifre, registrazioni e prove, per chi sta fuori.",
        "A dossier of figures, records and proofs, for somebody outside.",
    ),
    _entry(
        _WRITE,
        "record",
        "recording.write",
        "Registra più eventi insieme da un file YAML.",
        "Record several events together from a YAML file.",
    ),
    _entry(
        _WRITE,
        "correct",
        "recording.write",
        "Corregge un evento con un evento nuovo.",
        "Correct an event by a new event.",
    ),
    _entry(_WRITE, "act", "recording.write", "Atti.", "Legal acts."),
    _entry(_WRITE, "unit", "recording.write", "Unità organizzative.", "Organisation units."),
    _entry(
        _WRITE,
        "cycle",
        "recording.write",
        "Ciclo, linee guida e indirizzi.",
        "Cycle and guidelines.",
    ),
    _entry(_WRITE, "objective", "recording.write", "Obiettivi.", "Objectives."),
    _entry(_WRITE, "weight", "recording.write", "Pesi.", "Weights."),
    _entry(_WRITE, "target", "recording.write", "Valori attesi.", "Targets."),
    _entry(
        _WRITE,
        "indicator",
        "recording.write",
        "Definizioni degli indicatori.",
        "Indicator definitions.",
    ),
    _entry(
        _WRITE, "period", "recording.write", "Periodi di rilevazione.", "Periods of measurement."
    ),
    _entry(_WRITE, "result", "recording.write", "Risultati.", "Results."),
    _entry(
        _WRITE,
        "product",
        "recording.write",
        "Prodotti e coefficienti.",
        "Products and coefficients.",
    ),
    _entry(_WRITE, "calendar", "recording.write", "Calendario lavorativo.", "Working calendar."),
    _entry(_WRITE, "source", "recording.write", "Fonti dei fatti.", "Sources of facts."),
    _entry(_WRITE, "flow", "recording.write", "Flussi di denaro.", "Money flows."),
    _entry(_WRITE, "project", "recording.write", "Progetti.", "Projects."),
    _entry(
        _WRITE,
        "document",
        "recording.write",
        "Documenti e cifre pubblicate.",
        "Documents and figures.",
    ),
    _entry(
        _WRITE, "validation", "recording.write", "Validazione dell'OIV.", "Validation by the OIV."
    ),
    _entry(
        _WRITE,
        "parameter",
        "recording.write",
        "Parametri di incentivazione.",
        "Incentive parameters.",
    ),
    _entry(
        _CARE,
        "status",
        "operations.status",
        "Che cosa c'è nel registro, e a che punto è tutto il resto.",
        "What is in the ledger, and how far everything else is.",
    ),
    _entry(
        _CARE,
        "metrics",
        "operations.metrics",
        "Le cifre di status per Prometheus.",
        "The figures of status for Prometheus.",
    ),
    _entry(
        _CARE,
        "backup",
        "operations.backup",
        "Copia il registro in un file nuovo, anche mentre è in uso.",
        "Copy the ledger to a new file, also while in use.",
    ),
    _entry(
        _CARE,
        "restore",
        "kafka.restoring",
        "Rimette al suo posto una copia, dopo averla verificata.",
        "Put a copy back in its place, after checking it.",
    ),
    _entry(
        _CARE,
        "subject",
        "privacy.subject",
        "Persone: elenco e cancellazione dei dati personali.",
        "Persons: list and erasure of personal data.",
    ),
    _entry(
        _CARE,
        "hold",
        "privacy.subject",
        "Blocchi alla cancellazione dei dati personali.",
        "Holds on the erasure of personal data.",
    ),
    _entry(
        _CARE,
        "retention",
        "privacy.subject",
        "Termini di conservazione dei dati personali.",
        "Retention terms of personal data.",
    ),
    _entry(
        _CARE,
        "publish",
        "kafka.publishing",
        "Pubblica il registro su Kafka, ogni evento una volta, in ordine.",
        "Publish the ledger to Kafka, each event once, in order.",
    ),
    _entry(
        _CHECK,
        "kafka",
        "kafka.publishing",
        "Topic del registro: crearli, confrontarli col registro.",
        "Topics of the ledger: create them, compare them with the ledger.",
    ),
    _entry(
        _READ,
        "tail",
        "kafka.publishing",
        "I messaggi di un topic, decodificati, in JSON Lines.",
        "The messages of a topic, decoded, as JSON Lines.",
    ),
    _entry(
        _CARE,
        "config",
        "operations.settings",
        "Impostazioni e loro origine.",
        "Settings and their origin.",
    ),
)


def entry_of(name: str | None) -> Entry | None:
    """Return the entry of a command; None when there is no such command."""
    return next((entry for entry in ENTRIES if entry.name == name), None)
