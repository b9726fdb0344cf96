"""The two families of error.

An `EnvironmentProblem` is something the person can mend: it says what happened and what to do.
Everything else is a bug: it is logged with its traceback and offered for copying.
"""

from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions


class EnvironmentProblem(Exception):
    """Something outside the program is not as it must be.

    `what` and `todo` are whole, translated sentences for the person, `sentence` is both; it is what
    the store keeps, because it can be said again in another language (see `i18n.Sentence`).
    """

    def __init__(self, what: str, todo: str = "") -> None:
        self.sentence = tr("{what} {todo}", what=what, todo=todo) if todo else what
        super().__init__(self.sentence)
        self.what = what
        self.todo = todo


class NotFound(EnvironmentProblem):
    """A conversation, message or model with this id does not exist."""


class ModelProblem(EnvironmentProblem):
    """A model file cannot be used."""


class DeviceMissing(ModelProblem):
    """A device that a model is to run on is not there, or another computer is not."""


class AdapterProblem(EnvironmentProblem):
    """An adapter, or its file, cannot be used."""


class PromptTooLong(EnvironmentProblem):
    """A prompt does not fit the context window; both numbers are tokens."""

    def __init__(self, what: str, todo: str, tokens: int, limit: int) -> None:
        super().__init__(what, todo)
        self.tokens = tokens
        self.limit = limit


class RequestProblem(EnvironmentProblem):
    """A request asks for what cannot be done: a parameter, a grammar, a schema, an adapter."""


class EngineProblem(EnvironmentProblem):
    """The engine process ended or could not answer.

    `smaller` is what to load the model with to need less memory, where that was the problem.
    """

    def __init__(self, what: str, todo: str = "", smaller: LoadOptions | None = None) -> None:
        super().__init__(what, todo)
        self.smaller = smaller


class StoreProblem(EnvironmentProblem):
    """The database cannot be read or written (full disk, read-only, damaged)."""


class StoreTooNew(StoreProblem):
    """The database was written by a newer version; it was not touched."""
