"""The dialog for the `LoadOptions` of one model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.i18n import tr
from chatdesk.core.loading import Device, LoadOptions
from chatdesk.core.models import ModelFile
from chatdesk.ui.models.options.device_choice import DeviceChoice
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.buttons import GHOST_AIR
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.context_window_choice import ContextWindowChoice
from chatdesk.ui.widgets.fields import (
    Choice,
    Decimal,
    Fold,
    WholeNumber,
    plain_button,
    recolour,
    small,
)
from chatdesk.ui.widgets.file_dialogs import choose_file
from chatdesk.ui.widgets.fitting import fit_dialog
from chatdesk.ui.widgets.form import Form
from chatdesk.ui.widgets.scroll import SCROLL_BAR, scrolling
from chatdesk.ui.widgets.wrapping import Flow

SIZE = (600, 640)
MOST_THREADS = 512  # llama.cpp's own limit
MOST_BATCH = 8192
MOST_CONTEXT = 2**24


class ModelOptionsDialog(QDialog):
    """Shows `options`; `chosen` is the user's choice, `general` what "automatic" means.

    The other models and the devices come later, by `show_models` and `show_devices`.
    """

    def __init__(
        self,
        model: ModelFile,
        options: LoadOptions,
        general: LoadOptions,
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Model options"))
        fit_dialog(self, *SIZE)
        self._model = model
        self._general = general
        self._devices = DeviceChoice(general.remote, theme)
        self._build_fields(theme)
        self._build(theme)
        self._show(options)

    @property
    def chosen(self) -> LoadOptions:
        """The options as the dialog shows them."""
        return replace(
            self._general,
            context_window=self._context.value,
            gpu_layers=_given(self._layers.value(), -1),
            kv_type=self._kv.value,
            threads=_given(self._threads.value(), 0),
            batch=_given(self._batch.value(), 0),
            mmap=self._mmap.isChecked(),
            mlock=self._mlock.isChecked(),
            devices=self._devices.devices,
            tensor_split=self._devices.shares,
            draft=self._draft.value,
            rope_scaling=self._rope.value,
            rope_freq_base=self._base.value(),
            rope_freq_scale=self._scale.value(),
            yarn_original_context=self._original.value(),
        )

    def show_models(self, models: Sequence[ModelFile]) -> None:
        """Set the other models: smaller ones may draft for this one."""
        for other in models:
            if other.header.bytes < self._model.header.bytes:
                self._draft.offer(other.path, other.header.name)

    def show_devices(self, devices: Sequence[Device]) -> None:
        """Set the devices."""
        self._devices.show_devices(devices)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        recolour(self, theme)

    def accept(self) -> None:
        """Close, unless something cannot be used as it is."""
        if problem := self._devices.problem:
            self._problem.setText(problem)
            self._problem.show()
        else:
            super().accept()

    # The fields

    def _build_fields(self, theme: Theme) -> None:
        automatic = tr("automatic")
        as_file = tr("as the file says")
        header, general = self._model.header, self._general
        self._context = ContextWindowChoice(general.context_window, theme)
        self._layers = WholeNumber(-1, header.layers or 999, -1, automatic)
        self._kv = Choice(
            {
                "f16": tr("f16: exact"),
                "q8_0": tr("q8_0: half the memory, hardly less exact"),
                "q4_0": tr("q4_0: a quarter of the memory, noticeably less exact"),
            },
            None,
            theme,
        )
        self._threads = WholeNumber(0, MOST_THREADS, 0, automatic)
        self._batch = WholeNumber(0, MOST_BATCH, 0, automatic)
        self._mmap = CheckBox(tr("Map the file into memory (mmap)"), theme)
        self._mmap.setToolTip(tr("Loads faster; the system may read parts again from the disk."))
        self._mlock = CheckBox(tr("Never let the system move it to the disk (mlock)"), theme)
        self._draft = Choice({None: tr("none")}, None, theme)
        self._rope = Choice(
            {"": as_file, "none": tr("none"), "linear": tr("linear"), "yarn": "YaRN"}, None, theme
        )
        self._base = Decimal(0, 1e9, 0, as_file, digits=1)
        self._scale = Decimal(0, 16, 0, as_file, digits=4)
        self._original = WholeNumber(0, MOST_CONTEXT, 0, as_file)

    def _show(self, options: LoadOptions) -> None:
        self._context.choose(options.context_window)
        self._layers.setValue(-1 if options.gpu_layers is None else options.gpu_layers)
        self._kv.choose(options.kv_type)
        self._threads.setValue(options.threads or 0)
        self._batch.setValue(options.batch or 0)
        self._mmap.setChecked(options.mmap)
        self._mlock.setChecked(options.mlock)
        self._devices.choose(options.devices, options.tensor_split)
        self._offer_draft(options.draft)
        self._draft.choose(options.draft)
        self._rope.choose(options.rope_scaling)
        self._base.setValue(options.rope_freq_base)
        self._scale.setValue(options.rope_freq_scale)
        self._original.setValue(options.yarn_original_context)
        self._stretching.setChecked(bool(options.rope_scaling or options.rope_freq_scale))

    # How they stand

    def _build(self, theme: Theme) -> None:
        heading = QLabel(tr("Model options"))
        set_class(heading, "heading")
        inner = QWidget()
        inner.setObjectName("page")
        column = QVBoxLayout(inner)
        column.setContentsMargins(28, 4, 28 - SCROLL_BAR, 16)
        column.setSpacing(14)
        column.addLayout(self._main_form())
        column.addWidget(self._devices)
        column.addWidget(self._stretching_part(theme))
        column.addStretch(1)
        top = QVBoxLayout()
        top.setContentsMargins(28, 22, 28, 10)
        top.addWidget(heading)
        top.addWidget(small(self._model.header.name))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(scrolling(inner, steady=True), 1)
        layout.addLayout(self._buttons())

    def _main_form(self) -> QVBoxLayout:
        rows = Form()
        rows.add(tr("Context window"), self._context)
        rows.add(
            tr("Layers on the GPU"),
            self._layers,
            tr("Of {layers}; 0 keeps the model off every GPU.", layers=self._model.header.layers),
        )
        rows.add(
            tr("Memory of the context"),
            self._kv,
            tr("The precision of what the model keeps of the text it has read (the KV cache)."),
        )
        rows.add(tr("Threads"), self._threads)
        rows.add(
            tr("Batch"),
            self._batch,
            tr("How many tokens of a prompt are read in one step."),
        )
        drafts = QWidget()
        line = QHBoxLayout(drafts)
        line.setContentsMargins(0, 0, 0, 0)
        choose = plain_button(tr("File…"), tr("Choose a file as the draft model"))
        choose.clicked.connect(self._pick_draft)
        line.addWidget(self._draft, 1)
        line.addWidget(choose)
        rows.add(
            tr("Draft model"),
            drafts,
            tr("A much smaller model with the same vocabulary, which guesses ahead for this one."),
        )
        self._draft.setAccessibleName(tr("Draft model"))
        column = QVBoxLayout()
        column.setSpacing(10)
        column.addLayout(rows)
        column.addWidget(self._mmap)
        column.addWidget(self._mlock)
        return column

    def _stretching_part(self, theme: Theme) -> QWidget:
        part, inner = QWidget(), QWidget()
        self._stretching = Fold(tr("Stretch the context (RoPE scaling)"), theme)
        self._stretching.toggled.connect(inner.setVisible)
        inner.hide()
        rows = Form()
        rows.add(tr("Kind"), self._rope)
        rows.add(tr("Frequency base"), self._base)
        rows.add(tr("Frequency scale"), self._scale)
        rows.add(tr("Trained context"), self._original, tr("In tokens; YaRN stretches from there."))
        inner.setLayout(rows)
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stretching)
        column.addWidget(inner)
        return part

    def _buttons(self) -> QVBoxLayout:
        back = plain_button(tr("Back to automatic"))
        set_class(back, "ghost")
        back.clicked.connect(lambda: self._show(self._general))
        cancel = plain_button(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        save = plain_button(tr("Save"))
        set_class(save, "primary")
        save.clicked.connect(self.accept)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        set_class(self._problem, "danger")
        self._problem.hide()
        row = Flow(10, 10)
        row.setContentsMargins(28 - GHOST_AIR, 0, 28, 0)
        row.add(back)
        row.add(cancel, right=True)
        row.add(save)
        column = QVBoxLayout()
        column.setContentsMargins(0, 12, 0, 18)
        self._problem.setContentsMargins(28, 0, 28, 0)
        column.addWidget(self._problem)
        column.addWidget(row)
        return column

    def _pick_draft(self) -> None:
        path = choose_file(self, tr("Choose a draft model"), tr("GGUF models") + " (*.gguf)")
        if path:
            self._offer_draft(path)
            self._draft.choose(path)

    def _offer_draft(self, path: str | None) -> None:
        if path:
            self._draft.offer(path, Path(path).stem)


def _given(value: int, automatic: int) -> int | None:
    return None if value == automatic else value
