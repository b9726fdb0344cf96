"""Damaged bodies of requests to the API: each is answered, and never as a bug of ours."""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.faults.damage import damaged_json
from tests.faults.tried import Tried
from tests.server.conftest import Served

_TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "tea"}]},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "more"},
]
_TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
_SCHEMA = {"name": "t", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "/v1/chat/completions": {
        "model": "default",
        "messages": _TURNS,
        "max_tokens": 4,
        "temperature": 0.5,
        "stop": ["x"],
        "seed": 1,
        "n": 2,
        "logprobs": True,
        "top_logprobs": 2,
        "logit_bias": {"5": 1},
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [_TOOL],
        "tool_choice": "none",
        "response_format": {"type": "json_schema", "json_schema": _SCHEMA},
    },
    "/v1/completions": {
        "model": "default",
        "prompt": ["one", "two"],
        "max_tokens": 4,
        "logprobs": 2,
        "stop": "x",
        "stream": False,
    },
    "/v1/embeddings": {"model": "default", "input": ["a", "b"], "encoding_format": "float"},
    "/v1/responses": {
        "model": "default",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "tea"}]}],
        "instructions": "Be brief.",
        "max_output_tokens": 4,
        "stream": True,
    },
    "/v1/messages": {
        "model": "default",
        "max_tokens": 4,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": _TURNS[1:],
        "stop_sequences": ["x"],
        "stream": True,
    },
    "/api/chat": {
        "model": "default",
        "messages": _TURNS,
        "options": {"num_predict": 4, "top_k": 5},
    },
    "/api/generate": {"model": "default", "prompt": "tea", "options": {"num_predict": 4}},
    "/api/embed": {"model": "default", "input": ["a", "b"]},
}


def try_bodies(served: Served, count: int, seed: int = 4) -> Tried:
    """Send damaged bodies to every address in turns."""
    tried = Tried()
    addresses = list(BODIES)
    for number in range(count):
        address = addresses[number % len(addresses)]
        body = damaged_json(BODIES[address], random.Random(seed + number))
        tried.attempt(f"{address} {number}", partial(_is_well, served, address, body))
    return tried


def _is_well(served: Served, address: str, body: bytes) -> bool:
    """Say if it was answered. Raises `AssertionError` if it was told as our bug."""
    reply = served.call("POST", address, body, {"Content-Type": "application/json"})
    assert reply.status < 500, (reply.status, body[:200], reply.body[:200])
    assert b'"internal"' not in reply.body, (body[:200], reply.body[-300:])
    return reply.status == 200
