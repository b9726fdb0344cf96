import io
import json

import pytest

from chatdesk.core.imported import Unreadable
from chatdesk.exchange.conversations import json_stream
from chatdesk.exchange.conversations.json_stream import JsonStream, decoded


class Dribble:
    """Gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._inner, self._step = io.BytesIO(data), step

    def read(self, size: int, /) -> bytes:
        return self._inner.read(min(size, self._step))


VALUES = [
    {"a": 'x"}]{\\', "b": [1, [2, {"c": None}]], "ü": "树\ud83d\ude42"},
    [],
    {},
    "a, ] text \\",
    12.5,
    True,
    None,
    {"long": "\\" * 999 + "]" * 999},
]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1 << 20])
def test_items_come_whole_wherever_reading_stops(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", step)
    for indent in (None, 1):
        data = b"\xef\xbb\xbf " + json.dumps(VALUES, indent=indent).encode()
        items = JsonStream(Dribble(data, step)).items()
        assert [decoded(item) for item in items] == [json.loads(json.dumps(v)) for v in VALUES]


def test_a_member_deep_inside_is_found() -> None:
    data = json.dumps({"x": ["]"], "a": {"y": "}", "b": [1, 2]}, "z": 1}).encode()
    stream = JsonStream(io.BytesIO(data))
    assert stream.find("a", "b") and [int(item) for item in stream.items()] == [1, 2]
    assert not JsonStream(io.BytesIO(data)).find("a", "c")


@pytest.mark.parametrize(
    "data", [b'[{"a": 1}, {"a"', b'[{"a": 1}, "x', b'[{"a": 1},', b'[{"a": 1}, }']
)
def test_what_came_before_the_damage_is_read(data: bytes) -> None:
    items = JsonStream(io.BytesIO(data)).items()
    assert next(items) == b'{"a": 1}'
    with pytest.raises(Unreadable):
        list(items)


def test_a_message_of_50_mb_is_read_and_a_value_without_end_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "\\n" * 25_000_000
    (item,) = JsonStream(io.BytesIO(f'["{text}"]'.encode())).items()
    assert len(item) == 50_000_002
    monkeypatch.setattr(json_stream, "LARGEST_VALUE", 1 << 20)
    with pytest.raises(Unreadable, match="larger than 1"):
        list(JsonStream(io.BytesIO(b'["' + b"x" * (1 << 23))).items())


def test_values_are_decoded_as_far_as_they_can_be() -> None:
    assert decoded(b'"\\ud800a\\ud83d\\ude42"') == "\ufffda🙂"
    assert decoded(b'"\xff\x01"') == "\ufffd\x01"
    assert decoded(b'{"a": 1e999, "b": NaN}')["a"] == float("inf")
    for data in (b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000):
        with pytest.raises(Unreadable):
            decoded(data)
    with pytest.raises(Unreadable):
        decoded(b'{"a": }')
