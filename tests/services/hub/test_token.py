"""The token in a keyring: a backend in memory, one that fails, one that keeps nothing."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.services.hub.token import SERVICE, VARIABLE, HubToken


class MemoryKeyring(KeyringBackend):
    """Keeps passwords as long as it lives."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    monkeypatch.delenv(VARIABLE, raising=False)
    before, memory = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_a_token_is_kept_and_found_by_the_next_start(memory: MemoryKeyring) -> None:
    assert HubToken().get() is None
    HubToken().set(" hf_abc\n")
    assert HubToken().get() == "hf_abc"
    assert [service for service, _ in memory.kept] == [SERVICE]
    HubToken().set("")
    assert HubToken().get() is None
    assert not memory.kept
    HubToken().set("")


def test_a_token_of_the_environment_is_used_where_none_was_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "hf_environment")
    token = HubToken()
    assert token.get() == "hf_environment"
    token.set("hf_own")
    assert token.get() == "hf_own"
    monkeypatch.setenv(VARIABLE, "two\nlines")
    token.set("")
    assert token.get() is None


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_without_a_keyring_it_is_used_until_the_end_and_that_is_told(
    backend: type[KeyringBackend],
) -> None:
    keyring.set_keyring(backend())
    token = HubToken()
    assert token.get() is None
    with pytest.raises(EnvironmentProblem, match="no keyring"):
        token.set("hf_abc")
    assert token.get() == "hf_abc"
    assert HubToken().get() is None
    token.set("")
    assert token.get() is None


@pytest.mark.parametrize("text", ["two words", "hf_\nX: y", "päss", "x" * 5000, "\x00"])
def test_what_is_no_token_is_refused(text: str, memory: MemoryKeyring) -> None:
    with pytest.raises(EnvironmentProblem, match="not an access token"):
        HubToken().set(text)
    assert not memory.kept


def test_the_token_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    keyring.set_keyring(fail.Keyring())
    with caplog.at_level("DEBUG"), pytest.raises(EnvironmentProblem):
        HubToken().set("hf_secret")
    assert "hf_secret" not in caplog.text
