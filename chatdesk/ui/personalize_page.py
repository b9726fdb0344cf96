"""The page on which the model learns: the adapter in use, the run that is on, the history."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import RUNNING, AdapterState
from chatdesk.services.facts import LearningProgress
from chatdesk.ui.adapter_card import AdapterCard
from chatdesk.ui.adapter_list import UNFINISHED, AdapterList
from chatdesk.ui.adapter_list_model import AdapterListModel
from chatdesk.ui.fields import plain_button, section, small
from chatdesk.ui.icons import ICON_SIZE, icon
from chatdesk.ui.notice import Notice
from chatdesk.ui.overview import Overview
from chatdesk.ui.personalize_welcome import HowItGoes, MissingCard
from chatdesk.ui.run_card import RunCard
from chatdesk.ui.theme import Theme, set_class

WIDTH = 1080
MARGIN = 40
NARROW = 820  # pixels below which the two cards stand below each other
NARROWER = 540  # likewise the title and its buttons


class PersonalizePage(QWidget):
    """Shows an `Overview`; requests go up, those of the parts from the parts."""

    learn_requested = Signal()
    settings_requested = Signal()
    import_requested = Signal()
    back_requested = Signal()
    sidebar_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # for Escape
        self._overview = Overview()
        self.notice = Notice(theme)
        self.missing = MissingCard(theme)
        self.card = AdapterCard(theme)
        self.run = RunCard(theme)
        self.how = HowItGoes(theme)
        self.model = AdapterListModel()
        self.history = AdapterList(self.model, theme)
        self._sidebar = _tool(tr("Show the sidebar (Ctrl+B)"))
        self._back = _tool(tr("Back to the chat (Esc)"))
        self._settings = plain_button(tr("What it may learn from"))
        self._learn = plain_button(tr("Learn now"))
        self._import = plain_button(tr("Import…"), tr("Import an adapter made elsewhere"))
        self._build()
        self._connect()
        self.set_theme(theme)
        for part in (self.card, self.run, self.how, self._past):  # until it is known what there is
            part.hide()
        self._learn.setEnabled(False)

    # Assembly

    def _build(self) -> None:
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._cards.setSpacing(16)
        self._cards.addWidget(self.card, 3)
        self._cards.addWidget(self.run, 2)
        content = QWidget()
        content.setMaximumWidth(WIDTH)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 24, 0, 28)
        column.setSpacing(16)
        column.addLayout(self._header())
        column.addWidget(self.notice)
        column.addWidget(self.missing)
        column.addLayout(self._cards)
        column.addWidget(self.how)
        column.addWidget(self._history_part())
        column.addStretch(1)
        centred = QWidget()
        centred.setObjectName("page")
        self._margins = row = QHBoxLayout(centred)
        row.addStretch(1)
        row.addWidget(content, 1000)  # all there is, up to its largest width
        row.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(centred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def _header(self) -> QVBoxLayout:
        title = QLabel(tr("Personalize"))
        set_class(title, "page-title")
        set_class(self._learn, "primary")
        left, right = QHBoxLayout(), QHBoxLayout()
        for row, widgets in (
            (left, (self._sidebar, self._back, title)),
            (right, (self._settings, self._learn)),
        ):
            row.setSpacing(8)
            for widget in widgets:
                row.addWidget(widget)
        left.addStretch(1)
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._top.setSpacing(8)
        self._top.addLayout(left, 1)
        self._top.addLayout(right)
        lead = small(
            tr(
                "Your model learns from answers you rated or corrected. Nothing leaves this "
                "computer, and nothing goes live without proof."
            )
        )
        set_class(lead, "muted")
        header = QVBoxLayout()
        header.setSpacing(4)
        header.addLayout(self._top)
        header.addWidget(lead)
        return header

    def _history_part(self) -> QWidget:
        self._past = QWidget()
        self._heading = section(tr("History").upper())
        self._elsewhere = small(tr("You can also import an adapter that was made elsewhere."))
        heading = QHBoxLayout()
        heading.addWidget(self._heading, 1)
        heading.addWidget(self._elsewhere, 1)
        heading.addWidget(self._import)
        set_class(self._import, "link")
        card = QFrame()
        set_class(card, "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 0, 1, 0)
        inside.addWidget(self.history)
        self._listed = card
        column = QVBoxLayout(self._past)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        column.addLayout(heading)
        column.addWidget(card)
        return self._past

    def _connect(self) -> None:
        for signal, slot in (
            (self._sidebar.clicked, self.sidebar_requested),
            (self._back.clicked, self.back_requested),
            (self._settings.clicked, self.settings_requested),
            (self._learn.clicked, self.learn_requested),
            (self._import.clicked, self.import_requested),
            (self.card.scorecard_requested, self.history.scorecard_requested),
        ):
            signal.connect(slot)

    # What it is told

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        for part in (self.notice, self.missing, self.card, self.run, self.how, self.history):
            part.set_theme(theme)
        self._sidebar.setIcon(icon("sidebar", theme.muted))
        self._back.setIcon(icon("chevron-left", theme.muted))

    def offer_sidebar(self, offered: bool) -> None:
        """Whether there is a sidebar to show; its chats lead back."""
        self._sidebar.setVisible(offered)
        self._back.setVisible(offered)

    def show_overview(self, overview: Overview) -> None:
        """Show how it stands."""
        self._overview = overview
        self.missing.show_missing(overview.missing)
        self.model.show(overview.records, overview.withdrawn)
        for part in (self._heading, self._listed):
            part.setVisible(bool(overview.records))
        self._elsewhere.setVisible(not overview.records)
        self._show_card(overview)
        self.how.setVisible(not overview.records)
        self._past.show()
        self.show_progress(overview.progress)

    def show_progress(self, progress: LearningProgress | None) -> None:
        """How far the run that is on has come; without one, the newest if it can go on."""
        newest = self._overview.of_model[:1]
        on = progress is not None and progress.state in RUNNING
        stopped = not on and bool(newest) and newest[0].state in UNFINISHED
        if progress and on:
            record = self._overview.record(progress.adapter_id)
            self.run.show_progress(record.name if record else "", progress)
        elif stopped:
            self.run.show_stopped(newest[0])
        self.run.setVisible(on or stopped)
        self._offer_learning(on)

    def _show_card(self, overview: Overview) -> None:
        measured = [each for each in overview.of_model if each.scorecard]
        if active := overview.active:
            self.card.show_adapter(active, overview.back_to, overview.trend)
        elif measured and measured[0].state is AdapterState.REJECTED:
            self.card.show_newest(measured[0])
        elif overview.model:
            self.card.show_none(overview.model.header.name)
        self.card.setVisible(bool(overview.records) and overview.model is not None)

    def _offer_learning(self, on: bool) -> None:
        if self._overview.missing:
            problem = tr("Learning is not installed")
        elif self._overview.model is None:
            problem = tr("There is no model to teach.")
        elif on:
            problem = tr("One run at a time: wait for its end, or cancel it.")
        else:
            problem = ""
        self._learn.setEnabled(not problem)
        self._learn.setToolTip(problem)

    # Qt's names from here on

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leads back to the chat."""
        if event.key() == Qt.Key.Key_Escape:
            self.back_requested.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards beside or below each other, and the title and its buttons."""
        super().resizeEvent(event)
        down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._cards.setDirection(down if self.width() < NARROW else right)
        self._top.setDirection(down if self.width() < NARROWER else right)
        margin = MARGIN // 2 if self.width() < NARROWER else MARGIN
        self._margins.setContentsMargins(margin, 0, margin, 0)


def _tool(name: str) -> QToolButton:
    button = QToolButton()
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFixedSize(36, 36)
    button.setIconSize(ICON_SIZE)
    return button
