"""Requests from outside the window: each goes to the model it names."""

import math
import threading
import time
from dataclasses import replace

from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.generation import CountTokens, Embed, Generate, GenerationStats
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile, ModelRole
from chatdesk.core.sampling import SamplingParams
from chatdesk.library.models.role import check_answers, role_of
from chatdesk.services.app import App
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.services.engine.process import OnReply

LOADED_MODEL = ("", "default")  # names that mean the loaded model
OLLAMAS_TAG = ":latest"  # its clients put it behind names
UNLOAD_WITHIN_S = 2.0
NOTE_EVERY_S = 5.0  # a client may send many requests a second, and the window reads each note


class ModelBusy(EnvironmentProblem):
    """Another model is answering, so the requested one cannot be loaded now."""


class ServingService:
    """Finds, loads and asks models for clients who use their names. Any thread may call."""

    def __init__(self, services: App) -> None:
        self._services = services
        self._engine = services.engine
        self._lock = threading.Lock()  # keeps the model from its choice to the request
        self._noted: dict[str, float] = {}  # by model: time of its last noted answer

    @property
    def status(self) -> EngineStatus:
        """The state of the engine."""
        return self._engine.status

    @property
    def sampling(self) -> SamplingParams:
        """Default parameters of requests: the user's choice for the loaded model."""
        return self._services.models.notes.defaults(self._engine.status.model).sampling

    def models(self) -> tuple[ModelFile, ...]:
        """Return every model that can be asked."""
        asked = (ModelRole.CHAT, ModelRole.BASE, ModelRole.EMBEDDER)
        models = self._services.models.refresh()
        return tuple(model for model in models if role_of(model.header) in asked)

    def model(self, name: str) -> ModelFile:
        """Find a model by id or by name, never by path: clients must not choose files.

        Raises `NotFound`.
        """
        name = name.removesuffix(OLLAMAS_TAG)
        current = self._engine.status.model
        if current and name in LOADED_MODEL:
            return current
        for model in self._services.models.refresh():
            if name in (model.id, model.header.name):
                return model
        raise NotFound(
            tr("There is no model “{name}”.", name=name),
            tr("GET /v1/models lists those there are; “default” is the one in use."),
        )

    @property
    def idle_left_s(self) -> float:
        """The seconds until the loaded model is unloaded, if nobody uses it."""
        return self._engine.idle_left_s

    def load(self, name: str, *, to_embed: bool = False) -> ModelFile:
        """Load the model of that name, if it is not (this blocks). Raises as `submit`."""
        with self._lock:
            self._choose(name, to_embed=to_embed)
            self._engine.wait_loaded()
            model = self._engine.status.model
        assert model
        return model

    def unload(self, name: str) -> ModelFile:
        """Unload the model of that name until the next request, unless it answers somebody.

        Raises `NotFound`.
        """
        model, end = self.model(name), time.monotonic() + UNLOAD_WITHIN_S
        while self._is_loaded(model) and not self._engine.fall_asleep():
            if time.monotonic() > end:
                break
            time.sleep(0.02)  # what it does may be short, as what follows a load
        return model

    def _is_loaded(self, model: ModelFile) -> bool:
        status = self._engine.status
        current = status.model if status.state is EngineState.READY else None
        return current is not None and current.id == model.id

    def new_id(self) -> str:
        """Return a new request id."""
        return self._engine.new_id()

    def submit(
        self, name: str, request: Generate | Embed | CountTokens, on_reply: OnReply
    ) -> ModelFile | None:
        """Ask the model of that name; load it first if necessary (this blocks).

        Returns the model. Replies arrive on the engine's reader thread. Raises `NotFound`,
        `ModelBusy`, or another `EnvironmentProblem` when the model cannot be loaded; then there is
        no reply.
        """
        with self._lock:
            self._choose(name, to_embed=isinstance(request, Embed))
            self._engine.wait_loaded()
            model = self._engine.status.model
            self._engine.submit(self._adapted(request), on_reply)
        return model

    def note(self, model: ModelFile, stats: GenerationStats) -> None:
        """Record an answer with its model, as the window does, but not each of many in a row."""
        moment = time.monotonic()
        if moment - self._noted.get(model.id, -math.inf) >= NOTE_EVERY_S:
            self._noted[model.id] = moment
            self._services.usage.note(model.id, stats)

    def cancel(self, request_id: str) -> None:
        """Stop a request; its last reply still follows. May block for a moment."""
        self._engine.cancel(request_id)

    def _adapted(self, request: Generate | Embed | CountTokens) -> Generate | Embed | CountTokens:
        """Return the request with the model's active adapter, as the window sends it."""
        model = self._engine.status.model
        if model is None or not isinstance(request, Generate):
            return request
        applied = self._services.adapters.applied(model, None)
        return replace(request, adapters=tuple(each.adapter for each in applied))

    def _choose(self, name: str, *, to_embed: bool) -> None:
        name = name.removesuffix(OLLAMAS_TAG)
        current = self._engine.status.model
        if current and name in LOADED_MODEL and not to_embed and not _answers(current):
            current = None  # an embedder, which another client has asked for
        if current and name in (*LOADED_MODEL, current.id, current.header.name):
            if not to_embed:
                check_answers(current.header)
            self._engine.reload()  # does nothing unless the engine has failed
        elif name in LOADED_MODEL:
            self._services.load_default_model()
        else:
            model = self.model(name)
            if self._engine.busy:
                raise ModelBusy(
                    tr("Another model is answering."), tr("Try again when it has finished.")
                )
            self._services.load_model(model, to_embed=to_embed)


def _answers(model: ModelFile) -> bool:
    return role_of(model.header).answers
