from math import inf, nan

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.personalization import LossPoint
from chatdesk.ui.personalize.loss_chart import LossChart, moved_apart
from chatdesk.ui.theme import Theme, load_theme
from tests.ui.learning_data import LOSSES


@pytest.fixture
def chart(qtbot: QtBot, theme: Theme) -> LossChart:
    chart = LossChart(theme)
    chart.resize(400, 200)
    qtbot.addWidget(chart)
    return chart


def colours(chart: LossChart) -> set[str]:
    image = chart.grab().toImage()
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return {image.pixelColor(*place).name().upper() for place in places}


def test_the_last_values_are_said(chart: LossChart) -> None:
    chart.show_losses(LOSSES)
    said = "Losses after step 20: training 1.55, validation 1.61, general 0.69"
    assert chart.accessibleDescription() == said


def test_each_curve_has_its_colour(chart: LossChart, theme: Theme) -> None:
    curves = {theme.accent, theme.code_number}
    assert not curves & colours(chart)
    chart.show_losses((*LOSSES, LossPoint(40, training=1.2, validation=1.5, general=0.7)))
    assert curves <= colours(chart)
    dark = load_theme("dark")
    chart.set_theme(dark)
    assert dark.accent in colours(chart)
    assert theme.accent not in colours(chart)


@pytest.mark.parametrize("percent", [100, 200])
def test_the_figures_at_its_edges_are_whole(
    chart: LossChart, theme: Theme, qapp: QApplication, percent: int
) -> None:
    qapp.setProperty("text_percent", percent)
    try:
        chart.show_losses(LOSSES)
        chart.resize(700, 300)
        image = chart.grab().toImage()
    finally:
        qapp.setProperty("text_percent", 100)
    ground = image.pixel(0, image.height() // 4)
    figures = range(20)  # pixels at the left
    for edge in (0, image.height() - 1):
        assert {image.pixel(x, edge) for x in figures} == {ground}


def test_what_is_no_number_is_passed_over(chart: LossChart) -> None:
    chart.show_losses((LossPoint(1, training=2.0), LossPoint(2, training=nan, validation=inf)))
    assert chart.accessibleDescription() == "Losses after step 1: training 2.00"
    chart.grab()


def test_nothing_is_there_yet(chart: LossChart) -> None:
    assert "as soon as" in chart.accessibleDescription()
    chart.show_losses((LossPoint(0, training=0.0),))  # one point, no range
    chart.grab()


def test_labels_do_not_overlap() -> None:
    assert moved_apart([10, 50], 16, 200) == [10, 50]
    assert moved_apart([10, 12, 14], 16, 200) == [10, 26, 42]
    assert moved_apart([190, 191, 192], 16, 200) == [152, 168, 184]
