"""A scripted engine in a real child process: what it does is in the last message's words.

`say: TEXT` streams TEXT word by word; `slow` writes until it is cancelled (`slow long` more at a
time); `deaf` does so and hears no cancel; `die` writes a little and kills itself; `garbage` writes
lines that are no messages, then answers; `fail` fails. A model whose path has "crash" in it dies
while loading, one with "stuck" is never loaded.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import get_args

from chatdesk.core.generation import (
    Cancel,
    Cancelled,
    CountTokens,
    Device,
    EngineReady,
    EngineRequest,
    Failed,
    FailureCode,
    Finished,
    Generate,
    GenerationStats,
    LoadModel,
    ModelLoaded,
    PromptProgress,
    Shutdown,
    StopReason,
    TextDelta,
    TokensCounted,
)
from chatdesk.workers.protocol import PROTOCOL_VERSION, Codec

codec: Codec[EngineRequest] = Codec(get_args(EngineRequest))
cancelled: set[str] = set()
write_lock = threading.Lock()
CONTEXT_WINDOW = 2048


def send(event: object) -> None:
    with write_lock:
        sys.stdout.buffer.write(Codec.encode(event))
        sys.stdout.buffer.flush()


def stats(tokens: int) -> GenerationStats:
    return GenerationStats(10, 4, tokens, 0.05, 100.0, 0.5, seed=7)


def load(request: LoadModel) -> None:
    name = Path(request.path).name
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "stuck" in name:
        return
    if "unknown" in name:
        send(Failed(request.request_id, FailureCode.UNSUPPORTED_ARCHITECTURE, "mystery"))
        return
    send(
        ModelLoaded(
            request.request_id, "Fake", "llama", 1000, 1000, CONTEXT_WINDOW, CONTEXT_WINDOW,
            2, 0, "CPU", 1, True, None, 0.01,
        )
    )  # fmt: skip


def generate(request: Generate) -> None:
    script = request.messages[-1].content
    if request.background:
        script = "say: A fitting title"
    send(PromptProgress(request.request_id, 10, 10, 4))
    if script.startswith("fail"):
        send(Failed(request.request_id, FailureCode.INTERNAL, "told to"))
        return
    if script.startswith("garbage"):
        sys.stdout.buffer.write(b'{"type": "Nonsense"}\nnot json\n\xff\xfe\n')
        sys.stdout.buffer.flush()
        script = "say: still here"
    endless = script.startswith(("slow", "deaf", "die"))
    words = iter(script.removeprefix("say: ").split())
    count = 0
    while endless or (word := next(words, None)) is not None:
        if request.request_id in cancelled and not script.startswith("deaf"):
            send(Cancelled(request.request_id, stats(count)))
            return
        padding = "x" * 200 if "long" in script else ""
        send(TextDelta(request.request_id, f"{count} {padding}" if endless else f"{word} "))
        count += 1
        if script.startswith("die") and count == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if endless:
            time.sleep(0.01)
    send(Finished(request.request_id, StopReason.END, stats(count)))


def main() -> None:
    send(EngineReady(PROTOCOL_VERSION, "fake", False, (Device("CPU", "CPU", "cpu", 1, 1),)))
    for line in sys.stdin.buffer:
        match codec.decode(line):
            case LoadModel() as request:
                load(request)
            case CountTokens() as request:
                tokens = sum(len(message.content.split()) for message in request.messages)
                send(TokensCounted(request.request_id, tokens, CONTEXT_WINDOW))
            case Generate() as request:
                threading.Thread(target=generate, args=(request,), daemon=True).start()
            case Cancel(request_id):
                cancelled.add(request_id)
            case Shutdown():
                return


if __name__ == "__main__":
    main()
