"""The engine as a run uses it: whenever it has the run's model."""

import time
from collections.abc import Callable
from typing import TypeVar

from chatdesk.core.errors import EngineProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.engine import Engine

_LOOK_EVERY_S = 0.5  # while another model is in use
_TRIES = 3

_Result = TypeVar("_Result")


class EngineTurns:
    """Does work while the engine has `model`.

    `check` is called while it waits; its exceptions end that. `tell` gets what is waited for, as
    words, and "" when the work begins.
    """

    def __init__(
        self,
        engine: Engine,
        model: ModelFile,
        check: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._model = model
        self._check = check
        self._tell = tell

    def do(self, work: Callable[[], _Result]) -> _Result:
        """Do work, again if another model is chosen meanwhile. Raises `EngineProblem`."""
        for tries_left in reversed(range(_TRIES)):
            self._wait_for_model()
            try:
                return work()
            except EngineProblem:
                self._check()
                if self._has_model() and not tries_left:
                    raise
        raise EngineProblem(tr("The model was changed too often."), tr("Resume it later."))

    def _wait_for_model(self) -> None:
        while not self._has_model():
            self._tell(tr("waits for {model}", model=self._model.header.name))
            self._check()
            time.sleep(_LOOK_EVERY_S)
        self._tell("")
        self._engine.wait_loaded()

    def _has_model(self) -> bool:
        chosen = self._engine.status.model
        return chosen is not None and chosen.id == self._model.id
