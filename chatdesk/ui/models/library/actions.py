"""What can be done with the models on this computer: from their rows, and from their details."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.library import KeptModel, ModelNotes
from chatdesk.core.units import size_words
from chatdesk.services.models.other_apps import app_that_keeps
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.models.library.delete_question import DeleteQuestion, explain_starter
from chatdesk.ui.models.library.details_dialog import ModelDetails
from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.questions import ask_for_words

if TYPE_CHECKING:  # SQLAlchemy is imported with it: not before the window stands
    from chatdesk.services.app import App


class ModelActions(QObject):
    """Does what the rows ask for; what it changes comes back as facts.

    `chat_requested` and `options_requested` carry a `ModelFile`, `shrink_requested` a `KeptModel`.
    """

    chat_requested = Signal(object)
    options_requested = Signal(object)
    personalize_requested = Signal()
    shrink_requested = Signal(object)
    duplicates_requested = Signal()

    def __init__(self, bridge: Bridge, services: "App", page: ModelsPage, theme: Theme) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._services = services
        self._models = services.models
        self._page = page
        self._theme = theme
        self._details: ModelDetails | None = None
        kept = page.kept
        for signal, slot in (
            (kept.chat_requested, self._chat),
            (kept.details_requested, self.open_details),
            (kept.favourite_requested, self._favour),
            (kept.rename_requested, self._rename),
            (kept.renew_requested, self._renew),
            (kept.shrink_requested, self.shrink_requested),
            (kept.folder_requested, show_folder),
            (kept.delete_requested, self.delete),
        ):
            signal.connect(slot)

    def set_theme(self, theme: Theme) -> None:
        """Take on other colours."""
        self._theme = theme
        if self._details:
            self._details.set_theme(theme)

    # Details

    def open_details(self, kept: KeptModel) -> None:
        """Show everything about a model."""

        def adapter() -> str:
            record = self._services.adapters.in_use(kept.model, None)
            return record.name if record else ""

        self._do(adapter, partial(self._show_details, kept))

    def _show_details(self, kept: KeptModel, adapter: str) -> None:
        if self._details:
            return
        general = self._services.settings.chat.sampling
        dialog = self._details = ModelDetails(
            kept, general, adapter, self._theme, self._page.window()
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(partial(self._details_closed, dialog))
        for signal, slot in (
            (dialog.chat_requested, lambda: self._chat(kept)),
            (dialog.options_requested, lambda: self.options_requested.emit(kept.model)),
            (dialog.personalize_requested, self.personalize_requested.emit),
            (dialog.duplicates_requested, self.duplicates_requested.emit),
            (dialog.shrink_requested, lambda: self.shrink_requested.emit(kept)),
        ):
            signal.connect(dialog.accept)  # what is asked for opens in its place
            signal.connect(slot)
        dialog.folder_requested.connect(partial(show_folder, kept))
        dialog.delete_requested.connect(partial(self.delete, kept, dialog))
        dialog.open()

    def _details_closed(self, dialog: ModelDetails, _result: int) -> None:
        self._details = None
        dialog.flush()
        model_id, before, after = dialog.kept.model.id, dialog.kept.notes, dialog.notes
        if before != after:
            self._do(lambda: self._keep(model_id, before, after))

    def _keep(self, model_id: str, before: ModelNotes, after: ModelNotes) -> None:
        models = self._models
        if before.title != after.title:
            models.rename(model_id, after.title)
        if before.favourite != after.favourite:
            models.favour(model_id, after.favourite)
        if before.tags != after.tags:
            models.tag(model_id, after.tags)
        defaults = (after.system_prompt, after.sampling)
        if defaults != (before.system_prompt, before.sampling):
            models.set_defaults(model_id, *defaults)

    # Rows

    def _chat(self, kept: KeptModel) -> None:
        self.chat_requested.emit(kept.model)

    def _favour(self, kept: KeptModel) -> None:
        self._do(lambda: self._models.favour(kept.model.id, not kept.notes.favourite))

    def _rename(self, kept: KeptModel) -> None:
        def rename(name: str) -> None:
            self._do(lambda: self._models.rename(kept.model.id, name.strip()))

        ask_for_words(self._page, tr("Rename"), tr("Name of the model"), kept.name, rename)

    def _renew(self, kept: KeptModel) -> None:
        self._do(lambda: self._models.add(Path(kept.model.path)))

    def delete(self, kept: KeptModel, details: ModelDetails | None = None) -> None:
        """Ask whether a model is to go to the trash, or off the list only."""
        parent: QWidget = details or self._page
        if kept.is_starter:
            explain_starter(parent)
            return
        model_id = kept.model.id

        def away(work: Callable[[], object], done: Callable[..., None] | None = None) -> None:
            if details and details is self._details:
                details.accept()
            self._do(work, done)

        def ask(app: str) -> None:
            question = DeleteQuestion(kept, app, parent)
            question.trash.connect(
                lambda: away(lambda: self._models.delete(model_id), partial(self._tell, kept))
            )
            question.forget.connect(lambda: away(lambda: self._models.forget(model_id)))
            question.open()

        self._do(lambda: app_that_keeps(kept.model), ask)

    def _tell(self, kept: KeptModel, freed: int) -> None:
        self._page.notice.show_words(
            tr("“{name}” is in the trash.", name=kept.name),
            tr("{size} are free once the trash is emptied.", size=size_words(freed)),
        )

    def _do(self, work: Callable[[], object], done: Callable[..., None] | None = None) -> None:
        self._bridge.run(work, done, self._page.notice.show_problem, patient=True)


def show_folder(kept: KeptModel) -> None:
    """Open the folder a model's file lies in, in the system's own way."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(kept.model.path).parent)))
