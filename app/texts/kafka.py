"""Texts of publishing to Kafka: errors, titles, findings of the check.

The general modules of texts take them over, so that a reader of one finds all of them.

Source: ledger.kafka.errors; ledger.kafka.check; docs/kafka.md.
"""

from collections.abc import Mapping
from typing import Final

from app.texts.text import Text

ERRORS_KAFKA: Final[Mapping[str, tuple[Text, Text]]] = {
    "broker": (
        Text(it="Kafka presso {servers}: {reason}", en="Kafka at {servers}: {reason}"),
        Text(
            it="controllare l'impostazione kafka e che il broker sia in funzione; del registro non "
            "si perde nulla",
            en="check the setting kafka and that the broker runs; nothing of the ledger is lost",
        ),
    ),
    "topic_guard": (
        Text(
            it="topic {topic}: {setting} è {found}, deve essere {wanted}; rimedio: {remedy}",
            en="topic {topic}: {setting} is {found}, it must be {wanted}; mend it with: {remedy}",
        ),
        Text(
            it="`registro kafka topics` elenca tutti i topic e le impostazioni",
            en="see `registro kafka topics` for every topic and setting",
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
            it="nulla è stato ripristinato: alla posizione {position}: {reason}",
            en="nothing restored: at position {position}: {reason}",
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
}
"""Sentence and hint of every error by its code."""

TITLES_KAFKA_IT: Final[Mapping[str, str]] = {
    "broker": "Kafka non utilizzabile",
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
