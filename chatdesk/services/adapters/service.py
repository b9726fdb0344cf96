"""Adapters in daily use: which one answers, and what can be done with them."""

from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.chat import new_id, now
from chatdesk.core.errors import AdapterProblem, EnvironmentProblem, NotFound
from chatdesk.core.generation import Adapter
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import AdapterRecord, AdapterState, RatingTrend, Withdrawn
from chatdesk.core.training import ADAPTER_FILE
from chatdesk.library.adapters.formats import format_of
from chatdesk.library.adapters.gguf import check_adapter
from chatdesk.services.adapters.facts import AdapterLeftOut, AdaptersChanged
from chatdesk.services.adapters.files import export_files, import_file, remove
from chatdesk.services.facts import Publish
from chatdesk.services.models.service import ModelService
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore


@dataclass(frozen=True, slots=True)
class Applied:
    """An adapter as an answer is asked with it; `id` is noted with the answer."""

    id: str
    adapter: Adapter


class AdapterService:
    """Every method may raise `StoreProblem`, and `NotFound` for an id there is not."""

    def __init__(
        self,
        store: AdapterStore,
        conversations: ConversationStore,
        models: ModelService,
        folder: Path,
        publish: Publish,
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._models = models
        self._folder = folder
        self._publish = publish
        self._checked: dict[tuple[str, int, int], AdapterProblem | None] = {}  # by size and time

    # Which there are

    def records(self, model_id: str | None = None) -> tuple[AdapterRecord, ...]:
        """All runs and adapters, or those of one model, newest first."""
        return self._store.list(model_id)

    def get(self, adapter_id: str) -> AdapterRecord:
        """A run and its adapter."""
        return self._store.get(adapter_id)

    def resolve(self, name: str) -> AdapterRecord:
        """The adapter of that name, or whose id begins so. Raises `NotFound`, also for several."""
        named = [record for record in self._store.list() if record.name == name]
        if len(named) > 1:
            raise NotFound(
                tr("Several adapters are called “{name}”.", name=name), tr("Give the id of one.")
            )
        return named[0] if named else self._store.get(self._store.resolve(name))

    def file(self, record: AdapterRecord) -> Path:
        """Return the place of an adapter's GGUF file, if there is one."""
        return self._folder / record.id / ADAPTER_FILE

    def trained_on(self, conversation_id: str) -> tuple[AdapterRecord, ...]:
        """The runs and adapters that were made from a conversation, newest first."""
        return self._store.trained_on(conversation_id)

    def withdrawn(self, adapter_id: str) -> Withdrawn:
        """Return the sources of an adapter that must not be learned from any more."""
        return self._store.withdrawn(adapter_id)

    def trend(self, adapter_id: str) -> RatingTrend:
        """Thumbs under it, and before it."""
        return self._store.rating_trend(adapter_id)

    # Which one answers

    def in_use(self, model: ModelFile, choice: str | None) -> AdapterRecord | None:
        """Return the adapter that answers for a conversation's `choice` (`Conversation.adapter`).

        None also where the chosen one is gone, damaged, or of another model.
        """
        chosen = self._chosen(model, choice)
        return None if chosen is None or self._problem(chosen) else chosen

    def for_answer(
        self, model: ModelFile, choice: str | None, conversation_id: str = ""
    ) -> tuple[Applied, ...]:
        """Return the adapters of an answer; report it when they differ from the choice."""
        chosen = self._chosen(model, choice)
        if chosen and (problem := self._problem(chosen)):
            self._publish(AdapterLeftOut(conversation_id, problem))
            chosen = None
        return (self._applied(chosen),) if chosen else ()

    def applied(self, model: ModelFile, choice: str | None) -> tuple[Applied, ...]:
        """The same as `for_answer`, but silently."""
        record = self.in_use(model, choice)
        return (self._applied(record),) if record else ()

    def for_session(self, model: ModelFile, conversation_id: str) -> tuple[Adapter, ...]:
        """Return the probable adapters of a conversation's next answer."""
        choice = self._conversations.adapter(conversation_id)
        return tuple(each.adapter for each in self.applied(model, choice))

    def named(self, model: ModelFile, name: str) -> tuple[Applied, ...]:
        """Return an adapter by name: an id or its beginning, a name, a GGUF file, or "none".

        Raises `NotFound` or `AdapterProblem`.
        """
        if name == "none":
            return ()
        if name.lower().endswith(".gguf"):
            path = Path(name).absolute()
            check_adapter(path, Path(model.path))
            return (Applied(path.name, Adapter(str(path))),)
        record = self.resolve(name)
        if problem := self._misfit(record, model) or self._problem(record):
            raise problem
        return (self._applied(record),)

    def choose(self, conversation_id: str, choice: str | None) -> None:
        """Have an adapter answer in a conversation; "" none, None the model's active one."""
        if choice:
            self._store.get(choice)
        self._conversations.set_adapter(conversation_id, choice)
        self._publish(AdaptersChanged())

    def activate(self, adapter_id: str) -> AdapterRecord:
        """Use an adapter for its model wherever nothing else is chosen. Raises `AdapterProblem`."""
        record = self._store.get(adapter_id)
        if problem := self._problem(record):
            raise problem
        self._store.activate(record.model_id, record.id)
        self._publish(AdaptersChanged())
        return self._store.get(adapter_id)

    def roll_back(self, model_id: str) -> AdapterRecord | None:
        """Go back to what was active before; None is the model as it is.

        Raises `AdapterProblem` when nothing was.
        """
        there, adapter_id = self._store.previous(model_id)
        if not there:
            raise AdapterProblem(tr("There is nothing to go back to: no adapter is active."))
        self._store.activate(model_id, adapter_id)
        self._publish(AdaptersChanged())
        return self._store.get(adapter_id) if adapter_id else None

    def before(self, model_id: str) -> AdapterRecord | None:
        """Return the result of a rollback; None is the model as it is."""
        _, adapter_id = self._store.previous(model_id)
        return self._store.get(adapter_id) if adapter_id else None

    # Keeping

    def rename(self, adapter_id: str, name: str) -> AdapterRecord:
        """Call it something else. Raises `AdapterProblem` for an empty name."""
        if not name.strip():
            raise AdapterProblem(tr("An adapter needs a name."))
        record = self._store.change(adapter_id, name=name.strip())
        self._publish(AdaptersChanged())
        return record

    def delete(self, adapter_id: str) -> None:
        """Remove an adapter with its files; where it was active, what was before is again.

        Raises `EnvironmentProblem` while it is being made.
        """
        record = self._store.get(adapter_id)
        if record.active:
            self.roll_back(record.model_id)
        self._store.delete(adapter_id)
        self._publish(AdaptersChanged())
        remove(self._folder / adapter_id)

    def import_file(self, path: Path, model: ModelFile, name: str = "") -> AdapterRecord:
        """Take up an adapter made elsewhere for this model; it is not active yet.

        `path` is a GGUF file, or PEFT's file or folder. This may read the whole model file. Raises
        `AdapterProblem`.
        """
        adapter_id = new_id()
        size = import_file(path, Path(model.path), self._folder / adapter_id)
        try:
            record = self._store.add(
                AdapterRecord(
                    id=adapter_id,
                    name=name.strip() or format_of(path).name_of(path),
                    model_id=model.id,
                    model_name=model.header.name,
                    model_sha256=self._models.identify(model),
                    state=AdapterState.IMPORTED,
                    created=now(),
                    ended=now(),
                    bytes=size,
                )
            )
        except BaseException:
            remove(self._folder / adapter_id)
            raise
        self._publish(AdaptersChanged())
        return record

    def export_files(self, adapter_id: str, place: Path) -> tuple[Path, ...]:
        """Copy an adapter to a place that the user chose: a GGUF file, or a folder for PEFT.

        Returns the files written. Raises `AdapterProblem`.
        """
        record = self._store.get(adapter_id)
        if problem := self._missing(record):
            raise problem
        return export_files(self._folder / adapter_id, place)

    # Inside

    def _applied(self, record: AdapterRecord) -> Applied:
        return Applied(record.id, Adapter(str(self.file(record)), record.scale))

    def _chosen(self, model: ModelFile, choice: str | None) -> AdapterRecord | None:
        """Return the choice, if it is of this model."""
        if choice is None:
            return self._active(model)
        try:
            record = self._store.get(choice)
        except NotFound:  # none is, or it was deleted
            return None
        return None if self._misfit(record, model) else record

    def _active(self, model: ModelFile) -> AdapterRecord | None:
        active = self._store.active(model.id)
        if active or self._store.previous(model.id)[0]:
            return active
        # The same file may have been known by another id, before it was moved or installed again.
        alike = (each for each in self._store.list() if each.active)
        return next((each for each in alike if not self._misfit(each, model)), None)

    def _misfit(self, record: AdapterRecord, model: ModelFile) -> AdapterProblem | None:
        if record.model_id == model.id:
            return None
        if record.model_sha256 and record.model_sha256 == self._models.identity(model):
            return None
        return AdapterProblem(
            tr("“{name}” was made for {model}.", name=record.name, model=record.model_name),
            tr("Choose that model, or another adapter."),
        )

    def _problem(self, record: AdapterRecord) -> AdapterProblem | None:
        """Why nothing can be asked of it."""
        if not record.is_usable:
            return AdapterProblem(
                tr("“{name}” was not promoted, so it is not used.", name=record.name),
                tr("Its file can be exported and asked by its path."),
            )
        return self._missing(record)

    def _missing(self, record: AdapterRecord) -> AdapterProblem | None:
        file = self.file(record)
        try:
            about = file.stat()
        except OSError:
            what = tr("The file of “{name}” is missing.", name=record.name)
            return AdapterProblem(what, _learn_again())
        stamp = (record.id, about.st_size, about.st_mtime_ns)
        if stamp not in self._checked:
            sound = about.st_size == record.bytes and self._is_sound(record, file)
            what = tr("The file of “{name}” is damaged.", name=record.name)
            self._checked[stamp] = None if sound else AdapterProblem(what, _learn_again())
        return self._checked[stamp]

    def _is_sound(self, record: AdapterRecord, file: Path) -> bool:
        """Return True if the engine can use it; this reads the file."""
        try:
            check_adapter(file, Path(self._models.get(record.model_id).path))
        except AdapterProblem:
            return False
        except EnvironmentProblem:  # its model is not there, so nobody can ask it
            return True
        return True


def _learn_again() -> str:
    return tr("Delete this adapter, and learn or import it again.")
