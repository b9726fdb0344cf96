"""The general settings: looks, language, sending, how the assistant should be, newer versions."""

from chatdesk.core.i18n import LANGUAGES, tr, trn
from chatdesk.core.settings import TEXT_PERCENTS
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.settings.update_controller import open_page
from chatdesk.ui.settings.update_row import UpdateRow
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.enter_rule import EnterRule, enter_words
from chatdesk.ui.widgets.fields import Choice
from chatdesk.ui.widgets.prompt_field import PromptField

_TRASH_DAYS = 7, 30, 90, 365


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
        sizes = Choice({each: f"{each} %" for each in TEXT_PERCENTS}, now.text_percent, theme)
        sizes.activated.connect(lambda _: self._edit(text_percent=sizes.value))
        enter = CheckBox(enter_words(enter_sends=True), theme, checked=now.enter_sends)
        enter.toggled.connect(lambda on: self._edit(enter_sends=on))
        rule = EnterRule(enter_sends=now.enter_sends)
        enter.toggled.connect(rule.set_enter_sends)
        self._prompt = PromptField(rule)
        self._prompt.show_text(settings.now.chat.system_prompt)
        self._prompt.changed.connect(self._keep_prompt)
        self._prompt.left.connect(self.focusNextChild)
        self._add(tr("Appearance"), looks)
        self._add(tr("Text size"), sizes, tr("Ctrl + and Ctrl − change it, too."))
        self._add(tr("Language"), language, tr("It changes at the next start."))
        self._add(tr("Sending"), enter)
        kept = settings.now.chat.trash_days
        days = {each: trn("{n} day", "{n} days", each) for each in sorted({*_TRASH_DAYS, kept})}
        days.pop(0, None)
        trash = Choice({**days, 0: tr("until I delete them for good")}, kept, theme)
        trash.activated.connect(lambda _: settings.edit("chat", trash_days=trash.value))
        self._add(tr("Deleted chats are kept"), trash)
        self._add(tr("System prompt of new chats"), self._prompt)
        announce = CheckBox(
            tr("Tell me when a long answer is ready behind other windows"),
            theme,
            checked=now.announce_answers,
        )
        announce.toggled.connect(lambda on: self._edit(announce_answers=on))
        self._add_switch(announce, tr("With the title of the chat, and nothing of the answer."))
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
        self._prompt.flush()
        super().finish()

    def _keep_prompt(self, prompt: str) -> None:
        self._settings.edit("chat", system_prompt=prompt.strip())
