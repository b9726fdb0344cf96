"""Turns a request into the tokens of the step loop.

This runs on its own thread: a slow template, or a conversation of ten thousand messages, delays no
answer in progress.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

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
    """An answer that can begin. `arrived` is when its request came, on the monotonic clock."""

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
        check(request.sampling, self._vocabulary.size)
        constraint = self._constraints.start(request.grammar, request.json_schema)
        adapters = self._adapters.identify(request.adapters)
        if request.prompt is None:
            view = self.view(request.messages)
            tokens, marks = view.tokens, self._marks
        else:
            view = View((), self._raw(request.prompt), 0)
            tokens, marks = view.tokens, None
        written = b"".join(map(self._vocabulary.written, tokens[-_TAIL_TOKENS:]))
        last = written.decode("utf-8", "replace")
        tail = prompt_tail(marks, request.messages, last) if marks else ""
        if constraint and marks and not ThinkingSplitter(marks, tail).is_thinking:
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
        )

    def view(self, messages: Sequence[PromptMessage], answered: int = 0) -> View:
        """Return the part of a conversation that the model reads, with room for an answer.

        `answered` is the number of tokens of the answer so far. Nothing leaves while everything
        fits and leaves room for a short answer. Raises `TooLong` when even the last turn leaves no
        room.
        """
        short = max(ANSWER_ROOM, self._window // _SHORT_SHARE)
        if view := whole(messages, self._prompts, self._window - answered - short):
            return view
        room = self._window // _ROOM_SHARE
        try:
            return fit(messages, self._prompts, self._window, answered + room)
        except TooLong:
            return fit(messages, self._prompts, self._window, answered + ANSWER_ROOM)

    def _raw(self, prompt: str | tuple[int, ...]) -> list[int]:
        if isinstance(prompt, str):
            tokens = self._vocabulary.tokenize(prompt, parse_special=True)
            bos = self._vocabulary.bos
            if bos is not None and tokens[:1] != [bos]:
                tokens.insert(0, bos)
        else:
            tokens = list(prompt)
            if not all(0 <= token < self._vocabulary.size for token in tokens):
                raise ValueError("prompt has a token id that is not in the vocabulary")
        if not tokens:
            raise ValueError("an empty prompt")
        limit = self._window - ANSWER_ROOM
        if len(tokens) > limit:
            raise TooLong(len(tokens), limit)
        return tokens

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
