"""Removes content that must not be learned from any more from everything made from it.

An adapter's own weights stay until it is deleted; `AdapterStore.withdrawn` says what they know.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from chatdesk.core.personalization import AdapterState
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.adapters.files import remove
from chatdesk.services.facts import Publish
from chatdesk.store.adapters import AdapterStore

_UNFINISHED = (AdapterState.INTERRUPTED, AdapterState.FAILED)


class Forgetting:
    """Called whenever something is deleted or withdrawn; any thread may call.

    `folder` is that of all adapters, `forget_session` drops a conversation's KV states.
    """

    def __init__(
        self,
        adapters: AdapterStore,
        folder: Path,
        forget_session: Callable[[str], None],
        publish: Publish,
    ) -> None:
        self._adapters = adapters
        self._folder = folder
        self._forget_session = forget_session
        self._publish = publish
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, on_withdrawn: Callable[[str], None]) -> None:
        """Call `on_withdrawn` with each conversation that is withdrawn, wholly or in part."""
        self._listeners.append(on_withdrawn)

    def deleted(self, conversation_id: str) -> None:
        """Handle a conversation that went to the trash."""
        self._forget_session(conversation_id)
        self.withdrawn(conversation_id)

    def withdrawn(self, conversation_id: str) -> None:
        """Handle a conversation that was deleted or excluded, or a part of it."""
        for on_withdrawn in self._listeners:
            on_withdrawn(conversation_id)
        forget_learned(self._adapters, self._folder, conversation_id)
        self._publish(AdaptersChanged())

    def tidy(self, conversations: Iterable[str]) -> None:
        """Do the same for deletions by another process; `conversations` are the existing ids."""
        learned = (self._adapters.sources(record.id) for record in self._adapters.list())
        known = {
            source.conversation_id for made in learned for source in made if not source.is_file
        }
        for conversation_id in known - set(conversations):
            forget_learned(self._adapters, self._folder, conversation_id)


def forget_learned(adapters: AdapterStore, folder: Path, conversation_id: str) -> None:
    """Remove a conversation's words from scorecards, and what unfinished runs keep on disk."""
    for record in adapters.trained_on(conversation_id):
        if record.state in _UNFINISHED:
            remove(folder / record.id)
            adapters.finish(record.id, AdapterState.CANCELLED)
        if record.scorecard:
            adapters.change(record.id, scorecard=record.scorecard.without(conversation_id))
