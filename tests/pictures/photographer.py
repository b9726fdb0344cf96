"""One process of the pictures: `python -m tests.pictures.photographer JOB`.

Prints a JSON line for each flaw, for each screen that could not be shown, and for each failure
behind one.
"""

import gc
import json
import sys
import tempfile
import traceback
from functools import partial
from pathlib import Path

import chatdesk.ui  # noqa: F401 - before PySide6: see there

# isort: split
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPixmap, QScreen
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.app import make_application
from chatdesk.core.i18n import set_language
from chatdesk.core.paths import assets_dir
from chatdesk.core.settings import GeneralSettings, Settings
from chatdesk.ui.window.application import Application
from tests.pictures.geometry import flaws_of
from tests.pictures.homes import HOMES
from tests.pictures.hub import filled_hub
from tests.pictures.matrix import LOOKS, Job, file_name, load_job
from tests.pictures.screen import Screen, ShownBug
from tests.pictures.screens import SCREENS
from tests.pictures.stage import Stage
from tests.stand_in_hub import StandInHub


class Photographer:
    """Goes through the screens of a job."""

    def __init__(self, application: Application, job: Job, hub: StandInHub) -> None:
        self._application = application
        self._job = job
        self._hub = hub
        self._themes = {LOOKS[look].theme: look for look in job.looks}
        self._at = ("", "")  # the screen and the size
        sys.excepthook = lambda _kind, bug, _trace: self._report(bug)

    def work(self, folder: Path) -> None:
        """Show every screen in every size and look; homes are made in `folder`."""
        wanted = [each for each in SCREENS if not self._job.only or each.name in self._job.only]
        for home in HOMES:
            screens = [each for each in wanted if each.home is home]
            if screens:
                stage = Stage(
                    self._application, home, folder / home.name, self._hub, self._job.look.text
                )
                stage.desktop.bridge.bug_found.connect(self._report)
                for screen in screens:
                    self._visit(stage, screen)
                self._show_theme(stage, "light")  # as the next home has it
                stage.close()
                del stage
                gc.collect()  # the window, on its own thread

    def _visit(self, stage: Stage, screen: Screen) -> None:
        for size in self._job.sizes:
            self._at = (screen.name, size)
            look = partial(self._look, stage, screen, size)
            try:
                self._show_theme(stage, next(iter(self._themes)))  # before what it would undo
                stage.reset(display_of(size).geometry())
                opening = screen.bring(stage)
                if opening:
                    stage.while_open(opening, look)
                else:
                    look()
            except Exception as problem:
                self._report(problem)

    def _report(self, problem: BaseException) -> None:
        """A screen could not be shown, or something failed behind it."""
        if not isinstance(problem, ShownBug):
            words = "".join(traceback.format_exception(problem))
            say(screen=self._at[0], size=self._at[1], words=words)

    def _look(self, stage: Stage, screen: Screen, size: str) -> None:
        for theme, look in self._themes.items():
            self._show_theme(stage, theme)
            stage.rest()
            for window in windows():
                for flaw in flaws_of(window):
                    say(screen=screen.name, size=size, look=look, words=str(flaw))
            if self._job.folder:
                name = file_name(screen.name, size, self._job.scale, look)
                picture_of(display_of(size)).save(str(Path(self._job.folder, name)), "PNG", 85)

    def _show_theme(self, stage: Stage, theme: str) -> None:
        if stage.desktop.settings.now.general.theme != theme:
            stage.desktop.settings.edit("general", theme=theme)


def display_of(size: str) -> QScreen:
    """The screen of a size of the window."""
    return next(each for each in QGuiApplication.screens() if each.name() == size)


def windows() -> list[QWidget]:
    """The windows that are shown, those in front at the end."""
    order = (Qt.WindowType.Window, Qt.WindowType.Dialog, Qt.WindowType.Popup, Qt.WindowType.ToolTip)
    shown = [each for each in QApplication.topLevelWidgets() if each.isVisible()]
    return sorted(shown, key=lambda each: order.index(each.windowType()))


def picture_of(display: QScreen) -> QPixmap:
    """What a screen shows."""
    ratio, place = display.devicePixelRatio(), display.geometry()
    picture = QPixmap(place.size() * ratio)
    picture.setDevicePixelRatio(ratio)
    painter = QPainter(picture)
    for window in windows():
        painter.drawPixmap(window.geometry().topLeft() - place.topLeft(), window.grab())
        if not window.isMaximized() and window.windowType() is not Qt.WindowType.Window:
            painter.drawRect(window.geometry().translated(-place.topLeft()).adjusted(-1, -1, 0, 0))
    painter.end()
    return picture


def say(**fields: object) -> None:
    """Print a line for the process that waits."""
    print(json.dumps(fields), flush=True)


def main() -> None:
    """Do the job of the command line."""
    job = load_job(sys.argv[1])
    set_language(job.look.language, assets_dir() / "locale")
    general = GeneralSettings(theme="light", text_percent=job.look.text)
    application = make_application(Settings(general=general))
    assert isinstance(application, Application)
    gc.disable()  # it might run on another thread, and take a window along
    application.setCursorFlashTime(0)  # a steady cursor
    with tempfile.TemporaryDirectory(prefix="chatdesk-pictures-") as folder, filled_hub() as hub:
        Photographer(application, job, hub).work(Path(folder))


if __name__ == "__main__":
    main()
