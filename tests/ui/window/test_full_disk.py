"""The window where nothing can be written: what there is is shown, what is new is told."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from chatdesk.core.chat import MessageState
from chatdesk.core.paths import AppPaths
from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.window.application import Application
from tests.small_disk import fill, read_only, small_disk
from tests.ui.driver import opened


@pytest.mark.usefixtures("theme", "paths")
def test_chats_are_shown_on_a_full_disk_and_go_on_once_there_is_room(
    qtbot: QtBot, qapp: Application, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        paths = AppPaths.under(disk)
        paths.make()
        with opened(qtbot, qapp, paths) as window:
            window.until_ready()
            answer = window.ask("say: one")
        ballast = fill(disk)
        with opened(qtbot, qapp, paths) as window:
            told: list[Exception] = []
            window.desktop.bridge.bug_found.connect(told.append)
            window.until_ready()
            window.window.open_conversation(answer.conversation_id)
            window.until(lambda: len(window.messages) == 2)
            assert len(told) == 1 and "full" in str(told[0])
            window.send("say: ferns")
            window.until(lambda: window.editor.toPlainText() == "say: ferns")
            assert "full" in window.window.notice.words
            ballast.unlink()
            window.until(lambda: window.window.composer.state is ComposerState.READY)
            window.qtbot.keyClick(window.editor, Qt.Key.Key_Return)
            window.until(lambda: len(window.messages) == 4)
            window.until(lambda: window.messages[-1].state is MessageState.COMPLETE)
            assert "ferns" in window.messages[-1].text, window.messages


@pytest.mark.usefixtures("theme", "paths")
def test_chats_are_shown_on_a_read_only_disk_though_the_app_was_killed(
    qtbot: QtBot, qapp: Application, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        paths = AppPaths.under(disk)
        paths.make()
        journal = paths.database.with_name(f"{paths.database.name}-wal")
        with opened(qtbot, qapp, paths) as window:
            window.until_ready()
            answer = window.ask("say: one")
            pages, log = paths.database.read_bytes(), journal.read_bytes()
        paths.database.write_bytes(pages)
        journal.write_bytes(log)
        with read_only(disk), opened(qtbot, qapp, paths) as window:
            window.until_ready()
            window.window.open_conversation(answer.conversation_id)
            window.until(lambda: len(window.messages) == 2)
            window.send("say: ferns")
            window.until(lambda: window.editor.toPlainText() == "say: ferns")
            assert "is read-only" in window.window.notice.words
