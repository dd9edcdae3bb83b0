"""What the simulator and the files of facts are refused for, in both languages."""

from typing import Final

from app.texts.text import Text

_FIGURES: Final = Text(
    it="correggere le cifre da cui parte la simulazione: quelle del profilo (--profile) o del "
    "registro",
    en="correct the figures that the simulation starts from",
)

BATCH_TAKEN: Final = Text(
    it="il lotto è nel registro con altro contenuto: dare a questo un altro nome con --batch; come "
    "si correggono i fatti è scritto in docs/production.md",
    en="the batch is in the ledger with other content: give this one another name with --batch; "
    "docs/production.md says how facts are corrected",
)
"""Hint when the name of a batch of facts was used before."""

ERRORS_SIMULATION: Final = {
    "facts_missing": (
        Text(
            it="servono dati che nel registro non ci sono: {lacking}",
            en="this rests on facts that are not in the ledger: {lacking}",
        ),
        Text(
            it="registrarli con `registro ingest`, vedere docs/production.md",
            en="take them in with `registro ingest`, see docs/production.md",
        ),
    ),
    "simulation": (
        Text(it="l'anno non si può simulare", en="the year cannot be simulated"),
        Text(it="vedere docs/production.md", en="see docs/production.md"),
    ),
    "simulation_events": (
        Text(
            it="{events} fatti sono troppo pochi: {reason}",
            en="{events} events are too few: {reason}",
        ),
        Text(it="chiedere più fatti con --events", en="ask for more events"),
    ),
    "simulation_targets": (
        Text(it="cifra da raggiungere {subject}: {reason}", en="figure to hit {subject}: {reason}"),
        _FIGURES,
    ),
    "simulation_world": (
        Text(
            it="un ente di {units} strutture: {reason}",
            en="organisation of {units} units: {reason}",
        ),
        Text(
            it="chiedere più strutture con --units, o correggere i tipi di struttura",
            en="ask for more units, or correct the kinds of unit",
        ),
    ),
}
"""Sentence and hint by code."""

TITLES_SIMULATION_IT: Final = {
    "simulation": "simulazione impossibile",
    "simulation_events": "troppo pochi fatti",
    "simulation_targets": "cifra irraggiungibile",
    "simulation_world": "troppo poche strutture",
}

PATTERNS_SIMULATION: Final = (
    (r"at least (\d+) are needed", r"ne servono almeno \1"),
    (
        r"more than half would be stocks, presences, flows and costs",
        "più della metà sarebbero giacenze, presenze, flussi e costi",
    ),
    (r"the ledger knows no value for (\d+)", r"il registro non ne conosce il valore per il \1"),
    (r"(\S+) is not between (\d+) and (\d+)", r"\1 non è tra \2 e \3"),
    (r"(\S+) is not a number above 0", r"\1 non è un numero maggiore di 0"),
    (r"(\S+) has more than 2 decimals", r"\1 ha più di 2 decimali"),
    (r"(\S+) is not a whole number of days", r"\1 non è un numero intero di giorni"),
    (r"no unit of them settles requests", "nessuna di esse definisce domande"),
    (
        r"below the root there is no kind of unit",
        "sotto la radice non c'è alcun tipo di struttura",
    ),
    (
        r"the kinds of unit need counts of at least 0",
        "ogni tipo di struttura vuole un numero non negativo",
    ),
    (
        r"(\d+) requests received, but only (\d+) settled or left by the backlog: .*",
        (
            r"\1 domande pervenute, ma solo \2 definite o in giacenza: le giacenze iniziali "
            "sarebbero negative"
        ),
    ),
    (
        r"(\d+) pieces do not fit in the (\d+) places of the months",
        r"\1 pezzi non stanno nei \2 posti dei mesi",
    ),
    (
        r"missing: (.+); unknown: (.+)",
        r"mancano: \1; sconosciute: \2",
    ),
)
"""English reasons as patterns, and their Italian."""

PATTERNS_FACTS: Final = (
    (
        r"the columns are nearest to (\w+): missing (.+); unknown (.+)",
        r"le colonne sono vicine a \1: mancano \2; non previste \3",
    ),
    (
        r"the columns are nearest to (\w+): missing (.+)",
        r"le colonne sono vicine a \1, ma mancano \2",
    ),
    (
        r"the columns are nearest to (\w+): unknown (.+)",
        r"le colonne sono vicine a \1, ma non prevede \2",
    ),
    (
        r"the columns are those of no kind of fact of the family: (.+)",
        r"le colonne non sono quelle di un tipo di fatto della famiglia: \1",
    ),
    (
        r"no kind of fact has the columns (.+)",
        r"nessun tipo di fatto ha le colonne \1",
    ),
    (r"no column may be called (.+)", r"nessuna colonna può chiamarsi \1"),
    (r"(.+) is no format of facts", r"\1 non è un formato di fatti"),
    (
        r"no Parquet file, or damaged: .*",
        "non è un file Parquet, o è danneggiato o incompleto",
    ),
    (
        r".*no Avro container, or damaged: .*",
        "non è un contenitore Avro, o è danneggiato o incompleto",
    ),
    (
        r"the heading is not UTF-8",
        "l'intestazione non è testo UTF-8: salvare il file come CSV UTF-8",
    ),
    (
        r"a line is longer than (\d+) bytes: no table of facts",
        r"una riga supera \1 byte: non è una tabella di fatti",
    ),
    (
        r"column (.+) has the type (.+): no value of a fact",
        r"la colonna \1 è di tipo \2, che non è un valore di un fatto",
    ),
    (
        r"column (.+) holds a day outside the calendar: (.+) days from 1970-01-01",
        r"la colonna \1 ha un giorno fuori dal calendario: \2 giorni dal 1970-01-01",
    ),
    (
        r"the refused rows cannot be written there: (.+); name another folder for them",
        r"lì gli scarti non si possono scrivere (\1): indicare un'altra cartella con --rejects",
    ),
    (
        (
            r"the rows of the batch cannot be kept until they are recorded: (.+); make room there, "
            r"or name another folder in TMPDIR"
        ),
        (
            r"le righe del lotto non si possono tenere fino alla registrazione: \1; fare spazio, o "
            r"indicare un'altra cartella in TMPDIR"
        ),
    ),
    (
        (
            r"no temporary folder can be made there: (.+); make room there, or name another folder "
            r"in TMPDIR"
        ),
        (
            r"lì non si può creare una cartella temporanea: \1; fare spazio, o indicare un'altra "
            r"cartella in TMPDIR"
        ),
    ),
    (
        r"write a year \(2023\), a quarter \(2023-Q2\) or a month \(2023-05\)",
        "scrivere un anno (2023), un trimestre (2023-Q2) o un mese (2023-05)",
    ),
    (r"write a month as 2023-12", "scrivere un mese come 2023-12"),
    (r"write a number", "scrivere un numero"),
    (r"it is from (\d+) to (\d+)", r"va da \1 a \2"),
    (r"it is 0 or more", "non può essere negativo"),
    (
        r"the folder holds files already: name another one",
        "la cartella contiene già dei file: indicarne un'altra",
    ),
)
"""Likewise for files and figures of facts."""
