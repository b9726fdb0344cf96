"""The page on which the model learns: the adapter in use, the run that is on, the history."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import RUNNING, AdapterState
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.ui.personalize.adapter_card import AdapterCard
from chatdesk.ui.personalize.adapter_list import UNFINISHED, AdapterList
from chatdesk.ui.personalize.adapter_list_model import AdapterListModel
from chatdesk.ui.personalize.overview import Overview
from chatdesk.ui.personalize.run_card import RunCard
from chatdesk.ui.personalize.welcome import MissingCard, PersonalizeWelcome
from chatdesk.ui.theme import Theme, scaled, set_class
from chatdesk.ui.widgets.fields import plain_button, section, small
from chatdesk.ui.widgets.page import PageView
from chatdesk.ui.widgets.wrapping import Flow

NARROW = 960  # pixels below which the two cards stand below each other, the run first


class PersonalizePage(PageView):
    """Shows an `Overview`; requests go up, those of the parts from the parts."""

    learn_requested = Signal()
    settings_requested = Signal()
    import_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(tr("Personalize"), theme)
        self._overview = Overview()
        self.missing = MissingCard(theme)
        self.card = AdapterCard(theme)
        self.run = RunCard(theme)
        self.how = PersonalizeWelcome(theme)
        self.model = AdapterListModel()
        self.history = AdapterList(self.model, theme)
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
        column = self.column
        column.setSpacing(16)
        column.addLayout(self._header())
        column.addWidget(self.missing)
        column.addLayout(self._cards)
        column.addWidget(self.how)
        column.addWidget(self._history_part())
        column.addStretch(1)

    def _header(self) -> QVBoxLayout:
        set_class(self._learn, "primary")
        lead = small(
            tr(
                "It learns from answers you rated or corrected, on this computer only. "
                "Nothing is used without proof."
            )
        )
        set_class(lead, "muted")
        return self.header(lead, self._settings, self._learn)

    def _history_part(self) -> QWidget:
        self._past = QWidget()
        self._heading = section(tr("History").upper())
        self._elsewhere = small(tr("You can also import an adapter that was made elsewhere."))
        heading = Flow()
        heading.add(self._heading, grows=True)
        heading.add(self._elsewhere)
        heading.add(self._import)
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
        column.addWidget(heading)
        column.addWidget(card)
        return self._past

    def _connect(self) -> None:
        for signal, slot in (
            (self._settings.clicked, self.settings_requested),
            (self._learn.clicked, self.learn_requested),
            (self._import.clicked, self.import_requested),
            (self.card.scorecard_requested, self.history.scorecard_requested),
        ):
            signal.connect(slot)

    # State to show

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        super().set_theme(theme)
        for part in (self.missing, self.card, self.run, self.how, self.history):
            part.set_theme(theme)

    def show_overview(self, overview: Overview) -> None:
        """Show how it stands."""
        self._overview = overview
        self.missing.show_missing(
            _missing_title(overview),
            overview.missing or overview.obstacle,
            to_get=bool(overview.missing),
        )
        self.model.show(overview.records, overview.withdrawn)
        for part in (self._heading, self._listed):
            part.setVisible(bool(overview.records))
        self._elsewhere.setVisible(not overview.records)
        self._show_card(overview)
        self.how.show_ready(overview.ready, overview.least)
        self.how.setVisible(not overview.records)
        self._past.show()
        self.show_progress(overview.progress)

    def show_progress(self, progress: LearningProgress | None) -> None:
        """Show the progress of the current run; without one, the newest if it can be resumed."""
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
            unused = next((each for each in overview.of_model if each.is_usable), None)
            on = overview.progress is not None and overview.progress.state in RUNNING
            self.card.show_none(overview.model.header.name, unused, learning=on)
        top = Qt.AlignmentFlag.AlignTop if self.card.is_short else Qt.AlignmentFlag(0)
        self._cards.setAlignment(self.card, top)
        self.card.setVisible(bool(overview.records) and overview.model is not None)

    def _offer_learning(self, on: bool) -> None:
        if self._overview.missing or self._overview.obstacle:
            problem = _missing_title(self._overview)
        elif self._overview.model is None:
            problem = tr("There is no model to learn with.")
        elif on:
            problem = tr("One run at a time: wait for its end, or cancel it.")
        else:
            problem = ""
        self._learn.setEnabled(not problem)
        self._learn.setToolTip(problem)

    # Qt's names from here on

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards beside or below each other."""
        super().resizeEvent(event)
        up, right = QBoxLayout.Direction.BottomToTop, QBoxLayout.Direction.LeftToRight
        self._cards.setDirection(up if self.width() < scaled(NARROW) else right)


def _missing_title(overview: Overview) -> str:
    if overview.installing:
        return tr("Learning is being installed")
    if overview.missing:
        return tr("Learning is not installed")
    return tr("Nothing can be learned with this model")
