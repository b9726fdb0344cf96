import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chatdesk import __version__
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import set_language
from chatdesk.core.paths import assets_dir
from chatdesk.library.hub.signed_file import NotGenuine, Unreachable
from chatdesk.services.system import updates
from chatdesk.services.system.updates import DAY_S, MAX_NOTES, UpdateService, read_release
from tests.signed_server import PAGE, PUBLIC, Answer, SignedServer, release, signed, trusted

NEWER = "9999.0.0"


@dataclass
class Clock:
    time: float = 1_800_000_000.0


class Home:
    """A server, a clock, and services that look from one home."""

    def __init__(self, server: SignedServer, state: Path) -> None:
        self.server = server
        self.state = state
        self.clock = Clock()
        self.service = self.started()

    def started(self) -> UpdateService:
        address = f"{self.server.address}/update"
        return UpdateService(self.state, address, PUBLIC, lambda: self.clock.time)

    def publish(self, body: bytes) -> None:
        self.server.answers["/update"] = Answer(body)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    with trusted(tmp_path, monkeypatch) as server:
        yield Home(server, tmp_path / "cache" / "updates.json")


def test_a_newer_version_is_told_of(home: Home) -> None:
    home.publish(signed(release(NEWER)))
    found = home.service.look()
    assert found
    assert (found.version, found.news, found.page) == (NEWER, "Faster.", PAGE)
    set_language("zh_CN", assets_dir() / "locale")
    try:
        assert found.news == "更快。"
    finally:
        set_language("en", assets_dir() / "locale")


@pytest.mark.parametrize(
    ("here", "there", "is_newer"),
    [
        ("0.9.0", "0.10.0", True),
        ("1.2.3", "1.2.3", False),
        ("1.2.3", "1.2.2", False),  # an old file, put back by somebody
        ("1.2.3", "2.0.0", True),
        ("10.0.0", "9.9.9", False),
    ],
)
def test_only_a_newer_one_is(
    home: Home, monkeypatch: pytest.MonkeyPatch, here: str, there: str, is_newer: bool
) -> None:
    monkeypatch.setattr(updates, "__version__", here)
    home.publish(signed(release(there)))
    assert (home.service.look() is not None) == is_newer


def test_what_goes_wrong_is_said(home: Home) -> None:
    with pytest.raises(Unreachable):
        home.service.look()
    home.publish(release(NEWER))
    with pytest.raises(NotGenuine):
        home.service.look()
    home.publish(signed(b"{}"))
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        home.service.look()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 4000,
        b"[]",
        b'{"version": "1.0.0"}',
        release("1.0"),
        release("1.0.0-beta"),
        release("१.0.0"),
        release("1.0.0", page="http://chatdesk.invalid/get"),
        release("1.0.0", page="file:///bin/sh"),
        release("1.0.0", page="https:///get"),
        release("1.0.0", page="https://["),
        release("1.0.0", notes={"zh_CN": "更快。"}),
        release("1.0.0", notes={"en": ""}),
        release("1.0.0", notes={"en": "x" * (MAX_NOTES + 1)}),
        release("1.0.0", notes={"en": "<img src='/etc/passwd'>"}),
        release("1.0.0", notes={"en": 5}),
    ],
)
def test_what_makes_no_sense(body: bytes) -> None:
    with pytest.raises(EnvironmentProblem):
        read_release(body)


def test_once_a_day_and_across_starts(home: Home) -> None:
    home.publish(signed(release(NEWER)))
    assert home.service.look_if_due()
    assert home.service.look_if_due() is None
    home.clock.time += DAY_S - 1
    assert home.started().look_if_due() is None
    assert len(home.server.asked) == 1
    home.clock.time += 1
    assert home.started().look_if_due()
    home.clock.time -= 10 * DAY_S  # a clock that was wrong
    assert home.started().look_if_due()
    assert len(home.server.asked) == 3


def test_a_failure_is_one_line_in_the_log_and_waits_for_tomorrow(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chatdesk")
    assert home.service.look_if_due() is None
    assert home.service.look_if_due() is None
    assert len(home.server.asked) == 1
    (line,) = (each.message for each in caplog.records if each.name.startswith("chatdesk"))
    assert "could not be reached" in line


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"looked": "now"}', b'{"looked": NaN}'])
def test_a_damaged_note_means_never(home: Home, content: bytes) -> None:
    home.publish(signed(release(NEWER)))
    home.state.parent.mkdir()
    home.state.write_bytes(content)
    assert home.started().look_if_due()
    assert json.loads(home.state.read_bytes()) == {"looked": home.clock.time}


def test_a_note_that_cannot_be_kept(home: Home) -> None:
    home.publish(signed(release(NEWER)))
    home.state.parent.touch()  # a file where the folder should be
    assert home.service.look_if_due()
    assert home.service.look_if_due() is None


def test_without_an_address_nobody_is_asked(home: Home) -> None:
    service = UpdateService(home.state, "", PUBLIC)
    assert service.host == ""
    assert service.look_if_due() is None
    assert not home.state.exists()


def test_what_is_built_in() -> None:
    assert updates._numbers(__version__)  # or no release could be compared with it
    assert len(updates.PUBLIC_KEY) == 32
    assert updates.ADDRESS == "" or urlsplit(updates.ADDRESS).scheme == "https"
