"""The pure parts of the installer; the rest runs on Windows only."""

import ast
import re
from pathlib import Path

import pytest
import windows

from dev import SetupError


def test_the_version_is_in_the_programs_details() -> None:
    text = windows.version_resource("1.2.3")
    tree = ast.parse(text, mode="eval")
    found = [ast.literal_eval(node) for node in ast.walk(tree) if isinstance(node, ast.Tuple)]
    assert found == [(1, 2, 3, 0)] * 2
    assert text.count('"1.2.3"') == 2


def test_the_installer_gets_all_it_asks_for_and_touches_no_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(windows, "run", lambda _step, command: seen.append(command))
    monkeypatch.setattr(windows, "compiler", lambda: "ISCC")
    monkeypatch.setattr("icons.ico", lambda: b"icon")
    (made,) = windows.make(tmp_path / "ChatDesk", tmp_path, "1.0")
    assert made.name.startswith("ChatDesk-1.0-windows-")
    script = (windows.HERE / "chatdesk.iss").read_text("utf-8")
    defined = {word[2:].partition("=")[0] for word in seen[0] if word.startswith("/D")}
    assert set(re.findall(r"\{#(\w+)\}", script)) == defined
    assert "[UninstallDelete]" not in script
    assert "PrivilegesRequired=lowest" in script


def test_without_inno_setup_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setenv("PROGRAMFILES(X86)", "/nowhere")
    with pytest.raises(SetupError, match="winget install"):
        windows.compiler()
