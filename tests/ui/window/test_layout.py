"""The sidebar, the pages and the inspector, in the window."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractButton, QPushButton, QScrollArea, QToolButton, QWidget
from shiboken6 import isValid

from chatdesk.ui.chat.composer import ComposerState
from chatdesk.ui.models.page import ModelsPage
from chatdesk.ui.navigator import PageId
from chatdesk.ui.personalize.page import PersonalizePage
from chatdesk.ui.reduced_motion import VARIABLE
from chatdesk.ui.widgets.fields import Fold
from chatdesk.ui.widgets.motion import is_moving
from chatdesk.ui.widgets.scroll import FittingArea
from chatdesk.ui.window.layout import INSPECTOR_WIDTH, NARROWEST, WIDEST
from chatdesk.ui.window.main_window import SMALLEST
from chatdesk.ui.window.side_grip import SideGrip
from chatdesk.ui.window_state import WindowState
from tests.ui.driver import Window


def offered(part: QWidget) -> list[QToolButton]:
    """The button that shows the sidebar, if the part offers one."""
    buttons = part.findChildren(QToolButton)
    return [b for b in buttons if b.toolTip().startswith("Show the sidebar") and b.isVisible()]


def test_whatever_is_shown_offers_a_sidebar_that_is_hidden(window: Window) -> None:
    main, sidebar = window.window, window.window.parts.sidebar
    main.navigator.show(PageId.MODELS)  # made before the sidebar is hidden, the other page after it
    models = main.findChild(ModelsPage)
    assert models
    assert not offered(models)
    sidebar.hide_requested.emit()
    assert not sidebar.isVisible()
    assert offered(models)
    main.navigator.show(PageId.PERSONALIZE)
    personalize = main.findChild(PersonalizePage)
    assert personalize
    window.qtbot.mouseClick(offered(personalize)[0], Qt.MouseButton.LeftButton)
    assert sidebar.isVisible()
    assert not offered(main)


def test_the_inspector_is_the_chats(window: Window) -> None:
    main, inspector = window.window, window.window.parts.inspector
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert inspector.isVisible()
    main.navigator.show(PageId.MODELS)
    assert not inspector.isVisible()
    assert main.windowTitle() == "Models – ChatDesk"
    page = main.findChild(ModelsPage)
    assert page
    window.qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert inspector.isVisible()
    assert main.windowTitle() == "ChatDesk"
    assert main.focusWidget() is window.editor


def test_renaming_shows_the_sidebar(window: Window) -> None:
    window.ask("say: one")
    window.until(lambda: window.titles == ["A fitting title"])
    parts = window.window.parts
    parts.sidebar.hide_requested.emit()
    parts.page.top_bar.rename_requested.emit()
    assert parts.sidebar.isVisible()
    assert parts.sidebar.is_renaming


def resized(window: Window, width: int, height: int = 600) -> None:
    window.window.resize(width, height)
    content = window.window.centralWidget()
    assert content
    window.until(lambda: content.width() == width)


def place_of(part: QWidget) -> QRect:
    """Where a part is, in the window's pixels."""
    return QRect(part.mapTo(part.window(), QPoint(0, 0)), part.size())


def button(part: QWidget, words: str) -> QToolButton:
    """The visible button of a part whose name begins with these words."""
    buttons = [b for b in part.findChildren(QToolButton) if b.isVisible()]
    return next(b for b in buttons if b.accessibleName().startswith(words))


def click(window: Window, widget: QWidget | None) -> None:
    assert widget
    window.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("width", [480, 640, 899])
def test_a_narrow_windows_inspector_lies_over_the_chat(window: Window, width: int) -> None:
    parts, main = window.window.parts, window.window
    resized(window, width)
    middle = place_of(parts.page)
    click(window, button(parts.page, "Sampling"))
    inspector = place_of(parts.inspector)
    assert parts.inspector.isVisible()
    assert place_of(parts.page) == middle
    assert inspector.right() == main.width() - 1
    assert main.rect().contains(inspector)
    window.qtbot.keyClick(main.focusWidget(), Qt.Key.Key_Escape)
    assert not parts.inspector.isVisible()
    assert main.focusWidget() is window.editor


def test_a_click_beside_a_drawer_closes_it_and_does_nothing_else(window: Window) -> None:
    parts, main = window.window.parts, window.window
    resized(window, 640)
    assert not parts.sidebar.isVisible()
    click(window, offered(parts.page)[0])
    assert parts.sidebar.isVisible()
    assert main.rect().contains(place_of(parts.sidebar))
    assert main.childAt(600, 20) is not button(parts.page, "More")
    click(window, main.childAt(600, 20))
    assert not parts.sidebar.isVisible()
    assert main.focusWidget() is window.editor


def test_a_drawer_is_closed_by_what_is_chosen_in_it_and_by_more_room(window: Window) -> None:
    parts, main = window.window.parts, window.window
    resized(window, 640)
    window.qtbot.keyClick(main, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    parts.sidebar.page_requested.emit(PageId.MODELS)
    assert not parts.sidebar.isVisible()
    main.navigator.show(PageId.CHAT)
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert parts.inspector.isVisible()
    resized(window, 1200)
    assert parts.sidebar.isVisible()  # as it was when there was room
    assert not parts.inspector.isVisible()


def test_escape_closes_the_drawer_before_it_stops_an_answer(window: Window) -> None:
    parts, main = window.window.parts, window.window
    resized(window, 640)
    window.send("slow: one two three four five six seven eight nine ten")
    window.until(lambda: main.composer.state is ComposerState.ANSWERING)
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert parts.inspector.isVisible()
    window.qtbot.keyClick(main.focusWidget(), Qt.Key.Key_Escape)
    assert not parts.inspector.isVisible()
    assert main.composer.state is ComposerState.ANSWERING
    window.qtbot.keyClick(window.editor, Qt.Key.Key_Escape)
    window.until(lambda: main.composer.state is ComposerState.READY)


@pytest.mark.parametrize("width", [640, 1120])
def test_the_inspectors_button_stays_where_it_is(window: Window, width: int) -> None:
    parts, main = window.window.parts, window.window
    resized(window, width)
    before = place_of(button(parts.page, "Sampling"))
    click(window, button(parts.page, "Sampling"))
    assert place_of(button(parts.inspector, "Hide")) == before
    click(window, main.childAt(before.center()))  # once more at the same place
    assert not parts.inspector.isVisible()


def test_a_hidden_sidebar_leaves_new_chat_and_the_cursor(window: Window) -> None:
    window.ask("say: one")
    parts, main = window.window.parts, window.window
    window.qtbot.keyClick(
        main, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert parts.sidebar.isAncestorOf(main.focusWidget())
    window.qtbot.keyClick(main, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert main.focusWidget() is window.editor
    click(window, button(parts.page, "New chat"))
    assert parts.chat.current is None


def grip(window: Window) -> SideGrip:
    found = window.window.findChild(SideGrip)
    assert found
    return found


def test_the_sidebar_is_dragged_to_its_width(window: Window) -> None:
    parts, qtbot = window.window.parts, window.qtbot
    resized(window, 1200)
    usual = parts.sidebar.width()
    edge = grip(window)
    assert abs(place_of(edge).center().x() - usual) <= 2
    start = edge.rect().center()
    qtbot.mousePress(edge, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(edge, start + QPoint(50, 0))
    qtbot.mouseRelease(edge, Qt.MouseButton.LeftButton, pos=start)
    assert parts.sidebar.width() == usual + 50
    assert place_of(parts.page).left() == usual + 50
    window.window.save_state()
    assert WindowState.read(window.paths.window_state).sidebar_width == usual + 50
    qtbot.mouseDClick(edge, Qt.MouseButton.LeftButton)
    assert parts.sidebar.width() == usual


def test_the_keyboard_changes_the_sidebars_width_within_bounds(window: Window) -> None:
    parts, qtbot = window.window.parts, window.qtbot
    resized(window, 1200)
    edge, usual = grip(window), parts.sidebar.width()
    qtbot.keyClick(edge, Qt.Key.Key_Right)
    assert usual < parts.sidebar.width() < usual + 40
    for _ in range(40):
        qtbot.keyClick(edge, Qt.Key.Key_Right)
    assert parts.sidebar.width() == WIDEST
    for _ in range(40):
        qtbot.keyClick(edge, Qt.Key.Key_Left)
    assert parts.sidebar.width() == NARROWEST
    qtbot.keyClick(edge, Qt.Key.Key_Home)
    assert parts.sidebar.width() == usual
    assert edge.accessibleName()


def test_panels_slide_and_the_middle_is_placed_once(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    parts, main = window.window.parts, window.window
    resized(window, 1200)
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert is_moving(parts.inspector)
    assert place_of(parts.page).right() == 1200 - INSPECTOR_WIDTH - 1
    window.until(lambda: not is_moving(parts.inspector))
    assert place_of(parts.inspector).left() == 1200 - INSPECTOR_WIDTH
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert place_of(parts.page).right() == 1199
    window.until(parts.inspector.isHidden)


@pytest.mark.parametrize("width", [640, 1120])
def test_nothing_in_the_inspector_is_wider_than_it(window: Window, width: int) -> None:
    main, inspector = window.window, window.window.parts.inspector
    resized(window, width, 760)
    window.qtbot.keyClick(main, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    for fold in inspector.findChildren(Fold):
        fold.setChecked(True)
    area = inspector.findChild(QScrollArea)
    assert area
    room, content = area.viewport().width(), area.widget()
    assert content
    assert content.width() == room
    for part in content.findChildren(QWidget):
        end = part.mapTo(content, QPoint(part.width(), 0)).x()
        assert not part.isVisible() or end <= room, part


def test_the_first_screen_dissolves_into_the_chat(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    page = window.window.parts.page
    before = page.grab().toImage()
    window.send("say: one")
    window.until(page.view.isVisible)
    pictures = [w for w in page.children() if isinstance(w, QWidget) and w.size() == page.size()]
    assert len(pictures) == 1  # what was there, over what is
    assert before.size() == pictures[0].size()
    window.until(lambda: not isValid(pictures[0]))


@pytest.mark.parametrize("size", [SMALLEST, (640, 480)])
def test_the_first_screen_scrolls_where_there_is_no_room(
    window: Window, size: tuple[int, int]
) -> None:
    main, page = window.window, window.window.parts.page
    resized(window, *size)
    inside = main.rect()
    for part in (page.top_bar, page.composer, page.status):
        assert inside.contains(place_of(part)), part
    area = page.findChild(FittingArea)
    assert area

    def last_is_reached() -> bool:
        bar = area.verticalScrollBar()
        bar.setValue(bar.maximum())
        cards = [card for card in page.suggestions.findChildren(QPushButton) if card.isVisible()]
        last = max(cards, key=lambda card: place_of(card).bottom())
        return place_of(area).contains(place_of(last).center())

    window.until(last_is_reached)


@pytest.mark.parametrize("size", [(640, 480), (800, 600), (1120, 760)])
def test_a_notice_covers_nothing_that_can_be_pressed_on_the_first_screen(
    window: Window, size: tuple[int, int]
) -> None:
    main, notice = window.window, window.window.notice
    main.resize(*size)
    window.qtbot.wait(20)
    notice.show_words("Something happened.", "This is what to do.", "Do it", lambda: None)
    window.qtbot.wait(20)
    covered = QRect(notice.mapTo(main, QPoint(0, 0)), notice.size())
    assert main.rect().contains(covered)
    page = main.parts.page
    area = page.ways_to_begin
    in_sight = QRect(area.mapTo(main, QPoint(0, 0)), area.size())
    for part in (page.composer, page.ways_to_begin):
        for button in part.findChildren(QAbstractButton):
            if button.isVisible():
                place = QRect(button.mapTo(main, QPoint(0, 0)), button.size())
                if part is area:
                    place &= in_sight
                assert not place.intersects(covered), button.accessibleName()
