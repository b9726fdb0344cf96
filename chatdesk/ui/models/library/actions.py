"""Actions on the models of this computer: from their rows, and from their details."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.model_files import KeptModel
from chatdesk.core.personalization import AdapterRecord
from chatdesk.core.units import size_words
from chatdesk.services.models.other_apps import app_that_keeps
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.models.library.delete_question import DeleteQuestion
from chatdesk.ui.models.library.details_dialog import ModelDetailsDialog
from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.questions import ask_for_words

_T = TypeVar("_T")


class ModelActions(QObject):
    """Does what the rows ask for; what it changes comes back as facts.

    `shrink_requested` carries a `KeptModel`.
    """

    shrink_requested = Signal(object)
    duplicates_requested = Signal()

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        settings: SettingsValue,
        page: ModelsPage,
        theme: Theme,
    ) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._navigator = navigator
        self._settings = settings
        self._page = page
        self._theme = theme
        self._details: ModelDetailsDialog | None = None
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
        """Apply a theme."""
        self._theme = theme
        if self._details:
            self._details.set_theme(theme)

    # Details

    def renew(self, models: Sequence[KeptModel]) -> None:
        """Show in the open details what is known of their model now."""
        shown = self._details
        of_shown = [each for each in models if shown and each.model.id == shown.kept.model.id]
        if shown and of_shown:
            shown.show_machine(of_shown[0])

    def open_details(self, kept: KeptModel) -> None:
        """Show everything about a model."""
        self._do(
            lambda app: app.adapters.in_use(kept.model, None),
            lambda in_use: self._show_details(kept, in_use),
        )

    def _show_details(self, kept: KeptModel, in_use: AdapterRecord | None) -> None:
        if self._details:
            return
        adapter = in_use.name if in_use else ""
        dialog = self._details = ModelDetailsDialog(
            kept, self._settings, adapter, self._theme, self._page.window()
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(partial(self._details_closed, dialog))
        for signal, slot in (
            (dialog.chat_requested, lambda: self._chat(kept)),
            (dialog.options_requested, lambda: self._navigator.show_options(kept.model)),
            (dialog.personalize_requested, lambda: self._navigator.show(PageId.PERSONALIZE)),
            (dialog.duplicates_requested, self.duplicates_requested.emit),
            (dialog.shrink_requested, lambda: self.shrink_requested.emit(kept)),
        ):
            signal.connect(dialog.accept)  # what is asked for opens in its place
            signal.connect(slot)
        dialog.folder_requested.connect(partial(show_folder, kept))
        dialog.delete_requested.connect(partial(self.delete, kept, dialog))
        dialog.open()

    def _details_closed(self, dialog: ModelDetailsDialog, _result: int) -> None:
        self._details = None
        dialog.flush()
        model_id, before, after = dialog.kept.model.id, dialog.kept.notes, dialog.notes
        if before != after:
            attempt(
                self._bridge,
                self._page.notice,
                f"notes of {model_id}",
                lambda app: app.models.notes.edit(model_id, before, after),
            )

    # Rows

    def _chat(self, kept: KeptModel) -> None:
        self._navigator.chat_with(kept.model)

    def _favour(self, kept: KeptModel) -> None:
        self._do(
            lambda app: app.models.notes.set_favourite(kept.model.id, not kept.notes.favourite)
        )

    def _rename(self, kept: KeptModel) -> None:
        def rename(name: str) -> None:
            attempt(
                self._bridge,
                self._page.notice,
                f"name of {kept.model.id}",
                lambda app: app.models.notes.rename(kept.model.id, name.strip()),
            )

        ask_for_words(self._page, tr("Rename"), tr("Name of the model"), kept.name, rename)

    def _renew(self, kept: KeptModel) -> None:
        self._do(lambda app: app.models.add(Path(kept.model.path)))

    def delete(self, kept: KeptModel, details: ModelDetailsDialog | None = None) -> None:
        """Ask whether a model is to go to the trash, or off the list only."""
        parent: QWidget = details or self._page
        model_id = kept.model.id

        def away(work: Work[_T], done: Callable[[_T], None] | None = None) -> None:
            if details and details is self._details:
                details.accept()
            self._do(work, done)

        def ask(app: str) -> None:
            question = DeleteQuestion(kept, app, parent)
            question.trash.connect(
                lambda: away(lambda app: app.models.delete(model_id), partial(self._notify, kept))
            )
            question.forget.connect(lambda: away(lambda app: app.models.forget(model_id)))
            question.open()

        self._do(lambda _: app_that_keeps(kept.model), ask)

    def _notify(self, kept: KeptModel, freed: int) -> None:
        self._page.notice.show_words(
            tr("“{name}” is in the trash.", name=kept.full_name),
            tr("{size} are free once the trash is emptied.", size=size_words(freed)),
        )

    def _do(self, work: Work[_T], done: Callable[[_T], None] | None = None) -> None:
        self._bridge.run(work, done, self._page.notice.show_problem, patient=True)


def show_folder(kept: KeptModel) -> None:
    """Open the folder a model's file lies in, in the system's own way."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(kept.model.path).parent)))
