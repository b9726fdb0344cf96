"""One answer in progress: text arrives on the engine's thread, a separate thread saves it.

The text is published first and saved after, at least every `SAVE_EVERY_S`, so that a slow disk does
not delay the reading, and a power cut does not cost more than that.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from chatdesk.core.chat import AnswerRecord, Message, MessageState, StopReason, with_thinking_apart
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import (
    Cancelled,
    Failed,
    FailureCode,
    Finished,
    GenerationStats,
    PromptProgress,
    TextDelta,
    ThinkingDelta,
)
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.adapters.service import Applied
from chatdesk.services.chat.facts import AnswerEnded, PromptRead, TextArrived, ThinkingArrived
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.process import EngineLost, Reply
from chatdesk.services.facts import Publish
from chatdesk.store.conversations import ConversationStore

_log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.2  # below the 250 ms that a crash may cost


class Answer:
    """Takes the engine's replies for one assistant message until it is final and saved.

    `message` is the stored placeholder; its text and thinking, if any, are continued. Without a
    `store` nothing is saved (temporary chats). `on_ended` is called once, on the saving thread,
    with the published fact; `on_progress` after each attempt to save what came so far, with the
    problem if there was one.
    """

    def __init__(
        self,
        message: Message,
        store: ConversationStore | None,
        publish: Publish,
        on_ended: Callable[[AnswerEnded], None],
        on_progress: Callable[[EnvironmentProblem | None], None] = lambda problem: None,
    ) -> None:
        self._saved = len(message.text), len(message.thinking)  # characters
        self.message = message = with_thinking_apart(message)
        assert message.answer
        self._ids = message.conversation_id, message.id
        self.request_id: str | None = None
        self.stop_wanted = False
        self._record: AnswerRecord = message.answer
        self._store = store
        self._publish = publish
        self._on_ended = on_ended
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._text = _Growing(message.text)
        self._thinking = _Growing(message.thinking)
        self._final: tuple[MessageState, AnswerRecord, GenerationStats | None] | None = None
        self._ended = threading.Event()
        self._saver = threading.Thread(target=self._save_until_ended, name="answer", daemon=True)
        self._saver.start()

    @property
    def so_far(self) -> Message:
        """The message with its thinking and text so far."""
        with self._lock:
            text, thinking = self._text.whole(), self._thinking.whole()
            return self.message.with_words(text=text, thinking=thinking)

    def take(self, reply: Reply) -> None:
        """Take an event of the engine for this answer."""
        match reply:
            case TextDelta(text=text, tokens=tokens):
                with self._lock:
                    start = self._text.add(text)
                self._publish(TextArrived(*self._ids, start, text, tokens))
            case ThinkingDelta(text=text, tokens=tokens):
                with self._lock:
                    start = self._thinking.add(text)
                self._publish(ThinkingArrived(*self._ids, start, text, tokens))
            case PromptProgress(done=done, total=total, cached=cached):
                self._publish(PromptRead(*self._ids, done, total, cached))
            case Finished(reason=reason, stats=stats):
                self._end(MessageState.COMPLETE, reason, stats)
            case Cancelled(stats=stats):
                self._end(MessageState.STOPPED, StopReason.CANCELLED, stats)
            case Failed(code=code):
                problem = engine_problem(reply, self._record.model_name)
                if code is FailureCode.INTERNAL:
                    _log.error("the engine failed: %s", reply.detail)
                self._end(MessageState.FAILED, None, None, problem.sentence)
            case EngineLost(problem=problem):
                self._end(MessageState.INTERRUPTED, None, None, problem.sentence)

    def interrupt(self) -> None:
        """End the answer with its present text, because the app is closing."""
        self._end(MessageState.INTERRUPTED, None, None, tr("The app was closed."))

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is final and saved; False on a timeout."""
        self._saver.join(timeout_s)
        return not self._saver.is_alive()

    def _end(
        self,
        state: MessageState,
        reason: StopReason | None,
        stats: GenerationStats | None,
        error: str | None = None,
    ) -> None:
        record = replace(self._record, stop_reason=reason, error=error)
        if stats:
            record = measured(record, stats)
        with self._lock:
            if self._final is None:
                self._final = (state, record, stats)
        self._ended.set()

    def _save_until_ended(self) -> None:
        while not self._ended.wait(SAVE_EVERY_S):
            if (self._text.length, self._thinking.length) != self._saved:
                self._save_progress()
        assert self._final
        state, record, stats = self._final
        message = replace(self.so_far, state=state, answer=record)
        unsaved: EnvironmentProblem | None = None
        try:
            if self._store:
                message = self._store.finish(message)
        except EnvironmentProblem as problem:
            unsaved = problem
        ended = AnswerEnded(message, unsaved)
        if stats:
            ended = replace(ended, view_start=stats.view_start, view_cut=stats.view_cut)
        self._on_ended(ended)
        self._publish(ended)

    def _save_progress(self) -> None:
        if self._store is None:
            return
        message = self.so_far
        thinking = message.thinking if len(message.thinking) != self._saved[1] else None
        try:
            self._store.write_text(message.id, message.text, thinking=thinking)
        except EnvironmentProblem as problem:
            self._on_progress(problem)
        else:
            self._saved = len(message.text), len(message.thinking)
            self._on_progress(None)


class _Growing:
    """A text that arrives in pieces."""

    def __init__(self, text: str) -> None:
        self._pieces = [text]
        self.length = len(text)

    def add(self, text: str) -> int:
        """Add a piece; return the number of characters before it."""
        start = self.length
        self._pieces.append(text)
        self.length += len(text)
        return start

    def whole(self) -> str:
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]


def measured(record: AnswerRecord, stats: GenerationStats) -> AnswerRecord:
    """Return the record with the figures of a generation.

    An answer that was continued has those of all of it: tokens and times are sums.
    """
    return replace(
        record,
        # The seed that was drawn, so that the answer can be made again.
        sampling=replace(record.sampling, seed=stats.seed),
        prompt_tokens=stats.prompt_tokens,
        cached_tokens=stats.cached_tokens,
        completion_tokens=(record.completion_tokens or 0) + stats.completion_tokens,
        ttft_s=stats.ttft_s if record.ttft_s is None else record.ttft_s,
        tokens_per_s=_speed(record, stats),
        duration_s=_sum(record.duration_s, stats.duration_s),
        drafted=(record.drafted or 0) + stats.drafted,
        accepted=(record.accepted or 0) + stats.accepted,
        thinking_s=_sum(record.thinking_s, stats.thinking_s),
    )


def _speed(record: AnswerRecord, stats: GenerationStats) -> float | None:
    """Return the tokens per second of decoding, over an answer and its continuation."""
    if not (record.tokens_per_s and record.completion_tokens and stats.tokens_per_s):
        return stats.tokens_per_s
    seconds = record.completion_tokens / record.tokens_per_s
    seconds += stats.completion_tokens / stats.tokens_per_s
    return (record.completion_tokens + stats.completion_tokens) / seconds


def _sum(before: float | None, more: float | None) -> float | None:
    """Return the seconds of an answer and its continuation; None if neither was measured."""
    return before if more is None else more + (before or 0.0)


def answer_record(
    model: ModelFile | None, sampling: SamplingParams, adapters: Sequence[Applied]
) -> AnswerRecord:
    """Return the model and parameters of an answer, as far as known before it begins."""
    applied = adapters[0] if adapters else None
    return AnswerRecord(
        model_id=model.id if model else None,
        model_name=model.header.full_name if model else "",
        adapter_id=applied.id if applied else None,
        adapter_scale=applied.adapter.scale if applied else None,
        sampling=sampling,
    )
