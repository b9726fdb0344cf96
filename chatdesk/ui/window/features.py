"""What the window is made of: the panels, and the controllers between them and the services.

Services, colours and facts come down through here; requests go up to the window.
"""

from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.services.adapters.facts import AdapterLeftOut
from chatdesk.services.chat.facts import (
    AnswerEnded,
)
from chatdesk.services.engine.facts import EngineChanged
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.adapter_controller import AdapterController
from chatdesk.ui.chat.ask_controller import AskController
from chatdesk.ui.chat.engine_notices import EngineNotices
from chatdesk.ui.chat.feedback_controller import FeedbackController
from chatdesk.ui.chat.inspector.inspector import Inspector
from chatdesk.ui.chat.model_controller import ModelsController
from chatdesk.ui.chat.new_chat_defaults import ModelDefaults
from chatdesk.ui.chat.open_chat import OpenChat
from chatdesk.ui.chat.page import ConversationPage
from chatdesk.ui.history.controller import ConversationsController
from chatdesk.ui.history.conversation_list_model import ConversationListModel
from chatdesk.ui.history.sidebar import Sidebar
from chatdesk.ui.models.controller import ModelsPageController
from chatdesk.ui.models.downloads.controller import DownloadsController
from chatdesk.ui.models.hub.controller import HubController
from chatdesk.ui.models.options.controller import ModelOptionsController
from chatdesk.ui.personalize.controller import PersonalizeController
from chatdesk.ui.personalize.learning_status import LearningStatus
from chatdesk.ui.settings.controller import SettingsController
from chatdesk.ui.settings.update_controller import UpdateController
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.window_state import WindowState


class WindowParts:
    """Makes the parts; `window` is what dialogs belong to."""

    def __init__(
        self,
        bridge: Bridge,
        settings: SettingsValue,
        state: WindowState,
        theme: Theme,
        window: QWidget,
    ) -> None:
        self.list_model = ConversationListModel()
        self.sidebar = Sidebar(self.list_model, theme)
        self.page = page = ConversationPage(theme, enter_sends=settings.now.general.enter_sends)
        self.inspector = Inspector(settings.now.chat.sampling, theme)
        view, composer, notice = page.view, page.composer, page.notice
        self.chat = OpenChat(bridge, view, composer, self.inspector, notice, state)
        self.chat.set_default_system_prompt(settings.now.chat.system_prompt)
        self.ask = AskController(bridge, self.chat, view, composer, notice)
        self.conversations = ConversationsController(
            bridge, self.chat, self.sidebar, self.list_model, notice, state
        )
        self.feedback = FeedbackController(bridge, view, notice)
        self.adapters = AdapterController(bridge, composer.adapter, self.inspector)
        self.learning = LearningStatus(bridge, self.sidebar.show_learning)
        self.personalize = PersonalizeController(bridge, self.list_model.title_of, notice, window)
        self.models = ModelsController(bridge, composer, page.suggestions, notice)
        self.hub = HubController(bridge, lambda: self.library.notice)
        self.downloads = DownloadsController(bridge, lambda: self.library.notice)
        self.library = ModelsPageController(bridge, self.hub, self.downloads, notice, window)
        self.settings = SettingsController(bridge, settings, notice, window)
        self.options = ModelOptionsController(bridge, settings, window)
        self.defaults = ModelDefaults(bridge, settings, notice)
        self.updates = UpdateController(bridge, settings, self.settings, notice, window)
        self.engine_notices = EngineNotices(bridge, notice, settings)
        bridge.subscribe(AnswerEnded, self._show_speed)
        bridge.subscribe(EngineChanged, self._show_engine)
        bridge.subscribe(AdapterLeftOut, self._tell_left_out)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        for part in (
            self.sidebar,
            self.page,
            self.inspector,
            self.settings,
            self.options,
            self.personalize,
            self.hub,
            self.library,
        ):
            part.set_theme(theme)

    # Facts

    def _show_speed(self, fact: AnswerEnded) -> None:
        if fact.message.answer and fact.message.answer.tokens_per_s:
            self.page.status.show_speed(fact.message.answer.tokens_per_s)

    def _show_engine(self, fact: EngineChanged) -> None:
        self.page.status.show_engine(fact.status)
        self.inspector.show_engine(fact.status)

    def _tell_left_out(self, fact: AdapterLeftOut) -> None:
        show_page = self.personalize.open_requested.emit
        self.page.notice.show_problem(fact.problem, tr("Personalize"), show_page)
