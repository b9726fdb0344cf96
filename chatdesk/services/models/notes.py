"""The notes on a model beside its file, and the defaults of new conversations from them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatdesk.core.errors import NotFound
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelFile
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import ChatSettings, Settings
from chatdesk.core.unicode import sound_text
from chatdesk.services.facts import Publish
from chatdesk.services.models.facts import ModelsChanged
from chatdesk.store.models import ModelStore


class LibraryNotes:
    """Reads and writes the notes of models. `ModelsChanged` reports every change."""

    def __init__(
        self, store: ModelStore, publish: Publish, settings: Callable[[], Settings]
    ) -> None:
        self._store = store
        self._publish = publish
        self._settings = settings

    def of(self, model_id: str) -> ModelNotes:
        """Return the notes on a model. Raises `NotFound`."""
        return self._store.notes(model_id)

    def note(self, model_id: str, change: Callable[[ModelNotes], ModelNotes]) -> None:
        """Replace a model's notes by `change` of them. Raises `NotFound`."""
        self._store.note(model_id, change)
        self._publish(ModelsChanged())

    def rename(self, model_id: str, title: str) -> None:
        """Give a model the user's own name; an empty one is that of its header."""
        name = " ".join(sound_text(title).split())
        self.note(model_id, lambda notes: replace(notes, title=name))

    def set_favourite(self, model_id: str, favourite: bool) -> None:
        """Mark a model as a favourite, or no longer."""
        self.note(model_id, lambda notes: replace(notes, favourite=favourite))

    def tag(self, model_id: str, tags: Sequence[str]) -> None:
        """Replace the tags of a model."""
        clean = (" ".join(sound_text(tag).split()) for tag in tags)
        kept = tuple(dict.fromkeys(tag for tag in clean if tag))
        self.note(model_id, lambda notes: replace(notes, tags=kept))

    def set_defaults(
        self, model_id: str, system_prompt: str | None, sampling: SamplingParams | None
    ) -> None:
        """Set the defaults of new conversations with a model; None is the general setting."""
        system = None if system_prompt is None else sound_text(system_prompt)
        self.note(model_id, lambda notes: replace(notes, system_prompt=system, sampling=sampling))

    def edit(self, model_id: str, before: ModelNotes, after: ModelNotes) -> None:
        """Store the user's changes of a model's notes."""
        if before.title != after.title:
            self.rename(model_id, after.title)
        if before.favourite != after.favourite:
            self.set_favourite(model_id, after.favourite)
        if before.tags != after.tags:
            self.tag(model_id, after.tags)
        defaults = (after.system_prompt, after.sampling)
        if defaults != (before.system_prompt, before.sampling):
            self.set_defaults(model_id, *defaults)

    def defaults(self, model: ModelFile | None) -> ChatSettings:
        """Return the defaults of new chats: this model's, then those of the settings."""
        general = self._settings().chat
        try:
            notes = self._store.notes(model.id) if model else ModelNotes()
        except NotFound:  # a model that was never listed
            return general
        own = notes.system_prompt
        return ChatSettings(
            system_prompt=general.system_prompt if own is None else own,
            sampling=notes.sampling or general.sampling,
        )
