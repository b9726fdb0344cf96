"""What ChatDesk is: its version and licence, where the data are, and every shortcut."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk import __version__
from chatdesk.core.i18n import tr
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.fact_list import FactList
from chatdesk.ui.widgets.fields import plain_button, section, small
from chatdesk.ui.widgets.labels import PlainLabel
from chatdesk.ui.widgets.wrapping import Flow


class AboutPage(SettingsPage):
    """It asks where the data are when it is opened."""

    section, icon = SettingsId.ABOUT, "info"

    def __init__(self, settings: SettingsValue) -> None:
        super().__init__(tr("About"), settings)
        self._folder = PlainLabel()
        self._show_data = plain_button(tr("Show my data"))
        self._show_data.setEnabled(False)
        self._shortcuts: FactList | None = None
        self._column.addWidget(small(tr("ChatDesk {version}", version=__version__)))
        self._column.addWidget(
            small(tr("Free software under the Apache License 2.0. It comes without warranty."))
        )
        self._column.addWidget(section(tr("Your data")))
        self._column.addWidget(
            small(tr("Chats and what was learned are in this folder on this computer:"))
        )
        row = Flow(16)
        row.add(self._folder, grows=True)
        row.add(self._show_data)
        self._column.addWidget(row)
        self._column.addWidget(section(tr("Keys")))
        self._keys = QVBoxLayout()
        self._column.addLayout(self._keys)
        self._column.addStretch(1)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Ask for the folder."""
        self._ask(bridge, lambda app: app.data_folder, self._show_folder)

    def turned_to(self) -> None:
        """List the keys that the window has."""
        owner = self.window().parentWidget()
        if self._shortcuts is None and owner is not None:
            rule = EnterRule(enter_sends=self._settings.now.general.enter_sends)
            keys = {**_typing_keys(rule), **shortcuts_of(owner)}
            self._shortcuts = FactList(list(keys))
            self._shortcuts.show_values(list(keys.values()))
            self._keys.addWidget(self._shortcuts)

    def _show_folder(self, folder: Path) -> None:
        self._folder.setText(str(folder))
        self._show_data.setEnabled(True)
        self._show_data.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        )


def shortcuts_of(window: QWidget) -> dict[str, str]:
    """What the window's shortcuts do, and their keys; two for the same are one line."""
    found: dict[str, str] = {}
    for shortcut in window.findChildren(QShortcut):
        if words := shortcut.whatsThis():
            keys = shortcut.key().toString(QKeySequence.SequenceFormat.NativeText)
            found.setdefault(words, keys)
    return found


def _typing_keys(rule: EnterRule) -> dict[str, str]:
    return {
        tr("Send"): rule.key,
        tr("Edit the last message"): tr("Up, in an empty field"),
        tr("Scroll the chat"): tr("Page Up, Page Down"),
    }
