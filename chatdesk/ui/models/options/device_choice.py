"""The devices that a model is spread over, and their shares."""

import math
from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr
from chatdesk.core.loading import Device
from chatdesk.core.units import memory_words
from chatdesk.ui.theme import Theme
from chatdesk.ui.widgets.check_box import CheckBox
from chatdesk.ui.widgets.fields import section
from chatdesk.ui.widgets.form import Form

CPU = "CPU"  # its name in ggml's list; alone it keeps a model off every other device


class DeviceChoice(QWidget):
    """Hidden while there is nothing to choose: no GPU in this computer, and no other computers.

    `remote` are the addresses of other computers. Until the devices are known, what was chosen
    before stays chosen.
    """

    def __init__(self, remote: Sequence[str], theme: Theme) -> None:
        super().__init__()
        self._remote = remote
        self._theme = theme
        self._before: tuple[str, ...] = ()
        self._shares_before: tuple[float, ...] = ()
        self._boxes: dict[str, CheckBox] = {}
        self._automatic = CheckBox(tr("Choose automatically"), theme)
        self._automatic.toggled.connect(lambda _: self._enable())
        self._split = QLineEdit()
        self._split.setPlaceholderText(tr("automatic"))
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        rows = Form()
        rows.add(
            tr("Shares"),
            self._split,
            tr("How much of the model each of them holds, in their order, such as: 3, 1"),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(section(tr("Devices")))
        layout.addWidget(self._automatic)
        layout.addLayout(self._column)
        layout.addLayout(rows)
        self.hide()

    @property
    def devices(self) -> tuple[str, ...]:
        """Their names; empty lets the engine choose."""
        if not self._boxes:
            return self._before
        if self._automatic.isChecked():
            return ()
        return tuple(name for name, box in self._boxes.items() if box.isChecked()) or (CPU,)

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each device; empty lets the engine choose. Raises `ValueError`."""
        if not self._boxes:
            return self._shares_before
        if self._automatic.isChecked():
            return ()
        words = self._split.text().replace("，", ",").split(",")
        return tuple(float(word) for word in words if word.strip())

    @property
    def problem(self) -> str:
        """Why the shares cannot be used; empty when they can."""
        try:
            shares = self.shares
        except ValueError:
            shares = (math.nan,)
        one_each = not shares or len(shares) == len(self.devices)
        usable = all(0 <= share < math.inf for share in shares) and (any(shares) or not shares)
        return "" if one_each and usable else tr("The shares must be one number for each device.")

    def choose(self, devices: Sequence[str], shares: Sequence[float]) -> None:
        """Show a choice; shares without devices are of all of them."""
        self._before, self._shares_before = tuple(devices), tuple(shares)
        self._automatic.setChecked(not devices and not shares)
        self._split.setText(", ".join(f"{share:g}" for share in shares))
        for name, box in self._boxes.items():
            box.setChecked(name in devices or not devices)
        self._enable()

    def show_devices(self, devices: Sequence[Device]) -> None:
        """Show this computer's devices; others come after them."""
        for device in devices:
            if device.kind in ("gpu", "igpu"):
                name, free = device.description or device.name, memory_words(device.free_bytes)
                words = tr("{device} ({size} free)", device=name, size=free)
                self._offer(device.name, words)
        for address in self._remote:
            self._offer(address, tr("{address} (another computer)", address=address))
        order = [self._automatic, *self._boxes.values(), self._split]
        for before, after in pairwise(order):
            self.setTabOrder(before, after)
        self.choose(self._before, self._shares_before)
        self.setVisible(bool(self._boxes))

    def _offer(self, name: str, words: str) -> None:
        if name not in self._boxes:
            self._boxes[name] = CheckBox(words, self._theme)
            self._column.addWidget(self._boxes[name])

    def _enable(self) -> None:
        for field in (*self._boxes.values(), self._split):
            field.setEnabled(not self._automatic.isChecked())
