"""The main window: assembles the panels and connects them; `_connect` is the table of signals."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QMoveEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.chat import ConversationSummary, Message
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import SamplingParams
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.settings import Settings
from chatdesk.services.facts import (
    AnswerEnded,
    AnswerReopened,
    ConversationsChanged,
    EngineChanged,
    EngineState,
    Fact,
    MessageAdded,
    PromptRead,
    TextArrived,
)
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.bug_dialog import show_bug
from chatdesk.ui.chat_controller import ChatController
from chatdesk.ui.chat_view import ChatView
from chatdesk.ui.composer import Composer, ComposerColumn
from chatdesk.ui.conversation_list import ConversationListModel
from chatdesk.ui.inspector import Inspector
from chatdesk.ui.models_controller import ModelsController
from chatdesk.ui.notice import Notice
from chatdesk.ui.settings_dialog import SettingsDialog
from chatdesk.ui.sidebar import Sidebar
from chatdesk.ui.status_line import StatusLine
from chatdesk.ui.theme import Theme
from chatdesk.ui.top_bar import TopBar
from chatdesk.ui.welcome import WIDTH as WELCOME_WIDTH
from chatdesk.ui.welcome import Greeting, Suggestions
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app_services import AppServices

READING_WIDTH = 760
COMPOSER_WIDTH = READING_WIDTH
STATE_DELAY_MS = 400


class MainWindow(QMainWindow):
    """The one window. It stands before the services do; `attach` brings them.

    `settings_changed` carries new `Settings`; `state_path` is where the window's state is kept.
    """

    settings_changed = Signal(object)
    closed = Signal()

    def __init__(
        self,
        bridge: Bridge,
        settings: Settings,
        state: WindowState,
        state_path: Path,
        theme: Theme,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._settings = settings
        self._state = state
        self._state_path = state_path
        self._theme = theme
        self._list_model = ConversationListModel()
        self._sidebar = Sidebar(self._list_model, theme)
        self._top_bar = TopBar(theme)
        self._greeting = Greeting(theme)
        self._suggestions = Suggestions(theme)
        self._view = ChatView(theme)
        self._notice = Notice(theme)
        self._composer = Composer(theme, enter_sends=settings.enter_sends)
        self._status = StatusLine()
        self._inspector = Inspector(settings.sampling)
        self._chat = ChatController(
            bridge, self._view, self._composer, self._inspector, self._notice, state
        )
        self._chat.set_default_system_prompt(settings.system_prompt)
        self._models = ModelsController(bridge, self._composer, self._suggestions, self._notice)
        self._state_timer = QTimer(self)
        self._state_timer.setSingleShot(True)
        self._state_timer.setInterval(STATE_DELAY_MS)
        self._state_timer.timeout.connect(self.save_state)
        self._fact_handlers: dict[type, Callable[..., None]] = {
            MessageAdded: self._chat.on_message_added,
            AnswerReopened: self._chat.on_answer_reopened,
            PromptRead: self._chat.on_prompt_read,
            TextArrived: self._chat.on_text,
            AnswerEnded: self._on_answer_ended,
            EngineChanged: self._on_engine,
            ConversationsChanged: lambda fact: self._chat.refresh_list(),
        }
        self._build()
        self._connect()
        self._shortcuts()
        self.set_theme(theme)
        self._restore_geometry()
        self._on_opened()

    # Assembly

    def _build(self) -> None:
        self.setWindowTitle("ChatDesk")
        self.setMinimumSize(560, 420)
        self.setAcceptDrops(True)
        page = QWidget()
        page.setObjectName("page")
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, 0, 8)
        self._column.setSpacing(0)
        self._column.addWidget(self._top_bar)
        self._column.addStretch(0)
        self._above = self._column.count() - 1
        self._greeting_column = ComposerColumn(self._greeting, WELCOME_WIDTH)
        self._column.addWidget(self._greeting_column)
        self._column.addWidget(self._view, 1)
        self._notice_column = ComposerColumn(self._notice, COMPOSER_WIDTH)
        self._column.addWidget(self._notice_column)
        self._column.addSpacing(8)
        self._composer_column = ComposerColumn(self._composer, COMPOSER_WIDTH)
        self._column.addWidget(self._composer_column)
        self._suggestions_column = ComposerColumn(self._suggestions, WELCOME_WIDTH)
        self._column.addWidget(self._suggestions_column)
        self._column.addStretch(0)
        self._below = self._column.count() - 1
        self._column.addSpacing(6)
        self._column.addWidget(self._status)
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._sidebar)
        row.addWidget(page, 1)
        row.addWidget(self._inspector)
        self.setCentralWidget(whole)
        self._sidebar.setVisible(self._state.sidebar)
        self._top_bar.offer_sidebar(not self._state.sidebar)
        self._inspector.setVisible(self._state.inspector)
        self._composer.setFocus()

    def _connect(self) -> None:
        chat, models, view, sidebar = self._chat, self._models, self._view, self._sidebar
        composer, suggestions = self._composer, self._suggestions
        table = (
            (self._bridge.fact_arrived, self._on_fact),
            (self._bridge.bug_found, self._on_bug),
            (sidebar.new_chat_requested, self.new_chat),
            (sidebar.open_requested, self._open),
            (sidebar.rename_requested, chat.rename),
            (sidebar.delete_requested, self.delete),
            (sidebar.hide_requested, self._toggle_sidebar),
            (sidebar.models_requested, composer.open_models),
            (sidebar.settings_requested, self._open_settings),
            (composer.send_requested, chat.send),
            (composer.stop_requested, chat.stop),
            (composer.edit_last_requested, chat.edit_last),
            (composer.text_changed, lambda text: chat.draft_changed()),
            (composer.model_requested, self._choose_model),
            (composer.add_model_requested, self._pick_model_file),
            (suggestions.text_chosen, self._begin_with),
            (suggestions.add_model_requested, self._pick_model_file),
            (view.regenerate_requested, chat.regenerate),
            (view.edit_requested, chat.edit),
            (view.continue_requested, chat.continue_answer),
            (view.branch_requested, chat.show_branch),
            (view.retry_requested, chat.regenerate),
            (chat.opened, self._on_opened),
            (chat.listed, self._on_listed),
            (chat.context_measured, self._status.show_context),
            (chat.state_changed, self._state_timer.start),
            (models.chosen, self._on_model_chosen),
            (self._inspector.sampling_changed, self._on_sampling),
            (self._inspector.system_prompt_changed, chat.set_system_prompt),
            (self._top_bar.sidebar_requested, self._toggle_sidebar),
            (self._top_bar.inspector_requested, self._toggle_inspector),
            (self._top_bar.rename_requested, self._rename_open),
            (self._top_bar.delete_requested, self._delete_open),
        )
        for signal, slot in table:
            signal.connect(slot)

    def _shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+N", self.new_chat),
            ("Ctrl+Shift+F", self._focus_search),
            ("Ctrl+B", self._toggle_sidebar),
            ("Ctrl+I", self._toggle_inspector),
            ("Ctrl+M", self._composer.open_models),
            ("Ctrl+,", self._open_settings),
            ("Ctrl+Q", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        # Only while there is something to stop: Esc also leaves menus and edited messages.
        stop = QShortcut(QKeySequence("Escape"), self)
        stop.activated.connect(self._chat.stop)
        stop.setEnabled(False)
        self._chat.answering_changed.connect(stop.setEnabled)

    @property
    def chat_view(self) -> ChatView:
        """The conversation's widget (tests and benchmarks look at it)."""
        return self._view

    @property
    def composer(self) -> Composer:
        """The composer (tests and benchmarks type into it)."""
        return self._composer

    @property
    def notice(self) -> Notice:
        """What the window tells (tests read it)."""
        return self._notice

    @property
    def suggestions(self) -> Suggestions:
        """What the empty chat suggests (tests read it)."""
        return self._suggestions

    @property
    def list_model(self) -> ConversationListModel:
        """The sidebar's list (tests read it)."""
        return self._list_model

    def add_model(self, path: Path) -> None:
        """Take up a model file and use it."""
        self._models.add(path)

    def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation."""
        self._chat.open(conversation_id)

    def send(self, text: str) -> None:
        """Send a text as if it had been typed."""
        self._composer.set_text(text)
        self._chat.send(text)

    def attach(self, services: "AppServices") -> None:
        """The services are there."""
        self._models.attach(services)
        self._chat.attach(services)

    def services_failed(self, problem: EnvironmentProblem, again: Callable[[], None]) -> None:
        """The services could not be built; `again` tries once more. What was typed is kept."""
        self._chat.wait_failed()
        self._notice.show_problem(problem, tr("Try again"), again)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        for part in (
            self._sidebar,
            self._top_bar,
            self._greeting,
            self._suggestions,
            self._view,
            self._notice,
            self._composer,
        ):
            part.set_theme(theme)

    # Facts

    def _on_fact(self, fact: Fact) -> None:
        self._fact_handlers[type(fact)](fact)

    def _on_answer_ended(self, fact: AnswerEnded) -> None:
        self._chat.on_answer_ended(fact)
        message: Message = fact.message
        if message.answer and message.answer.tokens_per_s:
            self._status.show_speed(message.answer.tokens_per_s)

    def _on_engine(self, fact: EngineChanged) -> None:
        self._status.show_engine(fact.status)
        self._models.on_engine(fact)
        self._chat.on_engine(fact)
        if fact.status.state is EngineState.FAILED and fact.status.problem:
            self._notice.show_problem(fact.status.problem, tr("Try again"), self._models.load_again)

    def _on_bug(self, bug: BaseException) -> None:
        if isinstance(bug, EnvironmentProblem):
            self._notice.show_problem(bug)
        else:
            show_bug(bug, self)

    # What changed

    def _on_opened(self) -> None:
        empty = self._chat.current is None
        for column in (self._greeting_column, self._suggestions_column):
            column.setVisible(empty)
        if empty:
            self._greeting.greet(datetime.now())
        self._view.setVisible(not empty)
        self._top_bar.offer_actions(not empty)
        self._column.setStretch(self._above, 2 if empty else 0)
        self._column.setStretch(self._below, 3 if empty else 0)
        for part in (self._composer, self._notice):
            part.setMaximumWidth(WELCOME_WIDTH if empty else COMPOSER_WIDTH)
        self._sidebar.select(self._chat.current)
        self._show_title()

    def _on_listed(self, summaries: tuple[ConversationSummary, ...]) -> None:
        if self._sidebar.is_renaming:  # a new list would take the half-typed title away
            QTimer.singleShot(STATE_DELAY_MS, self._chat.refresh_list)
            return
        self._list_model.show(summaries)
        self._sidebar.select(self._chat.current)
        self._show_title()

    def _show_title(self) -> None:
        title = self._list_model.title_of(self._chat.current)
        self._top_bar.show_title(title)
        self.setWindowTitle(f"{title} – ChatDesk" if title else "ChatDesk")

    def _on_model_chosen(self, model: ModelFile) -> None:
        self._settings = replace(self._settings, model=model.id)
        self.settings_changed.emit(self._settings)

    def _on_sampling(self, sampling: SamplingParams) -> None:
        self._settings = replace(self._settings, sampling=sampling)
        self.settings_changed.emit(self._settings)

    # Requests

    def new_chat(self) -> None:
        """Begin a new chat, with the cursor in the composer."""
        self._chat.new_chat()
        self._composer.setFocus()

    def _begin_with(self, text: str) -> None:
        self._composer.set_text(text)
        self._composer.setFocus()

    def _open(self, conversation_id: str) -> None:
        self._chat.open(conversation_id)
        self._composer.setFocus()

    def _rename_open(self) -> None:
        if self._chat.current:
            if not self._sidebar.isVisible():
                self._toggle_sidebar()
            self._sidebar.rename(self._chat.current)

    def _delete_open(self) -> None:
        if self._chat.current:
            self.delete(self._chat.current)

    def delete(self, conversation_id: str) -> None:
        """Move a conversation to the trash, with a way back."""
        self._chat.delete(conversation_id, self._list_model.title_of(conversation_id))

    def _focus_search(self) -> None:
        if not self._sidebar.isVisible():
            self._toggle_sidebar()
        self._sidebar.focus_search()

    def _toggle_sidebar(self) -> None:
        shown = not self._sidebar.isVisible()
        self._sidebar.setVisible(shown)
        self._top_bar.offer_sidebar(not shown)
        self._state.sidebar = shown
        self._state_timer.start()

    def _toggle_inspector(self) -> None:
        self._state.inspector = not self._inspector.isVisible()
        self._inspector.setVisible(self._state.inspector)
        self._state_timer.start()

    def _choose_model(self, model_id: str) -> None:
        self._models.choose(model_id)

    def _pick_model_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Add a model file"), "", tr("GGUF models") + " (*.gguf)"
        )
        if path:
            self._models.add(Path(path))

    def _open_settings(self) -> None:
        dialog = SettingsDialog(self._settings, self._theme, self)
        if dialog.exec():
            chosen = dialog.chosen
            self._composer.enter_sends = chosen.enter_sends
            self._chat.set_default_system_prompt(chosen.system_prompt)
            resized = chosen.context_window != self._settings.context_window
            self._settings = chosen
            self.settings_changed.emit(chosen)
            if resized:
                self._models.load_again()
        dialog.deleteLater()

    # The window itself

    def raise_to_front(self) -> None:
        """Come to the front, because the app was started again."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _restore_geometry(self) -> None:
        state = self._state
        self.resize(state.width, state.height)
        if state.x is not None and state.y is not None:
            wanted = QRect(state.x, state.y, state.width, state.height)
            # A screen may be gone since; a window nobody can reach is worse than a moved one.
            screens = QGuiApplication.screens()
            if any(screen.availableGeometry().intersects(wanted) for screen in screens):
                self.move(wanted.topLeft())
        if state.maximized:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def save_state(self) -> None:
        """Write down what a restart should bring back."""
        state = self._state
        self._chat.remember()
        state.maximized = self.isMaximized()
        if not state.maximized:
            state.x, state.y = self.x(), self.y()
            state.width, state.height = self.width(), self.height()
        state.write(self._state_path)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Remember the size."""
        super().resizeEvent(event)
        self._state_timer.start()

    def moveEvent(self, event: QMoveEvent) -> None:
        """Remember the place."""
        super().moveEvent(event)
        self._state_timer.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep what is on the screen, then tell that the window is gone."""
        self._inspector.flush()
        self.save_state()
        self._state_timer.stop()
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
            self._models.add(path)
        event.acceptProposedAction()


def _dropped_models(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() == ".gguf"]
