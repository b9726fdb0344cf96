"""The parts of a feature in the window, as values: its pages, and their owners."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice

if TYPE_CHECKING:  # imported when a page is shown
    from chatdesk.ui.widgets.page import PageView


@dataclass(frozen=True, slots=True)
class Page:
    """A page in the place of the chat, with a button in the sidebar and perhaps a shortcut.

    `make` is called whenever the page is asked for. It imports the page, makes it the first time,
    and has it read anew what it shows. With `ends_chats` its button stands at the end of the chats,
    while it has a status.
    """

    id: str
    title: str
    icon: str
    make: Callable[[], "PageView"]
    shortcut: str = ""
    ends_chats: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """The services of the window for its features.

    `window` is the parent of dialogs; `title_of` names a chat by its id.
    """

    bridge: Bridge
    navigator: Navigator
    settings: SettingsValue
    notice: Notice
    window: QWidget
    title_of: Callable[[str], str]


class Feature(QObject):
    """One thing that the app can do, beside the chat. It makes controllers, and no widgets yet.

    `status_changed` carries the id of a page and a few words beside its button, "" for none.
    `welcome` is a card to stand below the empty chat, if the feature has one.
    """

    status_changed = Signal(str, str)
    pages: Sequence[Page] = ()
    welcome: QWidget | None = None

    def __init__(self, host: Host) -> None:
        super().__init__(host.window)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours; called once before any page is made."""
