from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QLineEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.loading import Device, LoadOptions
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.ui.models.options.dialog import ModelOptionsDialog
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import Choice
from tests.ui.driver import texts

GENERAL = LoadOptions(8192, 4, remote=("10.0.0.2:50052",))
OWN = replace(
    GENERAL,
    context_window=5000,
    threads=3,
    gpu_layers=12,
    batch=256,
    kv_type="q8_0",
    mmap=False,
    mlock=True,
    devices=("CUDA1", "10.0.0.2:50052"),
    tensor_split=(3.0, 1.0),
    rope_scaling="yarn",
    rope_freq_base=1e6,
    rope_freq_scale=0.25,
    yarn_original_context=32768,
    draft="/models/tiny.gguf",
)
DEVICES = (
    Device("CPU", "A processor", "cpu", 8 * 10**9, 16 * 10**9),
    Device("CUDA0", "A GPU", "gpu", 8 * 10**9, 8 * 10**9),
    Device("CUDA1", "Another GPU", "gpu", 4 * 10**9, 8 * 10**9),
)


def model(name: str, size: int) -> ModelFile:
    header = ModelHeader(name, "llama", 1000, "F16", size, 2048, 30, 10, True)
    return ModelFile(
        name, f"/models/{name}.gguf", header, 0, None, datetime(2026, 1, 1, tzinfo=UTC)
    )


@pytest.fixture
def parent(qtbot: QtBot) -> Iterator[QWidget]:
    parent = QWidget()
    qtbot.addWidget(parent)
    yield parent


def opened(parent: QWidget, theme: Theme, options: LoadOptions) -> ModelOptionsDialog:
    dialog = ModelOptionsDialog(model("large", 10**9), options, GENERAL, theme, parent)
    dialog.show()
    return dialog


def press(dialog: QWidget, words: str) -> None:
    next(each for each in dialog.findChildren(QPushButton) if each.text() == words).click()


def box(dialog: QWidget, words: str) -> CheckBox:
    return next(each for each in dialog.findChildren(CheckBox) if words in each.text())


@pytest.mark.parametrize("options", [GENERAL, OWN, replace(GENERAL, devices=("CPU",))])
@pytest.mark.parametrize("devices_known", [True, False])
def test_what_is_shown_is_what_was_set(
    parent: QWidget, theme: Theme, options: LoadOptions, devices_known: bool
) -> None:
    dialog = opened(parent, theme, options)
    if devices_known:
        dialog.show_devices(DEVICES)
    assert dialog.chosen == options


def test_back_to_automatic(parent: QWidget, theme: Theme) -> None:
    dialog = opened(parent, theme, OWN)
    dialog.show_devices(DEVICES)
    press(dialog, "Back to automatic")
    assert dialog.chosen == GENERAL


def test_typing_a_number(parent: QWidget, theme: Theme, qtbot: QtBot) -> None:
    dialog = opened(parent, theme, GENERAL)
    layers = next(
        each
        for each in dialog.findChildren(QAbstractSpinBox)
        if each.accessibleName() == "Layers on the GPU"
    )
    assert layers.text() == "automatic"
    layers.selectAll()
    qtbot.keyClicks(layers, "7")
    press(dialog, "Save")
    assert dialog.chosen.gpu_layers == 7


def test_choosing_devices(parent: QWidget, theme: Theme, qtbot: QtBot) -> None:
    dialog = opened(parent, theme, GENERAL)
    dialog.show_devices(DEVICES)
    assert not box(dialog, "A GPU").isEnabled()
    box(dialog, "Choose automatically").click()
    box(dialog, "A GPU").click()
    assert dialog.chosen.devices == ("CUDA1", "10.0.0.2:50052")
    shares = next(
        each for each in dialog.findChildren(QLineEdit) if each.accessibleName() == "Shares"
    )
    for wrong in ("1", "1, x", "1, -1", "0, 0", "nan, 1", "inf, 1"):
        shares.setText(wrong)
        press(dialog, "Save")
        assert dialog.isVisible(), wrong
        assert "The shares must be one number for each device." in texts(dialog)
    shares.setText("1，2")
    press(dialog, "Save")
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert dialog.chosen.tensor_split == (1.0, 2.0)


def test_no_device_at_all_is_the_processor(parent: QWidget, theme: Theme) -> None:
    dialog = opened(parent, theme, replace(GENERAL, devices=("CUDA0",)))
    dialog.show_devices(DEVICES)
    box(dialog, "A GPU").click()
    assert dialog.chosen.devices == ("CPU",)


def test_without_other_devices_there_is_nothing_to_choose(parent: QWidget, theme: Theme) -> None:
    dialog = ModelOptionsDialog(model("large", 10**9), LoadOptions(), LoadOptions(), theme, parent)
    dialog.show()
    dialog.show_devices(DEVICES[:1])
    assert not box(dialog, "Choose automatically").isVisibleTo(dialog)


def test_smaller_models_may_draft(parent: QWidget, theme: Theme) -> None:
    dialog = opened(parent, theme, GENERAL)
    dialog.show_models([model("large", 10**9), model("small", 10**6)])
    draft = next(
        each for each in dialog.findChildren(Choice) if each.accessibleName() == "Draft model"
    )
    assert [draft.itemText(at) for at in range(draft.count())] == ["none", "small"]
    draft.choose("/models/small.gguf")
    assert dialog.chosen.draft == "/models/small.gguf"


def test_everything_can_be_reached_and_has_a_name(parent: QWidget, theme: Theme) -> None:
    dialog = opened(parent, theme, OWN)
    dialog.show_devices(DEVICES)
    for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox):
        for widget in dialog.findChildren(kind):
            is_part = isinstance(widget.parentWidget(), QAbstractSpinBox)
            if widget.isVisibleTo(dialog) and not is_part:
                text = widget.text() if isinstance(widget, QAbstractButton) else ""
                assert widget.accessibleName() or text, widget
                assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget
