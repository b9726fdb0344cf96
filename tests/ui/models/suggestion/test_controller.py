"""The card with a better model: from the offer over its download to its use."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QProgressBar, QVBoxLayout, QWidget

from chatdesk.core.hub import CatalogEntry
from chatdesk.core.models import ModelFile
from chatdesk.core.units import size_words
from chatdesk.services.engine.facts import EngineChanged, EngineState, EngineStatus
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.ui.models.suggestion.card import SuggestionCard
from chatdesk.ui.models.suggestion.controller import SuggestionController
from chatdesk.ui.navigator import PageId
from chatdesk.ui.words import speed_number
from tests.gguf_files import write_model
from tests.stand_in_hub import Fault, StandInHub
from tests.ui.driver import TIMEOUT_MS, texts
from tests.ui.learning_data import MODEL
from tests.ui.models.conftest import Desk


class FirstScreen:
    """The card with its controller, below something that must not move."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.window, self.above, self.card = QWidget(), QWidget(), SuggestionCard()
        column = QVBoxLayout(self.window)
        column.addWidget(self.above, 1)
        column.addWidget(self.card)
        desk.qtbot.addWidget(self.window)
        self.window.resize(700, 300)
        self.window.show()
        self.controller = SuggestionController(desk.bridge, desk.navigator, self.card)

    @property
    def best(self) -> CatalogEntry:
        found = self.desk.services.hub.recommended()
        assert found
        return found[0]

    def until_said(self, words: str) -> None:
        self.desk.qtbot.waitUntil(lambda: self.says(words), timeout=TIMEOUT_MS)

    def says(self, words: str) -> bool:
        return self.card.isVisible() and any(words in each for each in texts(self.card))

    def press(self, words: str) -> None:
        self.until_offered(words)
        self.button(words).click()

    def button(self, words: str) -> QAbstractButton:
        found = self.card.findChildren(QAbstractButton)
        return next(each for each in found if each.isVisible() and each.text() == words)

    def until_offered(self, words: str) -> None:
        def offered() -> bool:
            found = self.card.findChildren(QAbstractButton)
            return any(each.isVisible() and each.text() == words for each in found)

        self.desk.qtbot.waitUntil(offered, timeout=TIMEOUT_MS)

    def use(self, model: ModelFile) -> None:
        status = EngineStatus(EngineState.LOADING, model)
        self.desk.services.engine.status = status  # type: ignore[misc]
        self.desk.bridge.publish(EngineChanged(status))


@pytest.fixture
def screen(desk: Desk) -> FirstScreen:
    return FirstScreen(desk)


def test_nothing_is_claimed_before_it_is_known_and_nothing_jumps(screen: FirstScreen) -> None:
    assert not screen.card.isVisible()
    before = screen.above.geometry()
    screen.desk.attach()
    screen.until_said(f"A better model fits here: {screen.best.name}")
    assert screen.above.geometry() == before


def test_its_words_are_of_the_same_verdict_as_the_lists(screen: FirstScreen) -> None:
    desk = screen.desk
    desk.bandwidth = 0.0
    desk.attach()
    screen.until_said("A better model fits here")
    assert not screen.says("tokens/s")  # nobody has measured
    desk.bandwidth = 20e9
    desk.bridge.publish(MachineMeasured())
    found = desk.services.hub.recommended()
    assert found
    assert found in desk.services.hub.catalog()
    estimate = found[1]
    screen.until_said(f"About {speed_number(estimate.tokens_per_s)}\u00a0tokens/s here. ")
    desk.bandwidth = 0.5e9
    desk.bridge.publish(MachineMeasured())
    screen.until_said("It fits, but answers slowly here: about ")


def test_it_is_fetched_where_it_is_offered_and_then_used(
    screen: FirstScreen, hub: StandInHub, tmp_path: Path
) -> None:
    desk, entry = screen.desk, screen.best
    hub.add(entry.repo, {entry.file: write_model(tmp_path / "better.gguf")})
    hub.fault(Fault(bytes_per_s=400), entry.file)
    desk.attach()
    screen.press(offer(entry))
    screen.press("Pause")
    screen.until_said("paused")
    bar = screen.card.findChild(QProgressBar)
    assert bar and bar.isVisible()
    hub.heal()
    screen.press("Resume")
    screen.until_offered("Use it")
    assert not bar.isVisible()
    with desk.qtbot.waitSignal(desk.navigator.model_requested) as asked:
        screen.press("Use it")
    assert Path(asked.args[0].path).name == entry.file
    screen.use(asked.args[0])
    desk.qtbot.waitUntil(lambda: not screen.card.isVisible(), timeout=TIMEOUT_MS)


def offer(entry: CatalogEntry) -> str:
    return f"Get it, {size_words(entry.bytes)}"


def test_a_cancelled_download_is_offered_again(
    screen: FirstScreen, hub: StandInHub, tmp_path: Path
) -> None:
    entry = screen.best
    hub.add(entry.repo, {entry.file: write_model(tmp_path / "better.gguf")})
    hub.fault(Fault(bytes_per_s=400), entry.file)
    screen.desk.attach()
    screen.press(offer(entry))
    screen.press("Cancel")
    screen.until_offered(offer(entry))
    assert screen.desk.downloads.list() == ()


def test_without_network_it_says_so_and_tries_again(screen: FirstScreen, hub: StandInHub) -> None:
    desk, entry = screen.desk, screen.best
    mirror = desk.settings.downloads.mirror
    desk.settings = desk.settings.edited("downloads", mirror="http://127.0.0.1:9")
    desk.attach()
    screen.until_offered(offer(entry))
    button = screen.button(offer(entry))
    button.setFocus()
    screen.press(offer(entry))
    screen.until_offered("Try again")
    assert screen.window.focusWidget() is button  # under the same finger
    assert screen.says("could not be reached") or screen.says("cannot be reached")
    desk.settings = desk.settings.edited("downloads", mirror=mirror)
    hub.add(entry.repo, {entry.file: b"GGUF"})
    screen.press("Try again")
    desk.qtbot.waitUntil(lambda: bool(desk.downloads.list()), timeout=TIMEOUT_MS)


def test_nothing_better_is_not_suggested(screen: FirstScreen) -> None:
    screen.desk.attach()
    screen.until_said("A better model fits here")
    bigger = replace(MODEL, id="big", header=replace(MODEL.header, parameters=10**12))
    screen.use(bigger)
    screen.desk.qtbot.waitUntil(lambda: not screen.card.isVisible(), timeout=TIMEOUT_MS)


def test_the_other_button_leads_to_all_models(screen: FirstScreen) -> None:
    screen.desk.attach()
    with screen.desk.qtbot.waitSignal(screen.desk.navigator.page_requested) as asked:
        screen.press("Others…")
    assert asked.args == [PageId.MODELS]
