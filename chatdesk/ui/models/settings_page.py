"""The settings of every model: how it runs, how long it stays, what is kept on disk."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.core.units import GB, MB, size_words
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.context_window_choice import ContextWindowChoice
from chatdesk.ui.widgets.fields import Choice, plain_button
from chatdesk.ui.widgets.form import Form

PARALLEL = (1, 2, 3, 4, 6, 8)
UNLOAD_AFTER_MIN = (5, 15, 30, 60)
LIMITS = (500 * MB, GB, 2 * GB, 4 * GB, 8 * GB, 16 * GB)


class ModelSettingsPage(SettingsPage):
    """Asks to delete what is kept on disk; `show_kept` shows how much that is."""

    section, icon = "models", "cube"
    clear_requested = Signal()

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("Models"), settings)
        now = settings.now.models
        context = ContextWindowChoice(now.context_window, theme)
        context.activated.connect(lambda _: self._edit(context_window=context.value))
        parallel = Choice(_parallel(now.parallel), now.parallel, theme)
        parallel.activated.connect(lambda _: self._edit(parallel=parallel.value))
        unload = Choice(_minutes(now.unload_after_min), now.unload_after_min, theme)
        unload.activated.connect(lambda _: self._edit(unload_after_min=unload.value))
        self._add(
            tr("Context window"),
            context,
            tr("A larger one remembers more of a long chat and takes more memory."),
        )
        self._add(tr("Answers at once"), parallel, tr("They share the context window."))
        self._add(
            tr("Unload when unused"),
            unload,
            tr("The memory goes back to the system; your next message loads the model again."),
        )
        line = QFrame()
        set_class(line, "line")
        self._column.addWidget(line)
        self._add_keeping(settings, theme)
        self._column.addStretch(1)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Measure what is kept, and delete it."""

        def measure(_: None = None) -> None:
            self._ask(bridge, lambda app: app.sessions.used_bytes(), self.show_kept)

        def clear() -> None:
            self._ask(bridge, lambda app: app.sessions.clear(), measure)

        self.clear_requested.connect(clear)
        measure()

    def show_kept(self, used: int) -> None:
        """Show how many bytes are on disk now."""
        words = size_words(used)
        self._kept.setText(
            tr("{size} are kept now.", size=words) if used else tr("Nothing is kept now.")
        )
        self._clear.setEnabled(used > 0)

    def _add_keeping(self, settings: SettingsValue, theme: Theme) -> None:
        now = settings.now.sessions
        keep = CheckBox(tr("Keep on disk what the model has read"), theme, checked=now.keep)
        limit = Choice(_limits(now.limit_bytes), now.limit_bytes, theme)
        limit.setEnabled(now.keep)
        limit.activated.connect(lambda _: settings.edit("sessions", limit_bytes=limit.value))
        keep.toggled.connect(limit.setEnabled)
        keep.toggled.connect(lambda on: settings.edit("sessions", keep=on))
        self._kept = QLabel(tr("Checking how much is kept…"))
        set_class(self._kept, "small")
        self._clear = plain_button(
            tr("Delete"), tr("Delete what is kept on disk of what the model has read")
        )
        self._clear.setEnabled(False)
        self._clear.clicked.connect(self.clear_requested)
        used = QWidget()
        row = QHBoxLayout(used)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._kept, 1)
        row.addWidget(self._clear)
        self._add_switch(keep, tr("A long chat answers at once when it is opened again."))
        rows = Form()
        rows.add(tr("At most"), limit)
        self._column.addLayout(rows)
        self._column.addWidget(used)


def _parallel(current: int) -> dict[int, str]:
    return {n: str(n) for n in sorted({*PARALLEL, current})}


def _minutes(current: int) -> dict[int, str]:
    minutes = sorted({*UNLOAD_AFTER_MIN, current} - {0})
    return {n: trn("after {n} minute", "after {n} minutes", n) for n in minutes} | {0: tr("never")}


def _limits(current: int) -> dict[int, str]:
    return {size: size_words(size) for size in sorted({*LIMITS, current})}
