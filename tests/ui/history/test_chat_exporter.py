"""Chats are written to files from their menu."""

import json
from pathlib import Path

import pytest

from chatdesk.core.chat import Role
from tests.ui.driver import Window


@pytest.fixture
def chats(window: Window) -> list[str]:
    window.until_ready()
    services = window.desktop.services
    assert services
    ids = []
    for title in ("Figs", "Soil"):
        ids.append(services.conversations.create(title=title).id)
        services.conversations.add_message(ids[-1], None, Role.USER, f"What is {title}?")
    services.order.pin([], True)  # the list is told of them
    window.until(lambda: set(window.titles) >= {"Figs", "Soil"})
    return ids


def test_the_ending_says_what_is_written(
    window: Window, chats: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []

    def choose(_parent: object, _title: str, name: str, _words: str) -> str:
        offered.append(name)
        return str(tmp_path / f"mine{len(offered)}{('', '.html', '.json', '.md')[len(offered)]}")

    monkeypatch.setattr("chatdesk.ui.history.chat_exporter.choose_new_file", choose)
    menus = window.window.parts.sidebar.menus
    menus.export_requested.emit(chats[:1])
    window.until(lambda: "1 chat was exported." in window.window.notice.words)
    assert "What is Figs?" in (tmp_path / "mine1.html").read_text("utf-8")
    menus.export_requested.emit(chats)
    window.until(lambda: "2 chats were exported." in window.window.notice.words)
    assert len(json.loads((tmp_path / "mine2.json").read_text("utf-8"))["conversations"]) == 2
    menus.export_requested.emit(chats)
    window.until((tmp_path / "mine3").is_dir)
    window.until(lambda: len(list((tmp_path / "mine3").iterdir())) == 2)
    assert offered == ["Figs.md", "Chats.json", "Chats.json"]


def test_a_file_without_an_ending_is_markdown(
    window: Window, chats: list[str], tmp_path: Path
) -> None:
    window.window.parts.exporter.write(tmp_path / "notes", chats[:1])
    window.until((tmp_path / "notes.md").exists)


def test_what_cannot_be_written_can_be_tried_again(
    window: Window, chats: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    window.window.parts.exporter.write(tmp_path / "file" / "below.md", chats[:1])
    window.until(lambda: "cannot be written" in window.window.notice.words)
    (tmp_path / "file").unlink()
    window.window.notice.act()
    window.until((tmp_path / "file" / "below.md").exists)
