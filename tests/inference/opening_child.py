"""Opens a model in a separate process, which may run out of memory or be ended by llama.cpp.

`python -m tests.inference.opening_child` reads a JSON object from stdin: `path`, `options`, and
optionally `tokens` (number to generate), `before` (how often to open and close it first), `spare`
(bytes of memory it may use), `room` (bytes for every GPU) and `available` (bytes of this computer).
It prints the outcome as JSON.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
import numpy as np

from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.open_model import Opened, open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch
from chatdesk.inference.native.load_errors import LoadError
from tests.inference.device_process import limit_memory

PROMPT = "Once upon a time, in a small village by the sea, there lived"


def main() -> None:
    """Run with the input of stdin."""
    task = json.load(sys.stdin)
    if "room" in task:
        mock.patch("chatdesk.inference.loading.planner.room", lambda gpu: task["room"]).start()
    if "available" in task:
        memory = SimpleNamespace(available=task["available"], total=task["available"])
        mock.patch("psutil.virtual_memory", lambda: memory).start()
    if "spare" in task:
        limit_memory(os.getpid(), task["spare"])
    options = msgspec.convert(task["options"], LoadOptions)
    try:
        for _ in range(task.get("before", 0)):
            open_model(Path(task["path"]), options, AbortFlag()).close()
        opened = open_model(Path(task["path"]), options, AbortFlag())
    except LoadError as problem:
        print(json.dumps({"code": problem.code, "detail": problem.detail}))
        return
    result: dict[str, Any] = {
        "gpu_layers": opened.gpu_layers,
        "kv_type": opened.kv_type,
        "window": opened.context.window,
        "device": opened.device,
        "placements": [asdict(part) for part in opened.placements],
        "stepped_down": opened.stepped_down,
        "tokens": greedy(opened, task.get("tokens", 0)),
    }
    opened.close()
    print(json.dumps(result))


def greedy(opened: Opened, count: int) -> list[int]:
    """Return the likeliest continuation of the prompt."""
    prompt = opened.model.vocabulary.tokenize(PROMPT, parse_special=False)
    batch = Batch(opened.context.batch)
    batch.add_part(prompt[:-1], 0, 0)
    token, position = prompt[-1], len(prompt) - 1
    tokens: list[int] = []
    for _ in range(count):
        row = batch.add(token, position, 0, output=True)
        opened.context.decode(batch)
        token, position = int(np.argmax(opened.context.logits(row))), position + 1
        tokens.append(token)
        batch.clear()
    return tokens


if __name__ == "__main__":
    main()
