"""Qt's own dialogs in the colours of the themes."""

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from chatdesk.core.i18n import set_language
from chatdesk.core.paths import assets_dir
from chatdesk.ui.theme import THEMES, Theme, apply_theme, load_theme
from chatdesk.ui.widgets.file_dialogs import FileDialog
from tests.ui.test_theme import contrast


@pytest.mark.parametrize("name", THEMES)
def test_the_names_of_the_columns_can_be_read(
    qtbot: QtBot, qapp: QApplication, theme: Theme, name: str, tmp_path: Path
) -> None:
    apply_theme(qapp, load_theme(name))
    try:
        parent = QWidget()
        qtbot.addWidget(parent)
        dialog = FileDialog(parent, "Add a file", str(tmp_path), "All (*)")
        qtbot.addWidget(dialog)
        dialog.show()
        tree = dialog.findChild(QTreeView)
        assert tree
        header = tree.header()
        image = header.grab().toImage()
        colours = {
            image.pixelColor(x, y).name()
            for x in range(0, header.sectionSize(0))
            for y in range(4, image.height() - 6)
        }
        ground = image.pixelColor(2, 6).name()
        assert QColor(ground) == QColor(load_theme(name).background)
        assert max(contrast(ground, colour) for colour in colours) >= 4.5
        assert isinstance(header, QHeaderView)
    finally:
        apply_theme(qapp, theme)


@pytest.mark.usefixtures("theme")
def test_buttons_of_questions_have_no_icons(qtbot: QtBot) -> None:
    box = QDialogButtonBox(
        QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
    )
    qtbot.addWidget(box)
    box.show()
    assert all(button.icon().isNull() for button in box.buttons())


@pytest.mark.parametrize(
    "words",
    [
        "Short.",
        "The folder /home/somebody/.local/share/chatdesk cannot be used: Read-only file system",
        "A sentence that goes on and on, as those of errors do. " * 6,
    ],
)
def test_the_words_of_a_question_are_never_cut(qtbot: QtBot, theme: Theme, words: str) -> None:
    box = QMessageBox(QMessageBox.Icon.Critical, "ChatDesk", words)
    box.setInformativeText("Choose another one.")
    qtbot.addWidget(box)
    box.show()
    label = box.findChild(QLabel, "qt_msgbox_label")
    assert label
    needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
    assert label.height() >= needed
    assert label.wordWrap() or label.width() >= label.sizeHint().width()
    assert box.rect().contains(label.geometry())


@pytest.mark.parametrize("name", THEMES)
def test_the_pictures_of_the_style_sheet_have_the_colours_of_the_theme(name: str) -> None:
    theme, folder = load_theme(name), assets_dir() / "themes"
    for picture, colour in {
        "check": theme.muted,
        "chevron-down": theme.muted,
        "information": theme.muted,
        "warning": theme.warn,
        "critical": theme.danger,
    }.items():
        svg = (folder / f"{picture}-{name}.svg").read_text(encoding="utf-8")
        assert set(re.findall("#[0-9A-F]{6}", svg)) == {colour}
    sheets = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.qss"))
    for wanted in re.findall(r"\$themes/([\w-]+)-\$name\.svg", sheets):
        assert (folder / f"{wanted}-{name}.svg").exists()


@pytest.mark.usefixtures("theme")
def test_what_qt_has_no_chinese_for_is_said_in_our_words(qtbot: QtBot, tmp_path: Path) -> None:
    set_language("zh_CN", assets_dir() / "locale")
    try:
        parent = QWidget()
        qtbot.addWidget(parent)
        dialog = FileDialog(parent, "", str(tmp_path), "All (*)")
        qtbot.addWidget(dialog)
        dialog.show()
        names = [dialog.findChild(QLabel, name) for name in ("lookInLabel", "fileTypeLabel")]
        assert [name.text() for name in names if name] == ["文件夹：", "文件类型："]
    finally:
        set_language("en", assets_dir() / "locale")
