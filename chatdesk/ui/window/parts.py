"""The parts of the window: its widgets, its features, and the controllers of the chat."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from chatdesk.services.engine.facts import EngineChanged
from chatdesk.services.history.facts import BackupEnded
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.adapter_controller import AdapterController
from chatdesk.ui.chat.ask_controller import AskController
from chatdesk.ui.chat.chat_brancher import ChatBrancher
from chatdesk.ui.chat.chat_copier import ChatCopier
from chatdesk.ui.chat.engine_notices import EngineNotices
from chatdesk.ui.chat.feedback_controller import FeedbackController
from chatdesk.ui.chat.guest_controller import GuestController
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.live_figures import LiveFigures
from chatdesk.ui.chat.message_deleter import MessageDeleter
from chatdesk.ui.chat.missing_model import MissingModel
from chatdesk.ui.chat.model_controller import ModelController
from chatdesk.ui.chat.new_chat_defaults import NewChatDefaults
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.chat.outbox import Outbox
from chatdesk.ui.chat.page import ConversationPage
from chatdesk.ui.chat.unsaved_controller import UnsavedController
from chatdesk.ui.deletions import Deletions
from chatdesk.ui.feature import Host
from chatdesk.ui.history.chat_deleter import ChatDeleter
from chatdesk.ui.history.chat_exporter import ChatExporter
from chatdesk.ui.history.chat_states import ChatStates
from chatdesk.ui.history.controller import ConversationsController
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.history.order_controller import OrderController
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.navigator import Navigator
from chatdesk.ui.search.feature import SearchFeature
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings.update_controller import UpdateController
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.enter_rule import EnterRule
from chatdesk.ui.widgets.notice import Notice
from chatdesk.ui.window.features import FEATURES
from chatdesk.ui.window.settings_pages import settings_pages
from chatdesk.ui.window_state import WindowState


class WindowParts:
    """Makes the parts; `window` is what dialogs belong to, and it says which chat is in sight."""

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        settings: SettingsValue,
        state: WindowState,
        theme: Theme,
        window: QWidget,
        is_in_sight: Callable[[str], bool],
    ) -> None:
        self.list_model = ConversationListModel(state.open_folders)
        self.enter = EnterRule(enter_sends=settings.now.general.enter_sends)
        self.page = page = ConversationPage(theme, self.enter)
        self.inspector = Inspector(settings.now.chat.sampling, theme, self.enter)
        self.notice = notice = Notice(theme)
        view, composer = page.view, page.composer
        host = Host(bridge, navigator, settings, notice, window, self.list_model.title_of)
        self.search = SearchFeature(host)
        self.features = (*(make(host) for make in FEATURES), self.search)
        self.pages = tuple(page for feature in self.features for page in feature.pages)
        for feature in self.features:
            if feature.welcome:
                page.suggestions.add(feature.welcome)
        self.sidebar = Sidebar(self.list_model, self.pages, theme)
        self.search.take_words_of(self.sidebar.search_field)
        self.chat = OpenChat(bridge, view, composer, self.inspector, notice, state)
        self.chat.set_default_system_prompt(settings.now.chat.system_prompt)
        self.outbox = Outbox(state)
        self.models = ModelController(bridge, settings, composer, notice)
        self.chat.opened.connect(lambda: self.models.open_chat(self.chat.current))
        self.ask = AskController(
            bridge, self.chat, view, composer, page.waiting, self.outbox, notice, self.models
        )
        self.unsaved = UnsavedController(bridge, view, notice, window)
        self.conversations = ConversationsController(bridge, self.sidebar, self.list_model, notice)
        self.states = ChatStates(bridge, self.list_model, state, is_in_sight)
        self.deletions = Deletions()
        self.chat_deleter = ChatDeleter(
            bridge,
            navigator,
            self.chat,
            self.list_model.title_of,
            notice,
            state,
            self.deletions,
        )
        self.order = OrderController(bridge, self.sidebar, self.list_model, notice, self.deletions)
        self.message_deleter = MessageDeleter(bridge, self.chat, view, notice, self.deletions)
        self.feedback = FeedbackController(bridge, navigator, view, notice)
        self.adapters = AdapterController(
            bridge, navigator, composer.adapter, self.inspector, notice
        )
        self.missing_model = MissingModel(bridge, navigator, notice, self.models.use)
        self.guests = GuestController(bridge, view, self.models, notice)
        self.brancher = ChatBrancher(bridge, navigator, view, notice)
        self.copier = ChatCopier(bridge, notice)
        self.exporter = ChatExporter(bridge, notice, self.list_model.title_of, window)
        self.settings = SettingsController(
            bridge, navigator, settings, settings_pages, notice, window
        )
        self.inspector.show_presets(settings.now.chat.presets)
        self.defaults = NewChatDefaults(bridge, settings, notice)
        self.updates = UpdateController(bridge, settings, notice, window)
        self.engine_notices = EngineNotices(bridge, navigator, notice, settings, is_in_sight)
        self.figures = LiveFigures(bridge, self.chat)
        bridge.subscribe(EngineChanged, self._show_engine)
        bridge.subscribe(BackupEnded, self._show_backup)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        for part in (
            self.sidebar,
            self.page,
            self.inspector,
            self.notice,
            self.settings,
            *self.features,
        ):
            part.set_theme(theme)

    # Facts

    def _show_backup(self, fact: BackupEnded) -> None:
        if fact.problem:
            self.notice.show_problem(fact.problem, key="daily backup")
        else:
            self.notice.solved("daily backup")

    def _show_engine(self, fact: EngineChanged) -> None:
        self.page.status.show_engine(fact.status)
        self.inspector.show_engine(fact.status)
