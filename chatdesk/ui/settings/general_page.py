"""The general settings: looks, language, sending, how the assistant should be, newer versions."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPlainTextEdit

from chatdesk.core.i18n import LANGUAGES, tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.settings.update_controller import open_page
from chatdesk.ui.settings.update_row import UpdateRow
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import CheckBox, Choice

TYPING_MS = 500


class GeneralPage(SettingsPage):
    """Look and behaviour of the window."""

    section, icon = "general", "settings"

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("General"), settings)
        now = settings.now.general
        system = {"system": tr("Same as the system")}
        looks = Choice({**system, "light": tr("Light"), "dark": tr("Dark")}, now.theme, theme)
        looks.activated.connect(lambda _: self._edit(theme=looks.value))
        language = Choice({**system, **LANGUAGES}, now.language, theme)
        language.activated.connect(lambda _: self._edit(language=language.value))
        enter = CheckBox(
            tr("Enter sends, Shift+Enter begins a new line"), theme, checked=now.enter_sends
        )
        enter.toggled.connect(lambda on: self._edit(enter_sends=on))
        self._saved_prompt = settings.now.chat.system_prompt
        self._prompt = self._prompt_field(self._saved_prompt)
        self._add(tr("Appearance"), looks)
        self._add(tr("Language"), language, tr("It changes with the next start."))
        self._add(tr("Sending"), enter)
        self._add(
            tr("System prompt of new chats"),
            self._prompt,
            tr("How the assistant should be, in your words."),
        )
        self.updates = UpdateRow(theme, checked=now.look_for_updates)
        self.updates.toggled.connect(lambda on: self._edit(look_for_updates=on))
        self._column.addWidget(self.updates)
        self._column.addStretch(1)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Check for a newer version when the user asks for it."""
        row = self.updates

        def look() -> None:
            self._ask(bridge, lambda app: app.updates.look(), row.show_release, row.show_problem)

        row.look_requested.connect(look)
        row.page_requested.connect(open_page)
        self._ask(
            bridge, lambda app: app.updates.host, lambda host: row.offer(host) if host else None
        )  # a build for a store has none

    def finish(self) -> None:
        """Keep the prompt now rather than after a pause."""
        self._keep_prompt()
        super().finish()

    def _keep_prompt(self) -> None:
        self._typing.stop()
        prompt = self._prompt.toPlainText().strip()
        if prompt != self._saved_prompt:
            self._saved_prompt = prompt
            self._settings.edit("chat", system_prompt=prompt)

    def _prompt_field(self, text: str) -> QPlainTextEdit:
        field = QPlainTextEdit(text)
        set_class(field, "field")
        field.setFixedHeight(108)
        field.setTabChangesFocus(True)
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typing.timeout.connect(self._keep_prompt)
        field.textChanged.connect(self._typing.start)
        return field
