from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QProgressBar, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.ui.models.downloads.list import DownloadList
from chatdesk.ui.theme import Theme
from tests.ui.driver import texts
from tests.ui.hub_data import download

RUNNING = download(DownloadState.RUNNING)
PROGRESS = DownloadProgressed("d", 2_500_000_000, 38e6, 77)


@pytest.fixture
def shown(qtbot: QtBot, theme: Theme) -> DownloadList:
    shown = DownloadList()
    shown.resize(900, 400)
    qtbot.addWidget(shown)
    return shown


def buttons(part: QWidget) -> list[str]:
    return [each.text() for each in part.findChildren(QPushButton) if each.isVisibleTo(part)]


def button(part: QWidget, words: str) -> QPushButton:
    return next(each for each in part.findChildren(QPushButton) if each.text() == words)


def test_it_is_hidden_while_nothing_is_fetched(shown: DownloadList) -> None:
    shown.show_downloads(())
    assert shown.isHidden()
    shown.show_downloads((RUNNING,))
    assert shown.isVisible()


@pytest.mark.parametrize(
    ("state", "offered", "has_bar"),
    [
        (DownloadState.QUEUED, ["Pause", "Cancel"], True),
        (DownloadState.RUNNING, ["Pause", "Cancel"], True),
        (DownloadState.CHECKING, ["Cancel"], True),
        (DownloadState.PAUSED, ["Resume", "Cancel"], True),
        (DownloadState.FAILED, ["Try again", "Cancel"], True),
        (DownloadState.DONE, ["Chat", "Clear"], False),
    ],
)
def test_what_is_offered(
    shown: DownloadList, state: DownloadState, offered: list[str], has_bar: bool
) -> None:
    shown.show_downloads((RUNNING,))
    shown.show_downloads((download(state, problem="The disk is full."),))
    assert buttons(shown) == offered
    bar = shown.findChild(QProgressBar)
    assert bar
    assert bar.isVisible() is has_bar
    assert ("The disk is full." in texts(shown)) is (state is DownloadState.FAILED)


def test_progress_leaves_the_row_and_the_focus_as_they_are(shown: DownloadList) -> None:
    other = download(DownloadState.QUEUED, 0, id="e")
    shown.show_downloads((RUNNING, other))
    pause = button(shown, "Pause")
    pause.setFocus()
    shown.show_progress(PROGRESS)
    assert (
        "2.5 of 5.0\u00a0GB · 38\u00a0MB/s · 1\u00a0min 17\u00a0s left · resumes by itself"
        in texts(shown)
    )
    shown.show_downloads((other, replace(RUNNING, state=DownloadState.PAUSED)))
    assert pause.text() == "Resume" and shown.focusWidget() is pause
    shown.show_progress(PROGRESS)  # came late
    assert "2.1 of 5.0\u00a0GB · paused" in texts(shown)
    shown.show_progress(replace(PROGRESS, download_id="gone"))


def test_one_that_is_gone_goes(shown: DownloadList, qtbot: QtBot) -> None:
    shown.show_downloads((RUNNING, download(DownloadState.DONE, id="e")))
    shown.show_downloads((download(DownloadState.DONE, id="e"),))
    qtbot.waitUntil(lambda: buttons(shown) == ["Chat", "Clear"])


@pytest.mark.parametrize(
    ("one", "words", "signal"),
    [
        (RUNNING, "Pause", "pause_requested"),
        (download(DownloadState.PAUSED), "Resume", "resume_requested"),
        (download(DownloadState.FAILED), "Try again", "resume_requested"),
        (download(DownloadState.RUNNING, 1_000_000), "Cancel", "cancel_requested"),
        (download(DownloadState.DONE), "Clear", "clear_requested"),
        (download(DownloadState.DONE), "Chat", "chat_requested"),
    ],
)
def test_requests_by_the_keyboard(
    shown: DownloadList, qtbot: QtBot, one: Download, words: str, signal: str
) -> None:
    shown.show_downloads((one,))
    with qtbot.waitSignal(getattr(shown, signal)) as asked:
        qtbot.keyClick(button(shown, words), Qt.Key.Key_Space)
    assert asked.args == [one.path if words == "Chat" else "d"]


def test_much_is_not_thrown_away_without_a_question(shown: DownloadList, qtbot: QtBot) -> None:
    shown.show_downloads((RUNNING,))
    button(shown, "Cancel").click()
    box = shown.findChild(QMessageBox)
    assert box
    assert "2.1\u00a0GB were downloaded already" in box.informativeText()
    with qtbot.waitSignal(shown.cancel_requested) as asked:
        button(box, "Discard it").click()
    assert asked.args == ["d"]


def test_every_button_says_what_it_is_for(shown: DownloadList) -> None:
    shown.show_downloads((RUNNING,))
    names = [each.accessibleName() for each in shown.findChildren(QPushButton)]
    assert names == ["Pause: Good 8B", "Cancel: Good 8B"]
    bar = shown.findChild(QProgressBar)
    assert bar
    assert bar.accessibleName() == "Progress of Good 8B"


def test_words_from_outside_are_never_rich_text(shown: DownloadList) -> None:
    hostile = "<img src='file:///etc/passwd'>" * 9
    one = replace(download(DownloadState.FAILED), name=hostile, problem=hostile)
    shown.show_downloads((one,))
    for label in shown.findChildren(QWidget):
        if hostile in (getattr(label, "text", str)() or ""):
            assert label.textFormat() is Qt.TextFormat.PlainText  # type: ignore[attr-defined]
    shown.resize(300, 400)
    assert shown.width() == 300
