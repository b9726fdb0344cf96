"""KV states of conversations on disk: when they are kept, and when they are deleted.

The engine writes and reads the files; this module ensures that nothing is left over.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import session_prefix
from chatdesk.core.settings import Settings
from chatdesk.services.adapters.service import AdapterService
from chatdesk.services.engine.engine import Engine
from chatdesk.services.models.service import ModelService

_log = logging.getLogger(__name__)


class SessionService:
    """Keeps the KV states of saved conversations in `folder`, if the settings say so."""

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        models: ModelService,
        adapters: AdapterService,
        settings: Callable[[], Settings],
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._models = models
        self._adapters = adapters
        self._settings = settings
        self._closing = threading.Event()
        self._forgotten: set[str] = set()

    def keep(self, model: ModelFile) -> None:
        """Keep conversations with a model that is being loaded.

        A model without a known hash is identified once it is loaded, which may take seconds more.
        """
        if identity := self._models.identity(model):
            self._keep(model, identity)
        else:
            threading.Thread(
                target=self._identify, args=(model,), name="identify", daemon=True
            ).start()

    def restore(self, conversation_id: str) -> None:
        """Load the state of an opened conversation, ready for the next message."""
        model = self._engine.status.model
        if model is None or not self._settings().sessions.keep:
            return
        try:
            self._engine.restore(
                conversation_id, self._adapters.for_session(model, conversation_id)
            )
        except EnvironmentProblem as problem:  # it is read again on demand
            _log.warning("a session was not restored: %s", problem)

    def forget(self, conversation_id: str) -> None:
        """Delete everything of a conversation that was deleted."""
        self._forgotten.add(conversation_id)
        self._engine.forget(conversation_id)
        forget_session(self._folder, conversation_id)

    def apply(self) -> None:
        """Apply changed settings."""
        if model := self._engine.status.model:
            self.keep(model)
        if not self._settings().sessions.keep:
            self.clear()

    def used_bytes(self) -> int:
        """Return the bytes on disk now."""
        total = 0
        for file in self._files():
            with contextlib.suppress(OSError):  # removed meanwhile
                total += file.stat().st_size
        return total

    def clear(self) -> None:
        """Delete all states; the conversations themselves stay."""
        for file in self._files():
            _unlink(file)

    def tidy(self, conversations: Callable[[], Iterable[str]]) -> None:
        """Remove states of deleted conversations that another process left, and all when off.

        `conversations` are the existing ids.
        """
        files = self._files()  # listed first: a conversation that begins now keeps its file
        wanted = tuple(map(session_prefix, conversations()))
        if not self._settings().sessions.keep:
            wanted = ()
        for file in files:
            if not file.name.startswith(wanted):
                _unlink(file)

    def close(self) -> None:
        """Stop identifying, and remove anything that the ended engine has left.

        An engine that ended right after a request to forget may still have saved its state.
        """
        self._closing.set()
        if not self._settings().sessions.keep:
            self.clear()
        for conversation_id in self._forgotten:
            forget_session(self._folder, conversation_id)

    def _keep(self, model: ModelFile, identity: str) -> None:
        settings = self._settings()
        folder = self._folder if settings.sessions.keep else None
        self._engine.keep_sessions(model, folder, identity, settings.sessions.limit_bytes)

    def _identify(self, model: ModelFile) -> None:
        try:
            self._engine.wait_loaded()  # both at once would read the disk from two places
        except EnvironmentProblem:
            return
        if identity := self._models.identify(model, self._closing.is_set):
            self._keep(model, identity)

    def _files(self) -> list[Path]:
        return list(self._folder.glob("*.kv"))


def forget_session(folder: Path, conversation_id: str) -> None:
    """Remove a conversation's state files of every model."""
    for file in folder.glob(f"{session_prefix(conversation_id)}*"):
        _unlink(file)


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as problem:
        _log.warning("a saved session could not be removed: %s", problem.strerror)
