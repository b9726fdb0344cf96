"""One answer by another model than the one in use."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.chat.facts import AnswerEnded, GuestLeft
from chatdesk.services.chat.service import ChatService
from chatdesk.services.engine.engine import Engine
from chatdesk.services.facts import Publish
from chatdesk.services.models.service import ModelService

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Visit:
    guest: ModelFile
    host: ModelFile


class GuestModel:
    """Loads a model for one answer, and then the one that was in use before.

    That stays the chosen one. A model that a person chooses meanwhile is left in use.
    """

    def __init__(
        self,
        engine: Engine,
        models: ModelService,
        chat: ChatService,
        load: Callable[[ModelFile], None],
        publish: Publish,
    ) -> None:
        self._engine = engine
        self._models = models
        self._chat = chat
        self._load = load
        self._publish = publish
        self._lock = threading.Lock()
        self._visits: dict[str, _Visit] = {}  # by the id of the answer

    def answer_again(self, message_id: str, model_id: str) -> None:
        """Answer the same question with another model, as a sibling of the old answer.

        Raises `EnvironmentProblem` when that cannot begin; the model in use is loaded again then.
        """
        if self._engine.answering:
            raise EngineProblem(tr("The model that is answering must end first."))
        guest, host = self._models.get(model_id), self._engine.status.model
        if host is None or host.id == guest.id:
            self._load(guest)
            self._chat.regenerate(message_id)
            return
        visit = _Visit(guest, host)
        self._load(guest)
        with self._lock:  # the answer may end before its id is known here
            try:
                self._visits[self._chat.regenerate(message_id)] = visit
            except EnvironmentProblem:
                self._end(visit)
                raise

    def on_ended(self, fact: AnswerEnded) -> None:
        """An answer is final: if it is by a guest, that leaves."""
        with self._lock:
            visit = self._visits.pop(fact.message.id, None)
        try:
            if visit and self._end(visit):
                self._publish(GuestLeft(visit.guest, visit.host))
        except EnvironmentProblem as problem:  # the engine's state tells the person
            _log.warning("the model before could not be loaded: %s", problem)

    def _end(self, visit: _Visit) -> bool:
        """Load the host again; False if another model was chosen meanwhile."""
        model = self._engine.status.model
        if model is None or model.id != visit.guest.id:
            return False
        self._load(visit.host)
        return True
