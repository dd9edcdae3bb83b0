"""What a client's error is told as: one short line, without the request that was refused."""

import pytest
from kafka.errors import InvalidReplicationFactorError, KafkaConnectionError, KafkaError

from ledger.kafka.client.connection import REASON_CHARACTERS, Broker, brief
from ledger.kafka.errors import BrokerError

REQUEST = "Request 'CreateTopicsRequest(version=7, topics=[CreatableTopic(name='a.events.v1')])'"
ANSWER = "failed with response 'CreateTopicsResponse(version=7, topics=[{}])'."


def told(error: Exception) -> str:
    with pytest.raises(BrokerError) as caught, Broker(servers="127.0.0.1:1").asked():
        raise error
    return caught.value.facts["reason"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("CreatableTopicResult(error_code=38, error_message='Only 1 broker.')", ": Only 1 broker."),
        (
            'TopicResult(error_message=None), TopicResult(error_message="isn\'t")',
            ": isn't",
        ),
        ("CreatableTopicResult(error_code=38, error_message=None)", ""),
    ],
)
def test_a_refused_request_is_not_repeated(answer: str, said: str) -> None:
    error = InvalidReplicationFactorError(f"{REQUEST * 20} {ANSWER.format(answer * 30)}")

    assert told(error) == f"[Error 38] InvalidReplicationFactorError{said}"


@pytest.mark.parametrize(
    "error",
    [KafkaError("x" * 6000), KafkaConnectionError("a\nb\r\n" * 500), ValueError("y" * 6000)],
)
def test_a_reason_is_one_line_of_limited_length(error: Exception) -> None:
    reason = told(error)

    assert len(reason) == REASON_CHARACTERS
    assert reason.endswith("...")
    assert "\n" not in reason


def test_a_short_reason_stays_as_it_is() -> None:
    assert brief("[Errno 111] Connection refused") == "[Errno 111] Connection refused"
    assert told(KafkaError("no")) == "KafkaError: no"
