"""The settings of other computers that lend their devices."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.services.devices.addresses import DEVICE_PORT, answers, device_address
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.icons import LARGE, icon, icon_size
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_page import SettingsPage
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fields import plain_button, small
from chatdesk.ui.widgets.labels import LineLabel
from chatdesk.ui.widgets.wrapping import Flow

COMMAND = "chatdesk serve-device --host"


class _Computer(QFrame):
    """The address, whether it answers, and what can be done: one line where there is room."""

    def __init__(self, address: str) -> None:
        super().__init__()
        set_class(self, "card")
        self.state = QLabel()
        self.state.setAccessibleName(tr("State of {address}", address=address))
        self.check = plain_button(tr("Check"), tr("Check {address}", address=address))
        self.remove = plain_button(tr("Remove"), tr("Remove {address}", address=address))
        row = Flow(10)
        row.add(LineLabel(address, ""), grows=True)
        row.add(self.state, right=True)
        row.add(self.check)
        row.add(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 10, 8)
        column.addWidget(row)

    def show_state(self, answers: bool | None) -> None:
        """Show if it answers; None while that is being checked."""
        words, look = {
            None: (tr("asking…"), "small"),
            True: (tr("answers"), "good"),
            False: (tr("does not answer"), "danger"),
        }[answers]
        set_class(self.state, look)
        self.state.setText(words)


class ComputersPage(SettingsPage):
    """Asks if a computer answers; `show_answer` shows the result."""

    section, icon = SettingsId.DEVICES, "computers"
    check_requested = Signal(str)

    def __init__(self, settings: SettingsValue, theme: Theme) -> None:
        super().__init__(tr("Other computers"), settings)
        self._addresses = list(settings.now.devices.remote)
        self._lines: dict[str, _Computer] = {}
        self._column.addWidget(
            small(
                tr(
                    "A model too large for this computer can run on several: "
                    "the others lend their memory and processors."
                )
            )
        )
        self._column.addWidget(self._warning())
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self._column.addLayout(self._list)
        self._column.addLayout(self._adding())
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        set_class(self._problem, "danger")
        self._problem.hide()
        self._column.addWidget(self._problem)
        self._column.addWidget(small(tr("On the other computer, start this with its own address:")))
        command = QLineEdit(f"{COMMAND} 192.168.1.20")
        command.setReadOnly(True)
        command.setAccessibleName(tr("What to start on the other computer"))
        set_class(command, "command")
        self._column.addWidget(command)
        self._column.addStretch(1)
        self.set_theme(theme)
        for address in self._addresses:
            self._show(address)

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        super().set_theme(theme)
        self._mark.setPixmap(icon("warning", theme.warn).pixmap(icon_size(LARGE)))

    def show_answer(self, address: str, answers: bool) -> None:
        """Show if a computer answers."""
        if line := self._lines.get(address):
            line.show_state(answers)

    def serve(self, bridge: Bridge, navigator: Navigator) -> None:
        """Ask computers whether they answer."""

        def check(address: str) -> None:
            show = self._while_open(partial(self.show_answer, address))
            bridge.run_now(partial(answers, address), show, patient=True)

        self.check_requested.connect(check)

    def turned_to(self) -> None:
        """Find out which computers answer."""
        for address in self._addresses:
            self._check(address)

    def _warning(self) -> QFrame:
        card = QFrame()
        set_class(card, "card")
        self._mark = QLabel()
        words = small(
            tr(
                "Only in a network you trust: what goes to another computer is neither encrypted "
                "nor protected by a password. Whoever reaches its port can read what is computed "
                "there, use its memory and processor, and possibly take it over."
            )
        )
        row = QHBoxLayout(card)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(12)
        row.addWidget(self._mark)
        row.addWidget(words, 1)
        return card

    def _adding(self) -> QHBoxLayout:
        self._typed = QLineEdit()
        self._typed.setAccessibleName(tr("Address of another computer"))
        self._typed.setPlaceholderText(f"192.168.1.20:{DEVICE_PORT}")
        self._typed.returnPressed.connect(self._add_typed)
        add = plain_button(tr("Add"), tr("Add this computer"))
        add.clicked.connect(self._add_typed)
        row = QHBoxLayout()
        row.addWidget(self._typed, 1)
        row.addWidget(add)
        return row

    def _add_typed(self) -> None:
        try:
            address = device_address(self._typed.text())
        except EnvironmentProblem as problem:
            self._problem.setText(str(problem))
            self._problem.show()
            return
        self._problem.hide()
        self._typed.clear()
        if address not in self._addresses:
            self._addresses.append(address)
            self._show(address)
            self._check(address)
            self._edit(remote=tuple(self._addresses))

    def _show(self, address: str) -> None:
        line = self._lines[address] = _Computer(address)
        line.check.clicked.connect(partial(self._check, address))
        line.remove.clicked.connect(partial(self._remove, address))
        self._list.addWidget(line)
        self._order_tabs()

    def _order_tabs(self) -> None:
        """A line that is added is the last child, but does not stand there."""
        order: list[QWidget] = []
        for address in self._addresses:
            if line := self._lines.get(address):
                order += [line.check, line.remove]
        for before, after in zip(order, [*order[1:], self._typed], strict=True):
            self.setTabOrder(before, after)

    def _check(self, address: str, _checked: bool = False) -> None:
        self._lines[address].show_state(None)
        self.check_requested.emit(address)

    def _remove(self, address: str, _checked: bool = False) -> None:
        self._addresses.remove(address)
        self._lines.pop(address).deleteLater()
        self._typed.setFocus()
        self._edit(remote=tuple(self._addresses))
