"""One example as it would be learned: the context, the target, and the masked values."""

import re
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import Example, Finding
from chatdesk.ui.icons import icon, icon_size, show_icon
from chatdesk.ui.personalize.preview.model import PreviewModel
from chatdesk.ui.personalize.words import (
    cut_words,
    doubt_words,
    finding_words,
    role_words,
    why_words,
)
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fading_edges import FadingEdges
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.tag import Tag, Tone
from chatdesk.ui.widgets.wrapping import Columns, Flow

_SHOWN_SOURCES = 5
_ANSWER = 160  # pixels of an answer beside another, at least
_SHOWN = 48  # characters of a chat's title, and of a secret beside its placeholder


class ExampleView(QScrollArea):
    """Emits requests to mask a value or not, and to open the `Source` of an example."""

    mask_requested = Signal(str, bool)
    open_requested = Signal(object)

    def __init__(self, model: PreviewModel, theme: Theme) -> None:
        super().__init__()
        self._model = model
        self._theme = theme
        self._example: Example | None = None
        self._longest = 0
        self._before: QWidget | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("The example"))
        FadingEdges(self)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._theme = theme
        self._show()

    def show_example(self, example: Example | None, longest: int) -> None:
        """Show an example, or nothing; `longest` is the largest sequence in tokens."""
        if (example, longest) == (self._example, self._longest):
            return
        another = not (example and self._example and example.id == self._example.id)
        self._example, self._longest = example, longest
        at = 0 if another else self.verticalScrollBar().value()
        focused = QApplication.focusWidget()
        name = focused.accessibleName() if focused and self.isAncestorOf(focused) else ""
        self._show()
        self.verticalScrollBar().setValue(at)
        for box in self.findChildren(CheckBox):
            if name and box.accessibleName() == name:
                box.setFocus()

    def _show(self) -> None:
        inner = QWidget()
        inner.setObjectName("page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(28, 20, 28, 24)
        column.setSpacing(12)
        if example := self._example:
            column.addWidget(self._origin(example))
            for line in self._remarks(example):
                column.addLayout(line)
            for turn in example.turns:
                column.addWidget(self._turn(role_words(turn.role), turn.content))
            column.addWidget(self._targets(example))
            if example.findings:
                column.addWidget(self._findings(example.findings))
        column.addStretch(1)
        inner.setMinimumWidth(1)  # never wider than the view, which does not scroll sideways
        self._before = self.takeWidget()  # what asks for another view may still be at work in it
        self.setWidget(inner)

    def _origin(self, example: Example) -> Flow:
        row = Flow(6)
        row.add(Tag(why_words(example.why), Tone.GOOD))
        for source in example.sources[:_SHOWN_SOURCES]:
            where = self._model.where(source)
            if source.is_file:
                row.add(small(where))
                continue
            button = plain_button(
                tr("Open “{title}”", title=_shortened(where)),
                tr("Open the chat “{title}”", title=where),
            )
            button.setToolTip(button.accessibleName())
            show_icon(button, "chat", self._theme.muted)
            set_class(button, "link")
            button.clicked.connect(lambda _=False, at=source: self.open_requested.emit(at))
            row.add(button)
        return row

    def _remarks(self, example: Example) -> list[QHBoxLayout]:
        lines = [(doubt_words(doubt)[1], True) for doubt in example.doubts]
        if example.doubts and not example.chosen:
            words = tr("It is left out for that; tick it in the list to learn it all the same.")
            lines.append((words, False))
        if cut := cut_words(example, self._longest):
            lines.append((cut, False))
        return [self._remark(*line) for line in lines]

    def _remark(self, words: str, is_doubt: bool) -> QHBoxLayout:
        mark, label = QLabel(), small(words)
        name, colour = ("warning", self._theme.warn) if is_doubt else ("info", self._theme.muted)
        mark.setPixmap(icon(name, colour).pixmap(icon_size()))
        if is_doubt:
            set_class(label, "warn")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label, 1)
        return row

    def _turn(self, role: str, content: str) -> QWidget:
        turn = QWidget()
        column = QVBoxLayout(turn)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(_heading(role))
        column.addWidget(self._words(content, "muted"))
        return turn

    def _targets(self, example: Example) -> Columns:
        beside = Columns(_ANSWER)
        beside.add(self._card(tr("The answer to learn"), example.target, "target"))
        if example.rejected:
            beside.add(self._card(tr("Rather than"), example.rejected, "inset"))
        return beside

    def _card(self, heading: str, text: str, look: str) -> QFrame:
        card = QFrame()
        set_class(card, look)
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(6)
        column.addWidget(_heading(heading))
        column.addWidget(self._words(text, "muted" if look == "inset" else ""))
        column.addStretch(1)
        return card

    def _words(self, text: str, look: str) -> QLabel:
        assert self._example
        label = QLabel(marked(self._example, text, self._theme))
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if look:
            set_class(label, look)
        return label

    def _findings(self, findings: tuple[Finding, ...]) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(8)
        column.addWidget(_heading(tr("Secrets and personal data")))
        column.addWidget(
            small(tr("What is ticked is learned as its placeholder, wherever it appears."))
        )
        for finding in findings:
            column.addWidget(self._finding(finding))
        return part

    def _finding(self, finding: Finding) -> CheckBox:
        words = tr(
            "{placeholder} for {value} ({kind})",
            placeholder=finding.placeholder,
            value=_shortened(finding.value),
            kind=finding_words(finding.kind),
        )
        box = CheckBox(words, self._theme, checked=finding.masked)
        box.setAccessibleName(tr("Mask: {what}", what=words))
        box.toggled.connect(lambda on: self.mask_requested.emit(finding.value, on))
        return box


def marked(example: Example, text: str, theme: Theme) -> str:
    """Return `text` as learned, as rich text with highlighted placeholders and open secrets."""
    looks = {
        finding.placeholder if finding.masked else finding.value: (
            (theme.accent, theme.accent_soft) if finding.masked else (theme.warn, theme.hover)
        )
        for finding in example.findings
    }
    shown = example.shown(text)
    if not looks:
        return _block(escape(shown))
    longest_first = sorted(looks, key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, longest_first))})", shown)
    for at in range(1, len(pieces), 2):
        colour, ground = looks[pieces[at]]
        style = f"color:{colour}; background-color:{ground}"
        pieces[at] = f'<span style="{style}">{escape(pieces[at])}</span>'
    return _block("".join(escape(p) if at % 2 == 0 else p for at, p in enumerate(pieces)))


def _block(html: str) -> str:
    return f'<div style="white-space: pre-wrap">{html}</div>'


def _heading(words: str) -> QLabel:
    label = QLabel(words)
    set_class(label, "section")
    return label


def _shortened(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
