"""Widgets that stand beside each other where there is room, and below each other where not."""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from chatdesk.ui.theme import scaled

_Place = tuple[QWidget, QRect]


class _Arrangement(QWidget):
    """Places its children by its width, and is as high as they need."""

    def __init__(self, gap: int) -> None:
        super().__init__()
        self._gap = gap
        self._parts: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def _shown(self) -> list[QWidget]:
        return [each for each in self._parts if not each.isHidden()]

    def _places(self, width: int) -> Iterator[_Place]:
        raise NotImplementedError

    # Qt's names from here on

    def hasHeightForWidth(self) -> bool:
        """Narrower is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all lines."""
        edges = self.contentsMargins()
        places = self._places(width - self._around(0))
        inner = max((place.bottom() + 1 for _, place in places), default=0)
        return inner + edges.top() + edges.bottom()

    def sizeHint(self) -> QSize:
        """Room for all in one line."""
        widths = [_wanted(each) for each in self._shown]
        width = self._around(sum(widths) + self._gap * max(0, len(widths) - 1))
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Room for the widest in a line of its own."""
        widest = max((each.minimumSizeHint().width() for each in self._shown), default=0)
        return QSize(self._around(widest), 0)

    def _around(self, width: int) -> int:
        edges = self.contentsMargins()
        return width + edges.left() + edges.right()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange them."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Arrange them again when one of them needs other room, comes or goes."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        inside = self.contentsRect()
        for part, place in self._places(inside.width()):
            part.setGeometry(place.translated(inside.topLeft()))


class Flow(_Arrangement):
    """A row that goes on in the next line where it is too long."""

    def __init__(self, gap: int = 8, lines_gap: int = 6) -> None:
        super().__init__(gap)
        self._lines_gap = lines_gap
        self._growing: QWidget | None = None
        self._first_right: QWidget | None = None

    def add(self, part: QWidget, *, grows: bool = False, right: bool = False) -> None:
        """One more. One that `grows` takes what is left of its line, if that is half the width.

        From the first at the `right` on they stay together, at the right end of a line.
        """
        part.setParent(self)
        self._parts.append(part)
        if grows:
            self._growing = part
        if right and self._first_right is None:
            self._first_right = part

    def _places(self, width: int) -> Iterator[_Place]:
        top = 0
        for line in self._lines(width):
            left = width - sum(room for _, room in line) - self._gap * (len(line) - 1)
            rooms = [room + (left if part is self._growing else 0) for part, room in line]
            height = max(_height(part, room) for (part, _), room in zip(line, rooms, strict=True))
            aside = 0 if any(part is self._growing for part, _ in line) else left
            x = 0
            for (part, _), room in zip(line, rooms, strict=True):
                if self._is_right(part):
                    x, aside = x + aside, 0
                high = _height(part, room)
                yield part, QRect(x, top + (height - high) // 2, room, high)
                x += room + self._gap
            top += height + self._lines_gap

    def _lines(self, width: int) -> Iterator[list[tuple[QWidget, int]]]:
        line: list[tuple[QWidget, int]] = []
        left = width
        rooms = [(part, self._room(part, width)) for part in self._shown]
        for at, (part, room) in enumerate(rooms):
            together = rooms[at:] if part is self._first_shown_right else rooms[at : at + 1]
            if line and sum(each for _, each in together) + self._gap * (len(together) - 1) > left:
                yield line
                line, left = [], width
            line.append((part, room))
            left -= room + self._gap
        if line:
            yield line

    def _room(self, part: QWidget, width: int) -> int:
        wanted = min(_wanted(part), width)
        if part is self._growing:
            least = max(part.minimumSizeHint().width(), part.minimumWidth())
            wanted = max(min(wanted, width // 2), least)
        return wanted

    @property
    def _first_shown_right(self) -> QWidget | None:
        return next((each for each in self._shown if self._is_right(each)), None)

    def _is_right(self, part: QWidget) -> bool:
        first = self._first_right
        return first is not None and self._parts.index(part) >= self._parts.index(first)


class Columns(_Arrangement):
    """As many columns of one width, at least `least` pixels, as there is room for."""

    def __init__(self, least: int, gap: int = 12) -> None:
        super().__init__(gap)
        self._least = least

    def add(self, part: QWidget) -> None:
        """One more, beside or below the one before it."""
        part.setParent(self)
        self._parts.append(part)

    def _places(self, width: int) -> Iterator[_Place]:
        shown, gap = self._shown, self._gap
        most = max(1, (width + gap) // (scaled(self._least) + gap))
        lines = -(-len(shown) // most)
        columns = -(-len(shown) // lines) if lines else 1  # two and two rather than three and one
        room = (width - gap * (columns - 1)) // columns
        top = 0
        for first in range(0, len(shown), columns):
            line = shown[first : first + columns]
            height = max(_height(part, room) for part in line)
            for column, part in enumerate(line):
                yield part, QRect(column * (room + gap), top, room, height)
            top += height + gap


def _wanted(part: QWidget) -> int:
    """The width of a part in one line; Qt would rather have a wrapped label square."""
    if isinstance(part, QLabel) and part.wordWrap():
        words = part.fontMetrics().size(0, part.text()).width()
        edges = part.width() - part.contentsRect().width()
        return words + edges + 1
    return _within_limits(part, part.sizeHint()).width()


def _height(part: QWidget, width: int) -> int:
    high = part.heightForWidth(width) if part.hasHeightForWidth() else part.sizeHint().height()
    return _within_limits(part, QSize(width, high)).height()


def _within_limits(part: QWidget, size: QSize) -> QSize:
    return size.expandedTo(part.minimumSize()).boundedTo(part.maximumSize())
