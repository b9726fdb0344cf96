"""Where garbage with widgets in it is collected."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.window import garbage


class Knot(QWidget):
    """A widget that only the collection of garbage can free."""

    def __init__(self) -> None:
        super().__init__()
        self.itself = self


def tie_knots(count: int) -> None:
    for _ in range(count):
        knot: list[object] = []
        knot.append(knot)


@pytest.mark.usefixtures("theme")
def test_a_widget_is_freed_in_the_windows_thread(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[int] = []
    weakref.finalize(Knot(), lambda: freed.append(threading.get_ident()))
    with ThreadPoolExecutor(1) as worker:  # garbage enough for Python's own collection
        worker.submit(tie_knots, 2 * gc.get_threshold()[0]).result()
    assert not gc.isenabled()
    assert freed == []
    garbage._collect_if_due()
    assert freed == [threading.get_ident()]
