"""The list of what was found: each with its chat, the words around it, and what matches in them."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QPainter,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
)
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from chatdesk.core.chat import Role, now
from chatdesk.core.i18n import tr
from chatdesk.core.search import MATCH_BEGINS, MATCH_ENDS, Hit
from chatdesk.ui.theme import SMALL_PX, Theme, scaled, strong_weight, text_font
from chatdesk.ui.widgets.row_ground import paint_ground
from chatdesk.ui.widgets.tag import Tone, fitting_tag, paint_tag, tag_width
from chatdesk.ui.words import when_words

PAD, AIR, GAP = 10, 12, 4  # pixels beside, above and below, and between the lines of a row
LINES = 2  # of a snippet
_WIDEST_TAG = 180

Index = QModelIndex | QPersistentModelIndex
Place = tuple[int, int]  # where a match begins, and its length


class HitRole(IntEnum):
    """What the delegate asks of a row."""

    HIT = Qt.ItemDataRole.UserRole
    PROJECT = Qt.ItemDataRole.UserRole + 1


def unmarked(marked: str) -> tuple[str, list[Place]]:
    """Return a snippet without the marks, and where what they were around is."""
    words, places = "", []
    for at, part in enumerate(marked.split(MATCH_BEGINS)):
        match, _, rest = part.partition(MATCH_ENDS) if at else ("", "", part)
        if match:
            places.append((len(words), len(match)))
        words += match + rest
    return words, places


def who_words(hit: Hit) -> str:
    """Return who wrote it, or where it stands."""
    if hit.message_id is None:
        return tr("the title")
    if hit.is_thinking:
        return tr("thinking")
    return {Role.USER: tr("you wrote"), Role.ASSISTANT: tr("answer")}.get(hit.role or Role.USER, "")


class HitModel(QAbstractListModel):
    """The hits, and the names of projects by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self._hits: Sequence[Hit] = ()
        self._projects: Mapping[str, str] = {}

    def show(self, hits: Sequence[Hit], projects: Mapping[str, str]) -> None:
        """Show others."""
        self.beginResetModel()
        self._hits, self._projects = hits, projects
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A hit, its project's name, or all of it in words."""
        if not index.isValid():
            return None
        hit = self._hits[index.row()]
        if role == HitRole.HIT:
            return hit
        if role == HitRole.PROJECT:
            return self._projects.get(hit.project_id or "", "")
        if role == Qt.ItemDataRole.DisplayRole:
            title, snippet = unmarked(hit.title)[0], unmarked(hit.snippet)[0]
            when = when_words(hit.created, now())
            return ", ".join(filter(None, (title, who_words(hit), snippet, when)))
        return None


class HitList(QListView):
    """As high as its rows: the page around it scrolls. The keyboard stays in the search field."""

    hit_chosen = Signal(object, bool)  # the Hit, and whether the list is kept

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.hits = HitModel()
        self._delegate = _HitDelegate(theme, self)
        self.setModel(self.hits)
        self.setItemDelegate(self._delegate)
        self.setObjectName("hits")
        self.setAccessibleName(tr("What was found"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.viewport().setAutoFillBackground(False)
        self.clicked.connect(lambda _: self.choose(keeps=False))

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._delegate.theme = theme
        self.viewport().update()

    def show_hits(self, hits: Sequence[Hit], projects: Mapping[str, str]) -> None:
        """Show others, with the first one chosen."""
        self.hits.show(hits, projects)
        self._fit()
        self.step(0)

    def step(self, by: int) -> QRect:
        """Choose another row; return its place."""
        last = self.hits.rowCount() - 1
        at = min(max(self.currentIndex().row() + by, 0), last)
        index = self.hits.index(at)
        self.setCurrentIndex(index)
        return self.visualRect(index)

    def choose(self, *, keeps: bool) -> bool:
        """Open the chosen row; False without one."""
        hit = self.currentIndex().data(HitRole.HIT)
        if hit:
            self.hit_chosen.emit(hit, keeps)
        return bool(hit)

    def _fit(self) -> None:
        self._delegate.width = self.width()
        self.doItemsLayout()
        rows = (self.hits.index(row) for row in range(self.hits.rowCount()))
        option = QStyleOptionViewItem()
        self.setFixedHeight(sum(self._delegate.sizeHint(option, each).height() for each in rows))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Snippets break elsewhere."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()


class _HitDelegate(QStyledItemDelegate):
    """Paints a row: the chat's title, project and day, and below these the words around a match."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.width = parent.width()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As high as its lines."""
        snippet = self._snippet(index.data(HitRole.HIT), self.width - 2 * PAD)
        height = QFontMetrics(_title_font()).height() + GAP + snippet.boundingRect().height()
        return QSize(0, round(height) + 2 * scaled(AIR))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        rect: QRect = option.rect
        hit: Hit = index.data(HitRole.HIT)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            paint_ground(painter, rect.adjusted(0, 1, 0, -2), self.theme.selection)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            paint_ground(painter, rect.adjusted(0, 1, 0, -2), self.theme.hover)
        painter.setPen(QColor(self.theme.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        inside = rect.adjusted(PAD, scaled(AIR), -PAD, -scaled(AIR))
        below = self._paint_head(painter, inside, hit, index.data(HitRole.PROJECT))
        snippet = self._snippet(hit, inside.width())
        painter.setPen(QColor(self.theme.muted))
        snippet.draw(painter, QPointF(inside.left(), below + GAP))
        painter.restore()

    def _paint_head(self, painter: QPainter, rect: QRect, hit: Hit, project: str) -> int:
        """Draw the title, the project and the day; return where the line ends."""
        measure = QFontMetrics(_title_font())
        line = QRect(rect.topLeft(), QSize(rect.width(), measure.height()))
        when = when_words(hit.created, now())
        small = text_font(SMALL_PX)
        painter.setFont(small)
        painter.setPen(QColor(self.theme.quiet))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when)
        room = line.width() - QFontMetrics(small).horizontalAdvance(when) - 2 * PAD
        tag = fitting_tag(project, scaled(_WIDEST_TAG)) if project else ""
        taken = round(tag_width(tag)) + PAD if tag else 0
        words, places = unmarked(hit.title or tr("New chat"))
        shown = measure.elidedText(words, Qt.TextElideMode.ElideRight, max(0, room - taken))
        painter.setPen(QColor(self.theme.text))
        title = QTextLayout(shown, _title_font())
        title.setFormats(self._formats(places, len(shown)))
        _break(title, room, 1)
        title.draw(painter, QPointF(line.topLeft()))
        if tag:
            x = line.left() + measure.horizontalAdvance(shown) + PAD
            paint_tag(painter, x, line.center().y() + 1, tag, Tone.PLAIN, self.theme)
        return line.bottom()

    def _snippet(self, hit: Hit, width: int) -> QTextLayout:
        words, places = unmarked(hit.snippet)
        who = who_words(hit)
        before = f"{who}  " if who else ""
        layout = QTextLayout(before + words, text_font(SMALL_PX))
        quiet = QTextCharFormat()
        quiet.setForeground(QColor(self.theme.quiet))
        first = QTextLayout.FormatRange()
        first.start, first.length, first.format = 0, len(before), quiet
        moved = [(start + len(before), length) for start, length in places]
        layout.setFormats([first, *self._formats(moved, len(before + words))])
        shown = _break(layout, width, LINES)
        if shown < len(layout.text()):
            layout.setText(f"{layout.text()[: shown - 2].rstrip(' …')}…")
            _break(layout, width, LINES)
        return layout

    def _formats(self, places: Sequence[Place], end: int) -> list[QTextLayout.FormatRange]:
        ranges = []
        for start, length in places:
            if start < end:
                found = QTextLayout.FormatRange()
                found.start, found.length = start, min(length, end - start)
                found.format.setBackground(QColor(self.theme.match))
                found.format.setForeground(QColor(self.theme.text))
                ranges.append(found)
        return ranges


def _break(layout: QTextLayout, width: int, most: int) -> int:
    """Lay out at most so many lines; return how many letters they have."""
    layout.beginLayout()
    height, shown = 0.0, 0
    for _ in range(most):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(max(1, width))
        line.setPosition(QPointF(0, height))
        height += line.height()
        shown = line.textStart() + line.textLength()
    layout.endLayout()
    return shown


def _title_font() -> QFont:
    return text_font(weight=strong_weight())
