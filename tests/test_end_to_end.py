"""The real app with the real model, killed the hard way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat import MessageState
from chatdesk.core.paths import AppPaths
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from tests.tiny_models import tiny_model

PROMISED_S = 0.25  # of a streaming answer, at most this much may be lost
TIMEOUT_S = 60


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return {**os.environ, "CHATDESK_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}


@contextmanager
def window(
    mode: str, environment: Mapping[str, str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.window_child", mode, *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def test_the_app_killed_in_mid_answer(environment: Mapping[str, str], tmp_path: Path) -> None:
    with window("ask", environment) as process:
        grown = [told(process)]
        while grown[-1]["at"] - grown[0]["at"] < 1.5:
            grown.append(told(process))
        os.kill(process.pid, signal.SIGKILL)
    promised = max(step["length"] for step in grown if step["at"] <= grown[-1]["at"] - PROMISED_S)
    with window("show", environment) as process:
        (_, _, question), (_, state, text) = told(process)["messages"]
        assert process.wait(TIMEOUT_S) == 0
    assert question.startswith("Write a very long story")
    assert state == MessageState.INTERRUPTED
    assert len(text) >= promised
    database = Database.open(AppPaths.under(tmp_path).database)
    database.check()
    assert len(ConversationStore(database).list()) == 1
    database.close()


def test_a_second_start_raises_the_first_window(environment: Mapping[str, str]) -> None:
    with window("wait", environment) as first:
        assert told(first) == {"waiting": True}
        second = subprocess.run(
            [sys.executable, "-m", "chatdesk"], env=environment, timeout=TIMEOUT_S, check=False
        )
        assert second.returncode == 0
        assert told(first) == {"raised": True}


@pytest.mark.parametrize("words", [[], ["open"]])
def test_model_files_given_to_a_start(
    words: list[str], environment: Mapping[str, str], tmp_path: Path
) -> None:
    first = tiny_model(tmp_path / "first.gguf")
    tiny_model(tmp_path / "其他 one.GGUF")
    with window("use", environment, str(first)) as process:
        while told(process)["ready"] != "first":
            pass
        command = [sys.executable, "-m", "chatdesk", *words, "其他 one.GGUF"]
        subprocess.run(command, cwd=tmp_path, env=environment, timeout=TIMEOUT_S, check=True)
        while told(process)["ready"] != "其他 one":
            pass
