"""An answer as a stack of prose, code cards and a fold of reasoning, while it grows and after.

Only the open piece is parsed and laid out again as text comes; the splitter's finished pieces stay.
The whole text shown at once gives the same stack.
"""

from collections import deque
from copy import deepcopy
from time import monotonic, perf_counter
from typing import Any, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.ui.chat.messages.thinking_fold import ThinkingFold
from chatdesk.ui.markdown.code_card import CodeCard
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
    collect_definitions,
    parse,
    split,
)
from chatdesk.ui.theme import Theme

GAP = 12  # pixels between segments
_BATCH = 200  # tokens written in one go, so that they are laid out once

Segment = ProseView | CodeCard | ThinkingFold


class AnswerBody(QWidget):
    """Shows Markdown that may still be growing."""

    resized = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.segments: list[Segment] = []
        self._splitter = Splitter()
        self._queue: deque[Piece] = deque()
        self._definitions: dict[str, Any] = {}
        self._pending: list[str] = []
        self._caret = False
        self._thinks = False  # the fold is open for more
        self._thinking_since: float | None = None
        self._thinking_s: float | None = None
        self._heights: dict[Segment, tuple[int, int]] = {}
        self._dirty: set[Segment] = set()

    def set_text(self, text: str, thinking: str = "", thinking_s: float | None = None) -> None:
        """Replace the content by a whole text and the thinking before it.

        `thinking_s` is the time of thinking in seconds. `flush` shows it.
        """
        self._clear()
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
        self._pending.append(text)

    def finish(self, thinking_s: float | None = None) -> None:
        """Mark the text as complete; `flush` shows the rest of it.

        `thinking_s` is the time of thinking in seconds.
        """
        self._end_thinking()
        if thinking_s is not None:
            self._thinking_s = thinking_s
            if fold := self._fold():
                fold.close_reasoning(thinking_s)
        self._feed()
        self._splitter.finish()
        self._queue.extend(self._splitter.take())

    @property
    def unfinished(self) -> bool:
        """True if there is more to show than `flush` has shown."""
        return bool(self._queue or self._pending)

    def flush(self, budget_s: float) -> None:
        """Show new content, for about `budget_s` seconds."""
        end = perf_counter() + budget_s
        self._feed()
        while self._queue and perf_counter() < end:
            self._put(self._queue.popleft())
        if not self._queue:
            self._put_tail()

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
        top = 0
        for segment in self.segments:
            known = self._heights.get(segment)
            if segment in self._dirty or known is None or known[0] != width:
                known = self._heights[segment] = (width, segment.height_for(width))
            segment.setGeometry(0, top, width, known[1])
            top += known[1] + GAP
        self._dirty.clear()
        height = max(0, top - GAP)
        self.resize(width, height)
        return height

    def _segment_resized(self, segment: Segment) -> None:
        self._dirty.add(segment)
        self.resized.emit()

    def _put(self, piece: Piece) -> None:
        """Show a finished piece."""
        last = self.segments[-1] if self.segments else None
        if isinstance(piece, Prose):
            tokens = parse(piece, self._definitions)
            while self._queue and isinstance(self._queue[0], Prose) and len(tokens) < _BATCH:
                tokens += parse(cast("Prose", self._queue.popleft()), self._definitions)
            self._prose().append(tokens)
        elif isinstance(piece, CodeOpen):
            if isinstance(last, ProseView):
                last.set_tail([])
                if last.is_empty:
                    self._remove(last)
            self._add(CodeCard(piece.language, self._theme, self))
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

    def _put_tail(self) -> None:
        """Show the piece that may still change."""
        tail = self._splitter.tail()
        if isinstance(tail, Prose):
            self._prose().set_tail(parse(tail, deepcopy(self._definitions)))
        elif self.segments and isinstance(last := self.segments[-1], CodeCard):
            if self._splitter.in_code:
                last.set_tail(tail.text if isinstance(tail, Code) else "")
        elif self.segments and isinstance(last, ProseView):
            last.set_tail([])
        if self.segments:
            self._dirty.add(self.segments[-1])
            self.set_caret(self._caret)

    def _prose(self) -> ProseView:
        last = self.segments[-1] if self.segments else None
        if isinstance(last, ProseView):
            return last
        made = ProseView(self._theme, self)
        made.height_for(self.width())  # laid out for the right width from the start
        self._add(made)
        return made

    def _fold(self) -> ThinkingFold | None:
        first = self.segments[0] if self.segments else None
        return first if isinstance(first, ThinkingFold) else None

    def _reasoning(self) -> ThinkingFold:
        if fold := self._fold():
            return fold
        made = ThinkingFold(self._theme, self)
        made.toggled.connect(lambda: self._segment_resized(made))
        self._add(made)
        return made

    def _add(self, segment: Segment) -> None:
        if self.segments:
            self.segments[-1].set_caret(False)
        self.segments.append(segment)
        segment.show()

    def _remove(self, segment: Segment) -> None:
        self.segments.remove(segment)
        self._heights.pop(segment, None)
        self._dirty.discard(segment)
        segment.deleteLater()
        segment.hide()

    def _clear(self) -> None:
        for segment in list(self.segments):
            self._remove(segment)
        self._splitter = Splitter()
        self._queue.clear()
        self._pending.clear()
        self._definitions = {}
        self._thinks = False
        self._thinking_since = self._thinking_s = None
