"""Actions on adapters and runs, for the Personalize page."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject

from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.personalization import AdapterRecord
from chatdesk.ui.bridge import Bridge, Work
from chatdesk.ui.personalize.page import PersonalizePage
from chatdesk.ui.widgets.attempt import attempt
from chatdesk.ui.widgets.file_dialogs import choose_file, choose_folder, choose_new_file
from chatdesk.ui.widgets.questions import ask_first, ask_for_words

_T = TypeVar("_T")


class AdapterActions(QObject):
    """Does what the page's parts ask for; what it changes comes back as facts.

    `model` is the one in use, which an adapter is imported for.
    """

    def __init__(
        self, bridge: Bridge, model: Callable[[], ModelFile | None], page: PersonalizePage
    ) -> None:
        super().__init__(page)
        self._bridge = bridge
        self._model = model
        self._page = page
        history, run = page.history, page.run
        for signal, slot in (
            (history.activate_requested, self._activate),
            (history.resume_requested, lambda record: self._resume(record.id)),
            (history.rename_requested, self._rename),
            (history.export_gguf_requested, self._export_gguf),
            (history.export_peft_requested, self._export_peft),
            (history.delete_requested, self._delete),
            (run.pause_requested, self._pause),
            (run.resume_requested, self._resume),
            (run.cancel_requested, self._cancel),
            (page.card.roll_back_requested, self._roll_back),
            (page.card.activate_requested, self._activate),
            (page.import_requested, self._import),
        ):
            signal.connect(slot)

    # Runs

    def _pause(self, adapter_id: str) -> None:
        self._do(lambda app: app.personalize.pause(adapter_id))

    def _resume(self, adapter_id: str) -> None:
        self._do(lambda app: app.personalize.resume(adapter_id))

    def _cancel(self, adapter_id: str) -> None:
        ask_first(
            self._page,
            tr("End this run?"),
            tr("What it has learned so far is thrown away."),
            tr("End it"),
            lambda: self._do(lambda app: app.personalize.cancel(adapter_id)),
        )

    # Adapters

    def _activate(self, record: AdapterRecord) -> None:
        self._do(lambda app: app.adapters.activate(record.id))

    def _roll_back(self, record: AdapterRecord) -> None:
        self._do(lambda app: app.adapters.roll_back(record.model_id))

    def _rename(self, record: AdapterRecord) -> None:
        def rename(name: str) -> None:
            attempt(
                self._bridge,
                self._page.notice,
                f"name of {record.id}",
                lambda app: app.adapters.rename(record.id, name),
            )

        ask_for_words(self._page, tr("Rename"), tr("Name of the adapter"), record.name, rename)

    def _delete(self, record: AdapterRecord) -> None:
        explained = tr("Its files and its scorecard are removed for good.")
        if record.active:
            explained += " " + tr("It is in use; what was active before it is used again.")
        ask_first(
            self._page,
            tr("Delete “{name}”?", name=record.name),
            explained,
            tr("Delete"),
            lambda: self._do(lambda app: app.adapters.delete(record.id)),
        )

    def _export_gguf(self, record: AdapterRecord) -> None:
        name = choose_new_file(
            self._page,
            tr("Export for llama.cpp"),
            f"{_file_name(record)}.gguf",
            tr("GGUF adapters") + " (*.gguf)",
        )
        if name:
            self._export(record, Path(name).with_suffix(".gguf"))

    def _export_peft(self, record: AdapterRecord) -> None:
        folder = choose_folder(self._page, tr("Export for PEFT into a folder"))
        if folder:
            self._export(record, Path(folder) / _file_name(record))

    def _export(self, record: AdapterRecord, place: Path) -> None:
        def notify(files: tuple[Path, ...]) -> None:
            what = tr("“{name}” was exported.", name=record.name)
            self._page.notice.show_words(what, "\n".join(map(str, files)))

        self._do(lambda app: app.adapters.export_files(record.id, place), notify)

    def _import(self) -> None:
        model = self._model()
        if model is None:
            return
        from chatdesk.library.adapters.formats import FORMATS

        files = " ".join(f"*{each.ending}" for each in FORMATS)
        name = choose_file(
            self._page,
            tr("Import an adapter"),
            tr("Adapters in GGUF or from PEFT") + f" ({files})",
        )
        if name:
            self._do(lambda app: app.adapters.import_file(Path(name), model), self._notify_imported)

    def _notify_imported(self, record: AdapterRecord) -> None:
        self._page.notice.show_words(
            tr("“{name}” was imported. It is not in use yet.", name=record.name),
            tr("It was made elsewhere and has not been tested here."),
            tr("Use it"),
            lambda: self._activate(record),
        )

    def _do(self, work: Work[_T], done: Callable[[_T], None] | None = None) -> None:
        self._bridge.run(work, done, self._page.notice.show_problem, patient=True)


def _file_name(record: AdapterRecord) -> str:
    """The adapter's name without what file names must not have."""
    kept = "".join(each if each.isalnum() or each in " ._-" else "-" for each in record.name)
    return kept.strip(" .") or record.id
