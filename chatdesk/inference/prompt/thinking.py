"""The border between a model's thinking and its answer, from the marks of its chat template."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatdesk.core.generation import PromptMessage


class MarkTokenizer(Protocol):
    """The tokenizer of a model, as far as marks need it."""

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """Return the text's tokens; special tokens in it count only with `parse_special`."""

    def text(self, token: int) -> str:
        """Return the token's text in the vocabulary."""

    def is_special(self, token: int) -> bool:
        """Return True if plain text never contains this token (control and unknown tokens)."""


@dataclass(frozen=True, slots=True)
class ThinkingMarks:
    """The marks that a model writes before and after its thinking.

    Models that write in channels have marks between them that belong to neither: `silent`. Such
    marks are real tokens, so theirs count anywhere; others count at the start of an answer only.
    """

    opening: str
    closing: str
    silent: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every mark."""
        return (self.opening, self.closing, *self.silent)

    @property
    def ending(self) -> str:
        """What a model writes between its thinking and its answer."""
        end_and_start = self.silent[:2]
        return "".join((*end_and_start, self.closing)) if self.silent else f"\n{self.closing}\n\n"


_LONGEST_LITERAL = 300  # characters
_LONGEST_LINE = 1000  # of which quotation marks are counted
# As in the templates of the models named; the first entry whose marks a template contains is used.
_KNOWN = (
    ThinkingMarks(  # gpt-oss ("harmony")
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
        ("<|end|>", "<|start|>assistant", "<|channel|>commentary<|message|>"),
    ),
    ThinkingMarks("<|channel>thought", "<channel|>"),  # Gemma 4
    ThinkingMarks("<|think|>", "<|content|>", ("<|end|>", "<|begin|>assistant")),  # Solar Open
    ThinkingMarks("<|START_THINKING|>", "<|END_THINKING|>"),  # Command
    ThinkingMarks("[THINK]", "[/THINK]"),  # Magistral, Ministral
    ThinkingMarks("<seed:think>", "</seed:think>"),  # Seed-OSS
    ThinkingMarks("<mm:think>", "</mm:think>"),  # MiniMax M3
    ThinkingMarks("<think>", "</think>"),  # DeepSeek, Qwen, GLM, Kimi, Nemotron and most others
    ThinkingMarks("<thinking>", "</thinking>"),  # Apriel 1.5
    ThinkingMarks("<thought>", "</thought>"),  # EXAONE Deep
    ThinkingMarks("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),  # Apriel 1.6
)


_QUOTES = {"`": "`", '"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u300c": "\u300d"}


def is_quoted(text: str, start: int, end: int) -> bool:
    """Return True if a part of a text stands between quotation marks or backticks, as words do."""
    closing = _open_quote(text, start)
    return bool(closing) and text[end : end + 1] == closing


def _open_quote(text: str, at: int) -> str:
    """Return the sign that closes the quotation that opens right before a place; "" if none does.

    A sign that is the same at both ends does not open where it closes another one of its line.
    """
    opening = text[at - 1 : at]
    closing = _QUOTES.get(opening, "")
    line = text.rfind("\n", 0, at) + 1
    is_end = opening == closing and text.count(opening, line, at - 1) % 2 == 1
    return "" if is_end else closing


def find_marks(template_source: str) -> ThinkingMarks | None:
    """Return the marks that a chat template contains; None when its model does not think aloud.

    For plain ones the closing mark is enough: some templates only cut old thinking off after it.
    """
    for marks in _KNOWN:
        spoken_of = (marks.opening, marks.closing) if marks.silent else (marks.closing,)
        if all(mark in template_source for mark in spoken_of):
            return marks
    return None


def marker_tokens(vocabulary: MarkTokenizer, marks: ThinkingMarks) -> dict[int, bytes]:
    """Return the control tokens among the marks with their text, which llama.cpp omits."""
    tokens = {
        token for mark in marks.all for token in vocabulary.tokenize(mark, parse_special=True)
    }
    return {
        token: vocabulary.text(token).encode() for token in tokens if vocabulary.is_special(token)
    }


def goes_on_thinking(messages: Sequence[PromptMessage]) -> bool:
    """Return True if the last message is an answer that was stopped before its first word."""
    last = messages[-1] if messages else None
    return bool(last and last.role == "assistant" and last.thinking and not last.content)


def without_thinking(prompt: str, marks: ThinkingMarks, *, is_switched: bool) -> str:
    """Return a prompt after which the model answers at once: its thinking is there, and empty.

    `is_switched` says that the template has a switch for it and has written what it takes.
    """
    start = prompt.rstrip()
    if start.endswith(marks.opening):
        return f"{start}\n{marks.ending}"
    if is_switched or start.endswith(marks.closing):
        return prompt
    return prompt + (marks.closing if marks.silent else f"{marks.opening}\n{marks.ending}")


def prompt_tail(marks: ThinkingMarks, messages: Sequence[PromptMessage], prompt: str) -> str:
    """Return the end of a rendered prompt that `ThinkingSplitter` needs: the answer's beginning.

    Templates such as DeepSeek R1's open the thinking themselves, at the very end. A mark further up
    may be a user's words.
    """
    if goes_on_thinking(messages):
        return marks.opening + messages[-1].thinking
    return prompt.rstrip()[-len(marks.opening) :]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of thinking, or of the answer."""

    text: str
    thinking: bool


class ThinkingSplitter:
    """Separates thinking from answer in a text that arrives in pieces.

    `prompt_tail` is the result of that function. Text that may become a mark is held back; white
    space around marks is left out, any other text is passed on unchanged. A mark in quotation marks
    or backticks is a word. An answer of one line that is nothing but marks around words was asked
    for as it is: it is passed on as the answer, too.
    """

    def __init__(self, marks: ThinkingMarks, prompt_tail: str) -> None:
        before, opened, so_far = prompt_tail.rpartition(marks.opening)
        self._marks = marks
        self._held = ""
        self._thinking = bool(opened) and (not before or not so_far.strip())
        self._at_start = not self._thinking  # of the answer: here any mark counts
        self._after_mark = self._thinking and not so_far.strip()  # white space is left out
        self._before = ""  # the line before the held text
        self._literal: str | None = None if self._thinking else ""  # the answer, while it is a line

    @property
    def is_thinking(self) -> bool:
        """True if the next text is thinking, as far as is known."""
        return self._thinking

    def feed(self, text: str) -> list[Piece]:
        """Return the pieces that are certain now."""
        self._hold(text)
        return list(self._pieces(last=False))

    def flush(self) -> list[Piece]:
        """Return the text held back for a mark that never came."""
        pieces = list(self._pieces(last=True))
        literal, self._literal = self._literal, None
        words = literal or ""
        for mark in self._marks.all:
            words = words.replace(mark, "")
        if literal and words.strip() and not self._thinking:
            pieces.append(Piece(literal, thinking=False))
        return pieces

    def _hold(self, text: str) -> None:
        self._held += text
        if self._literal is not None:
            self._literal += text
            is_line = len(self._literal) <= _LONGEST_LITERAL and "\n" not in self._literal.strip()
            if not is_line or self._marks.silent:
                self._literal = None

    def _pieces(self, *, last: bool) -> Iterator[Piece]:
        while found := self._next_mark():
            at, mark = found
            if at + len(mark) == len(self._held) and self._may_be_word(at) and not last:
                break  # the next character decides if it is a word
            yield from self._piece(self._held[:at].rstrip())
            self._let_go(at + len(mark))
            self._after_mark, self._at_start = True, False
            if mark not in self._marks.silent:
                self._thinking = mark == self._marks.opening
        certain = len(self._held) if last else self._certain()
        text = self._let_go(certain)
        yield from self._piece(text.rstrip() if last and self._thinking else text)

    def _let_go(self, size: int) -> str:
        text, self._held = self._held[:size], self._held[size:]
        self._before = (self._before + text).rpartition("\n")[2][-_LONGEST_LINE:]
        return text

    def _may_be_word(self, at: int) -> bool:
        text = self._before + self._held
        return not self._marks.silent and bool(_open_quote(text, len(self._before) + at))

    def _piece(self, text: str) -> Iterator[Piece]:
        if self._after_mark:
            text = text.lstrip()
        if text:
            self._after_mark = self._at_start = False
            if not self._thinking:
                self._literal = None
            yield Piece(text, self._thinking)

    def _wanted(self) -> tuple[str, ...]:
        """Return the marks that count at the current place in the text."""
        if self._marks.silent or self._at_start:
            return self._marks.all
        return (self._marks.closing,) if self._thinking else ()

    def _next_mark(self) -> tuple[int, str] | None:
        places = [(at, mark) for mark in self._wanted() for at in self._places(mark)]
        found = min(places, default=None)
        if found and self._at_start and not self._marks.silent and self._held[: found[0]].strip():
            return None  # the answer has begun and mentions the mark
        return found

    def _places(self, mark: str) -> Iterator[int]:
        """Yield where a mark stands in the held text, except where it is quoted."""
        text = self._before + self._held
        for found in re.finditer(re.escape(mark), text):
            at = found.start() - len(self._before)
            if at >= 0 and (self._marks.silent or not is_quoted(text, *found.span())):
                yield at

    def _certain(self) -> int:
        """Return how many held characters are part of no mark, nor white space before one."""
        wanted = self._wanted()
        if not wanted:
            return len(self._held)
        size = len(self._held)
        begun = range(max(0, size - max(map(len, wanted))), size)
        open_mark = (at for at in begun if any(m.startswith(self._held[at:]) for m in wanted))
        return len(self._held[: next(open_mark, size)].rstrip())
