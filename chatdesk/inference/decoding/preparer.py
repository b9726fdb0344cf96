"""Turns a request into the tokens of the step loop.

This runs on its own thread: a slow template, or a conversation of ten thousand messages, delays no
answer in progress.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from chatdesk.core.generation import (
    CountTokens,
    Generate,
    MessagesRendered,
    PromptMessage,
    RenderMessages,
    TextTokenized,
    TokenizeText,
    TokensCounted,
)
from chatdesk.core.loading import ANSWER_ROOM
from chatdesk.inference.decoding.free_thinking import FreeThinking, free_thinking
from chatdesk.inference.decoding.grammar import Constraint, Constraints
from chatdesk.inference.decoding.sampler import check
from chatdesk.inference.native.lora import AdapterKey, Adapters
from chatdesk.inference.native.vocabulary import Vocabulary
from chatdesk.inference.prompt.builder import PromptBuilder
from chatdesk.inference.prompt.context_view import TooLong, View, fit, whole
from chatdesk.inference.prompt.template import ChatTemplate
from chatdesk.inference.prompt.thinking import (
    ThinkingMarks,
    ThinkingSplitter,
    find_marks,
    marker_tokens,
    prompt_tail,
)

_ROOM_SHARE = 4  # a quarter of the context window is for the answer, if turns can leave for it
_SHORT_SHARE = 16  # and half a thousand of the usual 8,192 tokens for a short one, if all fits
_TAIL_TOKENS = 32  # of the prompt, in which a template may open the thinking


@dataclass(frozen=True, slots=True)
class Prepared:
    """An answer that can begin. `arrived` is when its request came, on the monotonic clock.

    The first `added` tokens stand before those of a text that was asked to be continued. With a
    `constraint`, `free_thinking` is what a thinking model may write before it. With `ends_blank`
    the answer to go on with ends in blanks, which the prompt leaves out: a model writes them before
    the next word. `closing` is the token with which the template ends an answer.
    """

    request: Generate
    tokens: Sequence[int]
    view_start: int
    view_cut: int | None
    adapters: AdapterKey
    constraint: Constraint | None
    stop: tuple[str, ...]
    marks: ThinkingMarks | None
    tail: str
    arrived: float
    mark_bytes: dict[int, bytes] = field(default_factory=dict)
    added: int = 0
    free_thinking: FreeThinking | None = None
    ends_blank: bool = False
    closing: int | None = None


class Preparer:
    """Renders, fits, tokenizes and checks for one loaded model; `window` in tokens."""

    def __init__(
        self,
        template: ChatTemplate,
        vocabulary: Vocabulary,
        adapters: Adapters,
        constraints: Constraints,
        window: int,
    ) -> None:
        self._template = template
        self._vocabulary = vocabulary
        self._adapters = adapters
        self._constraints = constraints
        self._window = window
        self._prompts = PromptBuilder(template, vocabulary)
        self._switched: dict[bool, PromptBuilder] = {}  # by whether the model shall think
        self._marks = find_marks(template.source)
        self._mark_bytes = marker_tokens(vocabulary, self._marks) if self._marks else {}

    @property
    def reasons(self) -> bool:
        """True if the template has marks for thinking."""
        return self._marks is not None

    def prepare(self, request: Generate) -> Prepared:
        """Return everything that an answer needs before its first step.

        Raises `TooLong`, `RenderError`, `ConstraintError`, `AdapterError`, and `ValueError` for a
        parameter out of its range or an unknown role.
        """
        arrived = time.monotonic()
        request, ends_blank = _without_last_blank(request)
        check(request.sampling, self._vocabulary.size)
        constraint = self._constraints.start(request.grammar, request.json_schema)
        adapters = self._adapters.identify(request.adapters)
        marks = self._marks
        start: list[int] = []
        if request.prompt is None:
            view = self.view(request.messages, thinks=request.thinks)
        else:
            start, rest = self._raw(request.prompt)
            view, marks = View((), [*start, *rest], 0), None
        tokens = view.tokens
        written = b"".join(map(self._vocabulary.written, tokens[-_TAIL_TOKENS:]))
        last = written.decode("utf-8", "replace")
        tail = prompt_tail(marks, request.messages, last) if marks else ""
        thinking = None
        if constraint and marks:
            opened = ThinkingSplitter(marks, tail).is_thinking
            room = request.sampling.max_tokens or self._window - len(tokens)
            if request.thinks is not False:
                thinking = free_thinking(marks, self._vocabulary, room, opened=opened)
            if thinking is None:
                marks = None  # the answer keeps to its grammar from the first token on
        return Prepared(
            request=request,
            tokens=tokens,
            view_start=view.view_start,
            view_cut=view.view_cut,
            adapters=adapters,
            constraint=constraint,
            stop=request.sampling.stop + self._template.stop,
            marks=marks,
            tail=tail,
            arrived=arrived,
            mark_bytes=self._mark_bytes,
            added=len(start),
            free_thinking=thinking,
            ends_blank=ends_blank,
            closing=self._closing if request.prompt is None else None,
        )

    @cached_property
    def _closing(self) -> int | None:
        token = self._prompts.closing  # a mark may stand between thinking and answer as well
        return None if token in self._mark_bytes else token

    def view(
        self, messages: Sequence[PromptMessage], answered: int = 0, *, thinks: bool | None = None
    ) -> View:
        """Return the part of a conversation that the model reads, with room for an answer.

        `answered` is the number of tokens of the answer so far, `thinks` as in `Generate`. Nothing
        leaves while everything fits and leaves room for a short answer. Raises `TooLong` when even
        the last turn leaves no room.
        """
        prompts = self._prompts if thinks is None else self._prompts_if(thinks)
        short = max(ANSWER_ROOM, self._window // _SHORT_SHARE)
        if view := whole(messages, prompts, self._window - answered - short):
            return view
        room = self._window // _ROOM_SHARE
        try:
            return fit(messages, prompts, self._window, answered + room)
        except TooLong:
            return fit(messages, prompts, self._window, answered + ANSWER_ROOM)

    def _prompts_if(self, thinks: bool) -> PromptBuilder:
        """Return what builds prompts for answers with thinking, or without."""
        if thinks not in self._switched:
            template = self._template.switched(thinks)
            self._switched[thinks] = PromptBuilder(template, self._vocabulary)
        return self._switched[thinks]

    def _raw(self, prompt: str | tuple[int, ...]) -> tuple[list[int], list[int]]:
        """Return the token that a text must begin with, if it does not, and the prompt's tokens."""
        start: list[int] = []
        if isinstance(prompt, str):
            tokens = self._vocabulary.tokenize(prompt, parse_special=True)
            bos = self._vocabulary.bos
            if bos is not None and tokens[:1] != [bos]:
                start = [bos]
        else:
            tokens = list(prompt)
            if not all(0 <= token < self._vocabulary.size for token in tokens):
                raise ValueError("prompt has a token id that is not in the vocabulary")
        size = len(start) + len(tokens)
        if not size:
            raise ValueError("an empty prompt")
        limit = self._window - ANSWER_ROOM
        if size > limit:
            raise TooLong(size, limit)
        return start, tokens

    def count(self, request: CountTokens) -> TokensCounted:
        """Count the tokens that the model would read. Raises as `prepare`, except `TooLong`."""
        try:
            view = self.view(request.messages)
        except TooLong as problem:
            return TokensCounted(request.request_id, problem.tokens, self._window)
        return TokensCounted(
            request.request_id, len(view.tokens), self._window, view.view_start, view.view_cut
        )

    def render(self, request: RenderMessages) -> MessagesRendered:
        """Return the tokens of a whole conversation, and the span of each message in them."""
        rendered = self._prompts.render(request.messages)
        return MessagesRendered(request.request_id, tuple(rendered.tokens), tuple(rendered.spans))

    def tokenize(self, request: TokenizeText) -> TextTokenized:
        """Return the tokens of plain text."""
        tokens = self._vocabulary.tokenize(request.text, parse_special=False)
        return TextTokenized(request.request_id, tuple(tokens), self._vocabulary.bos)


def _without_last_blank(request: Generate) -> tuple[Generate, bool]:
    """Return a request without blanks at the end of the answer to go on with, and if it had any."""
    *before, last = request.messages or (None,)
    if not last or last.role != "assistant" or not last.content.endswith(" "):
        return request, False
    trimmed = replace(last, content=last.content.rstrip(" "))
    return replace(request, messages=(*before, trimmed)), True
