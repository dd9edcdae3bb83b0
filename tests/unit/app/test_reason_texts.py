"""Reasons that commands on Kafka and read models give, in Italian: no English word is left."""

import pytest

from app.texts.errors import error_texts
from app.texts.values import facts_in
from ledger.errors import ConfigurationError, ReadModelAheadError
from ledger.kafka.errors import (
    BrokerError,
    PublishUnfinishedError,
    TopicDivergedError,
    TopicRestoreError,
)

ANOTHER = "it is of ledger X, not of Y: one prefix for each ledger"


def reason_in(english: str) -> str:
    return facts_in({"reason": english}, "it")["reason"]


@pytest.mark.parametrize(
    ("english", "italian"),
    [
        (
            (
                "it holds 5 messages of the 9 that were confirmed up to position 7; "
                "registro publish --refill sends what is lost again"
            ),
            (
                "contiene 5 dei 9 messaggi confermati fino alla posizione 7; "
                "registro publish --refill rimanda il resto"
            ),
        ),
        (ANOTHER, "è del registro X, non di Y: un prefisso per ogni registro"),
        ("no topic begins with position 1", "nessun topic comincia con la posizione 1"),
        (
            "the topics are of ledger A, the settings name ledger B",
            "i topic sono del registro A, le impostazioni indicano il registro B",
        ),
        (
            "no server is named: set REGISTRO_KAFKA",
            "nessun server indicato: impostare REGISTRO_KAFKA",
        ),
        ("h:1: [Errno 111] Connection refused", "h:1: connessione rifiutata"),
        ("h:1 takes connections, but: timed out", "h:1 accetta connessioni, ma: nessuna risposta"),
        ("the time is over", "il tempo è scaduto"),
        (
            "store /a/b.db cannot be opened: unable to open database file",
            "l'archivio /a/b.db non si apre: il file non si può aprire",
        ),
        ("store a.db: file is not a database", "archivio a.db: il file non è una base di dati"),
        (
            f"topic t.v1, partition *, offset 7: {ANOTHER}",
            "t.v1, partizione *, offset 7: è del registro X, non di Y",
        ),
        (
            "after 60 s Kafka has not confirmed all records up to 12: the time is over",
            "dopo 60 s Kafka non ha confermato tutto fino alla posizione 12: il tempo è scaduto",
        ),
        ("the coefficient of CIE", "la fissazione del coefficiente di CIE"),
    ],
)
def test_a_reason_is_told_in_italian(english: str, italian: str) -> None:
    assert reason_in(english).startswith(italian)
    assert facts_in({"reason": english}, "en")["reason"] == english


@pytest.mark.parametrize("unknown", ["server said: no", "xyz", "a: b: c", ""])
def test_what_is_not_ours_stays_as_it_came(unknown: str) -> None:
    assert reason_in(unknown) == unknown
    assert reason_in(f"Kafka at h:1: {unknown or 'x'}") == f"Kafka presso h:1: {unknown or 'x'}"


@pytest.mark.parametrize(
    ("error", "italian"),
    [
        (
            PublishUnfinishedError(head=3, seconds="60", reason="h:1: [Errno 111] no"),
            (
                "dopo 60 s Kafka non ha confermato tutto fino alla posizione 3: "
                "h:1: connessione rifiutata"
            ),
        ),
        (
            TopicRestoreError(position=1, reason="two different records claim it"),
            (
                "i topic non danno il registro, alla posizione 1: "
                "due registrazioni diverse la rivendicano"
            ),
        ),
        (
            TopicDivergedError(topic="t", partition=0, offset=1, reason=ANOTHER),
            (
                "il topic t, partizione 0, offset 1, non è il registro: "
                "è del registro X, non di Y: un prefisso per ogni registro"
            ),
        ),
        (BrokerError(servers="h:1", reason="timed out"), "Kafka presso h:1: nessuna risposta nel "),
        (
            ConfigurationError(
                setting="kafka_prefix",
                reason="'a b' (REGISTRO_KAFKA_PREFIX) is no first word of topics: "
                "a-z, A-Z, 0-9, . _ and -, at most 200",
            ),
            (
                "impostazione kafka_prefix: 'a b' (REGISTRO_KAFKA_PREFIX) non può essere la prima "
                "parola dei topic: solo a-z, A-Z, 0-9, . _ e -, al massimo 200"
            ),
        ),
    ],
)
def test_an_error_is_italian_as_a_whole(error: Exception, italian: str) -> None:
    assert error_texts(error, "it")[0].startswith(italian)


@pytest.mark.parametrize(("lang", "words"), [("it", "ricostruire dal"), ("en", "rebuild from the")])
def test_a_read_model_ahead_says_what_to_do_beside_a_catch_up(lang: str, words: str) -> None:
    error = ReadModelAheadError(projection="production", position=9, head=7)

    hint = error_texts(error, "it" if lang == "it" else "en")[1]

    assert "catch-up" in hint
    assert words in hint
