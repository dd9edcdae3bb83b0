"""Texts of publishing to Kafka: errors, titles, findings of the check.

The general modules of texts take them over, so that a reader of one finds all of them.

Source: ledger.kafka.errors; ledger.kafka.check; docs/kafka.md.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Lang, Text

ERRORS_KAFKA: Final[Mapping[str, tuple[Text, Text]]] = {
    "broker": (
        Text(it="Kafka presso {servers}: {reason}", en="Kafka at {servers}: {reason}"),
        Text(
            it="controllare l'impostazione kafka e che il broker sia in funzione; del registro non "
            "si perde nulla",
            en="check the setting kafka and that the broker runs; nothing of the ledger is lost",
        ),
    ),
    "broker_access": (
        Text(it="Kafka presso {servers}: {reason}", en="Kafka at {servers}: {reason}"),
        Text(
            it="controllare le impostazioni kafka_security, kafka_user, kafka_password_file e "
            "kafka_ca, e gli elenchi di accesso del broker: docs/security.md",
            en="check the settings kafka_security, kafka_user, kafka_password_file and kafka_ca, "
            "and the access list of the broker: docs/security.md",
        ),
    ),
    "topic_guard": (
        Text(
            it="topic {topic}: {setting} è {found}, deve essere {wanted}; rimedio: {remedy}",
            en="topic {topic}: {setting} is {found}, it must be {wanted}; mend it with: {remedy}",
        ),
        Text(
            it="`{check}` mostra tutto ciò che non va",
            en="`{check}` shows everything that is wrong",
        ),
    ),
    "topic_diverged": (
        Text(
            it="il topic {topic}, partizione {partition}, offset {offset}, non è il registro: "
            "{reason}",
            en="topic {topic}, partition {partition}, offset {offset}: {reason}",
        ),
        Text(
            it="eseguire `registro kafka check`; docs/kafka.md dice che fare per ogni caso",
            en="run `registro kafka check`; docs/kafka.md says what to do for each finding",
        ),
    ),
    "publisher_busy": (
        Text(
            it="su {store} sta già pubblicando un altro processo",
            en="another publisher works on {store}",
        ),
        Text(
            it="lasciare la pubblicazione a quel processo, oppure fermarlo prima",
            en="leave the publishing to it, or stop it first",
        ),
    ),
    "publish_unfinished": (
        Text(
            it="dopo {seconds} s Kafka non ha confermato tutto fino alla posizione {head}: "
            "{reason}",
            en="after {seconds} s Kafka has not confirmed all records up to {head}: {reason}",
        ),
        Text(
            it="le registrazioni sono al sicuro nel registro; eseguire `registro publish --once` "
            "quando Kafka torna",
            en="the records are safe in the ledger; run `registro publish --once` when Kafka is "
            "back",
        ),
    ),
    "topic_restore": (
        Text(
            it="i topic non danno il registro, alla posizione {position}: {reason}",
            en="the topics do not give the ledger, at position {position}: {reason}",
        ),
        Text(
            it="vedere docs/kafka.md, restore; `registro kafka check` confronta con un registro "
            "che c'è",
            en="see docs/kafka.md, restore; `registro kafka check` compares with a ledger that is "
            "there",
        ),
    ),
    "message_format": (
        Text(it="messaggio {address}: {reason}", en="message {address}: {reason}"),
        Text(it="vedere docs/formats/message.md", en="see docs/formats/message.md"),
    ),
    "inbox_foreign": (
        Text(
            it="topic {topic}: i topic con questo prefisso sono del registro {owner}, questo è il "
            "registro {ledger}",
            en="topic {topic}: the topics under this prefix are of ledger {owner}, this is ledger "
            "{ledger}",
        ),
        Text(
            it="dare a ogni registro un prefisso proprio, con l'impostazione kafka_prefix; vedere "
            "docs/inbox.md",
            en="give each ledger a prefix of its own, by the setting kafka_prefix; see "
            "docs/inbox.md",
        ),
    ),
    "inbox_lost": (
        Text(
            it="topic {topic}, partizione {partition}: il registro riprende dall'offset "
            "{expected}, ma il topic contiene da {start} a {end}",
            en="topic {topic}, partition {partition}: the ledger goes on at offset {expected}, but "
            "the topic holds {start} to {end}",
        ),
        Text(
            it="richiedere ai sistemi mittenti ciò che manca; poi `registro inbox "
            "FAMIGLIA --accept-lost` riprende dopo il vuoto; vedere docs/inbox.md",
            en="ask the senders for what is missing; then `registro inbox FAMILY --accept-lost` "
            "goes on behind the hole; see docs/inbox.md",
        ),
    ),
    "inbox_moved": (
        Text(
            it="topic {topic}, partizione {partition}: il registro riprende dall'offset {actual}, "
            "non da {expected}",
            en="topic {topic}, partition {partition}: the ledger goes on at offset {actual}, not "
            "at {expected}",
        ),
        Text(
            it="nulla è perso: l'acquisizione riprende da dove dice il registro",
            en="nothing is lost: the intake goes on where the ledger says",
        ),
    ),
}
"""Sentence and hint of every error by its code."""

TITLES_KAFKA_IT: Final[Mapping[str, str]] = {
    "broker": "Kafka non utilizzabile",
    "broker_access": "Kafka non consente l'accesso",
    "inbox_foreign": "casella di un altro registro",
    "inbox_lost": "messaggi perduti prima dell'acquisizione",
    "inbox_moved": "parte già acquisita da altri",
    "message_format": "messaggio errato",
    "publish_unfinished": "pubblicazione non conclusa",
    "publisher_busy": "pubblicazione già in corso",
    "topic_diverged": "topic diverso dal registro",
    "topic_guard": "topic non sicuro",
    "topic_restore": "ripristino da Kafka rifiutato",
}
"""Italian title of an error by its code."""

FINDINGS: Final[Mapping[str, Text]] = {
    "foreign": Text(it="estraneo", en="foreign"),
    "missing": Text(it="mancante", en="missing"),
    "reordered": Text(it="fuori ordine", en="out of order"),
    "altered": Text(it="cambiato", en="altered"),
    "repeated": Text(it="ripetuto, innocuo", en="repeated, harmless"),
}
"""What the check says of a message."""

PATTERNS_KAFKA: Final = (
    (r"(\S+): topic is missing, must be there; (.+)", r"\1: il topic manca; \2"),
    (r"([^ :]+): (.+) is (\S+), must be (\S+); (.+)", r"\1: \2 è \3, deve essere \4; \5"),
    (r"missing", "assente"),
    (r"there", "presente"),
    (
        r"topic (\S+), partition (\d+), offset (\d+): it holds (\S+), the ledger ends at .+ (\d+)",
        r"\1, partizione \2, offset \3: contiene \4, il registro finisce alla posizione \5",
    ),
    (r"it is not one of: (.+)", r"non è tra: \1"),
    (r"there is no such entry", "la voce non esiste"),
    (r"give one of the two", "indicarne uno solo"),
    (r"write FAMILY/PARTITION/OFFSET", "scrivere FAMIGLIA/PARTIZIONE/OFFSET"),
    (r"write ADDRESS:PORT", "scrivere INDIRIZZO:PORTA"),
    (
        r"it holds (\d+\.\d+), the ledger ends at position (\d+)",
        r"contiene \1, il registro finisce alla posizione \2",
    ),
    (
        r"(\d+\.\d+) differs from the ledger's record",
        r"\1 è diverso dalla registrazione del registro",
    ),
    (r"(\d+\.\d+) belongs to another partition", r"\1 sta in un'altra partizione"),
    (
        r"none of the last (\d+) messages is of this ledger",
        r"nessuno degli ultimi \1 messaggi è di questo registro",
    ),
    (
        r"it is of ledger (\S+), not of (\S+): one prefix for each ledger",
        r"è del registro \1, non di \2: un prefisso per ogni registro",
    ),
    (
        r"it holds (\d+) messages of the (\d+) that were confirmed up to \w+ (\d+); (.+ --\w+) .+",
        r"contiene \1 dei \2 messaggi confermati fino alla posizione \3; \4 rimanda il resto",
    ),
    (r"the topics show everything up to (\d+) only", r"i topic arrivano solo alla posizione \1"),
    (
        r"(\S+) holds (\d+) messages that too few replicas have yet",
        r"\1 contiene \2 messaggi che troppo poche repliche hanno già",
    ),
    (r"no topic begins with position (\d+)", r"nessun topic comincia con la posizione \1"),
    (
        r"the topics are of ledger (\S+), the settings name ledger (\S+)",
        r"i topic sono del registro \1, le impostazioni indicano il registro \2",
    ),
    (
        r"message (\S+) is missing, and later ones are there",
        r"manca il messaggio \1, e ce ne sono di successivi",
    ),
    (
        r"message (\S+) is not as the ledger writes it, and later ones are there",
        r"il messaggio \1 non è come lo scrive il registro, e ce ne sono di successivi",
    ),
    (r"the messages do not give its commitment", "i messaggi non danno la sua impronta"),
    (r"two different records claim it", "due registrazioni diverse la rivendicano"),
    (r"its messages name another ledger", "i suoi messaggi indicano un altro registro"),
    (r"the first append is not whole", "la prima aggiunta non è intera"),
    (
        r"the topics end before the ledger is opened",
        "i topic finiscono prima dell'apertura del registro",
    ),
    (
        r"the last messages of the topics are not the latest",
        "gli ultimi messaggi dei topic non sono i più recenti",
    ),
    (r"no server is named: set (\S+)", r"nessun server indicato: impostare \1"),
    (r"publishing is off", "la pubblicazione è disattivata"),
    (r"the time is over", "il tempo è scaduto"),
    (r"the attempt outlasts its time", "il tentativo dura più del tempo previsto"),
    (r"\[Errno 111\] .+", "connessione rifiutata"),
    (r"timed out", "nessuna risposta nel tempo previsto"),
    (r"\[Errno -\d+\] .+", "il nome del server non si risolve"),
)
"""Italian of the reasons that commands on Kafka give, by pattern."""

AROUND_KAFKA: Final = (
    (r"topic (\S+), partition (\S+), offset (\S+)", r"\1, partizione \2, offset \3"),
    (
        r"after (\S+) s Kafka has not confirmed all records up to (\d+)",
        r"dopo \1 s Kafka non ha confermato tutto fino alla posizione \2",
    ),
    (r"Kafka at (\S+)", r"Kafka presso \1"),
    (r"(\S+:\d+) takes connections, but", r"\1 accetta connessioni, ma"),
    (r"(\S+:\d+)", r"\1"),
)
"""How reasons open that go on, behind a colon, with a reason of their own."""

STATES: Final[Mapping[str, Text]] = {
    "missing": Text(it="assente", en="missing"),
    "there": Text(it="presente", en="there"),
}
"""What is found, or must be, of a topic as a whole; other settings have values of their own."""


def state_text(value: str, lang: Lang) -> str:
    """Return what was found, or must be, of a topic, in a language."""
    known = STATES.get(value)
    return value if known is None else known.in_(lang)
