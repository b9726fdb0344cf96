"""The two families of errors.

An `EnvironmentProblem` is something that the user can fix: it says what happened and what to do.
Everything else is a bug: it is logged with its traceback and offered for copying.
"""

from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions


class EnvironmentProblem(Exception):
    """Something outside the program is not as required.

    `what` and `todo` are whole, translated sentences for the user, `sentence` is both; the store
    keeps the latter, because it can be shown in another language (see `i18n.Sentence`).
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


class NotForChats(ModelProblem):
    """A model is for something else, or llama.cpp cannot run it."""


class DeviceMissing(ModelProblem):
    """A device of a model is missing, or another computer is."""


class AdapterProblem(EnvironmentProblem):
    """An adapter, or its file, cannot be used."""


class PromptTooLong(EnvironmentProblem):
    """A prompt does not fit the context window; both numbers are tokens."""

    def __init__(self, what: str, todo: str, tokens: int, limit: int) -> None:
        super().__init__(what, todo)
        self.tokens = tokens
        self.limit = limit


class RequestProblem(EnvironmentProblem):
    """A request has a parameter, grammar, schema or adapter that cannot be used."""


class EngineProblem(EnvironmentProblem):
    """The engine process ended or could not answer.

    `smaller` are load options that need less memory, where that was the problem.
    """

    def __init__(self, what: str, todo: str = "", smaller: LoadOptions | None = None) -> None:
        super().__init__(what, todo)
        self.smaller = smaller


class StoreProblem(EnvironmentProblem):
    """The database cannot be read or written (full disk, read-only, damaged)."""


class NotWritable(StoreProblem):
    """Nothing can be written to the database, its disk or its folder."""


class StoreTooNew(StoreProblem):
    """The database was written by a newer version; it was not touched."""
