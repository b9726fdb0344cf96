"""Many requests at once, and many that their client gives up: each ends once, none takes memory."""

import contextlib
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.server.conftest import Served

_CHAT = "/v1/chat/completions"


def stream(served: Served, number: int, tokens: int = 20) -> str:
    """Read an answer as it comes: "ended", "busy" when it was refused for now, or what it was."""
    body = {
        "messages": [{"role": "user", "content": f"tea {number}"}],
        "max_tokens": tokens,
        "stream": True,
    }
    reply = served.call("POST", _CHAT, body)
    if reply.status == 503:
        return "busy"
    ends = reply.body.count(b"data: [DONE]"), reply.body.count(b'"finish_reason":"')
    return "ended" if (reply.status, *ends) == (200, 1, 1) else f"{reply.status} {ends}"


def streams_at_once(served: Served, count: int) -> Counter[str]:
    """Ask for so many answers at the same moment; how many ended how."""
    start = threading.Barrier(count)

    def one(number: int) -> str:
        start.wait()
        return stream(served, number)

    with ThreadPoolExecutor(count) as pool:
        return Counter(pool.map(one, range(count)))


def requests_and_cancels(served: Served, count: int, every: int = 5) -> Counter[str]:
    """Ask for so many answers, four at a time; the client of each `every`-th one leaves early."""
    chance = random.Random(6)
    waits = [chance.random() * 0.02 for _ in range(count)]

    def one(number: int) -> str:
        if number % every:
            return stream(served, number)
        body = {"messages": [{"role": "user", "content": "tea"}], "stream": True}
        with served.open(_CHAT, body) as connection:
            connection.settimeout(waits[number] or 0.001)
            with contextlib.suppress(TimeoutError):
                connection.recv(1 << 16)
        return "left"

    with ThreadPoolExecutor(4) as pool:
        return Counter(pool.map(one, range(count)))


def memory_bytes(served: Served) -> int:
    """What the engine holds, the weights left out."""
    return sum(child.memory_full_info().uss for child in psutil.Process().children(recursive=True))
