from typing import get_args

import pytest

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    EngineEvent,
    EngineRequest,
    Failed,
    FailureCode,
    Finished,
    Generate,
    GenerationStats,
    PromptMessage,
    TextDelta,
)
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import SamplingParams
from chatdesk.workers.codec import Codec, ProtocolError

events: Codec[EngineEvent] = Codec(get_args(EngineEvent))
requests: Codec[EngineRequest] = Codec(get_args(EngineRequest))


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("1", 'line\nbreak, "quotes", 量子 and 🌱'),
        Finished("2", StopReason.LENGTH, GenerationStats(3, 1, 5, None, 99.5, 0.25, 7)),
    ],
)
def test_an_event_survives_the_wire(event: EngineEvent) -> None:
    line = Codec.encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert events.decode(line) == event


def test_a_sentence_is_written_as_its_words() -> None:
    event = Failed("4", FailureCode.INTERNAL, tr("There is no room for {n} more.", n=2))
    assert events.decode(Codec.encode(event)) == event
    with pytest.raises(TypeError, match="object"):
        Codec.encode(Failed("4", FailureCode.INTERNAL, object()))  # type: ignore[arg-type]


def test_a_nested_request_survives_the_wire() -> None:
    request = Generate(
        "3", (PromptMessage("user", "hi"),), SamplingParams(seed=5, stop=("a", "b")), True
    )
    assert requests.decode(Codec.encode(request)) == request


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"not json\n",
        b'"a string"\n',
        b"[1, 2]\n",
        b"\xff\xfe\x00\n",
        b"{}\n",
        b'{"type": 5}\n',
        b'{"type": "Nonsense"}\n',
        b'{"type": "Generate"}\n',  # a request is no event
        b'{"type": "TextDelta"}\n',
        b'{"type": "TextDelta", "request_id": "1", "text": 5}\n',
        b'{"type": "TextDelta", "request_id": null, "text": "x"}\n',
        b'{"type": "Finished", "request_id": "1", "reason": "bored", "stats": null}\n',
        b"[" * 100_000,
    ],
)
def test_garbage_is_a_protocol_error(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        events.decode(line)
