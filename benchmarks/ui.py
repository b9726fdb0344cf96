"""`chatdesk bench ui`: how soon the window can be typed in, and how smoothly it streams.

The window is the real one in a process of its own, with a folder of its own, over the real engine
with the starter model. The baseline streams an answer of the same model into a `QTextBrowser`
with `setMarkdown` per piece of text, as a first attempt at such an app would.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import percentile, print_report

if TYPE_CHECKING:
    from chatdesk.app import DesktopApp

COLD_STARTS = 7
ANSWER_TOKENS = 1500  # what the question below makes the starter model write, or nearly
MESSAGES_SHORT, MESSAGES_LONG = 30, 1000
MANY_CHATS = 10_000
LIMITS = {
    "cold_start_s": 1.0,
    "cold_start_many_chats_s": 0.8,
    "window_rss_bytes": 130e6,
    "first_token_s": 0.5,
    "loop_delay_p99_ms": 16.0,
    "loop_delay_max_ms": 50.0,
}
QUESTION = (
    "Write a very long tutorial about sorting in Python in twenty chapters, "
    "with code, lists and a table in each chapter."
)
ANSWER = (
    "Sorting is **putting things in order**. There are `many` ways:\n\n"
    "1. Compare and swap\n2. Divide and merge\n3. Count\n\n"
    "```python\ndef bubble(items: list[int]) -> list[int]:\n"
    '    """The slow way."""\n    for end in range(len(items), 1, -1):\n'
    "        for at in range(end - 1):\n            if items[at] > items[at + 1]:\n"
    "                items[at], items[at + 1] = items[at + 1], items[at]\n    return items\n```\n\n"
    "| way | steps |\n|---|---|\n| bubble | n² |\n| merge | n log n |\n\nThat is all there is."
)

SCREEN = Path(__file__).with_name("screen.json")  # Qt's own is 800x800, less than a window


def main() -> None:
    """Measure in child processes, then print."""
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-", ignore_cleanup_errors=True) as home:
        environment = child_environment(home)
        child("benchmarks.ui", "--seed", environment)
        cold = [_cold_start(environment) for _ in range(COLD_STARTS)]
        inside = child("benchmarks.ui", "--inside", environment)
        child("benchmarks.many_chats", str(MANY_CHATS), environment)
        many = [_cold_start(environment) for _ in range(COLD_STARTS)]
    figures = {
        "cold_start_s": statistics.median(cold),
        "cold_start_many_chats_s": statistics.median(many),
        **inside["figures"],
    }
    ratio = figures["loop_delay_p99_ms"] / inside["baseline"]["loop_delay_p99_ms"]
    print_report("ui", figures, inside["baseline"], {"loop_delay_p99": ratio}, LIMITS)


def child_environment(home: str) -> dict[str, str]:
    """Return the environment of a window whose folders lie under `home`."""
    environment = {**os.environ, "CHATDESK_HOME": home}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        environment.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={os.path.relpath(SCREEN)}")
    return environment


def child(module: str, what: str, environment: dict[str, str]) -> dict[str, dict[str, float]]:
    """Run one part of a benchmark in a process of its own; return what it found."""
    command = [sys.executable, "-m", module, what]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _cold_start(environment: dict[str, str]) -> float:
    """Seconds from starting the process to the first paint with the composer focused."""
    begun = time.time()
    return child("benchmarks.ui", "--cold", environment)["figures"]["painted"] - begun


def _answer(figures: dict[str, float], baseline: dict[str, float] | None = None) -> None:
    print(json.dumps({"figures": figures, "baseline": baseline or {}}), flush=True)


# In the child processes


def seed() -> None:
    """Fill the database with a short conversation and a long one, and open the short one."""
    from chatdesk.core.chat import AnswerRecord, MessageState, Role
    from chatdesk.services.system.locations import find_paths
    from chatdesk.store.conversations import ConversationStore
    from chatdesk.store.database import Database
    from chatdesk.ui.window_state import WindowState

    paths = find_paths()
    database = Database.open(paths.database)
    store = ConversationStore(database)
    ids = []
    for count in (MESSAGES_LONG, MESSAGES_SHORT):
        conversation = store.create(title=f"{count} messages")
        ids.append(conversation.id)
        parent = None
        for number in range(count):
            role = Role.ASSISTANT if number % 2 else Role.USER
            text = f"{number}. {ANSWER}" if number % 2 else f"{number}. How does one sort things?"
            record = AnswerRecord() if number % 2 else None
            message = store.add_message(
                conversation.id, parent, role, text, state=MessageState.COMPLETE, answer=record
            )
            parent = message.id
    database.close()
    WindowState(conversation=ids[1], inspector=False).write(paths.window_state)
    (paths.cache / "long").write_text(ids[0])
    _answer({})


def cold() -> None:
    """Open the window as `chatdesk` does, and say when it could be typed in."""
    import chatdesk.ui  # noqa: F401 - before PySide6, as the app does

    # isort: split
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QPlainTextEdit

    from chatdesk.app import DesktopApp, run
    from chatdesk.core.settings_file import read_settings
    from chatdesk.services.system.locations import find_paths

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                QTimer.singleShot(0, self.painted)
                watched.removeEventFilter(self)
            return False

        def painted(self) -> None:
            assert isinstance(QApplication.focusWidget() or editor(), QPlainTextEdit)
            _answer({"painted": time.time()})
            os._exit(0)

    watch = Watch()
    windows: list[DesktopApp] = []

    def editor() -> QPlainTextEdit | None:
        widget = windows[0].window.focusWidget()
        return widget if isinstance(widget, QPlainTextEdit) else None

    def started(desktop: DesktopApp) -> None:
        windows.append(desktop)
        field = editor()
        assert field
        field.viewport().installEventFilter(watch)

    paths = find_paths()
    run(paths, read_settings(paths.settings), started)


def inside() -> None:
    """Everything else, in one window process."""
    from chatdesk.app import DesktopApp, run
    from chatdesk.core.sampling import SamplingParams
    from chatdesk.core.settings import ChatSettings, Settings
    from chatdesk.services.system.locations import find_paths

    paths = find_paths()
    found: dict[str, dict[str, float]] = {"figures": {}, "baseline": {}}

    def started(desktop: DesktopApp) -> None:
        from PySide6.QtCore import QTimer

        def measure() -> None:
            try:
                _measure(desktop, (paths.cache / "long").read_text(), found)
            except BaseException:
                traceback.print_exc()
                os._exit(1)  # the window would show a bug and wait for somebody to read it

        QTimer.singleShot(0, measure)

    settings = Settings(
        chat=ChatSettings(
            sampling=SamplingParams(temperature=0.5, seed=2, max_tokens=ANSWER_TOKENS)
        )
    )
    run(paths, settings, started)
    _answer(found["figures"], found["baseline"])


def _measure(desktop: "DesktopApp", long_id: str, found: dict[str, dict[str, float]]) -> None:
    import psutil

    from benchmarks.ui_probe import Driver

    driver = Driver(desktop)
    figures = found["figures"]
    driver.until(driver.engine_ready)
    driver.until(driver.conversation_shown)
    driver.settle(1.0)
    figures["window_rss_bytes"] = psutil.Process().memory_info().rss
    figures["open_conversation_s"] = driver.open(long_id)
    figures["scroll_frame_p99_ms"] = percentile(driver.scroll_frames_ms(), 0.99)
    desktop.window.new_chat()
    figures["first_token_s"] = driver.first_token("Say hello.")
    delays, share = driver.stream(QUESTION, ANSWER_TOKENS)
    figures["loop_delay_p99_ms"] = percentile(delays, 0.99)
    figures["loop_delay_max_ms"] = max(delays)
    figures["stream_cpu_share"] = share
    found["baseline"]["loop_delay_p99_ms"] = percentile(
        driver.stream_with_set_markdown(QUESTION, ANSWER_TOKENS), 0.99
    )
    desktop.window.close()


MODES: dict[str, Callable[[], None]] = {
    "--seed": seed,
    "--cold": cold,
    "--inside": inside,
}

if __name__ == "__main__":
    MODES.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
