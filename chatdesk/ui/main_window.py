"""The main window: assembles the panels and connects them; `_connect` is the table of signals."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QWidget

from chatdesk.core.chat import ConversationSummary, Message
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import Source
from chatdesk.core.settings import Settings
from chatdesk.services.facts import (
    AdapterLeftOut,
    AdaptersChanged,
    AnswerEnded,
    AnswerReopened,
    ConversationsChanged,
    DownloadProgressed,
    DownloadsChanged,
    EngineChanged,
    Fact,
    LearningChanged,
    MessageAdded,
    MessageChanged,
    ModelsChanged,
    PromptRead,
    QuantizingChanged,
    TextArrived,
    ThinkingArrived,
)
from chatdesk.ui.adapter_controller import AdapterController
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.bug_dialog import show_bug
from chatdesk.ui.centre import Centre
from chatdesk.ui.chat_controller import ChatController
from chatdesk.ui.chat_view import ChatView
from chatdesk.ui.composer import Composer
from chatdesk.ui.conversation_list import ConversationListModel
from chatdesk.ui.conversation_page import ConversationPage
from chatdesk.ui.downloads_controller import DownloadsController
from chatdesk.ui.engine_notices import EngineNotices
from chatdesk.ui.feedback_controller import FeedbackController
from chatdesk.ui.hub_controller import HubController
from chatdesk.ui.inspector import Inspector
from chatdesk.ui.learning_status import LearningStatus
from chatdesk.ui.model_defaults import ModelDefaults
from chatdesk.ui.models_controller import ModelsController
from chatdesk.ui.models_page_controller import ModelsPageController
from chatdesk.ui.notice import Notice
from chatdesk.ui.personalize_controller import PersonalizeController
from chatdesk.ui.settings_controller import SettingsController
from chatdesk.ui.sidebar import Sidebar
from chatdesk.ui.theme import Theme
from chatdesk.ui.update_controller import UpdateController
from chatdesk.ui.welcome import Suggestions
from chatdesk.ui.window_keeper import STATE_DELAY_MS, WindowKeeper
from chatdesk.ui.window_state import WindowState

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app_services import AppServices


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
        self._state = state
        self._list_model = ConversationListModel()
        self._sidebar = Sidebar(self._list_model, theme)
        self._page = page = ConversationPage(theme, enter_sends=settings.enter_sends)
        self._centre = Centre(page)
        self._inspector = Inspector(settings.sampling, theme)
        self._chat = ChatController(
            bridge, page.view, page.composer, self._inspector, page.notice, state
        )
        self._chat.set_default_system_prompt(settings.system_prompt)
        self._feedback = FeedbackController(bridge, page.view, page.notice)
        self._adapters = AdapterController(bridge, page.composer.adapter, self._inspector)
        self._learning = LearningStatus(self._sidebar.show_learning)
        self._personalize = PersonalizeController(
            bridge, self._list_model.title_of, page.notice, self
        )
        self._models = ModelsController(bridge, page.composer, page.suggestions, page.notice)
        self._hub = HubController(bridge, page.suggestions, lambda: self._library.notice)
        self._downloads = DownloadsController(bridge, lambda: self._library.notice)
        self._library = ModelsPageController(bridge, self._hub, self._downloads, page.notice, self)
        self._settings = SettingsController(bridge, settings, page.notice, self)
        self._defaults = ModelDefaults(bridge, self._settings, page.notice)
        self._updates = UpdateController(bridge, self._settings, page.notice, self)
        self._notices = EngineNotices(page.notice, self._settings, self._models.load_again)
        self._fact_handlers: dict[type, Callable[..., None]] = {
            MessageAdded: self._chat.on_message_added,
            MessageChanged: self._feedback.on_message_changed,
            AnswerReopened: self._chat.on_answer_reopened,
            PromptRead: self._chat.on_prompt_read,
            ThinkingArrived: self._chat.on_thinking,
            TextArrived: self._chat.on_text,
            AnswerEnded: self._on_answer_ended,
            EngineChanged: self._on_engine,
            ConversationsChanged: lambda fact: self._chat.refresh_list(),
            AdaptersChanged: self._on_adapters,
            AdapterLeftOut: self._on_adapter_left_out,
            LearningChanged: self._on_learning,
            ModelsChanged: self._on_models,
            DownloadsChanged: self._on_downloads,
            DownloadProgressed: self._downloads.on_progress,
            QuantizingChanged: self._library.on_quantizing,
        }
        self._build()
        self._keeper = WindowKeeper(self, state, state_path, self._chat.remember)
        self._connect()
        self._shortcuts()
        self.set_theme(theme)
        page.show_shared(shared=bool(settings.remote_devices))
        self._on_opened()

    # Assembly

    def _build(self) -> None:
        self.setWindowTitle("ChatDesk")
        self.setMinimumSize(560, 420)
        self.setAcceptDrops(True)
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._sidebar)
        row.addWidget(self._centre, 1)
        row.addWidget(self._inspector)
        self.setCentralWidget(whole)
        self._sidebar.setVisible(self._state.sidebar)
        self._offer_sidebar(not self._state.sidebar)
        self._inspector.setVisible(self._state.inspector)
        self.composer.setFocus()

    def _connect(self) -> None:
        chat, models, settings, sidebar = self._chat, self._models, self._settings, self._sidebar
        view, composer, suggestions = self.chat_view, self.composer, self.suggestions
        top_bar, inspector = self._page.top_bar, self._inspector
        table = (
            (self._bridge.fact_arrived, self._on_fact),
            (self._bridge.bug_found, self._on_bug),
            (sidebar.new_chat_requested, self.new_chat),
            (sidebar.open_requested, self._open),
            (sidebar.rename_requested, chat.rename),
            (sidebar.delete_requested, self.delete),
            (sidebar.hide_requested, self._toggle_sidebar),
            (sidebar.mark_requested, self._feedback.mark_conversation),
            (sidebar.models_requested, self.open_models),
            (sidebar.personalize_requested, self.open_personalize),
            (sidebar.settings_requested, settings.open),
            (composer.send_requested, chat.send),
            (composer.stop_requested, chat.stop),
            (composer.edit_last_requested, chat.edit_last),
            (composer.text_changed, lambda text: chat.draft_changed()),
            (composer.model_requested, models.choose),
            (composer.add_model_requested, self._pick_model_file),
            (composer.model_options_requested, settings.open_model_options),
            (composer.adapter.chosen, chat.choose_adapter),
            (composer.adapter.personalize_requested, self.open_personalize),
            (suggestions.text_chosen, self._begin_with),
            (suggestions.add_model_requested, self._pick_model_file),
            (suggestions.models_requested, self.open_models),
            (view.regenerate_requested, chat.regenerate),
            (view.edit_requested, chat.edit),
            (view.continue_requested, chat.continue_answer),
            (view.branch_requested, chat.show_branch),
            (view.retry_requested, chat.regenerate),
            (view.pin_requested, chat.pin),
            (view.correct_requested, chat.correct),
            (view.rate_requested, self._feedback.rate),
            (view.mark_requested, self._feedback.mark),
            (chat.opened, self._on_opened),
            (chat.listed, self._on_listed),
            (chat.context_measured, self._page.status.show_context),
            (chat.state_changed, self._keeper.save_soon),
            (chat.adapter_shown, composer.adapter.show_choice),
            (chat.personalize_requested, self.open_personalize),
            (self._feedback.personalize_requested, self.open_personalize),
            (models.chosen, lambda model: settings.edit(model=model.id)),
            (settings.changed, self._on_settings),
            (settings.changed, self.settings_changed),
            (settings.reload_requested, models.load_again),
            (settings.personalize_requested, self.open_personalize),
            (self._personalize.open_requested, self.open_personalize),
            (self._personalize.settings_requested, settings.open_learning),
            (self._personalize.back_requested, self._back_to_chat),
            (self._personalize.sidebar_requested, self._toggle_sidebar),
            (self._personalize.open_chat_requested, self._open_source),
            (self._library.open_requested, self.open_models),
            (self._library.add_requested, self._pick_model_file),
            (self._library.chat_requested, self._chat_with),
            (self._library.options_requested, settings.open_model_options),
            (self._library.personalize_requested, self.open_personalize),
            (self._library.back_requested, self._back_to_chat),
            (self._library.sidebar_requested, self._toggle_sidebar),
            (self._hub.settings_requested, settings.open_downloads),
            (self._downloads.status_changed, sidebar.show_downloading),
            (self._downloads.chat_requested, self._chat_with_file),
            (self._centre.turned, self._on_turned),
            (self._defaults.system_prompt_changed, chat.set_default_system_prompt),
            (self._defaults.sampling_changed, inspector.show_sampling),
            (inspector.sampling_changed, self._defaults.set_sampling),
            (inspector.system_prompt_changed, chat.set_system_prompt),
            (top_bar.sidebar_requested, self._toggle_sidebar),
            (top_bar.inspector_requested, self._toggle_inspector),
            (top_bar.rename_requested, self._rename_open),
            (top_bar.delete_requested, self._delete_open),
            (top_bar.model_options_requested, settings.open_model_options),
        )
        for signal, slot in table:
            signal.connect(slot)

    def _shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+N", self.new_chat),
            ("Ctrl+Shift+F", self._focus_search),
            ("Ctrl+B", self._toggle_sidebar),
            ("Ctrl+I", self._toggle_inspector),
            ("Ctrl+M", self.open_models),
            ("Ctrl+Shift+M", self._settings.open_model_options),
            ("Ctrl+,", self._settings.open),
            ("Ctrl+Q", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)
        # Only while there is something to stop: Esc also leaves menus and edited messages.
        stop = QShortcut(QKeySequence("Escape"), self)
        stop.activated.connect(self._stop_or_go_back)
        stop.setEnabled(False)
        self._chat.answering_changed.connect(stop.setEnabled)

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
    def suggestions(self) -> Suggestions:
        """What the empty chat suggests (tests read it)."""
        return self._page.suggestions

    @property
    def settings(self) -> SettingsController:
        """The settings and their dialogs."""
        return self._settings

    @property
    def list_model(self) -> ConversationListModel:
        """The sidebar's list (tests read it)."""
        return self._list_model

    def add_model(self, path: Path) -> None:
        """Take up a model file and use it."""
        self._models.add(path)

    def open_conversation(self, conversation_id: str) -> None:
        """Show a conversation."""
        self._open(conversation_id)

    def send(self, text: str) -> None:
        """Send a text as if it had been typed."""
        self.composer.set_text(text)
        self._chat.send(text)

    def attach(self, services: "AppServices") -> None:
        """The services are there."""
        self._settings.attach(services)
        self._models.attach(services)
        self._hub.attach(services)  # its suggestion takes the place of the general one
        self._downloads.attach(services)
        self._library.attach(services)
        self._defaults.attach(services)
        self._updates.attach(services)
        self._chat.attach(services)
        self._feedback.attach(services)
        self._adapters.attach(services)
        self._personalize.attach(services)
        self._inspector.show_engine(services.engine.status)

    def services_failed(self, problem: EnvironmentProblem, again: Callable[[], None]) -> None:
        """The services could not be built; `again` tries once more. What was typed is kept."""
        self._chat.wait_failed()
        self.notice.show_problem(problem, tr("Try again"), again)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        for part in (
            self._sidebar,
            self._page,
            self._inspector,
            self._settings,
            self._personalize,
            self._hub,
            self._library,
        ):
            part.set_theme(theme)

    # Facts

    def _on_fact(self, fact: Fact) -> None:
        self._fact_handlers[type(fact)](fact)

    def _on_answer_ended(self, fact: AnswerEnded) -> None:
        self._chat.on_answer_ended(fact)
        message: Message = fact.message
        if message.answer and message.answer.tokens_per_s:
            self._page.status.show_speed(message.answer.tokens_per_s)

    def _on_engine(self, fact: EngineChanged) -> None:
        self._page.status.show_engine(fact.status)
        self._inspector.show_engine(fact.status)
        for part in (self._models, self._library, self._defaults):
            part.on_engine(fact)
        self._adapters.on_engine(fact)
        self._personalize.on_engine(fact)
        self._chat.on_engine(fact)
        self._notices.on_engine(fact.status)

    def _on_adapters(self, fact: AdaptersChanged) -> None:
        self._adapters.on_adapters(fact)
        self._personalize.on_adapters(fact)

    def _on_models(self, fact: ModelsChanged) -> None:
        for part in (self._models, self._hub, self._library, self._defaults):
            part.on_models(fact)

    def _on_downloads(self, fact: DownloadsChanged) -> None:
        self._hub.on_downloads(fact)
        self._downloads.on_downloads(fact)

    def _on_learning(self, fact: LearningChanged) -> None:
        self._learning.on_learning(fact)
        self._personalize.on_learning(fact)

    def _on_adapter_left_out(self, fact: AdapterLeftOut) -> None:
        self.notice.show_problem(fact.problem, tr("Personalize"), self.open_personalize)

    def _on_bug(self, bug: BaseException) -> None:
        if isinstance(bug, EnvironmentProblem):
            self._personalize.notice.show_problem(bug)
        else:
            show_bug(bug, self)

    # What changed

    def _on_opened(self) -> None:
        self._page.show_empty(self._chat.current is None)
        self._show_title()

    def _on_listed(self, summaries: tuple[ConversationSummary, ...]) -> None:
        if self._sidebar.is_renaming:  # a new list would take the half-typed title away
            QTimer.singleShot(STATE_DELAY_MS, self._chat.refresh_list)
            return
        self._list_model.show(summaries)
        self._show_title()

    def _on_turned(self) -> None:
        chat = self._centre.shows_conversation
        self._inspector.setVisible(chat and self._state.inspector)
        self._sidebar.mark_page(self._centre.title)
        self._show_title()

    def _show_title(self) -> None:
        chat = self._centre.shows_conversation
        self._sidebar.select(self._chat.current if chat else None)
        title = self._list_model.title_of(self._chat.current)
        self._page.top_bar.show_title(title)
        title = self._centre.title or title
        self.setWindowTitle(f"{title} – ChatDesk" if title else "ChatDesk")

    def _on_settings(self, settings: Settings) -> None:
        self.composer.enter_sends = settings.enter_sends
        self._page.show_shared(shared=bool(settings.remote_devices))

    # Requests

    def new_chat(self) -> None:
        """Begin a new chat, with the cursor in the composer."""
        self._chat.new_chat()
        self._back_to_chat()

    def open_personalize(self) -> None:
        """Show what the model learns, and what came of it."""
        self._learning.seen()
        self._show_page(self._personalize.page(), tr("Personalize"))

    def open_models(self) -> None:
        """Show the models there are, and those there could be."""
        self._show_page(self._library.page(), tr("Models"))

    def _show_page(self, page: QWidget, title: str) -> None:
        self._centre.show_page(page, title)
        page.setFocus()

    def _chat_with(self, model: ModelFile) -> None:
        self._models.use(model)
        self._back_to_chat()

    def _chat_with_file(self, path: Path) -> None:
        self._models.add(path)
        self._back_to_chat()

    def _back_to_chat(self) -> None:
        self._centre.show_conversation()
        self.composer.setFocus()

    def _stop_or_go_back(self) -> None:
        if self._centre.shows_conversation:
            self._chat.stop()
        else:
            self._back_to_chat()

    def _open_source(self, source: Source) -> None:
        """Show the message an example is from."""
        anchor = (source.message_id, 0)
        if source.conversation_id == self._chat.current:
            self.chat_view.restore_anchor(anchor)
        else:
            self._state.remember_anchor(source.conversation_id, anchor)
        self._open(source.conversation_id)

    def _begin_with(self, text: str) -> None:
        self.composer.set_text(text)
        self.composer.setFocus()

    def _open(self, conversation_id: str) -> None:
        self._chat.open(conversation_id)
        self._back_to_chat()

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
        self._offer_sidebar(not shown)
        self._state.sidebar = shown
        self._keeper.save_soon()

    def _offer_sidebar(self, offered: bool) -> None:
        self._page.top_bar.offer_sidebar(offered)
        self._personalize.offer_sidebar(offered)
        self._library.offer_sidebar(offered)

    def _toggle_inspector(self) -> None:
        self._centre.show_conversation()
        self._state.inspector = not self._inspector.isVisible()
        self._inspector.setVisible(self._state.inspector)
        self._keeper.save_soon()

    def _pick_model_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Add a model file"), "", tr("GGUF models") + " (*.gguf)"
        )
        if path:
            self._models.add(Path(path))

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
        self._inspector.flush()
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
            self._models.add(path)
        event.acceptProposedAction()


def _dropped_models(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() == ".gguf"]
