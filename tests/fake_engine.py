"""A scripted engine in a real child process: what it does is in the last message's words.

`say: TEXT` streams TEXT word by word, up to a stop string; `think: TEXT` thinks it and then says
"Done."; `slow` writes until it is cancelled (`slow long` more at a time), `ponder` thinks until
then; `deaf` writes on and hears no cancel; `die` writes a little and kills itself; `garbage` writes
lines that are nothing, then answers; `fail: CODE` fails (without a code, of an internal error);
`options` says what came with the request, as JSON. A model whose path has "crash" in it dies while
loading, one with "stuck" is never loaded, one with "measured" measures its threads, one with
"lingers" takes its time to shut down, and one with "late" reports progress all that time.

It tokenizes by words; a token's id is the length of its word. Sessions it is asked to keep are
files with a word in them, written at a shutdown.
"""

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Cancelled,
    CountTokens,
    Embed,
    Embedded,
    EngineRequest,
    Failed,
    FailureCode,
    Finished,
    ForgetSession,
    Generate,
    GenerationStats,
    KeepSessions,
    MessagesRendered,
    PromptMessage,
    PromptProgress,
    RenderMessages,
    RestoreSession,
    Score,
    Scored,
    SessionForgotten,
    SessionRestored,
    SessionsKept,
    Span,
    TextDelta,
    TextTokenized,
    ThinkingDelta,
    TokenizeText,
    TokenLogprob,
    TokensCounted,
)
from chatdesk.core.loading import (
    ANSWER_ROOM,
    Device,
    EngineReady,
    LoadModel,
    LoadProgress,
    ModelLoaded,
)
from chatdesk.core.paths import session_file
from chatdesk.core.protocol import Cancel, Shutdown
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec

codec: Codec[EngineRequest] = Codec(get_args(EngineRequest))
cancelled: set[str] = set()
write_lock = threading.Lock()
THOUGHT_S = 2.0
lingering = threading.Event()
CONTEXT_WINDOW = 2048
LINGER_S = 0.7


def send(event: object) -> None:
    with write_lock:
        sys.stdout.buffer.write(Codec.encode(event))
        sys.stdout.buffer.flush()


def stats(tokens: int, thinking_s: float | None = None) -> GenerationStats:
    return GenerationStats(
        10, 4, tokens, 0.05, 100.0, 0.5, seed=7, drafted=3, accepted=2, thinking_s=thinking_s
    )


def load(request: LoadModel) -> None:
    name = Path(request.path).name
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "stuck" in name:
        return
    if "lingers" in name or "late" in name:
        lingering.set()
    if "late" in name:
        threading.Thread(target=report_forever, args=(request,), daemon=True).start()
        return
    if "unknown" in name:
        send(Failed(request.request_id, FailureCode.UNSUPPORTED_ARCHITECTURE, "mystery"))
        return
    send(
        ModelLoaded(
            request.request_id, "Fake", "llama", 1000, 1000, CONTEXT_WINDOW, CONTEXT_WINDOW,
            2, 0, "CPU", request.options.threads or 1, True, None, 0.01,
            parallel=request.options.parallel,
            threads_measured="measured" in name and request.options.threads is None,
        )
    )  # fmt: skip


def report_forever(request: LoadModel) -> None:
    while True:
        send(LoadProgress(request.request_id, 0.5))
        time.sleep(0.01)


def words_of(messages: tuple[PromptMessage, ...]) -> list[list[int]]:
    return [[len(word) for word in message.content.split()] for message in messages]


def view(messages: tuple[PromptMessage, ...]) -> tuple[int, int]:
    """The tokens that are read, and where the view begins: the oldest leave until the rest fits."""
    sizes = [len(words) for words in words_of(messages)]
    start = 0
    for at, message in enumerate(messages[:-1]):
        if sum(sizes) <= CONTEXT_WINDOW - ANSWER_ROOM:
            break
        if message.role != "system" and not message.pinned:
            sizes[at] = 0
            start = at + 1
    return sum(sizes), start


def generate(request: Generate) -> None:
    script = request.prompt if isinstance(request.prompt, str) else "say: of tokens"
    if request.prompt is None:
        script = request.messages[-1].content
    if request.background:
        script = "say: A fitting title"
    send(PromptProgress(request.request_id, 10, 10, 4))
    if request.echo:
        send_echo(request, script)
        if request.sampling.max_tokens == 0:
            send(Finished(request.request_id, StopReason.LENGTH, stats(0)))
            return
    if script.startswith("fail"):
        code = FailureCode(script.partition(": ")[2] or "internal")
        send(Failed(request.request_id, code, "told to", 3000, CONTEXT_WINDOW))
        return
    if script.startswith("garbage"):
        sys.stdout.buffer.write(b'{"type": "Nonsense"}\nnot json\n\xff\xfe\n')
        sys.stdout.buffer.flush()
        script = "say: still here"
    if request.prompt is None and request.messages[-1].thinking and not script:
        script = "think: so."  # it was stopped in its thinking
    thinking_s = THOUGHT_S if script.startswith(("think: ", "ponder")) else None
    if script.startswith("think: "):
        send(ThinkingDelta(request.request_id, script.removeprefix("think: "), 1))
        script = "say: Done."
    if script.startswith("options"):
        script = json.dumps(asdict(request), separators=(",", ":"))
    endless = script.startswith(("slow", "deaf", "die", "ponder"))
    words = iter(script.removeprefix("say: ").split())
    count = 0
    while endless or (word := next(words, None)) is not None:
        if request.request_id in cancelled and not script.startswith("deaf"):
            send(Cancelled(request.request_id, stats(count, thinking_s)))
            return
        if not endless and word in request.sampling.stop:
            send(Finished(request.request_id, StopReason.END, stats(count), word))
            return
        padding = "x" * 200 if "long" in script else ""
        text = f"{count} {padding}" if endless else f"{word} "
        count += 1
        if script.startswith("ponder"):
            send(ThinkingDelta(request.request_id, text, count))
        else:
            send(TextDelta(request.request_id, text, logprobs(request, text), count))
        if script.startswith("die") and count == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if endless:
            time.sleep(0.01)
    send(Finished(request.request_id, StopReason.END, stats(count, thinking_s)))


def send_echo(request: Generate, script: str) -> None:
    """The prompt, a token a word; the first one is not predicted by anything."""
    words = [f"{word} " for word in script.split()]
    if isinstance(request.prompt, tuple):
        words = ["x" * length for length in request.prompt]
    found = [each for word in words for each in logprobs(request, word)]
    if found:
        found[0] = TokenLogprob(0, found[0].data, None)
    text = request.prompt if isinstance(request.prompt, str) else "".join(words)
    send(TextDelta(request.request_id, text, tuple(found)))


def logprobs(request: Generate, text: str) -> tuple[TokenLogprob, ...]:
    if request.logprobs is None:
        return ()
    data = tuple(text.encode())
    top = tuple(TokenLogprob(n, data, -0.5 - n) for n in range(request.logprobs))
    return (TokenLogprob(0, data, -0.5, top),)


class Sessions:
    """What is kept of conversations, as far as anyone can tell."""

    def __init__(self) -> None:
        self.keeping: KeepSessions | None = None
        self.live: set[str] = set()

    def file(self, session: str) -> Path | None:
        if self.keeping is None or not self.keeping.folder:
            return None
        return Path(self.keeping.folder, session_file(session, self.keeping.model_identity))

    def save(self) -> None:
        for file in filter(None, map(self.file, self.live)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("state")

    def restore(self, request: RestoreSession) -> None:
        file = self.file(request.session)
        there = file is not None and file.exists()
        send(SessionRestored(request.request_id, 10 if there else 0))

    def forget(self, session: str) -> None:
        self.live.discard(session)
        if file := self.file(session):
            file.unlink(missing_ok=True)


def answer(request: EngineRequest) -> None:
    """Requests that are answered at once."""
    match request:
        case LoadModel():
            load(request)
        case CountTokens():
            tokens, view_start = view(request.messages)
            send(TokensCounted(request.request_id, tokens, CONTEXT_WINDOW, view_start))
        case RenderMessages():
            read: list[int] = []
            spans = []
            for words in words_of(request.messages):
                spans.append(Span(len(read), len(read) + len(words)))
                read += words
            send(MessagesRendered(request.request_id, tuple(read), tuple(spans)))
        case TokenizeText():
            words = [len(word) for word in request.text.split()]
            send(TextTokenized(request.request_id, tuple(words), None))
        case Score():
            scores = [(-1.0,) * len(each.continuation) for each in request.sequences]
            send(Scored(request.request_id, tuple(scores)))
        case Embed():
            tokens = sum(len(text.split()) for text in request.texts)
            send(Embedded(request.request_id, ((1.0, 0.0),) * len(request.texts), tokens))


def main() -> None:
    send(EngineReady(PROTOCOL_VERSION, "fake", False, (Device("CPU", "CPU", "cpu", 1, 1),)))
    sessions = Sessions()
    for line in sys.stdin.buffer:
        match codec.decode(line):
            case Generate() as request:
                if request.session:
                    sessions.live.add(request.session)
                threading.Thread(target=generate, args=(request,), daemon=True).start()
            case KeepSessions() as request:
                sessions.keeping = request
                send(SessionsKept(request.request_id, 0, 0))
            case RestoreSession() as request:
                sessions.restore(request)
            case ForgetSession() as request:
                sessions.forget(request.session)
                send(SessionForgotten(request.request_id))
            case Cancel(request_id):
                cancelled.add(request_id)
            case Shutdown():
                time.sleep(LINGER_S if lingering.is_set() else 0)
                sessions.save()
                return
            case request:
                answer(request)


if __name__ == "__main__":
    main()
