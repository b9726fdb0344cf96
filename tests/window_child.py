"""The real app in a process of its own, for tests that kill it. What it does is its argument.

`ask` sends a question once the model is loaded and prints the answer's length as it grows; `show`
prints the open conversation and quits; `wait` prints when another start asks for the window; `use`
opens the models that are its other arguments, and prints which model is ready.
"""

import json
import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer

from chatdesk.app import DesktopApp, run
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import ChatSettings, Settings
from chatdesk.services.chat.facts import TextArrived
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.services.system.locations import find_paths

QUESTION = "Write a very long story about a fox and a river."


def tell(**values: object) -> None:
    print(json.dumps(values), flush=True)


def ask(desktop: DesktopApp) -> None:
    def on_text(fact: TextArrived) -> None:
        tell(length=fact.start + len(fact.text), at=time.monotonic())

    def on_engine(fact: EngineChanged) -> None:
        if fact.status.state is EngineState.READY:
            desktop.window.send(QUESTION)

    desktop.bridge.subscribe(TextArrived, on_text)
    desktop.bridge.subscribe(EngineChanged, on_engine)


def show(desktop: DesktopApp) -> None:
    def look() -> None:
        messages = desktop.window.chat_view.messages
        if messages:
            tell(messages=[[message.role, message.state, message.text] for message in messages])
            desktop.window.close()

    timer = QTimer(desktop.window)
    timer.timeout.connect(look)
    timer.start(20)


def wait(desktop: DesktopApp) -> None:
    assert desktop.instance
    desktop.instance.raise_requested.connect(lambda: tell(raised=True))
    QTimer.singleShot(0, lambda: tell(waiting=True))


def use(desktop: DesktopApp) -> None:
    def on_engine(fact: EngineChanged) -> None:
        if fact.status.state is EngineState.READY:
            assert fact.status.model
            tell(ready=fact.status.model.header.name)

    desktop.bridge.subscribe(EngineChanged, on_engine)


MODES = {"ask": ask, "show": show, "wait": wait, "use": use}

if __name__ == "__main__":
    never_ends = ((2, -100.0), (0, -100.0))  # the starter's tokens that end an answer
    settings = Settings(
        chat=ChatSettings(sampling=SamplingParams(max_tokens=2000, logit_bias=never_ends))
    )
    sys.exit(run(find_paths(), settings, MODES[sys.argv[1]], list(map(Path, sys.argv[2:]))))
