"""Adapters of the starter model over a real database, without an engine."""

from dataclasses import replace
from pathlib import Path

from chatdesk.core.chat import new_id, now
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import AdapterRecord, AdapterState, ExampleSource
from chatdesk.services.adapters.service import AdapterService
from chatdesk.services.facts import Fact
from chatdesk.services.models.service import ModelService
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore
from tests.lora_files import lora_adapter


class Shelf:
    """The services under test, and what they told."""

    def __init__(self, home: Path) -> None:
        self.paths = AppPaths.under(home)
        self.paths.make()
        self.database = Database.open(self.paths.database)
        self.store = AdapterStore(self.database)
        self.conversations = ConversationStore(self.database)
        self.models = ModelService(ModelStore(self.database), self.paths.models)
        self.facts: list[Fact] = []
        self.adapters = AdapterService(
            self.store, self.conversations, self.models, self.paths.adapters, self.facts.append
        )

    def starter(self) -> ModelFile:
        model = self.models.default(None)
        assert model
        return model

    def adapter(
        self,
        name: str = "Ida",
        state: AdapterState = AdapterState.PROMOTED,
        sources: tuple[ExampleSource, ...] = (),
        seed: int = 1,
    ) -> AdapterRecord:
        """One as a run leaves it."""
        return make_adapter(
            self.store, self.paths, self.starter(), name, state, sources=sources, seed=seed
        )


def make_adapter(
    store: AdapterStore,
    paths: AppPaths,
    model: ModelFile,
    name: str = "Ida",
    state: AdapterState = AdapterState.PROMOTED,
    *,
    sources: tuple[ExampleSource, ...] = (),
    seed: int = 1,
    strength: float = 4.0,
) -> AdapterRecord:
    """An adapter with its file, put straight into the store."""
    record = AdapterRecord(new_id(), name, model.id, model.header.name, model.sha256, state, now())
    folder = paths.adapters / record.id
    folder.mkdir(parents=True)
    file = lora_adapter(folder / "adapter.gguf", seed, strength)
    record = replace(record, bytes=file.stat().st_size, scale=0.75)
    return store.add(record, sources)
