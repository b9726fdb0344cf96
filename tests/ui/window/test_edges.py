"""What stands at one edge, and what fades at the ends of what scrolls."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from chatdesk.ui.widgets.fading_edges import HEIGHT
from chatdesk.ui.widgets.labels import LineLabel
from tests.ui.driver import Window


def left(window: Window, widget: QWidget | None) -> int:
    assert widget
    return widget.mapTo(window.window, QPoint(0, 0)).x()


@pytest.mark.parametrize("width", [720, 900])
def test_title_composer_text_and_notices_have_one_left_edge(window: Window, width: int) -> None:
    answer = window.ask("say: one two three")
    window.window.notice.show_words("It is done.")
    window.window.resize(width, 600)
    page = window.window.parts.page
    window.until(lambda: page.composer.width() < 760)
    edges = {
        "title": left(window, page.top_bar.findChild(LineLabel)),
        "composer": left(window, page.composer),
        "text": left(window, window.view_of(answer)),
        "notice": left(window, window.window.notice),
    }
    assert len(set(edges.values())) == 1, edges


def test_the_chat_fades_at_the_end_that_goes_on(window: Window) -> None:
    for number in range(6):
        window.ask(f"say: {'word ' * 40}{number}")
    window.window.resize(700, 420)
    column = window.window.chat_view.column
    bar = column.verticalScrollBar()
    window.until(lambda: bar.maximum() > 100)
    bar.setValue(bar.maximum())
    assert fades(column) == {"upper"}
    bar.setValue(bar.maximum() // 2)
    assert fades(column) == {"upper", "lower"}


def fades(area: QAbstractScrollArea) -> set[str]:
    """The ends of an area over which something fades."""
    edges = [
        child
        for child in area.children()
        if isinstance(child, QWidget) and child.height() == HEIGHT and child.isVisible()
    ]
    middle = area.height() // 2
    return {"upper" if edge.y() < middle else "lower" for edge in edges}


def test_the_first_picture_below_an_answer_begins_where_its_words_do(window: Window) -> None:
    answer = window.ask("say: one two three")
    view = window.view_of(answer)
    row = view.actions_row
    row.set_always(True)
    image = view.grab().toImage()
    scale = image.devicePixelRatio()

    def first_ink(top: int, bottom: int) -> float:
        ground = image.pixelColor(image.width() - 1, 0).lightness()
        columns = (
            x
            for x in range(image.width())
            for y in range(round(top * scale), round(bottom * scale))
            if abs(image.pixelColor(x, y).lightness() - ground) > 80
        )
        return min(columns) / scale

    words = first_ink(0, row.y())
    picture = first_ink(row.y(), row.y() + row.height())
    assert abs(words - picture) <= 2
