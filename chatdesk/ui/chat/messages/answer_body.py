"""An answer as a stack of prose, code cards and a fold of reasoning, while it grows and after.

Only the open piece is parsed and laid out again as text comes; the splitter's finished pieces stay.
The whole text shown at once gives the same stack.
"""

from collections import deque
from copy import deepcopy
from functools import partial
from time import monotonic, perf_counter
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.markdown.parser import Section, collect_definitions, parse, sections
from chatdesk.ui.markdown.prose_view import ProseView
from chatdesk.ui.markdown.splitter import (
    Code,
    CodeClose,
    CodeOpen,
    Piece,
    Prose,
    Reasoning,
    ReasoningClose,
    Splitter,
    split,
)
from chatdesk.ui.markdown.table_card import TableCard
from chatdesk.ui.theme import Theme

GAP = 12  # pixels between segments
_BATCH = 200  # tokens written in one go, so that they are laid out once

_HIGH = 240  # pixels of code or of a table whose ends may not be in sight together
_ABOVE_HEADING = 12  # pixels more where a segment begins with a heading

Written = ProseView | TableCard
Segment = Written | CodeCard | ThinkingFold
Folds = dict[int, bool]  # what is folded (True) and unfolded (False) in a message, by its number


class AnswerBody(QWidget):
    """Shows Markdown that may still be growing.

    A fold keeps its state in `folds`, by the number of its segment. Thinking and long code are
    folded at first; code that was seen growing is not.
    """

    fold_turned = Signal(object, bool)  # the button of a part, and True if that is folded now

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, folds: Folds | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._folds: Folds = {} if folds is None else folds
        self._grows = False
        self.segments: list[Segment] = []
        self._finished = 0  # the number of segments with finished content
        self._splitter = Splitter()
        self._queue: deque[Piece] = deque()
        self._definitions: dict[str, Any] = {}
        self._pending: list[str] = []
        self._caret = False
        self._thinks = False  # the fold is open for more
        self._thinking_since: float | None = None
        self._thinking_s: float | None = None
        self._sizes: dict[Segment, tuple[int, int, int]] = {}  # width, height, room above
        self._dirty: set[Segment] = set()
        self._high: list[CodeCard | TableCard] = []

    def set_text(self, text: str, thinking: str = "", thinking_s: float | None = None) -> None:
        """Replace the content by a whole text and the thinking before it.

        `thinking_s` is the time of thinking in seconds. `flush` shows it.
        """
        self._clear()
        self._grows = False
        if thinking:
            self._thinking_s = thinking_s
            self._queue.extend((Reasoning(thinking), ReasoningClose()))
        pieces = split(text)
        self._definitions = collect_definitions(pieces)
        self._queue.extend(pieces)

    def append_thinking(self, text: str, *, at_start: bool = False) -> None:
        """Add thinking before the text; `flush` shows it.

        It is timed if it is seen from its start.
        """
        self._thinks = True
        if at_start:
            self._thinking_since = monotonic()
        self._queue.append(Reasoning(text))

    def append_text(self, text: str) -> None:
        """Add text; `flush` shows it."""
        self._end_thinking()
        self._grows = True
        self._pending.append(text)

    def finish(self, thinking_s: float | None = None) -> None:
        """Mark the text as complete; `flush` shows the rest of it.

        `thinking_s` is the time of thinking in seconds.
        """
        self._end_thinking()
        if thinking_s is not None:
            self._thinking_s = thinking_s
            if fold := self._thinking_fold():
                fold.close_reasoning(thinking_s)
        self._feed()
        self._splitter.finish()
        self._queue.extend(self._splitter.take())

    @property
    def unfinished(self) -> bool:
        """True if there is more to show than `flush` has shown."""
        return bool(self._queue or self._pending or self._unsettled())

    def flush(self, budget_s: float) -> None:
        """Show new content, for about `budget_s` seconds."""
        end = perf_counter() + budget_s
        self._feed()
        while self._queue and perf_counter() < end:
            self._put(self._queue.popleft())
        if not self._queue:
            self._put_tail()
            for table in self._unsettled():
                table.settle(end)
                self._dirty.add(table)

    def _unsettled(self) -> list[TableCard]:
        tables = (each for each in self.segments if isinstance(each, TableCard))
        return [each for each in tables if each.unsettled]

    def _end_thinking(self) -> None:
        if self._thinks:
            self._thinks = False
            if self._thinking_since is not None:
                self._thinking_s = monotonic() - self._thinking_since
            self._queue.append(ReasoningClose())

    def _feed(self) -> None:
        if self._pending:
            self._splitter.feed("".join(self._pending))
            self._pending.clear()
            self._queue.extend(self._splitter.take())

    @property
    def needs_definitions(self) -> bool:
        """True if a late definition may be used earlier: then only `set_text` is right."""
        refs = self._definitions.get("footnotes", {}).get("refs")
        return bool(refs or self._definitions.get("references"))

    def set_caret(self, shown: bool) -> None:
        """Show or hide the block after the last character."""
        self._caret = shown
        for segment in self.segments[:-1]:
            segment.set_caret(False)
        if self.segments:
            self.segments[-1].set_caret(shown)

    def relayout(self, width: int) -> int:
        """Place the segments in `width` pixels; return the height they need."""
        self.resize(width, self.height())
        self._high.clear()
        top = 0
        for segment in self.segments:
            known = self._sizes.get(segment)
            if segment in self._dirty or known is None or known[0] != width:
                known = self._sizes[segment] = (width, segment.height_for(width), _above(segment))
            _, height, above = known
            top += above if top else 0
            segment.setGeometry(0, top, width, height)
            top += height + GAP
            if height > _HIGH and isinstance(segment, CodeCard | TableCard):
                self._high.append(segment)
        self._dirty.clear()
        height = max(0, top - GAP)
        self.resize(width, height)
        return height

    def keep_in_sight(self, top: int, bottom: int) -> None:
        """Let what is high show its head and its scroll bar between these heights, in pixels."""
        for segment in self._high:
            begin = segment.y()
            if begin < bottom and begin + segment.height() > top:
                segment.keep_in_sight(top - begin, bottom - begin)

    @property
    def controls(self) -> list[QWidget]:
        """What can be done in it, in reading order."""
        found: list[QWidget] = []
        for segment in self.segments:
            if not isinstance(segment, ProseView):
                found += segment.controls
            elif segment.has_links:
                found.append(segment)
        return found

    def _put(self, piece: Piece) -> None:
        """Show a finished piece."""
        last = self.segments[-1] if self.segments else None
        if isinstance(piece, Prose):
            self._put_prose(piece)
        elif isinstance(piece, CodeOpen):
            self._write([], final=True)
            self._open_code(piece)
        elif isinstance(piece, Code) and isinstance(last, CodeCard):
            last.append(piece.text)
        elif isinstance(piece, CodeClose) and isinstance(last, CodeCard):
            last.close_code()
        elif isinstance(piece, Reasoning):
            self._reasoning().append(piece.text)
        elif isinstance(piece, ReasoningClose):
            self._reasoning().close_reasoning(self._thinking_s)
        if self.segments:
            self._dirty.add(self.segments[-1])

    def _put_prose(self, piece: Prose) -> None:
        tokens = parse(piece, self._definitions)
        while self._queue and len(tokens) < _BATCH:
            following = self._queue[0]
            if not isinstance(following, Prose) or following.continues:
                break
            self._queue.popleft()
            tokens += parse(following, self._definitions)
        self._write(sections(tokens), final=True, continues=piece.continues)

    def _put_tail(self) -> None:
        """Show the piece that may still change."""
        tail = self._splitter.tail()
        if isinstance(tail, Prose):
            tokens = parse(tail, deepcopy(self._definitions))
            self._write(sections(tokens), final=False, continues=tail.continues)
        elif self.segments and isinstance(last := self.segments[-1], CodeCard):
            if self._splitter.in_code:
                last.set_tail(tail.text if isinstance(tail, Code) else "")
        else:
            self._write([], final=False)
        if self.segments:
            self._dirty.add(self.segments[-1])
            self.set_caret(self._caret)

    def _write(self, written: list[Section], *, final: bool, continues: bool = False) -> None:
        """Show sections after the finished content, in place of the tail there.

        The first goes on in the last segment if it can: prose after prose, rows of one table.
        """
        at = self._finished - 1
        last = self.segments[at] if at >= 0 else None
        goes_on = bool(written) and (
            (continues and isinstance(last, TableCard))
            if written[0].is_table
            else isinstance(last, ProseView)
        )
        if isinstance(last, ProseView | TableCard) and not goes_on:
            last.set_tail([])
            self._dirty.add(last)
        at += 0 if goes_on else 1
        for number, section in enumerate(written, at):
            segment = self._segment(number, TableCard if section.is_table else ProseView)
            if final:
                segment.append(section.tokens)
            else:
                segment.set_tail(section.tokens)
            self._dirty.add(segment)
        end = at + len(written)
        for left in self.segments[end:]:
            self._remove(left)
        if final:
            self._finished = end

    def _segment(self, number: int, kind: type[Written]) -> Written:
        """Return the segment with this number: the one of the tail there, or a new one."""
        if number < len(self.segments):
            there = self.segments[number]
            if isinstance(there, kind):
                return there
            for segment in self.segments[number:]:
                self._remove(segment)
        made = kind(self._theme, self)
        made.height_for(self.width())  # laid out for the right width from the start
        self._add(made)
        return made

    def _open_code(self, piece: CodeOpen) -> None:
        number = len(self.segments)
        if self._grows:
            self._folds.setdefault(number, False)
        folded = self._folds.get(number, True)
        card = CodeCard(piece.language, self._theme, self, words=piece.words, folded=folded)
        card.folded.connect(partial(self._fold, number))
        self._add(card)
        self._finished = len(self.segments)

    def _fold(self, number: int, folded: bool) -> None:
        """A person folded or unfolded a segment."""
        self._folds[number] = folded
        segment = self.segments[number]
        self._dirty.add(segment)
        if isinstance(segment, CodeCard | ThinkingFold):
            self.fold_turned.emit(segment.fold_button, folded)

    def _thinking_fold(self) -> ThinkingFold | None:
        first = self.segments[0] if self.segments else None
        return first if isinstance(first, ThinkingFold) else None

    def _reasoning(self) -> ThinkingFold:
        if fold := self._thinking_fold():
            return fold
        number = len(self.segments)
        made = ThinkingFold(self._theme, self, folded=self._folds.get(number, True))
        made.folded.connect(partial(self._fold, number))
        self._add(made)
        self._finished = len(self.segments)
        return made

    def _add(self, segment: Segment) -> None:
        if self.segments:
            self.segments[-1].set_caret(False)
        self.segments.append(segment)
        segment.show()

    def _remove(self, segment: Segment) -> None:
        self.segments.remove(segment)
        self._sizes.pop(segment, None)
        self._high = [each for each in self._high if each is not segment]
        self._dirty.discard(segment)
        segment.deleteLater()
        segment.hide()

    def _clear(self) -> None:
        for segment in list(self.segments):
            self._remove(segment)
        self._finished = 0
        self._splitter = Splitter()
        self._queue.clear()
        self._pending.clear()
        self._definitions = {}
        self._thinks = False
        self._thinking_since = self._thinking_s = None


def _above(segment: Segment) -> int:
    """Return the pixels above a segment beside the usual gap."""
    if not isinstance(segment, ProseView):
        return 0
    begins = segment.document().firstBlock().blockFormat()
    return _ABOVE_HEADING if begins.headingLevel() else 0
