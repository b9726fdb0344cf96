"""Shows pages, settings and chats to whoever asks; handed down by constructor like the bridge."""

from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from chatdesk.core.models import ModelFile


class PageId(StrEnum):
    """The pages that other parts lead to; other pages have their id in their own folder."""

    CHAT = "chat"
    MODELS = "models"
    PERSONALIZE = "personalize"
    IMPORT = "import"
    TRASH = "trash"
    SEARCH = "search"


class SettingsId(StrEnum):
    """The pages of the settings that other parts lead to, by the names of their sections."""

    DOWNLOADS = "downloads"
    LEARNING = "learning"
    BACKUP = "backup"
    SERVER = "server"
    DEVICES = "devices"
    ABOUT = "about"


class Navigator(QObject):
    """Its signals ask those who show something; `turned` carries the id of the page now shown."""

    page_requested = Signal(str)
    settings_requested = Signal(str)
    chat_requested = Signal(str, str)  # a conversation, and the message to show of it, or ""
    model_requested = Signal(object)  # a ModelFile to chat with
    model_file_requested = Signal()
    import_requested = Signal(object)  # the Path of an export
    options_requested = Signal(object)  # of a ModelFile, or of the one in use for None
    quit_requested = Signal()
    turned = Signal(str)

    def show(self, page_id: str) -> None:
        """Show a page of the window."""
        self.page_requested.emit(page_id)

    def show_settings(self, page_id: str = "") -> None:
        """Open the settings, at one of their pages."""
        self.settings_requested.emit(page_id)

    def show_options(self, model: ModelFile | None = None) -> None:
        """Open the options of a model, or of the one in use."""
        self.options_requested.emit(model)

    def open_chat(self, conversation_id: str, message_id: str = "") -> None:
        """Show a conversation, at one of its messages."""
        self.chat_requested.emit(conversation_id, message_id)

    def chat_with(self, model: ModelFile) -> None:
        """Use a model from now on, and show the chat."""
        self.model_requested.emit(model)

    def import_chats(self, path: Path) -> None:
        """Show what is in an export of another app, to import it."""
        self.import_requested.emit(path)

    def pick_model_file(self) -> None:
        """Let the user choose a model file, and use it."""
        self.model_file_requested.emit()

    def quit(self) -> None:
        """Close the window."""
        self.quit_requested.emit()
