"""The checks find what they are for, and nothing in what is right."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontDatabase, QIcon, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.ui.widgets.labels import LineLabel
from tests.pictures.geometry import FlawKind, flaws_of

LONG = "Words that are much longer than the place that there is for them"
SIZE = QSize(400, 300)


@pytest.fixture(autouse=True, scope="module")
def as_qt_makes_them(qapp: QApplication) -> Iterator[None]:
    """The sizes here are of widgets without the theme that tests before these leave behind."""
    sheet, font = qapp.styleSheet(), qapp.font()
    qapp.setStyleSheet("")
    qapp.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont))
    yield
    qapp.setStyleSheet(sheet)
    qapp.setFont(font)


def kinds(qtbot: QtBot, fill: Callable[[QWidget], object]) -> set[FlawKind]:
    """What is found in a window that was filled with something."""
    window = QWidget()
    qtbot.addWidget(window)
    window.setWindowTitle("A window")
    window.resize(SIZE)
    window.move(0, 0)
    fill(window)
    window.show()
    return {flaw.kind for flaw in flaws_of(window)}


def placed(kind: type[QWidget], place: QRect, words: str = "") -> Callable[[QWidget], QWidget]:
    """Puts a widget into a window, with no layout to help it."""

    def fill(window: QWidget) -> QWidget:
        widget = kind(window)
        widget.setAccessibleName("A name")
        if isinstance(widget, QLabel | QPushButton | QToolButton | QCheckBox):
            widget.setText(words)
        widget.setGeometry(place)
        return widget

    return fill


def wrapped(place: QRect, words: str) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        label = placed(QLabel, place, words)(window)
        assert isinstance(label, QLabel)
        label.setWordWrap(True)

    return fill


def combo_box(width: int, words: str = LONG) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        box = QComboBox(window)
        box.setAccessibleName("A choice")
        box.addItem(words)
        box.setGeometry(0, 0, width, 32)

    return fill


def spin_box(width: int) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        box = QSpinBox(window)
        box.setAccessibleName("A number")
        box.setRange(0, 10**9)
        box.setValue(10**9)
        box.setGeometry(0, 0, width, 32)

    return fill


def placeholder(height: int) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        edit = QPlainTextEdit(window)
        edit.setAccessibleName("A text")
        edit.setPlaceholderText(LONG)
        edit.setGeometry(0, 0, 200, height)

    return fill


def scroll_area(width: int, policy: Qt.ScrollBarPolicy) -> Callable[[QWidget], object]:
    """An area with content of this width."""

    def fill(window: QWidget) -> None:
        area = QScrollArea(window)
        area.setHorizontalScrollBarPolicy(policy)
        content = QWidget()
        content.setFixedSize(width, 900)
        area.setWidget(content)
        area.setGeometry(0, 0, 200, 200)

    return fill


def unwrapped_text(policy: Qt.ScrollBarPolicy) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        edit = QPlainTextEdit(LONG, window)
        edit.setAccessibleName("A text")
        edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        edit.setHorizontalScrollBarPolicy(policy)
        edit.setGeometry(0, 0, 100, 100)

    return fill


def tabs(width: int) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        bar = QTabBar(window)
        bar.setAccessibleName("Tabs")
        bar.setElideMode(Qt.TextElideMode.ElideNone)
        bar.setExpanding(False)
        bar.setStyleSheet(f"QTabBar::tab {{ max-width: {width}px }}")
        bar.addTab(LONG)
        bar.setGeometry(0, 0, SIZE.width(), 40)

    return fill


def header(width: int) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        view = QHeaderView(Qt.Orientation.Horizontal, window)
        view.setAccessibleName("Heads")
        model = QStandardItemModel(1, 1, view)
        model.setHorizontalHeaderLabels([LONG])
        view.setModel(model)
        view.setTextElideMode(Qt.TextElideMode.ElideNone)
        view.setGeometry(0, 0, SIZE.width(), 40)
        view.resizeSection(0, width)

    return fill


def rows(height: int) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        view = QListView(window)
        view.setAccessibleName("Rows")
        model = QStandardItemModel(view)
        item = QStandardItem("A row")
        item.setSizeHint(QSize(100, height))
        model.appendRow(item)
        view.setModel(model)
        view.setGeometry(0, 0, 200, 200)

    return fill


def in_a_row(kind: type[QWidget], *, room: int) -> Callable[[QWidget], object]:
    """Two widgets of 100 px in a layout of this width, in a panel that has enough."""

    def fill(window: QWidget) -> None:
        row = QHBoxLayout()
        window.setLayout(row)
        for _ in range(2):
            widget = kind()
            widget.setAccessibleName("A name")
            widget.setMinimumSize(100, 30)
            row.addWidget(widget)
        row.setEnabled(False)
        for widget, left in zip(window.findChildren(kind), (0, room - 100), strict=True):
            widget.setGeometry(left, 0, 100, 30)

    return fill


def button_with_a_tag(width: int) -> Callable[[QWidget], object]:
    def fill(window: QWidget) -> None:
        button = placed(QPushButton, QRect(0, 0, width, 32), "A page")(window)
        inside = QVBoxLayout(button)
        inside.addWidget(QLabel("learning 42 %"), 0, Qt.AlignmentFlag.AlignRight)

    return fill


def picture_button(window: QWidget) -> None:
    button = QToolButton(window)
    pixmap = QPixmap(16, 16)
    pixmap.fill(Qt.GlobalColor.black)
    button.setIcon(QIcon(pixmap))
    button.setText(LONG)  # which is not drawn
    button.setAccessibleName("A name")
    button.setGeometry(0, 0, 32, 32)


def whole_label(window: QWidget) -> None:
    label = QLabel(LONG, window)
    label.adjustSize()


def elided_label(window: QWidget) -> None:
    LineLabel(LONG).setParent(window)
    window.findChild(LineLabel).setGeometry(0, 0, 100, 30)  # type: ignore[union-attr]


def nameless(kind: type[QWidget]) -> Callable[[QWidget], object]:
    return lambda window: kind(window).setGeometry(0, 0, 100, 100)


WRONG = {
    "beyond its parent": (placed(QLabel, QRect(380, 0, 60, 30)), FlawKind.OUTSIDE),
    "above its parent": (placed(QLabel, QRect(0, -1, 60, 30)), FlawKind.OUTSIDE),
    "wider than its panel": (
        scroll_area(300, Qt.ScrollBarPolicy.ScrollBarAlwaysOff),
        FlawKind.OUTSIDE,
    ),
    "larger than the screen": (lambda window: window.resize(9000, 300), FlawKind.OUTSIDE),
    "a label that is cut": (placed(QLabel, QRect(0, 0, 100, 30), LONG), FlawKind.CUT),
    "a label that is too flat": (placed(QLabel, QRect(0, 0, 200, 8), "Words"), FlawKind.CUT),
    "a wrapped label that is too flat": (wrapped(QRect(0, 0, 100, 30), LONG), FlawKind.CUT),
    "a word that is too long": (wrapped(QRect(0, 0, 60, 200), "x" * 40), FlawKind.CUT),
    "a marked-up word that is too long": (
        wrapped(QRect(0, 0, 60, 200), f"<b>{'x' * 40}</b>"),
        FlawKind.CUT,
    ),
    "a button that is cut": (placed(QPushButton, QRect(0, 0, 100, 30), LONG), FlawKind.CUT),
    "a check box that is cut": (placed(QCheckBox, QRect(0, 0, 100, 30), LONG), FlawKind.CUT),
    "a word under a tag": (button_with_a_tag(100), FlawKind.CUT),
    "a choice that is cut": (combo_box(100), FlawKind.CUT),
    "a number that is cut": (spin_box(60), FlawKind.CUT),
    "a placeholder that is cut": (placeholder(24), FlawKind.CUT),
    "a text that cannot be scrolled": (
        unwrapped_text(Qt.ScrollBarPolicy.ScrollBarAlwaysOff),
        FlawKind.CUT,
    ),
    "a tab that is cut": (tabs(60), FlawKind.CUT),
    "a head that is cut": (header(60), FlawKind.CUT),
    "a button that is too small": (placed(QPushButton, QRect(0, 0, 40, 23)), FlawKind.SMALL),
    "a field that is too small": (placed(QLineEdit, QRect(0, 0, 100, 20)), FlawKind.SMALL),
    "a slider that is too small": (placed(QSlider, QRect(0, 0, 20, 100)), FlawKind.SMALL),
    "a row that is too small": (rows(20), FlawKind.SMALL),
    "a button without a name": (nameless(QToolButton), FlawKind.NAMELESS),
    "a field without a name": (nameless(QLineEdit), FlawKind.NAMELESS),
    "a list without a name": (nameless(QListView), FlawKind.NAMELESS),
    "buttons on top of each other": (
        lambda window: [placed(QPushButton, QRect(x, 0, 60, 30))(window) for x in (0, 50)],
        FlawKind.OVERLAP,
    ),
    "a layout that is too narrow": (in_a_row(QLabel, room=150), FlawKind.OVERLAP),
}
RIGHT: dict[str, Callable[[QWidget], object]] = {
    "an empty window": lambda window: None,
    "a label": whole_label,
    "a label that is cut with dots": elided_label,
    "a label that was cut with dots": placed(QLabel, QRect(0, 0, 120, 30), "Words that ar…"),
    "a wrapped label": wrapped(QRect(0, 0, 200, 200), LONG),
    "a button": placed(QPushButton, QRect(0, 0, 120, 30), "Words"),
    "a button that is a picture": picture_button,
    "a button with a tag": button_with_a_tag(300),
    "a choice": combo_box(200, "Words"),
    "a number": spin_box(200),
    "a placeholder": placeholder(200),
    "what scrolls down": scroll_area(150, Qt.ScrollBarPolicy.ScrollBarAlwaysOff),
    "what scrolls sideways": scroll_area(300, Qt.ScrollBarPolicy.ScrollBarAsNeeded),
    "a text that scrolls sideways": unwrapped_text(Qt.ScrollBarPolicy.ScrollBarAsNeeded),
    "a row": rows(24),
    "buttons beside each other": in_a_row(QPushButton, room=200),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(qtbot: QtBot, name: str) -> None:
    fill, kind = WRONG[name]
    assert kinds(qtbot, fill) == {kind}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_found_in_what_is_right(qtbot: QtBot, name: str) -> None:
    assert kinds(qtbot, RIGHT[name]) == set()


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_a_menu_is_looked_at_too(qtbot: QtBot) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    for number in range(60):
        menu.addAction(f"Action {number}")
    menu.setStyleSheet("QMenu::item { padding: 0; height: 12px }")
    menu.popup(menu.screen().geometry().topLeft())
    menu.resize(menu.width(), 100)
    assert {flaw.kind for flaw in flaws_of(menu)} == {FlawKind.CUT, FlawKind.SMALL}


def test_a_flaw_says_where(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(SIZE)
    placed(QPushButton, QRect(0, 0, 100, 30), LONG)(window)
    window.show()
    (flaw,) = flaws_of(window)
    assert "QPushButton “Words that are much longer tha”" in str(flaw)
    assert "in 100" in str(flaw)
