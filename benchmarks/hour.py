"""`chatdesk bench hour`: what the window and the engine hold after an hour of use, in minutes.

The window is the real one over the real engine with the starter model. A round is five minutes of
use: questions in new chats, old chats opened and scrolled, every page, the settings, the model's
options, the inspector, a search. One round watches a real training run. The baseline is the same
process before the first round.
"""

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psutil

from benchmarks.report import print_report
from benchmarks.ui import child, child_environment

if TYPE_CHECKING:
    from chatdesk.app import DesktopApp
    from chatdesk.services.app import App

ROUNDS = 12
LEARNING_ROUND = 4
CHATS = 300
OPENED = 8  # chats in a round
TOKENS = 80  # of an answer
QUESTIONS = (
    "Explain how a bicycle stays upright, with a list of reasons.",
    "Write a Python function that merges two sorted lists, and a table of its steps.",
    "Tell me a short story about a lighthouse keeper.",
)
_PROCESSES = ("window_rss", "engine_rss")
LIMITS = {"window_rss_bytes": 150e6}
_T = TypeVar("_T")


def main() -> None:
    """Use the window in a child process, then print."""
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-", ignore_cleanup_errors=True) as home:
        environment = child_environment(home)
        child("benchmarks.ui", "--seed", environment)
        child("benchmarks.many_chats", str(CHATS), environment)
        found = child("benchmarks.hour", "--inside", environment)
    figures, baseline = found["figures"], found["baseline"]
    ratios = {name: figures[f"{name}_bytes"] / baseline[f"{name}_bytes"] for name in _PROCESSES}
    print_report("hour", figures, baseline, ratios, LIMITS)


# In the child process


def inside() -> None:
    """Open the window as `chatdesk` does, and use it."""
    from chatdesk.app import DesktopApp, run
    from chatdesk.core.sampling import SamplingParams
    from chatdesk.core.settings import ChatSettings, LearningSettings, Settings
    from chatdesk.services.system.locations import find_paths

    found: dict[str, dict[str, float]] = {}

    def started(desktop: DesktopApp) -> None:
        from PySide6.QtCore import QTimer

        def measure() -> None:
            try:
                found.update(Hour(desktop).use())
                desktop.window.close()
            except BaseException:
                traceback.print_exc()
                os._exit(1)  # the window would show a bug and wait for somebody to read it

        QTimer.singleShot(0, measure)

    settings = Settings(
        chat=ChatSettings(sampling=SamplingParams(temperature=0.5, max_tokens=TOKENS)),
        learning=LearningSettings(on_battery=True, when_hot=True),
    )
    run(find_paths(), settings, started)
    print(json.dumps(found), flush=True)


class Hour:
    """An hour of use; memory is read after each round, when the window has come to rest."""

    def __init__(self, desktop: "DesktopApp") -> None:
        from benchmarks.ui_probe import Driver

        self._desktop = desktop
        self._window = desktop.window
        self._driver = Driver(desktop)

    def use(self) -> dict[str, dict[str, float]]:
        """Return the memory before and after, in bytes, and how much of it the last half added."""
        self._driver.until(self._driver.engine_ready)
        self._driver.until(self._driver.conversation_shown)
        chats = [each.id for each in self._ask(lambda app: app.conversations.list())]
        readings = [self._read()]
        for number in range(1, ROUNDS + 1):
            self._round(number, chats[number * OPENED : (number + 1) * OPENED])
            if number == LEARNING_ROUND:
                self._learn()
            readings.append(self._read())
        figures, baseline = {}, {}
        for name, *held in zip(_PROCESSES, *readings, strict=True):
            baseline[f"{name}_bytes"], figures[f"{name}_bytes"] = held[0], held[-1]
            figures[f"{name}_last_half_bytes"] = held[-1] - held[ROUNDS // 2]
        return {"figures": figures, "baseline": baseline}

    def _round(self, number: int, chats: list[str]) -> None:
        from chatdesk.ui.navigator import PageId

        driver, window = self._driver, self._window
        for question in QUESTIONS:
            window.new_chat()
            driver.first_token(f"{question} ({number})")
        for chat in chats:
            driver.open(chat)
            driver.scroll_frames_ms()
        for page in window.parts.pages:
            window.navigator.show(page.id)
            driver.settle(0.5)
        window.navigator.show(PageId.CHAT)
        self._dialogs()
        window.parts.inspector.setVisible(not window.parts.inspector.isVisible())
        driver.settle(1.0)

    def _dialogs(self) -> None:
        """Open the settings at each page, then the options of the model in use."""
        from PySide6.QtWidgets import QDialog

        from chatdesk.ui.navigator import SettingsId

        window, driver = self._window, self._driver
        for settings_page in SettingsId:
            window.navigator.show_settings(settings_page)
            driver.settle(0.2)
        dialog = window.settings.dialog
        assert dialog
        dialog.accept()
        window.navigator.show_options()
        driver.settle(0.5)
        for options in window.findChildren(QDialog):
            options.reject()

    def _learn(self) -> None:
        """Learn a made-up person from a chat file, with its page open until it has ended."""
        from benchmarks.persona import PERSONA, pairs_of, write_chat_file
        from chatdesk.ui.navigator import PageId

        with tempfile.TemporaryDirectory() as folder:
            file = write_chat_file(Path(folder) / "person.jsonl", pairs_of(PERSONA))
            self._ask(lambda app: _start_learning(app, file))
        self._window.navigator.show(PageId.PERSONALIZE)
        while self._ask(lambda app: app.personalize.progress):
            self._driver.settle(1.0)
        self._window.navigator.show(PageId.CHAT)

    def _read(self) -> tuple[float, float]:
        self._driver.settle(2.0)
        engine = self._ask(lambda app: app.engine.process_id)
        assert engine
        return _rss(os.getpid()), _rss(engine)

    def _ask(self, work: "Callable[[App], _T]") -> _T:
        """Return what the services answer; the window's loop runs meanwhile."""
        answers: list[_T] = []
        self._desktop.bridge.run(work, answers.append)
        self._driver.until(lambda: bool(answers))
        return answers[0]


def _rss(process_id: int) -> float:
    return float(psutil.Process(process_id).memory_info().rss)


def _start_learning(app: "App", file: Path) -> None:
    model = app.models.default(None)
    assert model
    preview = app.personalize.preview(model, conversations=(), files=(file,))
    everything = [example.id for example in preview.examples]
    app.personalize.start(app.personalize.choose(preview, everything, True))


if __name__ == "__main__":
    inside() if "--inside" in sys.argv else main()
