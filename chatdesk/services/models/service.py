"""The models on this computer: the starter, those in the models folder, those added by hand."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem, ModelProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.loading import Device, LoadOptions
from chatdesk.core.model_files import Estimate, FoundElsewhere, KeptModel, Presence
from chatdesk.core.models import Fit, ModelFile
from chatdesk.core.settings import Settings
from chatdesk.library.machine.fit import estimate
from chatdesk.library.machine.hardware import available_memory
from chatdesk.library.models.role import check_answers, role_of
from chatdesk.library.models.starter import find_starter
from chatdesk.library.other_apps.elsewhere import found
from chatdesk.services.facts import Publish
from chatdesk.services.models.facts import ChosenModelMissing, ModelsChanged
from chatdesk.services.models.files import path_of, presence_of, to_trash
from chatdesk.services.models.hashes import Identities
from chatdesk.services.models.intake import Intake
from chatdesk.services.models.notes import LibraryNotes
from chatdesk.store.models import KnownModel, ModelStore

_log = logging.getLogger(__name__)

ROOM_SHARE = 0.7  # of the free memory; the rest is for the KV cache and other programs


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model beside what this machine makes of it. `memory_bytes` at the context asked for."""

    model: ModelFile
    fit: Fit
    memory_bytes: int
    present: bool


class ModelService:
    """Knows the models; does not run them.

    `devices` are those a model could run on, `bandwidth` is the memory's in bytes per second, 0
    where it was not measured; both must answer at once.
    """

    def __init__(
        self,
        store: ModelStore,
        models_folder: Path,
        publish: Publish = lambda fact: None,
        settings: Callable[[], Settings] = Settings,
        devices: Callable[[], Sequence[Device]] = tuple,
        bandwidth: Callable[[], float] = float,
    ) -> None:
        self.notes = LibraryNotes(store, publish, settings)
        self._store = store
        self._publish = publish
        self._settings = settings
        self._folder = models_folder
        self._devices = devices
        self._bandwidth = bandwidth
        self._intake = Intake(store, self._folders)
        self._identities = Identities(store)

    # Which there are

    def refresh(self) -> tuple[ModelFile, ...]:
        """Take up the starter and new files of the models folders; every model that can be used."""
        listed = (each.model for each in self._scan())
        return tuple(model for model in listed if presence_of(model) is Presence.THERE)

    def answering(self) -> tuple[ModelFile, ...]:
        """Those of them that can be asked in a chat."""
        return tuple(model for model in self.refresh() if role_of(model.header).answers)

    def kept(self) -> tuple[KeptModel, ...]:
        """The same, with all that is known of each; also of those that are gone or changed."""
        starter = str(find_starter())
        estimate = self._estimator()
        return tuple(
            KeptModel(
                model=each.model,
                presence=presence_of(each.model),
                estimate=estimate(each.model, self.load_options(each.model.id)),
                notes=each.notes,
                is_starter=each.model.path == starter,
                role=role_of(each.model.header),
            )
            for each in self._scan()
        )

    def add(self, path: Path, name: str = "") -> ModelFile:
        """Take up a GGUF file where it lies, of a split model any part. Raises `ModelProblem`.

        One that changed or was taken off the list is taken up as it is now. `name` is what its id
        is made of, if not its file's name.
        """
        model, is_new = self._intake.add(path, name)
        if is_new:
            self._publish(ModelsChanged())
        return model

    def add_fetched(self, path: Path, repo: str, sha256: str) -> None:
        """Take up a file that was fetched from a repository and was found to have this hash."""
        model = self.add(path)
        if sha256 and model.header.parts == 1:  # the hash of a split model is that of all parts
            self._store.set_hash(model.id, sha256)
        self.notes.note(model.id, lambda notes: replace(notes, repo=repo))

    def get(self, id_or_path: str) -> ModelFile:
        """A model by its id, or by the path of a file. Raises `NotFound` or `ModelProblem`.

        If its file changed it is taken as it is now, which is another model.
        """
        if model := self._find(id_or_path):
            return self.add(Path(model.path)) if presence_of(model) is Presence.CHANGED else model
        path = path_of(Path(id_or_path))
        if path.suffix.lower() == ".gguf" or os.access(path, os.F_OK):
            return self.add(path)
        self._scan()  # in a new home nobody has looked for models yet
        if model := self._find(id_or_path):
            return model
        raise NotFound(
            tr("There is no model “{name}”.", name=id_or_path),
            tr("See the models there are with: chatdesk models list"),
        )

    def _find(self, model_id: str) -> ModelFile | None:
        return next((each for each in self._store.list() if each.id == model_id), None)

    def load_options(self, model_id: str) -> LoadOptions:
        """Return the load options of a model."""
        return self._settings().load_options(model_id)

    def default(self, preferred: str | None) -> ModelFile | None:
        """The model to start with: the preferred one if its file is there, else the starter.

        One that is not for chats is none to start with. A file that changed since it was chosen has
        another id, but is still the one at that place. `ChosenModelMissing` tells that another one
        answers in the place of the preferred one.
        """
        chosen = self._wanted(preferred) if preferred else None
        try:
            if chosen:
                check_answers(chosen.model.header)
                return self.add(Path(chosen.model.path))
        except ModelProblem as problem:
            _log.warning("the chosen model cannot be used: %s", problem)
        starter = find_starter()
        stand_in = self.add(starter) if starter else next(iter(self.answering()), None)
        if (
            chosen and chosen.listed and stand_in and role_of(chosen.model.header).answers
        ):  # else the user deleted it
            self._publish(ChosenModelMissing(chosen.model, _name(chosen), stand_in))
        return stand_in

    def held(self, model_id: str, stand_in: ModelFile | None) -> ModelFile | None:
        """Return the model that a chat was held with, if it can go on with it.

        `ChosenModelMissing` tells that its file is not there, and that `stand_in` answers instead.
        """
        known = self._wanted(model_id)
        if known is None or not role_of(known.model.header).answers:
            return None
        presence = presence_of(known.model)
        if presence is Presence.CHANGED:
            return self.add(Path(known.model.path))
        if presence is Presence.MISSING and known.listed and stand_in:
            self._publish(ChosenModelMissing(known.model, _name(known), stand_in))
        return known.model if presence is Presence.THERE else None

    def chosen(self, id_or_path: str | None, preferred: str | None) -> ModelFile:
        """The model that is asked for, else the default. Raises `NotFound` or `ModelProblem`."""
        model = self.get(id_or_path) if id_or_path else self.default(preferred)
        if model is None:
            raise NotFound(
                tr("No model was found on this computer."),
                tr("Add a GGUF file with: chatdesk models add PATH"),
            )
        return model

    def find(self, model_id: str, path: Path) -> ModelFile:
        """Take a file as that of a model whose own is gone. Raises `ModelProblem` if it is another.

        It is the same if its content is; where that was never worked out, if its header and its
        size are.
        """
        model = self._store.get(model_id)
        self._intake.move(model, path)
        self._publish(ModelsChanged())
        return self._store.get(model_id)

    def elsewhere(self) -> tuple[FoundElsewhere, ...]:
        """Models that other apps keep on this computer and that are not listed here yet."""
        listed = {os.path.realpath(model.path) for model in self._store.list()}
        return tuple(
            each
            for each in found(Path.home(), os.environ, sys.platform)
            if os.path.realpath(each.path) not in listed
        )

    def add_elsewhere(self, found: FoundElsewhere) -> ModelFile:
        """Take up what another app keeps, where it lies, called as that app does."""
        path = Path(found.path)
        model = self.add(path, found.name)
        if found.name != path.stem:
            self.notes.note(model.id, lambda notes: replace(notes, title=notes.title or found.name))
        return model

    def add_all_elsewhere(
        self, chosen: Sequence[FoundElsewhere]
    ) -> tuple[int, EnvironmentProblem | None]:
        """Take up several; the number of them, and the problem of the last that was not."""
        added, problem = 0, None
        for each in chosen:
            try:
                self.add_elsewhere(each)
                added += 1
            except EnvironmentProblem as met:  # one damaged file does not keep out the rest
                problem = met
        return added, problem

    # What becomes of one

    def delete(self, model_id: str) -> int:
        """Move a model's files to the trash and take it off the list; how many bytes they have.

        Answers and adapters still know it. Raises `NotFound`, and `EnvironmentProblem` for the
        starter, for files that are not there, and where there is no trash.
        """
        model = self._removable(model_id)
        if presence_of(model) is Presence.MISSING:
            name = self.notes.of(model_id).title or model.header.name
            raise ModelProblem(
                tr("The file of “{name}” is not there, so it cannot be deleted.", name=name),
                tr("Connect its disk, or take the model off the list."),
            )
        freed = to_trash(Path(model.path))
        self._store.delist(model_id)
        self._publish(ModelsChanged())
        return freed

    def forget(self, model_id: str) -> None:
        """Take a model off the list until it is added again; its file stays.

        Raises `NotFound`, and `EnvironmentProblem` for the starter.
        """
        self._removable(model_id)
        self._store.forget(model_id)
        self._publish(ModelsChanged())

    def duplicates(
        self, cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[tuple[KeptModel, ...], ...]:
        """Models that are the same to the byte, in groups; files of equal size are read for it."""
        return self._identities.duplicates(self.kept(), cancelled)

    # What this machine makes of one

    def room_bytes(self) -> int:
        """About how large a model file may be to run well here beside everything else."""
        return int(available_memory() * ROOM_SHARE)

    def info(self, model: ModelFile, context_window: int, devices: Sequence[Device]) -> ModelInfo:
        """Return the estimate and facts of a model at a context window of that many tokens."""
        options = LoadOptions(context_window)
        found = estimate(model.header, options, devices, available_memory(), self._bandwidth())
        present = presence_of(model) is not Presence.MISSING
        return ModelInfo(model, found.fit, found.memory_bytes, present)

    def estimate(self, model: ModelFile, options: LoadOptions) -> Estimate:
        """Estimate memory and speed of a model, if it were loaded with these options now."""
        return self._estimator()(model, options)

    def identity(self, model: ModelFile) -> str | None:
        """The hash of a model's content, if it is known and the file is still the same."""
        return self._identities.known(model)

    def identify(
        self, model: ModelFile, cancelled: Callable[[], bool] = lambda: False
    ) -> str | None:
        """The hash of a model's content, worked out if it is not known: that reads the whole file.

        None when `cancelled`, or when the file is not what it was.
        """
        return self._identities.work_out(model, cancelled)

    # Inside

    def _wanted(self, model_id: str) -> KnownModel | None:
        """The model of this id, if the user did not remove it on purpose."""
        known = (each for each in self._store.known() if each.model.id == model_id)
        return next((each for each in known if not each.forgotten), None)

    def _folders(self) -> tuple[Path, ...]:
        """The app's own models folder, and the one of the settings if it is another."""
        chosen = self._settings().downloads.folder
        return tuple(dict.fromkeys((self._folder, Path(chosen) if chosen else self._folder)))

    def _scan(self) -> list[KnownModel]:
        known, is_new = self._intake.scan()
        if is_new:
            self._publish(ModelsChanged())
        return [each for each in known if each.listed]

    def _estimator(self) -> Callable[[ModelFile, LoadOptions], Estimate]:
        """Estimates with what is free now, which is asked for once."""
        devices, memory, bandwidth = self._devices(), available_memory(), self._bandwidth()
        return lambda model, options: estimate(model.header, options, devices, memory, bandwidth)

    def _removable(self, model_id: str) -> ModelFile:
        model = self._store.get(model_id)
        if model.path == str(find_starter()):
            raise EnvironmentProblem(
                tr("The starter model stays: it comes with ChatDesk."),
                tr("So there always is a model that works without the network."),
            )
        return model


def _name(known: KnownModel) -> str:
    return known.notes.title or known.model.header.full_name
