"""A window that is killed while it writes: what it kept is whole, and nothing half is left."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from chatdesk.core.settings_file import read_settings
from chatdesk.ui.window_state import WindowState


def test_settings_and_drafts_are_whole_after_any_kill(tmp_path: Path) -> None:
    chance, numbers = random.Random(8), []
    for _ in range(6):
        command = [sys.executable, "-m", "tests.faults.writing_child", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout
            assert child.stdout.readline() == b"writing\n"
            time.sleep(chance.random() * 0.2)
            child.kill()
        port = read_settings(tmp_path / "settings.json").server.port
        draft = WindowState.read(tmp_path / "window.json").drafts[""]
        assert draft.endswith(" word ")
        numbers.append((port, int(draft.split()[1])))
    assert all(port - 1 <= number <= port for port, number in numbers)
    assert len(set(numbers)) > 1


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    state = tmp_path / "window.json"
    old, new = tmp_path / ".window.json.1a.part", tmp_path / ".window.json.2b.part"
    coming = tmp_path / ".window.json.4d.part"  # the clock went back since
    other = tmp_path / ".settings.json.3c.part"
    for partial in (old, new, other, coming):
        partial.write_text("half a draft")
    for partial, hours in ((old, -1), (other, -1), (coming, 1)):
        moment = time.time() + hours * 3600
        os.utime(partial, (moment, moment))
    assert WindowState().write(state)
    assert {each.name for each in tmp_path.iterdir()} == {state.name, new.name, other.name}
