"""On or off, with words beside it."""

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QStyle, QStyleOptionButton

from chatdesk.ui.icons import icon
from chatdesk.ui.theme import Theme, scaled

_SHORT_LINE = 160  # pixels


class CheckBox(QCheckBox):
    """On or off, with the app's own tick. Its words are wrapped, which Qt's own are not."""

    def __init__(self, words: str, theme: Theme, *, checked: bool = False) -> None:
        super().__init__(words)
        self._words = words
        self._whole = QSize()  # with all words in one line
        self.setAccessibleName(words)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setChecked(checked)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._tick = icon("check", theme.on_accent)
        self._still_tick = icon("check", theme.muted)
        self.update()

    def sizeHint(self) -> QSize:
        """Room for one line."""
        if not self._whole.isValid():
            self.setText(self._words)
            self._whole = super().sizeHint()
            self._wrap()
        return self._whole

    def minimumSizeHint(self) -> QSize:
        """Room for short lines."""
        whole = self.sizeHint()
        return QSize(min(whole.width(), scaled(_SHORT_LINE)), whole.height())

    def heightForWidth(self, width: int) -> int:
        """Room for as many lines as it takes."""
        more = len(self._lines(width)) - 1
        return self.sizeHint().height() + more * self.fontMetrics().lineSpacing()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap the words."""
        super().resizeEvent(event)
        self._wrap()

    def changeEvent(self, event: QEvent) -> None:
        """Another look or font needs other room."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._whole = QSize()

    def _wrap(self) -> None:
        self.setText("\n".join(self._lines(self.width())))

    def _lines(self, width: int) -> list[str]:
        spare = width - self.sizeHint().width()
        if spare >= 0:
            return [self._words]
        room = self.fontMetrics().horizontalAdvance(self._words) + spare
        return wrapped_lines(self._words, self.font(), room)

    @property
    def words_at(self) -> int:
        """The pixels before its words."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        self.ensurePolished()
        element = QStyle.SubElement.SE_CheckBoxContents
        return self.style().subElementRect(element, option, self).left()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, then the tick."""
        super().paintEvent(event)
        if self.isChecked():
            option = QStyleOptionButton()
            self.initStyleOption(option)
            box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            tick = self._tick if self.isEnabled() else self._still_tick
            tick.paint(QPainter(self), box.adjusted(2, 2, -2, -2))


def wrapped_lines(words: str, font: QFont, width: int) -> list[str]:
    """Return words in lines of at most so many pixels."""
    layout = QTextLayout(words, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1, width))
        start = line.textStart()
        lines.append(words[start : start + line.textLength()].rstrip())
    layout.endLayout()
    return lines
