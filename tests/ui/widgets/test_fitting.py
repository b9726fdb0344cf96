"""Windows fit on the screen they are opened on; the second screen of these tests is a small one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QMargins, QRect

from chatdesk.ui.widgets.fitting import fitted_place

FRAME = QMargins(4, 36, 4, 4)
SCREEN = QRect(0, 30, 1366, 738)  # a bar of 30 pixels above


@pytest.mark.parametrize(
    ("wanted", "fitted"),
    [
        (QRect(100, 100, 800, 500), QRect(100, 100, 800, 500)),
        (QRect(100, 100, 1120, 760), QRect(100, 66, 1120, 698)),  # too high
        (QRect(-50, 0, 800, 500), QRect(4, 66, 800, 500)),  # beyond the left upper corner
        (QRect(3000, 2000, 800, 500), QRect(562, 264, 800, 500)),  # on a screen that is gone
        (QRect(0, 0, 9000, 9000), QRect(4, 66, 1358, 698)),
    ],
)
def test_a_window_and_its_frame_are_within_the_screen(wanted: QRect, fitted: QRect) -> None:
    assert fitted_place(wanted, SCREEN, FRAME) == fitted
    assert SCREEN.contains(fitted.marginsAdded(FRAME))


CHILD = """
import json, sys
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget
from chatdesk.ui.widgets.fitting import fit_place, fit_size, refit
app = QApplication([])
window = QWidget()
fit_size(window, 1120, 760)
first = window.size().toTuple()
fit_place(window, QRect(2200, 900, 1120, 760))
restored = window.geometry().getRect()
window.show()
window.setGeometry(1200, 700, 1000, 700)
refit(window)
print(json.dumps({"first": first, "restored": restored, "moved": window.geometry().getRect()}))
"""


def test_the_first_size_the_restored_place_and_a_screen_that_shrank(tmp_path: Path) -> None:
    screens = tmp_path / "screens.json"
    one = {"name": "small", "x": 0, "y": 0, "width": 1366, "height": 700, "dpr": 1}
    screens.write_text(json.dumps({"screens": [{"logicalDpi": 96, "logicalBaseDpi": 96, **one}]}))
    environment = {**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={screens}"}
    asked = [sys.executable, "-c", CHILD]
    done = subprocess.run(asked, env=environment, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    assert found["first"] == [1120, 660]
    left, top, width, height = found["restored"]
    assert (width, height) == (1120, 660)
    assert QRect(0, 0, 1366, 700).contains(QRect(left, top, width, height))
    assert QRect(0, 0, 1366, 700).contains(QRect(*found["moved"]))


DIALOG = """
import json, sys
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from chatdesk.ui.models.dialog import LibraryDialog
app = QApplication([])
window = QWidget()
window.setGeometry(700, 100, 1200, 800)
window.show()
dialog = LibraryDialog("Title", "", (1000, 700), window)
dialog.body.addWidget(QLabel("\\n".join(["words"] * 30)))
dialog.show()
app.processEvents()
print(json.dumps(dialog.geometry().getRect()))
"""


def test_a_dialog_is_as_large_as_the_screen_of_its_window_allows_not_the_first_one(
    tmp_path: Path,
) -> None:
    small = {"name": "small", "x": 0, "y": 0, "width": 640, "height": 480, "dpr": 1}
    large = {"name": "large", "x": 640, "y": 0, "width": 1400, "height": 1000, "dpr": 1}
    dpi = {"logicalDpi": 96, "logicalBaseDpi": 96}
    screens = tmp_path / "screens.json"
    screens.write_text(json.dumps({"screens": [dpi | small, dpi | large]}))
    environment = {**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={screens}"}
    asked = [sys.executable, "-c", DIALOG]
    done = subprocess.run(asked, env=environment, stdout=subprocess.PIPE, check=True)
    place = QRect(*json.loads(done.stdout))
    assert place.width() == 1000
    assert QRect(640, 0, 1400, 1000).contains(place)
