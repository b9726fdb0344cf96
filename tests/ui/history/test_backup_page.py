"""The settings of backups in a running window: one is made, looked into, and put in place."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from chatdesk.services.history.facts import BackupEnded
from chatdesk.services.history.restoring import finish
from chatdesk.ui.history.backup_page import BackupPage
from tests.ui.driver import Window, texts


@pytest.fixture
def page(window: Window) -> Iterator[BackupPage]:
    window.until_ready()
    window.window.navigator.show_settings("backup")
    window.until(lambda: window.window.findChild(BackupPage) is not None)
    page = window.window.findChild(BackupPage)
    assert page
    yield page


def says(page: BackupPage, words: str) -> bool:
    return any(words in each for each in texts(page))


def test_a_backup_is_made_and_put_in_place(window: Window, page: BackupPage) -> None:
    services = window.desktop.services
    assert services
    services.conversations.create(title="Figs")
    page.create_requested.emit(None)
    window.until(lambda: says(page, "Made and checked: 1 chat, 0 messages"))
    (made,) = services.backups.list()
    services.conversations.create(title="Newer")
    page.look_requested.emit(made.path)
    window.until(lambda: page.findChild(QMessageBox) is not None)
    question = page.findChild(QMessageBox)
    assert question
    assert "1 chat, 0 messages" in question.informativeText()
    restore = next(each for each in question.buttons() if each.text() == "Restore")
    restore.click()
    window.until(lambda: says(page, "takes its place when ChatDesk is started next"))
    assert [each.title for each in services.conversations.list()] == ["Newer", "Figs"]  # not yet
    window.until(lambda: page.findChild(QMessageBox) is not None)
    offer = page.findChild(QMessageBox)
    assert offer
    quits = next(each for each in offer.buttons() if each.text() == "Quit ChatDesk")
    quits.click()
    window.until(lambda: window.desktop.services is None)
    assert finish(window.paths)


def test_what_is_no_backup_is_told(window: Window, page: BackupPage, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    page.look_requested.emit(tmp_path / "text.zip")
    window.until(lambda: says(page, "is not a backup of ChatDesk"))


def test_a_daily_backup_that_failed_is_a_notice(window: Window) -> None:
    window.until_ready()
    services = window.desktop.services
    assert services
    (window.paths.data / "backups").write_text("in the way")
    services.backups._make_daily()
    window.until(lambda: "cannot be written" in window.window.notice.words)
    window.desktop.bridge.publish(BackupEnded())
    window.until(lambda: "cannot be written" not in window.window.notice.words)
