"""The settings of personalization: what may be learned from, and when."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import LearnFrom
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, PageId, SettingsId
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, scaled
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import hint, plain_button, section, small
from chatdesk.ui.widgets.wrapping import Flow

_MARK, _GAP = 16, 8  # pixels before the words of a choice, as in the style sheet


class LearningSettingsPage(SettingsPage):
    """Asks for the page on which there is more to see than to set."""

    section, icon = SettingsId.LEARNING, "leaf"
    personalize_requested = Signal()

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("Personalization"), settings)
        now = settings.now.learning
        self._add_introduction()
        self._column.addWidget(section(tr("What it may learn from")))
        self._add_sources(now.learn_from)
        self._column.addWidget(section(tr("When it learns")))
        for name, words, note in _switches():
            switch = CheckBox(words, theme, checked=getattr(now, name))
            switch.toggled.connect(lambda on, name=name: self._edit(**{name: on}))
            self._add_switch(switch, note)
        self._column.addStretch(1)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Lead to the page on which there is more to see."""
        self.personalize_requested.connect(partial(navigator.show, PageId.PERSONALIZE))

    def _add_introduction(self) -> None:
        page = plain_button(tr("Open Personalize"))
        page.clicked.connect(self.personalize_requested)
        row = Flow(16)
        row.add(small(tr("What is learned stays on this computer.")), grows=True)
        row.add(page)
        self._column.addWidget(row)

    def _add_sources(self, current: LearnFrom) -> None:
        self._sources = QButtonGroup(self)
        choices = QVBoxLayout()
        choices.setSpacing(2)
        for source, words, note in _sources():
            button = QRadioButton(words)
            button.setAccessibleDescription(note)
            button.setChecked(source == current)
            button.clicked.connect(lambda _, source=source: self._edit(learn_from=source))
            self._sources.addButton(button)
            explained = hint(note)
            explained.setContentsMargins(scaled(_MARK) + _GAP, 0, 0, 8)
            choices.addWidget(button)
            choices.addWidget(explained)
        self._column.addLayout(choices)


def _sources() -> tuple[tuple[LearnFrom, str, str], ...]:
    return (
        (
            LearnFrom.RATED,
            tr("Only what I rated or corrected"),
            tr("Answers with a thumbs up, corrected ones, and the one you kept of several."),
        ),
        (
            LearnFrom.EVERYTHING,
            tr("Everything but what I exclude"),
            tr("You exclude it in the menu of an answer or a chat."),
        ),
        (
            LearnFrom.NOTHING,
            tr("Nothing"),
            tr("Only chat files that you add yourself."),
        ),
    )


def _switches() -> tuple[tuple[str, str, str], ...]:
    """The field of `LearningSettings`, the words and the note of each switch."""
    return (
        (
            "when_idle",
            tr("Only while nobody uses the computer"),
            tr("Otherwise it learns in the background, and waits while you chat."),
        ),
        (
            "on_battery",
            tr("Go on while on battery"),
            tr("Otherwise it waits until the computer is plugged in."),
        ),
        (
            "when_hot",
            tr("Go on when the processor is hot"),
            tr("Otherwise it waits until it has cooled down."),
        ),
        (
            "tensorboard",
            tr("Write files for TensorBoard"),
            tr("Into the folder of each run, beside its adapter. There are no words in them."),
        ),
    )
