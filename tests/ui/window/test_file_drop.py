"""Files that are dropped on the window, as Qt hands them over."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from chatdesk.services.system.text_file import LIMIT
from chatdesk.ui.navigator import PageId
from chatdesk.ui.widgets.drop_overlay import DropOverlay
from tests.ui.driver import Window

LEFT, COPY = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
NONE = Qt.KeyboardModifier.NoModifier


def dragged(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drag(window: Window, *paths: Path) -> bool:
    """Drag files over the composer, which is where most people aim; true if they are taken."""
    data = dragged(*paths)
    event = QDragEnterEvent(QPoint(5, 5), COPY, data, LEFT, NONE)
    QApplication.sendEvent(window.editor.viewport(), event)
    return event.isAccepted()


def drop(window: Window, *paths: Path) -> None:
    assert drag(window, *paths)
    data = dragged(*paths)
    event = QDropEvent(QPointF(5, 5), COPY, data, LEFT, NONE, QEvent.Type.Drop)
    QApplication.sendEvent(window.window, event)


def overlay(window: Window) -> str:
    found = window.window.findChild(DropOverlay)
    return found.words.text() if isinstance(found, DropOverlay) and found.isVisible() else ""


def test_the_window_says_what_becomes_of_what_is_dragged(window: Window, tmp_path: Path) -> None:
    assert drag(window, tmp_path / "own.gguf")
    assert overlay(window) == "Drop the model here to use it"
    found = window.window.findChild(DropOverlay)
    assert isinstance(found, DropOverlay) and found.size() == window.window.size()
    window.window.resize(900, 640)
    window.until(lambda: found.size() == window.window.size())
    QApplication.sendEvent(window.window, QDragLeaveEvent())
    assert overlay(window) == ""
    for name in ("notes.txt", "script.py", "data.json", "README.md"):
        assert drag(window, tmp_path / name)
        assert overlay(window) == "Drop it here to put the text into your message", name
    assert drag(window, tmp_path / "photo.png")
    assert overlay(window) == ""
    words = QMimeData()
    words.setText("words")
    event = QDragEnterEvent(QPoint(5, 5), COPY, words, LEFT, NONE)
    QApplication.sendEvent(window.window, event)
    assert overlay(window) == ""


def test_a_text_goes_into_the_message_beside_what_is_typed(window: Window, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("量子\nsecond line\n")
    window.type("Summarize this")
    window.window.navigator.show(PageId.MODELS)
    drop(window, file)
    assert overlay(window) == ""
    window.until(lambda: "second line" in window.editor.toPlainText())
    assert window.editor.toPlainText() == "Summarize this\n\n量子\nsecond line\n\n"
    assert window.editor.isVisible() and window.window.focusWidget() is window.editor


def test_several_texts_have_their_names(window: Window, tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("one")
    second.write_text("two")
    drop(window, first, second)
    window.until(lambda: "two" in window.editor.toPlainText())
    assert window.editor.toPlainText() == "a.txt:\none\n\n\n\nb.txt:\ntwo\n\n"


def test_what_cannot_be_read_is_told_once(window: Window, tmp_path: Path) -> None:
    photo, paper = tmp_path / "photo.png", tmp_path / "paper.pdf"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    paper.write_bytes(b"%PDF-1.7\n\x00")
    drop(window, photo, paper)
    window.until(lambda: "cannot read these files yet" in window.window.notice.words)
    assert "photo.png, paper.pdf" in window.window.notice.words
    assert window.editor.toPlainText() == ""


def test_a_text_that_is_too_long_is_refused_in_words(window: Window, tmp_path: Path) -> None:
    book = tmp_path / "book.txt"
    book.write_text("word " * LIMIT)
    drop(window, book)
    window.until(lambda: "book.txt" in window.window.notice.words)
    assert "too long" in window.window.notice.words
    assert window.editor.toPlainText() == ""


def test_a_model_is_added(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[Path] = []
    monkeypatch.setattr(window.window.parts.models, "add", added.append)
    drop(window, tmp_path / "own.GGUF")
    assert added == [tmp_path / "own.GGUF"]
