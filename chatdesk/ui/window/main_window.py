"""The main window: what its parts ask for, and who does it; `_connect` is the table of signals."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.settings import Settings
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.feature import Page
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.shortcuts import Keys
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.bug_dialog import show_bug
from chatdesk.ui.window.layout import WindowLayout
from chatdesk.ui.window.parts import WindowParts
from chatdesk.ui.window.state_keeper import StateKeeper
from chatdesk.ui.window.undo_shortcut import UndoShortcut
from chatdesk.ui.window_state import WindowState

SMALLEST = 480, 360


class MainWindow(QMainWindow):
    """The one window. It is shown before the services are open.

    `state_path` is where the window's state is kept. `parts` is what it is made of.
    """

    closed = Signal()

    def __init__(
        self,
        bridge: Bridge,
        settings: SettingsValue,
        state: WindowState,
        state_path: Path,
        theme: Theme,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._state = state
        self.navigator = navigator = Navigator(self)
        self.parts = parts = WindowParts(
            bridge, navigator, settings, state, theme, self, self._is_in_sight
        )
        self._page, self._chat = parts.page, parts.chat
        self._panels = WindowLayout(
            parts.sidebar, parts.page, parts.inspector, parts.pages, state, navigator
        )
        parts.notice.stand_in(self._panels.middle, parts.page.composer)
        self.setCentralWidget(self._panels)
        self.setMinimumSize(*SMALLEST)
        self.setAcceptDrops(True)
        self._keeper = StateKeeper(self, state, state_path, self._chat.remember)
        self._connect(settings)
        self._shortcuts()
        self.set_theme(theme)
        self._page.show_shared(shared=bool(settings.now.devices.remote))
        self._on_opened()
        self.composer.setFocus()

    # Assembly

    def _connect(self, settings: SettingsValue) -> None:
        parts, page, panels, keeper = self.parts, self._page, self._panels, self._keeper
        chat, ask, conversations = parts.chat, parts.ask, parts.conversations
        sidebar, inspector, defaults = parts.sidebar, parts.inspector, parts.defaults
        composer, suggestions, top_bar = page.composer, page.suggestions, page.top_bar
        navigator = self.navigator
        table = (
            (self._bridge.bug_found, self._on_bug),
            (sidebar.new_chat_requested, self.new_chat),
            (sidebar.open_requested, self.open_conversation),
            (sidebar.rename_requested, conversations.rename),
            (sidebar.delete_requested, parts.chat_deleter.delete),
            (sidebar.hide_requested, panels.toggle_sidebar),
            (sidebar.mark_requested, parts.feedback.mark_conversation),
            (sidebar.page_requested, navigator.show),
            (sidebar.settings_requested, navigator.show_settings),
            (composer.send_requested, ask.send),
            (composer.stop_requested, ask.stop),
            (composer.edit_last_requested, ask.edit_last),
            (composer.text_changed, lambda text: chat.draft_changed()),
            (composer.model_requested, parts.models.choose),
            (composer.add_model_requested, navigator.pick_model_file),
            (composer.more_models_requested, partial(navigator.show, PageId.MODELS)),
            (composer.model_options_requested, navigator.show_options),
            (composer.adapter.chosen, chat.choose_adapter),
            (suggestions.text_chosen, self._begin_with),
            (chat.opened, self._on_opened),
            (chat.context_measured, page.status.show_context),
            (chat.state_changed, keeper.save_soon),
            (chat.adapter_shown, composer.adapter.show_choice),
            (conversations.listed, self._show_title),
            (parts.chat_deleter.state_changed, keeper.save_soon),
            (parts.states.state_changed, keeper.save_soon),
            (page.view.message_actions.composer_wanted, composer.setFocus),
            (settings.changed, self._on_settings),
            (navigator.chat_requested, self._open_message),
            (navigator.model_requested, self._chat_with),
            (navigator.model_file_requested, self._pick_model_file),
            (navigator.turned, self._show_title),
            *((feature.status_changed, sidebar.show_status) for feature in parts.features),
            (panels.state_changed, keeper.save_soon),
            (defaults.system_prompt_changed, chat.set_default_system_prompt),
            (defaults.sampling_changed, inspector.show_sampling),
            (inspector.sampling_changed, defaults.set_sampling),
            (inspector.hide_requested, panels.toggle_inspector),
            (inspector.system_prompt_changed, chat.set_system_prompt),
            (top_bar.sidebar_requested, panels.toggle_sidebar),
            (top_bar.new_chat_requested, self.new_chat),
            (top_bar.inspector_requested, panels.toggle_inspector),
            (top_bar.rename_requested, self._rename_open),
            (top_bar.copy_requested, self._copy_open),
            (top_bar.delete_requested, self._delete_open),
            (top_bar.model_options_requested, navigator.show_options),
        )
        for signal, slot in table:
            signal.connect(slot)

    def _shortcuts(self) -> None:
        navigator = self.navigator
        for keys, slot in (
            (Keys.NEW_CHAT, self.new_chat),
            (Keys.FIND_CHAT, self._focus_search),
            (Keys.SIDEBAR, self._panels.toggle_sidebar),
            (Keys.INSPECTOR, self._panels.toggle_inspector),
            (Keys.MODEL_OPTIONS, navigator.show_options),
            (Keys.SETTINGS, navigator.show_settings),
            (Keys.NOTICE, self.notice.focus_newest),
            (Keys.QUIT, self.close),
            *((page.shortcut, partial(navigator.show, page.id)) for page in self._with_shortcut()),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        UndoShortcut(self, self.composer.editor, self.parts.deletions.undo_last)
        # Only while there is something to stop: Esc also leaves menus and edited messages.
        stop = QShortcut(QKeySequence("Escape"), self)
        stop.activated.connect(self._stop_or_go_back)
        stop.setEnabled(False)
        self.parts.ask.answering_changed.connect(stop.setEnabled)

    def _with_shortcut(self) -> Iterator[Page]:
        return (page for page in self.parts.pages if page.shortcut)

    @property
    def chat_view(self) -> ChatView:
        """The conversation's widget (tests and benchmarks look at it)."""
        return self._page.view

    @property
    def composer(self) -> Composer:
        """The composer (tests and benchmarks type into it)."""
        return self._page.composer

    @property
    def notice(self) -> Notice:
        """The notices (used by tests)."""
        return self.parts.notice

    @property
    def settings(self) -> SettingsController:
        """The settings' dialog."""
        return self.parts.settings

    def services_failed(self, problem: EnvironmentProblem, again: Callable[[], None]) -> None:
        """The services could not be built; `again` tries once more. What was typed is kept."""
        self.notice.show_problem(problem, tr("Try again"), again)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self.parts.set_theme(theme)

    # Changes

    def _on_bug(self, bug: BaseException) -> None:
        if isinstance(bug, EnvironmentProblem):
            self.notice.show_problem(bug)
        else:
            show_bug(bug, self)

    def _on_opened(self) -> None:
        self._page.show_empty(self._chat.current is None)
        self._show_title()

    def _show_title(self) -> None:
        current = self._chat.current
        self.parts.sidebar.select(current if self._panels.shows_chat else None)
        title = self.parts.list_model.title_of(current)
        self._page.top_bar.show_title(title)
        if self._panels.shows_chat:
            self.parts.states.looked_at(current)
        title = self._panels.title or title
        self.setWindowTitle(f"{title} – ChatDesk" if title else "ChatDesk")

    def _is_in_sight(self, conversation_id: str) -> bool:
        return self._panels.shows_chat and conversation_id == self._chat.current

    def _on_settings(self, settings: Settings) -> None:
        self.composer.enter_sends = settings.general.enter_sends
        self._page.show_shared(shared=bool(settings.devices.remote))

    # Requests

    def new_chat(self) -> None:
        """Begin a new chat, with the cursor in the composer."""
        self._chat.new_chat()
        self.navigator.show(PageId.CHAT)

    def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation."""
        self._chat.open(conversation_id)
        self.navigator.show(PageId.CHAT)

    def send(self, text: str) -> None:
        """Send a text as if it had been typed."""
        self.composer.set_text(text)
        self.parts.ask.send(text)

    def add_model(self, path: Path) -> None:
        """Take up a model file and use it."""
        self.parts.models.add(path)

    def _chat_with(self, model: ModelFile) -> None:
        self.parts.models.use(model)
        self.navigator.show(PageId.CHAT)

    def _stop_or_go_back(self) -> None:
        if self._panels.close_drawer():
            return
        if self._panels.shows_chat:
            self.parts.ask.stop()
        else:
            self.navigator.show(PageId.CHAT)

    def _open_message(self, conversation_id: str, message_id: str) -> None:
        """Show a conversation, at a message if it is known which."""
        anchor = (message_id, 0) if message_id else None
        if anchor and conversation_id == self._chat.current:
            self.chat_view.column.restore_anchor(anchor)
        elif anchor:
            self._state.remember_anchor(conversation_id, anchor)
        self.open_conversation(conversation_id)

    def _begin_with(self, text: str) -> None:
        self.composer.set_text(text)
        self.composer.setFocus()

    def _rename_open(self) -> None:
        if self._chat.current:
            self._panels.open_sidebar()
            self.parts.sidebar.rename(self._chat.current)

    def _copy_open(self) -> None:
        if self._chat.current:
            self.parts.copier.copy(self._chat.current)

    def _delete_open(self) -> None:
        if self._chat.current:
            self.parts.chat_deleter.delete(self._chat.current)

    def _focus_search(self) -> None:
        self._panels.open_sidebar()
        self.parts.sidebar.focus_search()

    def _pick_model_file(self) -> None:
        from chatdesk.ui.widgets.file_dialogs import choose_file

        path = choose_file(self, tr("Add a model file"), tr("GGUF models") + " (*.gguf)")
        if path:
            self.add_model(Path(path))

    # The window itself

    def raise_to_front(self) -> None:
        """Come to the front, because the app was started again."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def save_state(self) -> None:
        """Write down what a restart should bring back."""
        self._keeper.save()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the state of the window, then emit that it is closed; first what is not saved."""
        if self.parts.unsaved.holds(self.close):
            event.ignore()
            return
        self.parts.inspector.flush()
        self.save_state()
        event.accept()
        self.hide()
        self.closed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take GGUF files."""
        if _dropped_models(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add the GGUF files that were dropped."""
        for path in _dropped_models(event):
            self.add_model(path)
        event.acceptProposedAction()


def _dropped_models(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() == ".gguf"]
