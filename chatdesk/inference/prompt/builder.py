"""The prompt of a conversation as token ids."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from chatdesk.core.generation import PromptMessage, Span
from chatdesk.inference.prompt.spans import Render, TokenizedText, locate
from chatdesk.inference.prompt.special_tokens import Hiding, PromptTokenizer, StandIns
from chatdesk.inference.prompt.template import ChatTemplate, RenderError

ROLES = ("system", "user", "assistant")
_REMEMBERED_COUNTS = 100_000
_QUESTION, _ANSWER = PromptMessage("user", "tea"), PromptMessage("assistant", "tea")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as tokens, with the span of each message's words."""

    tokens: list[int]
    spans: list[Span]


class PromptBuilder:
    """Renders and tokenizes conversations so that no message's text can act as the template's.

    Plain conversations give exactly the tokens of the whole rendered text. Where a message spells
    out a special token, a stand-in replaces those characters in the rendering, and they are
    tokenized as the plain text they are.
    """

    def __init__(self, template: ChatTemplate, vocabulary: PromptTokenizer) -> None:
        self._template = template
        self._vocabulary = vocabulary
        self._hiding = Hiding(vocabulary, template.source)
        self._counts: dict[int, int] = {}  # token count of a text, by its hash

    def tokens(self, messages: Sequence[PromptMessage]) -> list[int]:
        """Return the prompt's token ids. Raises `RenderError`; `ValueError` for an unknown role."""
        stand_ins = StandIns()
        hidden = self._hide(messages, stand_ins)
        tokens = self._hiding.tokens(stand_ins.split(self._template.render(hidden)))
        return self._missing_start(tokens) + tokens

    def render(self, messages: Sequence[PromptMessage]) -> Rendered:
        """Return the conversation with the span of each message's words. Raises as `tokens` does.

        With a question at the end the tokens are those of `tokens`. With an answer at the end its
        turn is closed: the tokens end with the token that the model ends it with (with its words,
        if there is none), and `tokens` begins with them when the chat continues. Some templates
        then show an answer and its question in another way (they leave out its thinking, or move
        the system text). Only there the tokens are those that the model reads and writes for the
        answer: `tokens`, and the end.

        A token belongs to the message that contains its first byte, not counting a space before a
        word. An answer's span is the model's output: it includes the white space that the template
        has before it, and the token that ends the turn. A message of which a template keeps nothing
        has an empty span.
        """
        stand_ins = StandIns()
        hidden = self._hide(messages, stand_ins)
        is_closed = bool(hidden) and hidden[-1].role == "assistant"
        render, tail = self._closed(hidden) if is_closed else (self._template.render, None)
        rendered = render(hidden)
        tokens = self._hiding.tokens(stand_ins.split(rendered))
        text = TokenizedText(tokens, stand_ins.restore(rendered), self._vocabulary)
        last_end = None if tail is None else text.size - len(stand_ins.restore(tail))
        spans: list[Span] = []
        for message, place in zip(
            messages, locate(hidden, render, stand_ins.restore, last_end), strict=True
        ):
            if place is None:
                here = spans[-1].end if spans else 0
                spans.append(Span(here, here))
            elif message.role == "assistant":
                spans.append(self._answer_span(text, *place))
            else:
                spans.append(Span(*map(text.token_at, place)))
        start = self._missing_start(tokens)
        if is_closed:
            del tokens[spans[-1].end :]
        return Rendered(start + tokens, [_moved(span, len(start), len(tokens)) for span in spans])

    def _answer_span(self, text: TokenizedText, start: int, end: int) -> Span:
        if text.stands_before(self._answer_lead, start):
            start -= len(self._answer_lead)
        return Span(text.token_at(start), text.turn_end(end, self._template.stop))

    @cached_property
    def closing(self) -> int | None:
        """The special token that follows an answer: with it a model ends its turn.

        The file may name another one as the end, by mistake.
        """
        mark = secrets.token_hex(16)
        answer = replace(_ANSWER, content=mark)
        try:
            rendered = self._template.render([_QUESTION, answer, _QUESTION])
        except RenderError:
            return None
        after = rendered.rpartition(mark)[2].lstrip()
        token = next(iter(self._vocabulary.tokenize(after, parse_special=True)), None)
        return token if token is not None and self._vocabulary.is_special(token) else None

    @cached_property
    def _answer_lead(self) -> bytes:
        """White space before an answer that the model generates itself: no prompt ends with it."""
        asked = self._template.render([_QUESTION])
        answered = self._template.render([_QUESTION, _ANSWER, _QUESTION])
        lead = answered.removeprefix(asked).partition(_ANSWER.content)[0]
        return lead.encode() if lead.isspace() else b""

    def _closed(self, hidden: Sequence[PromptMessage]) -> tuple[Render, str]:
        """Return a rendering function that closes the last answer, and the text after it."""

        def gone_on(turns: Sequence[PromptMessage]) -> str:
            return self._template.render([*turns, _QUESTION])

        *before, last = hidden
        mark = secrets.token_hex(16)
        marked = gone_on([*before, replace(last, content=last.content + mark)])
        _, found, tail = marked.rpartition(mark)
        if not found:  # a template that rewrites answers
            return self._template.render, ""
        rendered = gone_on(hidden)
        asked = self._template.render(before) if before else ""
        if not last.thinking and rendered.startswith(asked) and rendered.endswith(tail):
            return gone_on, tail
        return lambda turns: self._template.render(turns) + tail, tail

    def _hide(self, messages: Sequence[PromptMessage], stand_ins: StandIns) -> list[PromptMessage]:
        for message in messages:
            _check_role(message)
        return self._hiding.hide(messages, stand_ins)

    def _missing_start(self, tokens: Sequence[int]) -> list[int]:
        """Return the first tokens that the model requires and the template did not write."""
        bos = self._vocabulary.bos
        if bos is not None and tokens[:1] != [bos]:
            return [bos]
        if not tokens:
            raise RenderError("an empty prompt")
        return []

    # Estimates, for a conversation that may be far longer than the context window

    def estimate(self, message: PromptMessage) -> int:
        """Estimate the tokens of a message in a prompt, with its part of the template.

        Cached, so that the past of a conversation is counted once. Raises as `tokens` does.
        """
        _check_role(message)
        tokens = self._count(message.content) + self._overhead[1]
        if message.thinking and self._keeps_thinking:
            tokens += self._count(message.thinking)
        return tokens

    @property
    def frame(self) -> int:
        """Estimated tokens of a prompt beside its messages."""
        return self._overhead[0]

    @cached_property
    def _overhead(self) -> tuple[int, int]:
        """Tokens of a prompt beside its messages, and of each message beside its words."""
        one = len(self.tokens([_QUESTION]))
        three = len(self.tokens([_QUESTION, _ANSWER, _QUESTION]))
        words = self._count(_QUESTION.content)
        each = max(0, -(-(three - one) // 2) - words)
        return max(0, one - words - each), each

    @cached_property
    def _keeps_thinking(self) -> bool:
        """True if the template shows the thinking before earlier answers."""
        plain = [_QUESTION, _ANSWER, _QUESTION]
        thought = [_QUESTION, replace(_ANSWER, thinking="tea"), _QUESTION]
        return self.tokens(thought) != self.tokens(plain)

    def _count(self, text: str) -> int:
        key = hash(text)
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= _REMEMBERED_COUNTS:
                self._counts.clear()
            count = self._counts[key] = len(self._vocabulary.tokenize(text, parse_special=False))
        return count


def _check_role(message: PromptMessage) -> None:
    if message.role not in ROLES:
        raise ValueError("a role that is none of system, user, assistant")


def _moved(span: Span, by: int, size: int) -> Span:
    """Return the part of a span within the first `size` tokens, moved by `by` tokens."""
    return Span(min(span.start, size) + by, min(span.end, size) + by)
