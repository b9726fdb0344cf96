"""Every screen, in the sizes and languages that are narrowest: nothing is cut, outside or nameless.

The whole matrix is `python dev.py pictures --check`.
"""

import re

from PySide6.QtWidgets import QApplication

from chatdesk.core.settings import Settings
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.theme import load_theme
from chatdesk.ui.window.features import FEATURES
from chatdesk.ui.window.settings_pages import settings_pages
from tests.pictures.__main__ import run_all
from tests.pictures.matrix import Job
from tests.pictures.screens import SCREENS
from tests.pictures.settings_screens import SECTIONS

# Flaws that are known and not mended yet, as patterns of their lines. One that is gone must go.
KNOWN: tuple[str, ...] = ()

# With large text, those that have most of it.
WORDY = ("first screen", "temporary chat", "settings, general", "settings, models")
NARROW = ("personalize", "preview", "scorecard", "model details", "settings, about", "bug")
LARGE = (*WORDY, "markdown", "inspector", "models", "menu of models", "delete a model")

JOBS = (
    Job(100, ("light",), ("640x480", "1120x760")),
    Job(200, ("chinese",), ("640x480",)),
    Job(100, ("large",), ("640x480",), (*WORDY, *NARROW)),
    Job(100, ("large",), ("1120x760",), (*LARGE, "personalize, promoted", "preview")),
)


def test_nothing_is_cut_or_outside() -> None:
    lines = [str(seen) for seen in run_all(JOBS)]
    assert [line for line in lines if not any(re.search(known, line) for known in KNOWN)] == []
    assert [known for known in KNOWN if not any(re.search(known, line) for line in lines)] == []


def test_every_page_of_the_settings_has_a_screen(qapp: QApplication) -> None:
    pages = settings_pages(SettingsValue(Settings()), load_theme("light"))
    assert [page.section for page in pages] == [*SECTIONS]


def test_every_page_of_the_window_is_shown_by_a_screen() -> None:
    shown = {name.partition(",")[0] for name in (screen.name for screen in SCREENS)}
    assert {"models", "personalize", "import", "search", "recently deleted"} <= shown
    assert len(FEATURES) == 4  # one more needs screens, and its name above


def test_screens_have_names_of_their_own() -> None:
    names = [screen.name for screen in SCREENS]
    assert len(names) == len(set(names))
