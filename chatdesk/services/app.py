"""The services of one running app, built once and passed on."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from chatdesk.core.chat import is_temporary, now
from chatdesk.core.errors import EngineProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile, ModelRole
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.library.models.role import check_answers, role_of
from chatdesk.services.adapters.forgetting import Forgetting
from chatdesk.services.adapters.service import AdapterService
from chatdesk.services.chat.facts import AnswerEnded, ConversationsChanged, ConversationsGone
from chatdesk.services.chat.guest_model import GuestModel
from chatdesk.services.chat.saved_sessions import SessionService
from chatdesk.services.chat.service import ChatService
from chatdesk.services.chat.temporary import TemporaryChats
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.facts import EngineState
from chatdesk.services.engine.thread_counts import MeasuredThreads
from chatdesk.services.facts import Fact, Publish, Subscribers
from chatdesk.services.history.backups import BackupService
from chatdesk.services.history.order import HistoryOrder
from chatdesk.services.history.search import SearchService
from chatdesk.services.hub.downloads import DownloadService
from chatdesk.services.hub.service import HubService
from chatdesk.services.machine.memory_speed import MemorySpeed
from chatdesk.services.models.service import ModelService
from chatdesk.services.models.usage import ModelUsage
from chatdesk.services.personalize.service import PersonalizeService
from chatdesk.services.quantize.service import QuantizingService
from chatdesk.services.system.updates import UpdateService
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.attachments import AttachmentFiles
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from chatdesk.store.imports import ImportStore
from chatdesk.store.models import ModelStore
from chatdesk.store.projects import ProjectStore
from chatdesk.store.search import SearchStore

if TYPE_CHECKING:  # it knows every format
    from chatdesk.services.history.exports import ExportService
    from chatdesk.services.history.imports import ImportService

_T = TypeVar("_T")


class App:
    """Everything the app can do, over one open database and one engine.

    Raises `StoreProblem` when the database cannot be opened.
    """

    def __init__(
        self,
        paths: AppPaths,
        engine: Engine,
        publish: Publish,
        settings: Callable[[], Settings],
    ) -> None:
        self.engine = engine
        self._database = Database.open(paths.database)
        facts = Subscribers()
        self.conversations = ConversationStore(self._database)
        self.attachments = AttachmentFiles(paths.attachments)
        self.search = SearchService(SearchStore(self._database))
        self.memory_speed = MemorySpeed(
            paths.bandwidth,
            lambda: engine.busy or engine.status.state is EngineState.LOADING,
            facts.publish,
        )
        self.models = ModelService(
            ModelStore(self._database),
            paths.models,
            facts.publish,
            settings,
            devices=lambda: engine.devices,
            bandwidth=lambda: self.memory_speed.bytes_per_s,
        )
        self.hub = HubService(
            paths, lambda: engine.devices, settings, lambda: self.memory_speed.bytes_per_s
        )
        self.downloads = DownloadService(
            DownloadStore(self._database),
            self._models_folder,
            self.hub.hub,
            settings,
            facts.publish,
            self.models.add_fetched,
        )
        self.quantizing = QuantizingService(
            self.models,
            folder=self._models_folder,
            settings=settings,
            publish=facts.publish,
            threads=MeasuredThreads(paths.threads),
        )
        adapters = AdapterStore(self._database)
        self.adapters = AdapterService(
            adapters, self.conversations, self.models, paths.adapters, facts.publish
        )
        self.sessions = SessionService(paths.sessions, engine, self.models, self.adapters, settings)
        self.forgetting = Forgetting(adapters, paths.adapters, self.sessions.forget, facts.publish)
        self.usage = ModelUsage(engine, self.models)
        self.chat = ChatService(
            self.conversations,
            engine,
            facts.publish,
            self.models.notes,
            self.adapters,
            self.forgetting,
        )
        self._database.call_when_written(self.chat.unsaved.try_soon)
        self.backups = BackupService(paths, settings, facts.publish)
        self.order = HistoryOrder(ProjectStore(self._database), self.conversations, facts.publish)
        self.guest = GuestModel(engine, self.models, self.chat, self.load_model, facts.publish)
        self.temporary = TemporaryChats(
            # What they answer is noted nowhere: these facts go to the window and no service.
            lambda store: ChatService(
                store,
                engine,
                publish,
                self.models.notes,
                self.adapters,
                self.forgetting,
                keeps_sessions=False,
            ),
            lambda: self.models.notes.defaults(engine.status.model).system_prompt,
        )
        self.personalize = PersonalizeService(
            paths,
            engine=engine,
            models=self.models,
            conversations=self.conversations,
            store=adapters,
            settings=settings,
            publish=facts.publish,
        )
        self.forgetting.listen(self.personalize.on_withdrawn)
        self.updates = UpdateService(paths.updates)
        # Before it is published: who reads the models then finds the answer noted.
        facts.subscribe(AnswerEnded, lambda fact: self.usage.note_message(fact.message))
        for kind in (ConversationsGone, ConversationsChanged):  # deleted, imported
            facts.subscribe(kind, lambda _: self.search.keep_up_soon())
        facts.subscribe(Fact, publish)
        facts.subscribe(AnswerEnded, self.guest.on_ended)  # what it publishes follows the answer
        self._publish = facts.publish
        self._adapters = adapters
        self._settings = settings
        self._paths = paths

    @property
    def settings(self) -> Settings:
        """The user's settings, as of now."""
        return self._settings()

    @property
    def data_folder(self) -> Path:
        """Where the database and what was learned are."""
        return self._paths.data

    @property
    def exports(self) -> "ExportService":
        """Writes conversations to files; imported when it is used."""
        from chatdesk.services.history.exports import ExportService

        store, projects = ImportStore(self._database), ProjectStore(self._database)
        return ExportService(self.conversations, projects, store, self.attachments)

    @cached_property
    def imports(self) -> "ImportService":
        """The import of other apps' conversations."""
        from chatdesk.services.history.imports import ImportService

        store, projects = ImportStore(self._database), ProjectStore(self._database)
        return ImportService(store, projects, self.attachments, self._publish)

    def tidy(self) -> None:
        """Mark what a crash left unfinished, and remove for good what is not wanted any more."""
        self.conversations.recover()
        self._adapters.interrupt_dead()
        if days := self._settings().chat.trash_days:
            old = now() - timedelta(days=days)
            self.chat.purge_trash(old)
            self.attachments.tidy(ImportStore(self._database).named_files(), old)
        self.sessions.tidy(lambda: [each.id for each in self.conversations.list()])
        self.forgetting.tidy(each.id for each in self.conversations.list())
        self.search.start()

    def chat_of(self, conversation_id: str | None) -> ChatService:
        """The service of a conversation, saved or temporary; None is a new one that is saved."""
        if conversation_id and is_temporary(conversation_id):
            return self.temporary.chat(conversation_id)
        return self.chat

    def store_of(self, conversation_id: str) -> ConversationStore:
        """Where a conversation is kept."""
        if is_temporary(conversation_id):
            return self.temporary.store(conversation_id)
        return self.conversations

    def choose_adapter(self, conversation_id: str, choice: str | None) -> None:
        """Have an adapter answer in a conversation; see `AdapterService.choose`."""
        if is_temporary(conversation_id):
            self.temporary.store(conversation_id).set_adapter(conversation_id, choice)
        else:
            self.adapters.choose(conversation_id, choice)

    def held_model(self, conversation_id: str) -> ModelFile | None:
        """The model that a conversation goes on with; None where any may answer."""
        try:
            model_id = self.store_of(conversation_id).held_with(conversation_id)
        except NotFound:  # a temporary chat in which nothing was said yet
            return None
        return self.models.held(model_id, self.engine.status.model) if model_id else None

    def with_engine(self, ask: Callable[["App"], _T], model: ModelFile | None = None) -> _T:
        """Do what asks a model, that one or the one in use; it is loaded for it if need be.

        Raises `EngineProblem` while another one answers.
        """
        current = self.engine.status.model
        if model and (current is None or current.id != model.id):
            if self.engine.answering:
                raise EngineProblem(
                    tr("Another model is answering."), tr("Try again when it has finished.")
                )
            self.load_model(model)
        elif self.engine.status.state is EngineState.FAILED:
            self.engine.reload()
        return ask(self)

    def load_default_model(self) -> ModelFile | None:
        """Begin to load the model chosen last; None when there is no model at all."""
        settings = self._settings()
        model = self.models.default(settings.models.chosen)
        if model:
            self.load_model(model)
        return model

    def load_model(self, model: ModelFile, *, anew: bool = False, to_embed: bool = False) -> None:
        """Begin to load a model; what it is identified by is worked out after, if it is not known.

        `anew` loads it also when it is loaded already or has just failed; an embedder is loaded
        `to_embed` only. Raises `NotForChats`.
        """
        if not (to_embed and role_of(model.header) is ModelRole.EMBEDDER):
            check_answers(model.header)
        self.engine.load(model, self._settings().load_options(model.id), anew=anew)
        self.sessions.keep(model)

    def apply_load_options(self) -> None:
        """Load the model in use anew if the settings now have other options for it."""
        model = self.engine.status.model
        if model and self.engine.options != self._settings().load_options(model.id):
            self.load_model(model, anew=True)

    def close(self) -> None:
        """Keep what is being written, end the engine, close the database."""
        if "imports" in self.__dict__:  # it was used
            self.imports.stop()
        self.memory_speed.close()
        self.search.close()
        self.backups.close()
        self.downloads.close()
        self.quantizing.close()
        self.temporary.end()
        self.chat.close()
        self.personalize.close()
        self.engine.close()
        self.sessions.close()
        self._database.close()

    def _models_folder(self) -> Path:
        """Return the folder of new models."""
        chosen = self._settings().downloads.folder
        return Path(chosen) if chosen else self._paths.models


def build(
    paths: AppPaths,
    publish: Publish,
    settings: Callable[[], Settings],
    engine_command: Sequence[str] | None = None,
) -> App:
    """The services with an engine of their own. Raises `StoreProblem`."""
    engine = Engine(
        publish,
        engine_command,
        idle_s=lambda: settings().models.unload_after_min * 60.0,
        threads=MeasuredThreads(paths.threads),
    )
    return App(paths, engine, publish, settings)
