"""Texts of evidence: errors, discrepancies, states of keys, and English that stands in facts.

The general modules of texts take them over, so that a reader of one finds all of them.

Source: ledger.evidence; ledger.discrepancy; docs/operating.md.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Text

_STOP: Final = Text(
    it="non sigillare: eseguire `registro verify` e seguire docs/it/discrepanza.md",
    en="do not seal: run `registro verify` and follow docs/it/discrepanza.md",
)
_AGAIN: Final = Text(
    it="riprendere il file da dove viene, byte per byte",
    en="take the file again from where it came, byte for byte",
)

ERRORS_EVIDENCE: Final[Mapping[str, tuple[Text, Text]]] = {
    "evidence": (
        Text(
            it="la prova non si può fare o giudicare",
            en="the evidence cannot be made or judged",
        ),
        Text(it="vedere docs/formats/checkpoint.md", en="see docs/formats/checkpoint.md"),
    ),
    "note_format": (
        Text(it="non è una nota firmata: {reason}", en="not a signed note: {reason}"),
        _AGAIN,
    ),
    "evidence_file": (
        Text(it="file indicato, {path}: {reason}", en="file {path}: {reason}"),
        Text(
            it="correggere il percorso, o chiedere il file a chi lo ha mandato",
            en="correct the path, or ask whoever sent the file for it",
        ),
    ),
    "signature_invalid": (
        Text(
            it="la firma di {key} non corrisponde al testo",
            en="the signature of {key} does not fit the text",
        ),
        Text(
            it="il testo o la firma sono stati cambiati: conservare il file e confrontarlo con "
            "altre copie",
            en="the text or the signature was changed: keep the file and compare it with other "
            "copies",
        ),
    ),
    "signature_missing": (
        Text(
            it="nessuna firma di una chiave nota; note: {known_keys}; firmato da: {signed_by}",
            en="no signature of a known key; known: {known_keys}; signed by: {signed_by}",
        ),
        Text(
            it="avere per altra via la chiave pubblica di chi ha firmato (--vkey, file dei "
            "testimoni); se il registro non la elenca, il sigillo è di un altro registro, o il "
            "registro è stato rifatto: docs/it/discrepanza.md",
            en="get the public key of who signed by another way (--vkey, policy file); if the "
            "ledger does not list it, the checkpoint is of another ledger, or the ledger was made "
            "anew: docs/operating.md",
        ),
    ),
    "key_format": (
        Text(
            it="{subject}: non è il testo di una chiave: {reason}",
            en="{subject} is not the text of a key: {reason}",
        ),
        Text(
            it="una chiave è una riga, come la scrive `registro keys new`",
            en="a key is one line, as `registro keys new` writes it",
        ),
    ),
    "key_file": (
        Text(it="chiave di firma {file}: {reason}", en="signing key {file}: {reason}"),
        Text(
            it="vedere `registro keys list`; una chiave nuova si fa con `registro keys new`",
            en="see `registro keys list`; a new key comes from `registro keys new`",
        ),
    ),
    "checkpoint_format": (
        Text(it="non è un sigillo: {reason}", en="not a checkpoint: {reason}"),
        _AGAIN,
    ),
    "log_file": (
        Text(it="file dei sigilli {path}: {reason}", en="log file {path}: {reason}"),
        Text(
            it="eseguire `registro verify --source tiles`; mai aggiustare a mano la cartella",
            en="run `registro verify --source tiles`; never mend a log directory by hand",
        ),
    ),
    "log_conflict": (
        Text(
            it="il sigillo copre {size} registrazioni di {expected}; il registro dà {actual}: "
            "nulla è stato firmato",
            en="the signed checkpoint covers {size} records of {expected}; the ledger gives "
            "{actual}: nothing was signed",
        ),
        _STOP,
    ),
    "log_busy": (
        Text(
            it="un altro programma sta sigillando in {directory}",
            en="another process is sealing into {directory}",
        ),
        Text(
            it="attendere che finisca, o fermare quello che segue il registro",
            en="wait until it has finished, or stop the one that follows the ledger",
        ),
    ),
    "timestamp": (
        Text(it="marca temporale: {reason}", en="timestamp: {reason}"),
        Text(
            it="ripetere la richiesta con `registro timestamp request` e controllare il "
            "certificato dato con --ca",
            en="ask again with `registro timestamp request`, and check the certificate given with "
            "--ca",
        ),
    ),
    "witness_policy": (
        Text(it="file dei testimoni {file}: {reason}", en="policy {file}: {reason}"),
        Text(
            it="docs/formats/checkpoint.md mostra un file dei testimoni",
            en="docs/formats/checkpoint.md shows a policy file",
        ),
    ),
    "log_missing": (
        Text(it="in {directory} non c'è un sigillo", en="there is no checkpoint in {directory}"),
        Text(
            it="sigillare prima il registro con `registro seal`, o correggere --dir",
            en="seal the ledger first with `registro seal`, or correct --dir",
        ),
    ),
    "record_altered": (
        Text(
            it="la registrazione {position} non dà il suo impegno: conservato {expected}, "
            "ricalcolato {actual}; nulla è stato firmato",
            en="record {position} does not give its commitment: stored {expected}, computed "
            "{actual}; nothing was signed",
        ),
        _STOP,
    ),
}
"""Sentence and hint of each error of `ledger.evidence.problems`."""

TITLES_EVIDENCE_IT: Final[Mapping[str, str]] = {
    "checkpoint_format": "sigillo errato",
    "evidence": "prova non utilizzabile",
    "evidence_file": "file non utilizzabile",
    "key_file": "chiave di firma non utilizzabile",
    "key_format": "chiave errata",
    "log_busy": "sigillo in corso",
    "log_conflict": "registro diverso dal sigillo",
    "log_file": "file dei sigilli non utilizzabile",
    "log_missing": "sigillo mancante",
    "note_format": "nota firmata errata",
    "record_altered": "registrazione alterata",
    "signature_invalid": "firma errata",
    "signature_missing": "firma mancante",
    "timestamp": "marca temporale non utilizzabile",
    "witness_policy": "file dei testimoni errato",
}

DISCREPANCIES_EVIDENCE: Final[Mapping[str, Text]] = {
    "checkpoint": Text(it="il sigillo non torna", en="the checkpoint does not agree"),
    "older_checkpoint": Text(
        it="il sigillo di prima non torna", en="the older checkpoint does not agree"
    ),
    "log_file": Text(it="file dei sigilli", en="file of the log"),
    "log_entry": Text(it="voce dei sigilli", en="entry of the log"),
    "log_tile": Text(it="impronte dei sigilli", en="hashes of the log"),
    "log_ledger": Text(it="sigilli e registro diversi", en="log and ledger differ"),
}

DETAILS_EVIDENCE_IT: Final[Mapping[str, str]] = {
    "root_unknown": (
        "non c'è una radice con cui confrontare: non si legge l'identità del registro, che sta in "
        "ogni foglia"
    ),
    "signature_bad": "la firma di {key} non corrisponde al testo",
    "signature_unknown": (
        "nessuna delle chiavi note ({known_keys}) ha firmato; firmato da: {signed_by}"
    ),
    "checkpoint_origin": "un sigillo di {found}; il registro è {expected}",
    "checkpoint_longer": (
        "il sigillo copre {expected} registrazioni, ce ne sono {found}: alcune sono state tolte"
    ),
    "checkpoint_root": (
        "su {size} registrazioni la radice è {found}, il sigillo dice {expected}: alcune sono "
        "state cambiate"
    ),
    "quorum": "hanno firmato {found} testimoni; ne servono {expected}",
    "log_unreadable": "file {path}: {why}",
    "tile_hash": "{path}, impronta {place}: le voci danno {expected}, il file dice {found}",
    "entry_form": "{path}: la voce non è una foglia: {why}",
    "entry_ledger": "{path}: la voce è del registro {found}, i sigilli sono di {expected}",
    "entry_position": "{path}: la voce è della posizione {found}, il suo posto è {expected}",
    "ledger_shorter": "i sigilli coprono {expected} registrazioni, il registro ne ha {found}",
    "ledger_unreadable": "il registro c'è e non si legge: {error}",
    "ledger_differs": "il registro dà l'impegno {expected}, i sigilli dicono {found}",
}

LISTS: Final[Mapping[str, Text]] = {
    "signing key": Text(it="vedere `registro keys list`", en="see `registro keys list`"),
    "subject": Text(it="vedere `registro subject list`", en="see `registro subject list`"),
}
"""Where to look for what `registro search` does not find, by kind."""

KEY_STATES: Final[Mapping[str, Text]] = {
    "active": Text(it="attiva", en="active"),
    "retiring": Text(it="uscente", en="retiring"),
    "retired": Text(it="ritirata", en="retired"),
    "unlisted": Text(it="non pubblicata", en="unlisted"),
}

REASONS_EVIDENCE_IT: Final[tuple[tuple[str, str], ...]] = (
    ("signing key", "chiave di firma"),
    ("a name has no spaces and no plus", "un nome non ha spazi né segni +"),
    ("write NAME+ID+KEY on one line", "scrivere NOME+CODICE+CHIAVE su una riga"),
    ("its id is not the one of its bytes", "il codice non è quello dei suoi byte"),
    ("it does not begin as one", "non comincia come tale"),
    ("it holds no key", "non contiene chiavi"),
    ("not valid UTF-8", "non è testo UTF-8"),
    ("control characters", "ci sono caratteri di controllo"),
    ("no empty line in front of the signatures", "manca la riga vuota prima delle firme"),
    ("the last line is cut off", "l'ultima riga è tronca"),
    ("a signature line is malformed", "una riga di firma è malformata"),
    ("the text does not end with a newline", "il testo non finisce con un a capo"),
    ("three lines are expected", "servono tre righe"),
    ("the origin is empty", "l'origine è vuota"),
    ("the second line is no size", "la seconda riga non è un numero di registrazioni"),
    ("the third line is no root", "la terza riga non è una radice"),
    ("the origin does not fit on one line", "l'origine non sta su una riga"),
    ("it is there already with other bytes", "c'è già, con altri byte"),
    ("it is missing", "manca"),
    ("its length is not that of whole entries", "la sua lunghezza non è quella di voci intere"),
    ("there is none", "non ce n'è alcuna"),
    ("others may read it: chmod 600", "altri possono leggerla: chmod 600"),
    (
        "the ledger lists it as active, and it is not at hand",
        "per il registro è attiva, ma qui la parte privata non c'è",
    ),
    ("the ledger lists no active key", "il registro non ha una chiave attiva"),
    (
        "there is an active key: use `registro keys rotate`",
        "c'è già una chiave attiva: usare `registro keys rotate`",
    ),
    ("name a folder: the ledger is no file", "indicare una cartella: il registro non è un file"),
    (
        "write whole seconds, or a number with s, m, h or d: 300, 5m, 1h",
        "scrivere secondi interi, o un numero con s, m, h o d (giorni): 300, 5m, 1h",
    ),
    (
        "the file of the witnesses says whose signature it is",
        "il file dei testimoni dice di chi è la firma",
    ),
    ("openssl gives no reason", "openssl non dice perché"),
    ("openssl is not installed", "openssl non è installato"),
    ("the reply holds no time", "la risposta non contiene un'ora"),
    ("log is a list of public keys", "log è un elenco di chiavi pubbliche"),
    (
        "witnesses is a table of names and public keys",
        "witnesses è una tabella di nomi e chiavi pubbliche",
    ),
    (
        "quorum is a number from 0 to that of the witnesses",
        "quorum è un numero da 0 a quello dei testimoni",
    ),
    ("two witnesses share one public key", "due testimoni hanno la stessa chiave pubblica"),
    (
        "write an instant as YYYY-MM-DDTHH:MM:SS+00:00",
        "scrivere l'istante come AAAA-MM-GGTHH:MM:SS+00:00",
    ),
)
"""Italian of English that stands in facts of these errors."""

PATTERNS_EVIDENCE: Final[tuple[tuple[str, str], ...]] = (
    (r"longer than (\d+) bytes", r"più lunga di \1 byte"),
    (r"(\d+) signatures, not 1 to (\d+)", r"\1 firme, non da 1 a \2"),
    (r"kind (\S+) is not known", r"il tipo \1 non è conosciuto"),
    (r"(\d+) bytes, not (\d+)", r"\1 byte, non \2"),
    (r"a seed has (\d+) bytes", r"un seme ha \1 byte"),
    (r"only (\d+) records", r"solo \1 registrazioni"),
    (r"fewer than (\d+) entries", r"meno di \1 voci"),
    (r"an entry of (\d+) bytes, not (\d+)", r"una voce di \1 byte, non \2"),
    (r"(\d+) bytes do not hold (\d+) hashes", r"\1 byte non contengono \2 impronte"),
    (r"the checkpoint covers (\d+) records", r"il sigillo copre \1 registrazioni"),
    (r"(\S+) is not among the keys given", r"\1 non è tra le chiavi date"),
    (r"the signature of (\S+) does not fit the text", r"la firma di \1 non corrisponde al testo"),
    (
        r"no signature of a known key; known: (.+); signed by: (.+)",
        r"nessuna delle chiavi note (\1) ha firmato; firmato da: \2",
    ),
    (r"(\S+) is not a key of a log", r"\1 non è la chiave di un registro"),
    (r"(\S+) is not a key of a witness", r"\1 non è la chiave di un testimone"),
)
"""Likewise for English with values in it: pattern, and what stands in its place."""
