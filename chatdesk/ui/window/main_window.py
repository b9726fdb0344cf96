"""The main window: what its parts ask for, and who does it; `_connect` is the table of signals."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
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
from chatdesk.ui.navigator import Navigator, PageId, SettingsId
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.shortcuts import Keys
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.answer_alert import AnswerAlert
from chatdesk.ui.window.bug_dialog import show_bug
from chatdesk.ui.window.file_drop import FileDrop
from chatdesk.ui.window.focus_keeper import FocusKeeper
from chatdesk.ui.window.layout import WindowLayout
from chatdesk.ui.window.leave_question import ask_to_leave
from chatdesk.ui.window.parts import WindowParts
from chatdesk.ui.window.state_keeper import StateKeeper
from chatdesk.ui.window.text_size import TextSize
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
        self._closes_anyway = False
        self.navigator = navigator = Navigator(self)
        self.parts = parts = WindowParts(
            bridge, navigator, settings, state, theme, self, self._is_in_sight
        )
        self._page, self._chat = parts.page, parts.chat
        self._panels = WindowLayout(
            parts.sidebar, parts.page, parts.inspector, parts.pages, state, navigator
        )
        parts.notice.stand_in(self._panels.middle, parts.page.composer, parts.page.ways_to_begin)
        self.setCentralWidget(self._panels)
        self.setMinimumSize(*SMALLEST)
        self._drop = FileDrop(self, bridge, parts.notice, theme)
        FocusKeeper(self, self._panels.focus_home)
        alert = AnswerAlert(self, bridge, settings, parts.list_model.title_of)
        alert.open_requested.connect(self._open_announced)
        self._keeper = StateKeeper(self, state, state_path, self._chat.remember)
        self._connect(settings)
        self._size = TextSize(settings)
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
            (parts.list_model.rename_requested, conversations.rename),
            (parts.list_model.folders_changed, self._remember_folders),
            (sidebar.menus.copy_requested, parts.copier.copy),
            (sidebar.menus.export_requested, parts.exporter.export),
            (sidebar.menus.new_chat_requested, self._new_chat_in),
            (sidebar.delete_requested, parts.chat_deleter.delete),
            (sidebar.hide_requested, panels.toggle_sidebar),
            (sidebar.menus.mark_requested, parts.feedback.mark_conversation),
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
            (parts.outbox.changed, keeper.save_soon),
            (chat.opened, self._on_opened),
            (chat.context_measured, page.status.show_context),
            (chat.figures_shown, page.status.show_figures),
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
            (navigator.quit_requested, self.close),
            *((feature.status_changed, sidebar.show_status) for feature in parts.features),
            (panels.state_changed, keeper.save_soon),
            (defaults.system_prompt_changed, chat.set_default_system_prompt),
            (defaults.sampling_changed, inspector.show_sampling),
            (inspector.sampling_changed, defaults.set_sampling),
            (inspector.hide_requested, panels.toggle_inspector),
            (inspector.system_prompt_changed, chat.set_system_prompt),
            (inspector.presets_changed, lambda own: settings.edit("chat", presets=own)),
            (inspector.left, composer.setFocus),
            (self._drop.model_dropped, self.add_model),
            (self._drop.text_dropped, self._insert),
            (self._drop.export_dropped, navigator.import_chats),
            (top_bar.sidebar_requested, panels.toggle_sidebar),
            (top_bar.new_chat_requested, self.new_chat),
            (top_bar.temporary_requested, self.new_temporary_chat),
            (top_bar.import_requested, partial(navigator.show, PageId.IMPORT)),
            (top_bar.inspector_requested, panels.toggle_inspector),
            (top_bar.rename_requested, self._rename_open),
            (top_bar.copy_requested, self._copy_open),
            (top_bar.delete_requested, self._delete_open),
            (top_bar.model_options_requested, navigator.show_options),
            (top_bar.about_requested, partial(navigator.show_settings, SettingsId.ABOUT)),
        )
        for signal, slot in table:
            signal.connect(slot)

    def _shortcuts(self) -> None:
        navigator, size = self.navigator, self._size
        for keys, words, slot in (
            (Keys.NEW_CHAT, tr("New chat"), self.new_chat),
            (Keys.TEMPORARY_CHAT, tr("New temporary chat"), self.new_temporary_chat),
            (Keys.FIND_CHAT, tr("Search all chats"), self._focus_search),
            (Keys.SIDEBAR, tr("Show or hide the sidebar"), self._panels.toggle_sidebar),
            (Keys.INSPECTOR, tr("Show or hide the inspector"), self._panels.toggle_inspector),
            *(
                (page.shortcut, page.title, partial(navigator.show, page.id))
                for page in self._with_shortcut()
            ),
            (Keys.MODEL_OPTIONS, tr("Model options"), navigator.show_options),
            (Keys.SETTINGS, tr("Settings"), navigator.show_settings),
            (Keys.NOTICE, tr("To the newest notice"), self.notice.focus_newest),
            (Keys.LARGER_TEXT, tr("Larger text"), size.enlarge),
            (Keys.LARGER_TEXT_TOO, tr("Larger text"), size.enlarge),
            (Keys.SMALLER_TEXT, tr("Smaller text"), size.shrink),
            (Keys.USUAL_TEXT, tr("Text in its usual size"), size.reset),
            (Keys.QUIT, tr("Quit"), self.close),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setWhatsThis(words)  # the settings list them
            shortcut.activated.connect(slot)
        undo = UndoShortcut(self, self.composer.editor, self.parts.deletions.undo_last)
        undo.setWhatsThis(tr("Undo the last deletion"))
        # Only while there is something to stop: Esc also leaves menus and edited messages.
        stop = QShortcut(QKeySequence("Escape"), self)
        stop.setWhatsThis(tr("Stop the answer, or back to the chat"))
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
        self._drop.set_theme(theme)

    # Changes

    def _on_bug(self, bug: BaseException) -> None:
        if isinstance(bug, EnvironmentProblem):
            self.notice.show_problem(bug)
        else:
            show_bug(bug, self)

    def _on_opened(self) -> None:
        self._page.show_temporary(self._chat.is_temporary)
        self._page.show_empty(self._chat.is_empty)
        self._show_title()

    def _show_title(self) -> None:
        current = self._chat.current
        self.parts.sidebar.select(current if self._panels.shows_chat else None)
        title = self.parts.list_model.title_of(current)
        if self._chat.is_temporary:
            title = tr("Temporary chat")
        self._page.top_bar.show_title(title)
        if self._panels.shows_chat:
            self.parts.states.looked_at(current)
        title = self._panels.title or title
        self.setWindowTitle(f"{title} – ChatDesk" if title else "ChatDesk")

    def _is_in_sight(self, conversation_id: str) -> bool:
        return self._panels.shows_chat and conversation_id == self._chat.current

    def _on_settings(self, settings: Settings) -> None:
        self.parts.enter.set_enter_sends(settings.general.enter_sends)
        self.parts.inspector.show_presets(settings.chat.presets)
        self._page.show_shared(shared=bool(settings.devices.remote))

    # Requests

    def new_chat(self) -> None:
        """Begin a new chat, with the cursor in the composer."""
        self._leave_chat(self._chat.new_chat)

    def _new_chat_in(self, project_id: str) -> None:
        self.parts.list_model.open_folder(project_id, is_open=True)
        self._leave_chat(partial(self._chat.new_chat, project_id))

    def _remember_folders(self) -> None:
        self._state.open_folders = self.parts.list_model.open_folders
        self._keeper.save_soon()

    def new_temporary_chat(self) -> None:
        """Begin a chat of which nothing is kept."""
        self._leave_chat(self._chat.new_temporary)

    def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation."""
        if conversation_id == self._chat.current:
            self.navigator.show(PageId.CHAT)
        else:
            self._leave_chat(partial(self._chat.open, conversation_id))

    def _leave_chat(self, go_on: Callable[[], None]) -> None:
        """Go on to another chat; a temporary one that has words is left after a question."""

        def leave() -> None:
            go_on()
            self.navigator.show(PageId.CHAT)

        if self._chat.loses_words:
            ask_to_leave(self, leave)
        else:
            leave()

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

    def _open_announced(self, conversation_id: str) -> None:
        self.raise_to_front()
        self.navigator.open_chat(conversation_id)

    def _open_message(self, conversation_id: str, message_id: str) -> None:
        """Show a conversation, at a message if it is known which."""
        if message_id:
            self._chat.show_at(conversation_id, message_id)
        self.open_conversation(conversation_id)

    def _begin_with(self, text: str) -> None:
        self.composer.set_text(text)
        self.composer.setFocus()

    def _insert(self, text: str) -> None:
        """Put the text of a file into the message."""
        self.navigator.show(PageId.CHAT)
        self.composer.insert(text)

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

    def close_anyway(self) -> None:
        """Close without a question: the system or the user has decided."""
        self._closes_anyway = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the state of the window, then emit that it is closed; first what is not saved."""
        if self.parts.unsaved.holds(self.close):
            event.ignore()
            return
        if self._chat.loses_words and not self._closes_anyway:
            event.ignore()
            ask_to_leave(self, self.close_anyway)
            return
        self.parts.inspector.flush()
        self.save_state()
        event.accept()
        self.hide()
        self.closed.emit()
