"""The adapter in use, or the reason why there is none, with its measurements."""

from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from chatdesk.core.i18n import tr
from chatdesk.core.personalization import AdapterRecord, AdapterState, RatingTrend
from chatdesk.ui.icons import icon, icon_size
from chatdesk.ui.personalize.scorecard_view import ScorecardView
from chatdesk.ui.personalize.words import facts_words, state_words
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.tag import Tag, Tone
from chatdesk.ui.widgets.wrapping import Flow


class AdapterCard(QFrame):
    """Its requests carry the `AdapterRecord`."""

    roll_back_requested = Signal(object)
    activate_requested = Signal(object)
    scorecard_requested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_class(self, "card")
        self._record: AdapterRecord | None = None
        self._name = QLabel()
        self._name.setWordWrap(True)
        set_class(self._name, "card-title")
        self._state, self._strength = Tag(), Tag()
        self._unused: AdapterRecord | None = None
        self._back = plain_button("")
        self._back.clicked.connect(lambda: self.roll_back_requested.emit(self._record))
        self._again = plain_button("")
        self._again.clicked.connect(lambda: self.activate_requested.emit(self._unused))
        self._facts = small("")
        self._alarm_words = QLabel()
        self._alarm_mark = QLabel()
        self._alarm = self._build_alarm()
        self._scorecard = ScorecardView(theme, full=False)
        self._more = plain_button(tr("Show the whole scorecard"))
        set_class(self._more, "link")
        self._more.setObjectName("flush")
        self._more.clicked.connect(lambda: self.scorecard_requested.emit(self._record))
        self._build()
        self.set_theme(theme)

    def _build_alarm(self) -> QFrame:
        alarm = QFrame()
        set_class(alarm, "alarm")
        self._alarm_words.setWordWrap(True)
        set_class(self._alarm_words, "value")
        row = QHBoxLayout(alarm)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(10)
        row.addWidget(self._alarm_mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._alarm_words, 1)
        return alarm

    def _build(self) -> None:
        top = Flow()
        for part in (self._name, self._state, self._strength):
            top.add(part)
        for button in (self._back, self._again):
            top.add(button, right=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 18)
        column.setSpacing(10)
        column.addWidget(top)
        column.addWidget(self._facts)
        column.addWidget(self._alarm)
        column.addWidget(self._scorecard)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._alarm_mark.setPixmap(icon("warning", theme.warn).pixmap(icon_size()))
        self._scorecard.set_theme(theme)

    def show_adapter(self, record: AdapterRecord, back_to: str, trend: RatingTrend | None) -> None:
        """Show the adapter in use; `back_to` is the one before it, "" the model as it is."""
        self._show(record)
        self._back.setText(
            tr("Roll back to {name}", name=back_to) if back_to else tr("Back to the model as it is")
        )
        self._offer(back=True)
        self._alarm.setVisible(worse := trend is not None and trend.worse)
        if trend and worse:
            self._alarm_words.setText(trend_words(trend))

    def show_newest(self, record: AdapterRecord) -> None:
        """Show that no adapter is in use, with the newest one that was measured and rejected."""
        self._show(record)
        self._offer()
        self._alarm.setVisible(record.state is AdapterState.REJECTED)
        self._alarm_words.setText(rejected_words(record))

    def show_none(self, model_name: str, unused: AdapterRecord | None, *, learning: bool) -> None:
        """Show that no adapter is in use, and none was rejected.

        `unused` is the newest that could be; `learning`, that there may soon be one.
        """
        self._record, self._unused = None, unused
        self._name.setText(tr("The model as it is"))
        words = [tr("{model} answers as it came: nothing it learned is in use.", model=model_name)]
        if learning:
            words.append(
                tr(
                    "What is being learned is tested before it is used. If it does not prove "
                    "better, nothing changes; if it does, one click goes back."
                )
            )
        self._facts.setText(" ".join(words))
        for part in (self._state, self._strength, self._alarm, self._scorecard, self._more):
            part.hide()
        if unused:
            self._again.setText(tr("Use “{name}” again", name=unused.name))
        self._offer(again=unused is not None)

    def _offer(self, *, back: bool = False, again: bool = False) -> None:
        """Show one of the buttons, or none; the other gets the focus of the one that goes."""
        for shown, button, other in (
            (back, self._back, self._again),
            (again, self._again, self._back),
        ):
            if shown:
                button.show()
                if other.hasFocus():
                    button.setFocus()
        self._back.setVisible(back)
        self._again.setVisible(again)

    @property
    def is_short(self) -> bool:
        """True while it has a few words only: a tall card of that would look empty."""
        return self._record is None

    def _show(self, record: AdapterRecord) -> None:
        self._record = record
        self._name.setText(record.name)
        self._state.show_words(*state_words(record))
        weaker = tr("strength {share} %", share=round(100 * record.scale))
        self._strength.show_words(weaker if record.scale != 1 else "", Tone.PLAIN)
        self._facts.setText(facts_words(record, datetime.now(UTC)))
        self._scorecard.setVisible(record.scorecard is not None)
        self._more.setVisible(record.scorecard is not None)
        self._scorecard.show_record(record)


def trend_words(trend: RatingTrend) -> str:
    """Return how ratings got worse under an adapter."""
    return tr(
        "You rate its answers worse than those before it: {down} of {n} thumbs point down, "
        "{down_before} of {n_before} did before. You can go back with the button above.",
        down=trend.down,
        n=trend.up + trend.down,
        down_before=trend.down_before,
        n_before=trend.up_before + trend.down_before,
    )


def rejected_words(record: AdapterRecord) -> str:
    """Return the meaning of a rejection."""
    return tr(
        "“{name}” did not pass the test and is not used. Nothing changed: {model} answers as "
        "before.",
        name=record.name,
        model=record.model_name,
    )
