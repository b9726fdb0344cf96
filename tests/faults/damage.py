"""Damaged copies of bytes and of JSON values; the same seed damages in the same way."""

import json
import random
from typing import Any

_EXTREMES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    0.5,
    2**31,
    2**63,
    -(2**70),
    1e308,
    "",
    "\ud83d",
    "\x00",
    "<|im_end|>",
    "x" * 5000,
    [],
    [[]],
    {},
    {"": None},
    [None] * 40,
)


def damaged(sound: bytes, chance: random.Random, start: int = 0, end: int | None = None) -> bytes:
    """A copy with some bytes between `start` and `end` changed, or cut off there."""
    end = len(sound) if end is None else min(end, len(sound))
    if chance.random() < 0.2:
        return sound[: chance.randrange(start, end)]
    copy = bytearray(sound)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        copy[chance.randrange(start, end)] = chance.randrange(256)
    return bytes(copy)


def damaged_json(value: Any, chance: random.Random) -> bytes:
    """The text of a copy with some values replaced, left out or nested, perhaps damaged itself."""
    copy = json.loads(json.dumps(value))
    for _ in range(chance.choice((1, 1, 2, 4))):
        copy = _changed(copy, chance)
    text = json.dumps(copy).encode()
    if chance.random() < 0.05:
        deep = chance.choice((50, 2000))
        text = text[:-1] + b', "extra": ' + b"[" * deep + b"]" * deep + b"}"
    return damaged(text, chance) if chance.random() < 0.15 else text


def _changed(value: Any, chance: random.Random) -> Any:
    """The value with one place in it changed."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: _changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        at = chance.randrange(len(value))
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    return chance.choice((*_EXTREMES, [value], [value] * 20, {"type": "text", "text": value}))
