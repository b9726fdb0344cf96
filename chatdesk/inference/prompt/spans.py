"""The places of a conversation's messages in its rendering, in bytes and in tokens."""

import re
import secrets
from bisect import bisect_left
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.special_tokens import PromptTokenizer, swallows_white_space
from chatdesk.inference.prompt.template import RenderError

Render = Callable[[Sequence[PromptMessage]], str]
Place = tuple[int, int]  # a range of bytes, its end excluded
_WORD = re.compile(rb"\S|\Z")
_SPACE_SIGN = "\u2581".encode()
_SPELLING = "the tokens of this model spell another text"

# The part of a text between marks: all of it; its words without the white space around them (which
# many templates cut off); or nothing, where a template checks the beginning of a text. The first
# one that changes nothing else is used; assistants' texts matter most.
_ALL, _WORDS, _NOTHING = range(3)
_WAYS = (
    (_ALL, _ALL),
    (_WORDS, _WORDS),
    (_ALL, _NOTHING),
    (_WORDS, _NOTHING),
    (_NOTHING, _NOTHING),
)


def locate(
    messages: Sequence[PromptMessage],
    render: Render,
    restore: Callable[[str], bytes],
    last_end: int | None = None,
) -> list[Place | None]:
    """Return the place of each content in the bytes of `restore(render(messages))`, or None.

    `last_end` is the end of the last one, if known. Unguessable marks around the contents show
    their places. Contents that cannot be marked are searched in order; where a template keeps only
    the end of a content, that end is its place.
    """
    rendered = render(messages)
    data = restore(rendered)
    starts, ends = _marked_places(messages, render, restore, rendered)
    if last_end is not None:
        ends.setdefault(len(messages) - 1, last_end)
    contents = [restore(each.content) for each in messages]
    places: list[Place | None] = []
    for index, content in enumerate(contents):
        start, end = starts.get(index), ends.get(index)
        if start is None and end is not None:
            start = end - _common_end(data[:end], content)
        if start is None or end is None or start > end:
            places.append(None)
        else:
            places.append((start, end))
    return _looked_for(places, contents, data)


def _marked_places(
    messages: Sequence[PromptMessage],
    render: Render,
    restore: Callable[[str], bytes],
    rendered: str,
) -> tuple[dict[int, int], dict[int, int]]:
    """Return starts and ends of contents, as far as marks show them; the last place of several."""
    split = _split_at_marks(messages, render, rendered)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    at = 0
    for text, mark in zip(split.texts, split.marks, strict=False):
        at += len(restore(text))
        (starts if mark.opens else ends)[mark.index] = at
    return starts, ends


@dataclass(frozen=True, slots=True)
class _Mark:
    index: int  # of the message
    opens: bool


@dataclass(frozen=True, slots=True)
class _Split:
    texts: list[str]  # one more than there are marks
    marks: list[_Mark]


def _split_at_marks(messages: Sequence[PromptMessage], render: Render, rendered: str) -> _Split:
    nonce = "q" + secrets.token_hex(16)

    def split(assistants: int, others: int, bare: bool = False) -> _Split:
        ways = (assistants if each.role == "assistant" else others for each in messages)
        marked = [
            _marked(each, f"{nonce}{index}", way, bare)
            for index, (each, way) in enumerate(zip(messages, ways, strict=True))
        ]
        pieces = re.split(f"{nonce}([0-9]+[az])", render(marked))
        return _Split(pieces[::2], [_Mark(int(m[:-1]), m[-1] == "a") for m in pieces[1::2]])

    for way in _WAYS:
        found = split(*way)
        if "".join(found.texts) == rendered:
            break
    if way != _WAYS[0]:
        _take_back_white_space(found, split(*way, bare=True))
    return found


def _marked(message: PromptMessage, mark: str, way: int, bare: bool) -> PromptMessage:
    content = message.content
    words = content if way == _ALL else content.strip()
    if way == _NOTHING or (way == _WORDS and not words):
        return message
    before, after = content.split(words, 1) if words and not bare else ("", "")
    return replace(message, content=f"{before}{mark}a{words}{mark}z{after}")


def _take_back_white_space(found: _Split, bare: _Split) -> None:
    """Move the white space around words that a template kept from the texts into the marks.

    `bare` is the same rendering with none of it; it shows which white space is the template's own.
    """
    if found.marks != bare.marks:
        return
    texts = found.texts
    for n, between in enumerate(bare.texts):
        kept_before, template, kept_after = texts[n].partition(between) if between else ("", "", "")
        if not template:
            continue
        if kept_before.isspace() and n > 0 and not found.marks[n - 1].opens:
            texts[n - 1] += kept_before
            texts[n] = texts[n][len(kept_before) :]
        if kept_after.isspace() and n < len(found.marks) and found.marks[n].opens:
            texts[n] = texts[n][: -len(kept_after)]
            texts[n + 1] = kept_after + texts[n + 1]


def _common_end(data: bytes, content: bytes) -> int:
    """Return how many bytes, from its first word on, end both `content` and `data`."""
    backwards = zip(reversed(data), reversed(content), strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], backwards))
    return len(content[len(content) - common :].lstrip())


def _looked_for(
    places: Sequence[Place | None], contents: Sequence[bytes], data: bytes
) -> list[Place | None]:
    """Return `places`, with missing ones searched between their neighbours."""
    ceilings = [len(data)]
    for place in reversed(places):
        ceilings.append(place[0] if place else ceilings[-1])
    ceilings.reverse()
    found: list[Place | None] = []
    floor = 0
    for place, content, ceiling in zip(places, contents, ceilings[1:], strict=True):
        words = content.strip()
        at = data.find(words, floor, ceiling) if place is None and words else -1
        found.append((at, at + len(words)) if at >= 0 else place)
        floor = found[-1][1] if found[-1] else floor
    return found


class TokenizedText:
    """A rendered text in bytes, with the tokens of its bytes. Raises as `_word_starts`."""

    def __init__(self, tokens: Sequence[int], data: bytes, vocabulary: PromptTokenizer) -> None:
        self._tokens = tokens
        self._data = data
        self._vocabulary = vocabulary
        self._written = {token: vocabulary.written(token) for token in set(tokens)}
        swallowing = {token for token in self._written if swallows_white_space(vocabulary, token)}
        self._starts = _word_starts(tokens, self._written, swallowing, data)

    @property
    def size(self) -> int:
        """The size of the text in bytes."""
        return len(self._data)

    def stands_before(self, text: bytes, byte: int) -> bool:
        """Return True if `text` ends at this byte."""
        return self._data.endswith(text, 0, byte)

    def token_at(self, byte: int) -> int:
        """Return the index of the first token that begins at this byte or later."""
        return bisect_left(self._starts, byte)

    def turn_end(self, byte: int, stop: Sequence[str]) -> int:
        """Return the end of the turn whose last word ends at `byte`: after the token that ends it.

        Or after the stop string in the place of such a token.
        """
        for text in stop:
            if self._data.startswith(text.encode(), byte):
                return self.token_at(byte + len(text.encode()))
        end = after = self.token_at(byte)
        while after < len(self._tokens) and self._is_no_word(self._tokens[after]):
            after += 1
        if after < len(self._tokens) and self._vocabulary.ends_generation(self._tokens[after]):
            return after + 1
        return end

    def _is_no_word(self, token: int) -> bool:
        """Return True if a model may write this between its last word and the end of its turn."""
        return not self._vocabulary.ends_generation(token) and (
            self._written[token].isspace() or self._vocabulary.is_special(token)
        )


def _word_starts(
    tokens: Sequence[int], written: Mapping[int, bytes], swallowing: Container[int], data: bytes
) -> list[int]:
    """Return where in `data` each token begins, not counting the spaces before its word.

    `written` are the bytes of each token; `swallowing` are those that drop the white space after
    them. SentencePiece tokenizers put a space that is not in the text before its first word. Raises
    `RenderError` when the tokens still spell another text.
    """
    starts = []
    at = 0
    for token in tokens:
        end = _spelled(written[token], data, at)
        word = written[token].lstrip(b" ")
        starts.append(max(at, end - len(word)) if word else at)
        at = next(_WORD.finditer(data, end)).start() if token in swallowing else end
    if at < len(data):
        raise RenderError(_SPELLING)
    return starts


def _spelled(piece: bytes, data: bytes, at: int) -> int:
    """Return the end in `data` of a token that begins at `at`."""
    if data.startswith(piece, at):
        return at + len(piece)
    for spelling in (piece, piece.removeprefix(b" ")):
        # SentencePiece tokenizers cannot distinguish a space from the sign that they write for it.
        pattern = re.escape(spelling).replace(rb"\ ", b"(?: |%b)" % _SPACE_SIGN)
        if found := re.compile(pattern).match(data, at):
            return found.end()
    raise RenderError(_SPELLING)
