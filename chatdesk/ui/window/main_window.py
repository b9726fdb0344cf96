"""The main window: what its parts ask for, and who does it; `_connect` is the table of signals."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QFileDialog, QMainWindow

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import Source
from chatdesk.core.settings import Settings
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.composer import Composer
from chatdesk.ui.chat.messages.chat_view import ChatView
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.bug_dialog import show_bug
from chatdesk.ui.window.features import WindowParts
from chatdesk.ui.window.layout import Panels
from chatdesk.ui.window.state_keeper import WindowKeeper
from chatdesk.ui.window_state import WindowState


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
        self.parts = parts = WindowParts(bridge, settings, state, theme, self)
        self._page, self._chat = parts.page, parts.chat
        self._panels = Panels(parts.sidebar, parts.page, parts.inspector, state)
        self.setCentralWidget(self._panels)
        self.setMinimumSize(560, 420)
        self.setAcceptDrops(True)
        self._keeper = WindowKeeper(self, state, state_path, self._chat.remember)
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
        feedback, personalize = parts.feedback, parts.personalize
        opener, options, notices = parts.settings, parts.options, parts.engine_notices
        models, library, hub, downloads = parts.models, parts.library, parts.hub, parts.downloads
        sidebar, inspector, defaults = parts.sidebar, parts.inspector, parts.defaults
        composer, suggestions = page.composer, page.suggestions
        top_bar = page.top_bar
        table = (
            (self._bridge.bug_found, self._on_bug),
            (sidebar.new_chat_requested, self.new_chat),
            (sidebar.open_requested, self.open_conversation),
            (sidebar.rename_requested, conversations.rename),
            (sidebar.delete_requested, conversations.delete),
            (sidebar.hide_requested, panels.toggle_sidebar),
            (sidebar.mark_requested, feedback.mark_conversation),
            (sidebar.models_requested, self.open_models),
            (sidebar.personalize_requested, self.open_personalize),
            (sidebar.settings_requested, opener.open),
            (composer.send_requested, ask.send),
            (composer.stop_requested, ask.stop),
            (composer.edit_last_requested, ask.edit_last),
            (composer.text_changed, lambda text: chat.draft_changed()),
            (composer.model_requested, models.choose),
            (composer.add_model_requested, self._pick_model_file),
            (composer.model_options_requested, options.open),
            (composer.adapter.chosen, chat.choose_adapter),
            (composer.adapter.personalize_requested, self.open_personalize),
            (suggestions.text_chosen, self._begin_with),
            (suggestions.add_model_requested, self._pick_model_file),
            (suggestions.models_requested, self.open_models),
            (chat.opened, self._on_opened),
            (chat.context_measured, page.status.show_context),
            (chat.state_changed, keeper.save_soon),
            (chat.adapter_shown, composer.adapter.show_choice),
            (conversations.listed, self._show_title),
            (conversations.state_changed, keeper.save_soon),
            (conversations.personalize_requested, self.open_personalize),
            (feedback.personalize_requested, self.open_personalize),
            (models.chosen, lambda model: settings.edit("models", chosen=model.id)),
            (settings.changed, self._on_settings),
            (opener.personalize_requested, self.open_personalize),
            (personalize.open_requested, self.open_personalize),
            (personalize.settings_requested, opener.open_learning),
            (personalize.open_chat_requested, self._open_source),
            (notices.load_again_requested, models.load_again),
            (notices.options_chosen, options.use),
            (notices.model_options_requested, options.open),
            (notices.computers_requested, opener.open_computers),
            (library.open_requested, self.open_models),
            (library.add_requested, self._pick_model_file),
            (library.chat_requested, self._chat_with),
            (library.options_requested, options.open),
            (library.personalize_requested, self.open_personalize),
            (hub.recommended, suggestions.show_recommended),
            (hub.settings_requested, opener.open_downloads),
            (downloads.status_changed, sidebar.show_downloading),
            (downloads.chat_requested, self._chat_with_file),
            (panels.turned, self._show_title),
            (panels.state_changed, keeper.save_soon),
            (defaults.system_prompt_changed, chat.set_default_system_prompt),
            (defaults.sampling_changed, inspector.show_sampling),
            (inspector.sampling_changed, defaults.set_sampling),
            (inspector.system_prompt_changed, chat.set_system_prompt),
            (top_bar.sidebar_requested, panels.toggle_sidebar),
            (top_bar.inspector_requested, panels.toggle_inspector),
            (top_bar.rename_requested, self._rename_open),
            (top_bar.delete_requested, self._delete_open),
            (top_bar.model_options_requested, options.open),
        )
        for signal, slot in table:
            signal.connect(slot)

    def _shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+N", self.new_chat),
            ("Ctrl+Shift+F", self._focus_search),
            ("Ctrl+B", self._panels.toggle_sidebar),
            ("Ctrl+I", self._panels.toggle_inspector),
            ("Ctrl+M", self.open_models),
            ("Ctrl+Shift+M", self.parts.options.open),
            ("Ctrl+,", self.parts.settings.open),
            ("Ctrl+Q", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        # Only while there is something to stop: Esc also leaves menus and edited messages.
        stop = QShortcut(QKeySequence("Escape"), self)
        stop.activated.connect(self._stop_or_go_back)
        stop.setEnabled(False)
        self.parts.ask.answering_changed.connect(stop.setEnabled)

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
        """What the window tells (tests read it)."""
        return self._page.notice

    @property
    def settings(self) -> SettingsController:
        """The settings' dialog."""
        return self.parts.settings

    def services_failed(self, problem: EnvironmentProblem, again: Callable[[], None]) -> None:
        """The services could not be built; `again` tries once more. What was typed is kept."""
        self.notice.show_problem(problem, tr("Try again"), again)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self.parts.set_theme(theme)

    # What changed

    def _on_bug(self, bug: BaseException) -> None:
        if isinstance(bug, EnvironmentProblem):
            self.parts.personalize.notice.show_problem(bug)
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
        title = self._panels.title or title
        self.setWindowTitle(f"{title} – ChatDesk" if title else "ChatDesk")

    def _on_settings(self, settings: Settings) -> None:
        self.composer.enter_sends = settings.general.enter_sends
        self._page.show_shared(shared=bool(settings.devices.remote))

    # Requests

    def new_chat(self) -> None:
        """Begin a new chat, with the cursor in the composer."""
        self._chat.new_chat()
        self._panels.show_chat()

    def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation."""
        self._chat.open(conversation_id)
        self._panels.show_chat()

    def send(self, text: str) -> None:
        """Send a text as if it had been typed."""
        self.composer.set_text(text)
        self.parts.ask.send(text)

    def add_model(self, path: Path) -> None:
        """Take up a model file and use it."""
        self.parts.models.add(path)

    def open_personalize(self) -> None:
        """Show what the model learns, and what came of it."""
        self.parts.learning.seen()
        self._panels.show_page(self.parts.personalize.page(), tr("Personalize"))

    def open_models(self) -> None:
        """Show the models there are, and those there could be."""
        self._panels.show_page(self.parts.library.page(), tr("Models"))

    def _chat_with(self, model: ModelFile) -> None:
        self.parts.models.use(model)
        self._panels.show_chat()

    def _chat_with_file(self, path: Path) -> None:
        self.add_model(path)
        self._panels.show_chat()

    def _stop_or_go_back(self) -> None:
        if self._panels.shows_chat:
            self.parts.ask.stop()
        else:
            self._panels.show_chat()

    def _open_source(self, source: Source) -> None:
        """Show the message an example is from."""
        anchor = (source.message_id, 0)
        if source.conversation_id == self._chat.current:
            self.chat_view.column.restore_anchor(anchor)
        else:
            self._state.remember_anchor(source.conversation_id, anchor)
        self.open_conversation(source.conversation_id)

    def _begin_with(self, text: str) -> None:
        self.composer.set_text(text)
        self.composer.setFocus()

    def _rename_open(self) -> None:
        if self._chat.current:
            self._panels.open_sidebar()
            self.parts.sidebar.rename(self._chat.current)

    def _delete_open(self) -> None:
        if self._chat.current:
            self.parts.conversations.delete(self._chat.current)

    def _focus_search(self) -> None:
        self._panels.open_sidebar()
        self.parts.sidebar.focus_search()

    def _pick_model_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Add a model file"), "", tr("GGUF models") + " (*.gguf)"
        )
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
        """Keep what is on the screen, then tell that the window is gone."""
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
