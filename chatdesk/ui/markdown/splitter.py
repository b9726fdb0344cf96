"""Splits Markdown into pieces that never change once they are returned.

`Splitter` cuts a growing text at top-level block boundaries, by lines and only by what came before,
so that any way of cutting the stream gives the same pieces. Fenced code and a leading `<think>`
block become pieces of their own; the rest is prose, which `parser.parse` turns into markdown-it
tokens one piece at a time. Every piece of prose has a limited size, so that no input makes one step
slow.
"""

import re
from dataclasses import dataclass

PIECE_LIMIT = 4_000  # characters of prose after which the next line may begin a new piece
LIST_LIMIT = 1_500  # characters after which a list may be cut between its items
TABLE_LIMIT = 2_000  # characters after which a table is cut between its rows
HARD_LIMIT = 16_000  # and after which it must, anywhere
PARSE_LIMIT = 400_000  # characters of prose in one message; what follows is shown as plain text
MAX_CARDS = 200  # code cards in one message; more fences are read as prose

_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^\s`]*)[ \t]*(.*)")
_HOLDS_FENCES = frozenset({"markdown", "md", "mdx"})  # languages of a text that may have its own
_LIST_ITEM = re.compile(r"( {0,3}(?:[-*+]|\d{1,9}[.)]))([ \t]+|$)")
_DELIMITER_ROW = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)
_UNDECIDED = re.compile(r" {0,3}([-=*_#>+|]{1,3}|[`~]+[^`\n]*|\d{1,3}[.)]?)[ \t]*$")
_THINK, _END_THINK = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Prose:
    """A run of whole blocks in Markdown; `plain` ones are shown as written.

    One that `continues` has more rows of the table before it, below the same head once more.
    """

    text: str
    plain: bool = False
    continues: bool = False

    @property
    def has_definitions(self) -> bool:
        """True if it may define footnotes or link references, which hold in the whole message."""
        return "]:" in self.text and _DEFINITION.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class CodeOpen:
    """A fence begins; `words` are what stands behind the language."""

    language: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """More code of the open fence, line ends included."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeClose:
    """The fence ends."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """More of the model's reasoning at the start of its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningClose:
    """The reasoning ends; the answer begins."""


Piece = Prose | CodeOpen | Code | CodeClose | Reasoning | ReasoningClose


class Splitter:
    """Cuts a growing text into pieces.

    `feed` text as it comes and `take` the pieces that are certain; `tail` is the present form of
    the rest. After `finish` everything has been taken and the tail is empty.
    """

    def __init__(self) -> None:
        self._rest = ""  # received, not yet a whole line
        self._ready: list[Piece] = []
        self._lines: list[str] = []  # of the open piece of prose
        self._size = 0
        self._total = 0
        self._after_blank = False
        self._list_offset = 0  # columns of the last top-level item's marker; 0 outside of lists
        self._table_head = ""
        self._continues = False
        self._nested_fence = ""  # inside a list item
        self._fence = ""  # at top level
        self._fence_indent = 0
        self._inner_fences: list[str] | None = None  # open inside of it, where it may have some
        self._held_return = ""  # whose line feed may follow
        self._mid_line = False
        self._started = False
        self._thinking = False
        self._cards = 0

    def feed(self, text: str) -> None:
        """Add text."""
        text = self._held_return + text
        self._held_return = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        self._rest += text.replace("\0", "\ufffd")
        self._advance(last=False)

    def finish(self) -> None:
        """End the text."""
        self._advance(last=True)
        if self._thinking:
            self._ready.append(ReasoningClose())
            self._thinking = False
        if self._fence:
            self._ready.append(CodeClose())
            self._fence = ""
        self._close_prose()

    def take(self) -> list[Piece]:
        """Return the pieces that became certain since the last call."""
        ready, self._ready = self._ready, []
        return _merged(ready)

    @property
    def in_code(self) -> bool:
        """True if a fence is open."""
        return bool(self._fence)

    def tail(self) -> Prose | Code | None:
        """Return the open piece with the line being written; None if there is nothing to show."""
        if self._fence:
            held = _UNDECIDED.match(self._rest) and self._rest.lstrip()[:1] == self._fence[0]
            return Code(self._rest) if self._rest and not held else None
        if not self._started or self._thinking:
            return None
        lines = [*self._lines]
        if self._rest and not _UNDECIDED.match(self._rest):
            lines.append(self._rest)
        text = "\n".join(lines)
        return self._piece(text) if text.strip() else None

    def _piece(self, text: str) -> Prose:
        return Prose(text, plain=self._total > PARSE_LIMIT, continues=self._continues)

    def _advance(self, last: bool) -> None:
        if not self._started and not self._begin(last):
            return
        if self._thinking and not self._think(last):
            return
        at = 0
        while (cut := self._line_end(at, last)) is not None:
            end, whole = cut
            line = self._rest[at:end]
            at = end + 1 if whole and end < len(self._rest) else end
            self._line(line, whole)
            self._mid_line = not whole
        self._rest = self._rest[at:]

    def _begin(self, last: bool) -> bool:
        start = self._rest.lstrip()
        if not last and len(start) < len(_THINK) and _THINK.startswith(start):
            return False
        self._started = True
        if start.startswith(_THINK):
            self._thinking = True
            self._rest = start[len(_THINK) :]
        return True

    def _think(self, last: bool) -> bool:
        text, end, rest = self._rest.partition(_END_THINK)
        if not end and not last:  # it may contain a part of the end mark
            held = next((n for n in range(7, 0, -1) if text.endswith(_END_THINK[:n])), 0)
            text, rest = text[: len(text) - held], text[len(text) - held :]
        if text:
            self._ready.append(Reasoning(text))
        self._rest = rest
        if end:
            self._ready.append(ReasoningClose())
            self._thinking = False
        return bool(end)

    def _line_end(self, at: int, last: bool) -> tuple[int, bool] | None:
        """Return the end of the line at `at`, and True if it is final; None: not known yet."""
        end = self._rest.find("\n", at, at + PIECE_LIMIT + 1)
        if end >= 0:
            return end, True
        if len(self._rest) - at > PIECE_LIMIT:
            space = self._rest.rfind(" ", at + PIECE_LIMIT // 2, at + PIECE_LIMIT)
            return (space + 1 if space >= 0 else at + PIECE_LIMIT), False
        return (len(self._rest), True) if last and at < len(self._rest) else None

    def _line(self, line: str, whole: bool) -> None:
        if self._fence:
            self._code_line(line, whole)
            return
        if not line.strip():
            if self._lines:
                self._lines.append("")
            self._after_blank = True
            return
        indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
        if self._lines and self._begins_piece(line, indent):
            self._close_prose()
        fence = None if self._mid_line else _FENCE.match(line)
        if fence and not self._nested_fence and indent >= self._list_offset > 0:
            self._nested_fence = fence[2]
        elif fence and not self._nested_fence and self._cards < MAX_CARDS:
            self._close_prose()
            self._cards += 1
            self._fence, self._fence_indent = fence[2], len(fence[1])
            self._inner_fences = [] if fence[3].lower() in _HOLDS_FENCES else None
            self._ready.append(CodeOpen(fence[3], fence[4].rstrip()))
            return
        elif self._nested_fence and _closes(self._nested_fence, line.lstrip()):
            self._nested_fence = ""
        self._add(line)
        if not whole:
            self._close_prose()

    def _code_line(self, line: str, whole: bool) -> None:
        if not self._mid_line:
            if not self._is_inner_fence(line) and _closes(self._fence, line):
                self._ready.append(CodeClose())
                self._fence = ""
                return
            indent = min(self._fence_indent, len(line) - len(line.lstrip(" ")))
            line = line[indent:]
        self._ready.append(Code(line + "\n" if whole else line))

    def _is_inner_fence(self, line: str) -> bool:
        """Return True for a fence of the text in this one: one with a language, and its end."""
        inner, line = self._inner_fences, line.lstrip()
        if inner is None:
            return False
        if inner and _closes(inner[-1], line):
            inner.pop()
            return True
        fence = _FENCE.match(line)
        if fence and fence[3]:
            inner.append(fence[2])
            return True
        return False

    def _begins_piece(self, line: str, indent: int) -> bool:
        """Return True if this line of text can be read without the open piece before it."""
        if self._size > HARD_LIMIT:
            return True
        if self._nested_fence:
            return indent < 2 and indent < self._list_offset and not _FENCE.match(line)
        item = self._list_offset > 0 and indent < 2 and _LIST_ITEM.match(line) is not None
        if self._table_head and self._size > TABLE_LIMIT and not self._after_blank:
            return True
        if self._size > (LIST_LIMIT if item else PIECE_LIMIT) and (item or not self._list_offset):
            return True
        return self._after_blank and indent < 2 and not item

    def _add(self, line: str) -> None:
        if not self._lines and self._table_head and "|" in line and not self._after_blank:
            self._lines.append(self._table_head)  # only below its head are these lines its rows
            self._continues = True
        else:
            self._table_head = self._table_head if self._lines else ""
        if len(self._lines) == 1 and "|" in line and _DELIMITER_ROW.match(line):
            self._table_head = f"{self._lines[0]}\n{line}"
        if (item := _LIST_ITEM.match(line)) and (not self._lines or self._list_offset):
            self._list_offset = len(item[1]) + min(max(len(item[2]), 1), 4)
        self._lines.append(line)
        self._size += len(line) + 1
        self._after_blank = False

    def _close_prose(self) -> None:
        text = "\n".join(self._lines).rstrip("\n")
        if text:
            self._ready.append(self._piece(text))
            self._total += len(text)
        if self._after_blank or self._size <= TABLE_LIMIT:
            self._table_head = ""
        self._lines = []
        self._continues = False
        self._size = self._list_offset = 0
        self._nested_fence = ""


def split(text: str) -> list[Piece]:
    """Return all pieces of a whole text."""
    splitter = Splitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.take()


def _closes(fence: str, line: str) -> bool:
    mark = line.strip()
    indent = len(line) - len(line.lstrip(" "))
    return indent < 4 and len(mark) >= len(fence) and not mark.strip(fence[0]) and bool(mark)


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Join neighbouring pieces of code or of reasoning."""
    merged: list[Piece] = []
    run: list[str] = []
    for number, piece in enumerate(pieces):
        if not isinstance(piece, (Code, Reasoning)):
            merged.append(piece)
            continue
        run.append(piece.text)
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        if type(following) is not type(piece):
            merged.append(type(piece)("".join(run)))
            run = []
    return merged
