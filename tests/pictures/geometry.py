"""Checks of what is on the screen: nothing lies outside, is cut, is too small, or has no name.

Words that end with "…" were shortened on purpose. What scrolls may be longer than its place, but
only in a direction in which it can be scrolled.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QTextDocument
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHeaderView,
    QLabel,
    QLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QScrollBar,
    QSlider,
    QStackedLayout,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QTextEdit,
    QToolButton,
    QWidget,
)

from chatdesk.ui.chat.messages.question_card import QuestionCard
from chatdesk.ui.markdown.code_card import CodeCard
from chatdesk.ui.markdown.sticky_bar import StickyBar
from chatdesk.ui.widgets.labels import LineLabel

LEAST_PX = 24  # of everything that can be pressed, both ways (WCAG 2.2, 2.5.8)
_ELLIPSIS = "…"
_UNBOUNDED = 1 << 20
_PRESSED = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QSlider)
_NAMED = (*_PRESSED, QPlainTextEdit, QTextEdit, QAbstractItemView)
_NO_BAR = Qt.ScrollBarPolicy.ScrollBarAlwaysOff


class FlawKind(StrEnum):
    """What is wrong."""

    OUTSIDE = "outside"
    CUT = "cut"
    SMALL = "small"
    NAMELESS = "nameless"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """Something wrong with one widget; `where` names it, `what` says how far."""

    kind: FlawKind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


def flaws_of(window: QWidget) -> list[Flaw]:
    """Return everything that is wrong in a window, a dialog or a menu that is shown."""
    found = [*_of_window(window)]
    for widget in shown(window):
        for check in (_outside, _cut, _small, _nameless, _overlaps):
            found += check(widget)
    return found


def shown(window: QWidget) -> Iterator[QWidget]:
    """The widgets of a window that are shown, and itself; not those of other windows.

    What is in Qt's dialog for files is Qt's; nearly everywhere the system's own takes its place.
    """
    yield window
    if isinstance(window, QFileDialog):
        return
    for child in window.children():
        if isinstance(child, QWidget) and child.isVisible() and not child.isWindow():
            yield from shown(child)


# Where things lie


def _of_window(window: QWidget) -> Iterator[Flaw]:
    frame = window.frameGeometry()
    # Not `window.screen()`: PySide would let go of the screen together with the window.
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    if not any(screen.contains(frame) for screen in screens):
        yield _flaw(FlawKind.OUTSIDE, window, f"{_place(frame)} is not on one screen")


def _outside(widget: QWidget) -> Iterator[Flaw]:
    parent = widget.parentWidget()
    if widget.isWindow() or parent is None or widget.geometry().isEmpty():
        return
    room, place = parent.rect(), widget.geometry()
    if isinstance(parent, QuestionCard | CodeCard):
        room.setBottom(_UNBOUNDED)  # folded, with a button that says so
    area = parent.parentWidget()
    if isinstance(area, QAbstractScrollArea) and area.viewport() is parent:
        if area.horizontalScrollBarPolicy() != _NO_BAR:
            room.setLeft(-_UNBOUNDED)
            room.setRight(_UNBOUNDED)
        if area.verticalScrollBarPolicy() != _NO_BAR:
            room.setTop(-_UNBOUNDED)
            room.setBottom(_UNBOUNDED)
    if not room.contains(place):
        yield _flaw(FlawKind.OUTSIDE, widget, f"{_place(place)} in {_place(parent.rect())}")


def _overlaps(parent: QWidget) -> Iterator[Flaw]:
    """What one layout places, and controls beside each other, must not cover each other."""
    layout = parent.layout()
    inside = [each for each in parent.children() if isinstance(each, QWidget) and each.isVisible()]
    placed = [each for each in inside if _is_placed(each, layout)]
    controls = [each for each in inside if isinstance(each, _PRESSED) and each not in placed]
    if isinstance(parent, QLineEdit | QAbstractSpinBox | QComboBox):
        controls = []  # Qt's own parts
    for group in (placed, controls):
        for one, other in combinations(group, 2):
            both = one.geometry().intersected(other.geometry())
            if not both.isEmpty():
                yield _flaw(FlawKind.OVERLAP, one, f"and {name_of(other)} share {_place(both)}")


def _is_placed(child: QWidget, layout: QLayout | None) -> bool:
    """Whether a layout, or one in it, places a widget.

    Without `itemAt`: PySide keeps what it gives, which Qt deletes, and dies of it sooner or later.
    """
    if layout is None:
        return False
    return any(
        each.indexOf(child) >= 0 and not isinstance(each, QStackedLayout)
        for each in (layout, *layout.findChildren(QLayout))
    )


# Words


def _cut(widget: QWidget) -> Iterator[Flaw]:
    for kind, measure in _MEASURES:
        if isinstance(widget, kind):
            yield from (_flaw(FlawKind.CUT, widget, what) for what in measure(widget))


def _label(label: QLabel) -> Iterator[str]:
    words = label.text()
    if not words:
        return
    line = QLabel.sizeHint(label)
    if label.wordWrap():
        inner = label.contentsRect().width()
        longest = _widest_word(label)
        if longest > inner:
            yield f"a word of {longest} px in {inner}"
        needed = QLabel.heightForWidth(label, label.width())
        if needed > label.height():
            yield f"{needed} px high in {label.height()}"
        return
    elides = isinstance(label, LineLabel) or words.endswith(_ELLIPSIS)
    if line.width() > label.width() and not elides:
        yield f"{line.width()} px wide in {label.width()}"
    if line.height() > label.height():
        yield f"{line.height()} px high in {label.height()}"


def _widest_word(label: QLabel) -> int:
    words = label.text()
    if label.textFormat() is not Qt.TextFormat.PlainText and "<" in words:
        document = QTextDocument()
        document.setDefaultFont(label.font())
        document.setHtml(words)
        words = document.toPlainText()
    flags = Qt.TextFlag.TextWordWrap
    room = QRect(0, 0, max(1, label.contentsRect().width()), _UNBOUNDED)
    return label.fontMetrics().boundingRect(room, flags, words).width()


def _button(button: QAbstractButton) -> Iterator[str]:
    words = button.text()
    if not words or (isinstance(button, QToolButton) and _is_picture(button)):
        return
    hint = _plain_hint(button)
    if hint.width() > button.width() and not words.endswith(_ELLIPSIS):
        yield f"{hint.width()} px wide in {button.width()}"
    if button.fontMetrics().height() > button.height():
        yield f"words {button.fontMetrics().height()} px high in {button.height()}"
    beside = sum(child.width() for child in button.findChildren(QLabel) if child.isVisible())
    if beside and hint.width() + beside > button.width():
        yield f"{hint.width()} px and a label of {beside} in {button.width()}"


def _plain_hint(button: QAbstractButton) -> QSize:
    """The size Qt wants for the words as they are now, whatever a class of ours wants."""
    match button:
        case QCheckBox():
            return QCheckBox.sizeHint(button)
        case QRadioButton():
            return QRadioButton.sizeHint(button)
        case QPushButton():
            return QPushButton.sizeHint(button)
        case QToolButton():
            return QToolButton.sizeHint(button)
    return button.sizeHint()


def _is_picture(button: QToolButton) -> bool:
    style = button.toolButtonStyle()
    return style is Qt.ToolButtonStyle.ToolButtonIconOnly and not button.icon().isNull()


def _combo_box(box: QComboBox) -> Iterator[str]:
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    field = box.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, box
    )
    words = box.currentText() or box.placeholderText()
    picture = 0 if box.itemIcon(box.currentIndex()).isNull() else box.iconSize().width() + 4
    needed = box.fontMetrics().horizontalAdvance(words) + picture
    if needed > field.width():
        yield f"“{words}” is {needed} px wide in {field.width()}"


def _line_edit(field: QLineEdit) -> Iterator[str]:
    if field.fontMetrics().height() > field.contentsRect().height():
        yield f"words {field.fontMetrics().height()} px high in {field.contentsRect().height()}"


def _spin_box(box: QAbstractSpinBox) -> Iterator[str]:
    field = box.lineEdit()
    margins = field.textMargins()
    room = field.contentsRect().width() - margins.left() - margins.right()
    needed = field.fontMetrics().horizontalAdvance(field.text())
    if needed > room:
        yield f"“{field.text()}” is {needed} px wide in {room}"


def _text_edit(edit: QPlainTextEdit | QTextEdit) -> Iterator[str]:
    """The words of an empty field do not scroll."""
    if edit.document().isEmpty() and (words := edit.placeholderText()):
        room = edit.viewport().rect()
        flags = Qt.TextFlag.TextWordWrap
        needed = edit.fontMetrics().boundingRect(room, flags, words)
        if needed.height() > room.height() or needed.width() > room.width():
            yield f"“{words}” is {_place(needed)} in {_place(room)}"


def _scroll_area(area: QAbstractScrollArea) -> Iterator[str]:
    """What is longer than its place needs a bar, its own or one beside it.

    `_outside` sees to areas that hold widgets.
    """
    if isinstance(area, QScrollArea):
        return
    parent = area.parentWidget()
    beside = parent.findChildren(StickyBar) if parent else []
    for bar, policy, way in (
        (area.horizontalScrollBar(), area.horizontalScrollBarPolicy(), "wide"),
        (area.verticalScrollBar(), area.verticalScrollBarPolicy(), "high"),
    ):
        spare = area.fontMetrics().horizontalAdvance(" ") if way == "wide" else 0  # ends a line
        if policy == _NO_BAR and bar.maximum() > spare and not (beside and way == "wide"):
            yield f"{bar.maximum()} px too {way}, and there is no scroll bar"


def _header(header: QHeaderView) -> Iterator[str]:
    if header.textElideMode() is Qt.TextElideMode.ElideNone:
        for section in range(header.count()):
            needed, room = header.sectionSizeHint(section), header.sectionSize(section)
            if not header.isSectionHidden(section) and needed > room:
                yield f"section {section} is {needed} px wide in {room}"


def _tab_bar(tabs: QTabBar) -> Iterator[str]:
    if tabs.elideMode() is Qt.TextElideMode.ElideNone:
        for at in range(tabs.count()):
            needed = tabs.fontMetrics().horizontalAdvance(tabs.tabText(at))
            if needed > tabs.tabRect(at).width():
                yield f"“{tabs.tabText(at)}” is {needed} px wide in {tabs.tabRect(at).width()}"


def _menu(menu: QMenu) -> Iterator[str]:
    needed = menu.sizeHint()
    if needed.width() > menu.width() or needed.height() > menu.height():
        yield f"{needed.width()}x{needed.height()} in {menu.width()}x{menu.height()}"


_MEASURES: tuple[tuple[type | tuple[type, ...], Callable[..., Iterator[str]]], ...] = (
    (QLabel, _label),
    (QAbstractButton, _button),
    (QComboBox, _combo_box),
    (QLineEdit, _line_edit),
    (QAbstractSpinBox, _spin_box),
    ((QPlainTextEdit, QTextEdit), _text_edit),
    (QAbstractScrollArea, _scroll_area),
    (QHeaderView, _header),
    (QTabBar, _tab_bar),
    (QMenu, _menu),
)


# Controls


def _is_part(widget: QWidget) -> bool:
    """Whether it is a piece that Qt puts into a control, and not a control."""
    within = QLineEdit | QAbstractSpinBox | QComboBox | QScrollBar
    return isinstance(widget.parentWidget(), within) or widget.objectName().startswith("qt_")


def _small(widget: QWidget) -> Iterator[Flaw]:
    if isinstance(widget, _PRESSED) and not _is_part(widget):
        if min(widget.width(), widget.height()) < LEAST_PX:
            yield _flaw(FlawKind.SMALL, widget, f"{widget.width()}x{widget.height()}")
    elif isinstance(widget, QAbstractItemView) and widget.model() and widget.model().rowCount():
        heights = [
            widget.visualRect(widget.model().index(row, 0)).height()
            for row in range(widget.model().rowCount())
        ]
        least = min((height for height in heights if height), default=LEAST_PX)
        if least < LEAST_PX:
            yield _flaw(FlawKind.SMALL, widget, f"a row is {least} px high")
    elif isinstance(widget, QMenu):
        for action in widget.actions():
            height = widget.actionGeometry(action).height()
            if action.isVisible() and not action.isSeparator() and height < LEAST_PX:
                yield _flaw(FlawKind.SMALL, widget, f"“{action.text()}” is {height} px high")


def _is_text(widget: QWidget) -> bool:
    """Whether it is a part of a control, or a text to read, which says itself."""
    to_read = isinstance(widget, QPlainTextEdit | QTextEdit) and widget.isReadOnly()
    return to_read or _is_part(widget)


def _nameless(widget: QWidget) -> Iterator[Flaw]:
    if isinstance(widget, _NAMED) and not isinstance(widget, QHeaderView) and not _is_text(widget):
        seen = QAccessible.queryAccessibleInterface(widget)
        if not seen or not seen.text(QAccessible.Text.Name).strip():
            yield _flaw(FlawKind.NAMELESS, widget, "a screen reader has nothing to say")


# Words for a flaw


def name_of(widget: QWidget) -> str:
    """Return the kind of a widget, its words, and the part of ours that it is in."""
    words = widget.accessibleName() or widget.windowTitle()
    if isinstance(widget, QLabel | QAbstractButton):
        words = widget.text() or words
    short = words.replace("\n", " ")[:30]
    name = type(widget).__name__ + (f" “{short}”" if short else "")
    parent = widget.parentWidget()
    while parent is not None and not type(parent).__module__.startswith("chatdesk"):
        parent = parent.parentWidget()
    return f"{type(parent).__name__} > {name}" if parent is not None else name


def _flaw(kind: FlawKind, widget: QWidget, what: str) -> Flaw:
    return Flaw(kind, name_of(widget), what)


def _place(rect: QRect) -> str:
    return f"{rect.width()}x{rect.height()} at {rect.x()},{rect.y()}"
