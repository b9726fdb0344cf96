"""The pure parts of the disk image; the rest runs on a Mac only."""

import plistlib
from pathlib import Path

import macos
import pytest


def test_the_system_gets_the_facts_of_the_app() -> None:
    values = macos.info_plist("1.2.3")
    assert values["CFBundleShortVersionString"] == values["CFBundleVersion"] == "1.2.3"
    assert values["NSHighResolutionCapable"] is True
    (kind,) = values["UTImportedTypeDeclarations"]
    assert kind["UTTypeTagSpecification"]["public.filename-extension"] == ["gguf"]
    (document,) = values["CFBundleDocumentTypes"]
    assert document["LSItemContentTypes"] == [kind["UTTypeIdentifier"]]
    assert not [key for key in values if key.endswith("UsageDescription")]  # no camera, nothing


def test_one_protection_is_lifted_and_no_other() -> None:
    rights = plistlib.loads(macos.ENTITLEMENTS.read_bytes())
    assert rights == {"com.apple.security.cs.allow-unsigned-executable-memory": True}


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would run."""
    seen: list[list[str]] = []
    monkeypatch.setattr(macos, "run", lambda _step, command: seen.append(command))
    for name in ("CHATDESK_MAC_IDENTITY", *macos.NOTARY):
        monkeypatch.delenv(name, raising=False)
    return seen


def test_unsigned_it_is_for_this_computer_and_says_so(
    commands: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    macos.sign(Path("ChatDesk.app"))
    macos.notarize(Path("ChatDesk.dmg"))
    assert commands[0] == ["codesign", "--force", "--sign", "-", "ChatDesk.app"]
    assert [command[0] for command in commands] == ["codesign", "codesign"]
    assert "macOS will warn" in capsys.readouterr().err


def test_with_an_identity_and_a_key_it_is_signed_and_notarized(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATDESK_MAC_IDENTITY", "Developer ID Application: Somebody")
    for name in macos.NOTARY:
        monkeypatch.setenv(name, "given")
    macos.sign(Path("ChatDesk.app"))
    macos.notarize(Path("ChatDesk.dmg"))
    assert "runtime" in commands[0]
    assert [command[:2] for command in commands[3:]] == [
        ["xcrun", "notarytool"],
        ["xcrun", "stapler"],
    ]
