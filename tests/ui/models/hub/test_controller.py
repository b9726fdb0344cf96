"""Finding and fetching through the widgets, over real services and a stand-in hub on loopback."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit

from chatdesk.core.downloads import DownloadState
from chatdesk.services.machine.facts import MachineMeasured
from chatdesk.ui.navigator import SettingsId
from chatdesk.ui.theme import load_theme
from tests.gguf_files import write_model
from tests.stand_in_hub import Fault, StandInHub
from tests.ui.driver import TIMEOUT_MS, texts
from tests.ui.models.conftest import FILE, REPO, Desk


@pytest.fixture
def opened(desk: Desk) -> Desk:
    desk.attach()
    desk.open()
    return desk


def test_from_a_search_to_a_model_to_chat_with(opened: Desk) -> None:
    opened.look_for("tiny")
    opened.until_said("1,234 downloads · 5 likes")
    opened.press(f"Open {REPO}")
    opened.until_said("fits")
    opened.until_said("recommended")
    opened.press("Download: Q4_0")
    opened.until_said("its checksum is right")
    opened.until_offered("Already here: Q4_0")
    with opened.qtbot.waitSignal(opened.navigator.model_requested) as asked:
        opened.press("Chat")
    path = Path(asked.args[0].path)
    assert path.name == FILE
    assert path.is_file()
    assert opened.statuses[-1] == ""
    opened.press("Clear: Tiny")
    opened.qtbot.waitUntil(opened.fetching.view.isHidden, timeout=TIMEOUT_MS)
    assert path.is_file()


def test_nothing_is_asked_of_the_hub_unasked(opened: Desk, hub: StandInHub) -> None:
    opened.until_said("recommended")  # the recommended models are there
    field = opened.hub.search.findChild(QLineEdit)
    opened.qtbot.keyClicks(field, "tiny")
    assert not hub.requests


def test_a_download_is_held_and_goes_on(opened: Desk, hub: StandInHub) -> None:
    hub.fault(Fault(bytes_per_s=400), FILE)
    opened.look_for(f"{hub.endpoint}/{REPO}")
    opened.press("Download: Q4_0")
    opened.press("Pause: Tiny")
    opened.until_said("paused")
    opened.qtbot.waitUntil(lambda: opened.statuses[-1] == "paused", timeout=TIMEOUT_MS)
    hub.heal()
    opened.press("Resume: Tiny")
    opened.until_said("its checksum is right")


def test_a_download_is_given_up(opened: Desk, hub: StandInHub) -> None:
    hub.fault(Fault(bytes_per_s=400), FILE)
    opened.look_for(f"{hub.endpoint}/{REPO}")
    opened.press("Download: Q4_0")
    opened.press("Cancel: Tiny")
    opened.qtbot.waitUntil(opened.fetching.view.isHidden, timeout=TIMEOUT_MS)
    opened.until_offered("Download: Q4_0")


def test_a_wrong_file_is_told_and_tried_again(opened: Desk, hub: StandInHub) -> None:
    opened.look_for(f"{hub.endpoint}/{REPO}")
    hub.fault(Fault(status=404), FILE)
    opened.press("Download: Q4_0")
    opened.until_offered("Try again: Tiny")
    hub.heal()
    opened.press("Try again: Tiny")
    opened.until_said("its checksum is right")


def test_what_ends_unseen_is_told(desk: Desk, hub: StandInHub) -> None:
    desk.attach()
    repository = desk.services.hub.open(REPO)
    desk.downloads.start(REPO, repository.revision, repository.variants[0])
    desk.qtbot.waitUntil(
        lambda: desk.notice.words == "Tiny is on this computer now.", timeout=TIMEOUT_MS
    )
    with desk.qtbot.waitSignal(desk.navigator.model_requested):
        desk.notice.act()


def test_what_fails_unseen_is_told(desk: Desk, hub: StandInHub) -> None:
    desk.attach()
    repository = desk.services.hub.open(REPO)
    hub.fault(Fault(status=404), FILE)
    desk.downloads.start(REPO, repository.revision, repository.variants[0])
    desk.qtbot.waitUntil(
        lambda: desk.notice.words.startswith("Tiny could not be downloaded."), timeout=TIMEOUT_MS
    )
    hub.heal()
    desk.notice.act()
    desk.qtbot.waitUntil(
        lambda: desk.downloads.list()[0].state is DownloadState.DONE, timeout=TIMEOUT_MS
    )


@pytest.mark.parametrize(
    "fault", [Fault(status=500), Fault(status=404), Fault(status=429, retry_after="3")]
)
def test_a_hub_in_trouble(opened: Desk, hub: StandInHub, fault: Fault) -> None:
    hub.fault(fault)
    opened.look_for("tiny")
    again = opened.until_offered("Try again")
    assert texts(opened.hub.search.state)[0]
    hub.heal()
    again.click()
    opened.until_said("1,234 downloads")


def test_what_was_cancelled_does_not_arrive(opened: Desk, hub: StandInHub) -> None:
    hub.fault(Fault(delay_s=0.3))
    opened.look_for("tiny")
    opened.press("Stop asking the hub")
    opened.look_for("shy")
    opened.until_said("maker/Shy-GGUF")
    assert not opened.says(REPO)


def test_a_gated_repository(opened: Desk) -> None:
    opened.look_for("shy")
    opened.until_said("needs agreement")
    opened.press("Open maker/Shy-GGUF")
    opened.until_said("agree to its terms")
    with opened.qtbot.waitSignal(opened.navigator.settings_requested) as asked:
        opened.press("Open the settings of downloads")
    assert asked.args == [SettingsId.DOWNLOADS]


def test_a_recommended_model_is_fetched(opened: Desk, hub: StandInHub, tmp_path: Path) -> None:
    entry = opened.first_choice()
    hub.add(entry.repo, {entry.file: write_model(tmp_path / "recommended.gguf")})
    opened.press(f"Download: {entry.name}")
    opened.until_offered(f"Already here: {entry.name}")
    opened.until_said("its checksum is right")


def test_the_words_are_renewed_when_the_computer_was_measured(desk: Desk) -> None:
    desk.bandwidth = 0.0
    desk.attach()
    desk.open()
    entry = desk.first_choice()
    desk.look_for("tiny")
    desk.press(f"Open {REPO}")
    desk.until_offered("Download: Q4_0")
    desk.until_said("fits")
    assert not desk.says("tokens/s")
    desk.bandwidth = 20e9
    desk.bridge.publish(MachineMeasured())

    def row_says(words: str) -> bool:
        rows = (row for row in desk.hub.catalog.rows if row.entry.name == entry.name)
        return any(words in text for row in rows for text in texts(row))

    desk.qtbot.waitUntil(lambda: row_says("tokens/s"), timeout=TIMEOUT_MS)
    variants = desk.hub.search.repository
    desk.qtbot.waitUntil(
        lambda: any("tokens/s" in text for text in texts(variants)), timeout=TIMEOUT_MS
    )


def test_without_network_the_focus_stays_in_the_row(opened: Desk) -> None:
    opened.first_choice()
    mirror = opened.settings.downloads.mirror
    opened.settings = opened.settings.edited("downloads", mirror="http://127.0.0.1:9")
    row = opened.hub.catalog.rows[1]
    row.button.setFocus()
    opened.press(row.button.accessibleName())
    opened.qtbot.waitUntil(lambda: bool(opened.notice.words), timeout=TIMEOUT_MS)
    opened.qtbot.waitUntil(row.button.isEnabled, timeout=TIMEOUT_MS)
    assert opened.page.focusWidget() is row.button
    assert "Try again" in opened.notice.toasts[0].offers
    opened.settings = opened.settings.edited("downloads", mirror=mirror)
    opened.look_for("tiny")  # and the hub is there again
    opened.until_said("1,234 downloads")
    opened.qtbot.waitUntil(lambda: not opened.notice.words, timeout=TIMEOUT_MS)


def test_a_recommended_model_that_is_gone(opened: Desk, hub: StandInHub) -> None:
    entry = opened.first_choice()
    hub.add(entry.repo, {"other-Q4_0.gguf": b"GGUF"})
    opened.press(f"Download: {entry.name}")
    words = f"{entry.name} is no longer where the list says."
    opened.qtbot.waitUntil(lambda: words in opened.notice.words, timeout=TIMEOUT_MS)
    opened.until_offered(f"Download: {entry.name}")


def test_a_newer_list_that_is_not_there(opened: Desk) -> None:
    opened.press("Look for a newer list")
    failed = opened.until_offered("Look for a newer list")
    opened.qtbot.waitUntil(failed.isEnabled, timeout=TIMEOUT_MS)
    assert not opened.says("Looking for a newer list…")


def test_what_was_opened_before_the_services_fills_when_they_come(desk: Desk) -> None:
    desk.open()
    desk.look_for("tiny")  # nobody is there to ask yet
    desk.attach()
    desk.until_said("1,234 downloads")
    desk.until_said("recommended")
    desk.hub.set_theme(load_theme("dark"))


def test_the_settings_hold_at_once(opened: Desk) -> None:
    opened.settings = opened.settings.edited("downloads", mirror="http://127.0.0.1:9")
    opened.look_for("tiny")
    opened.until_offered("Try again")
