"""The disk image for macOS, made from PyInstaller's `.app`. Standard library only.

Signed for everybody where these are set, and else for this computer alone: CHATDESK_MAC_IDENTITY
(the name of a “Developer ID Application” certificate in the keychain), and for notarization by
Apple CHATDESK_NOTARY_KEY (an App Store Connect key file), CHATDESK_NOTARY_KEY_ID and
CHATDESK_NOTARY_ISSUER.
"""

from __future__ import annotations

import os
import platform
import plistlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from dev import run, say

HERE = Path(__file__).resolve().parent / "macos"
ENTITLEMENTS = HERE / "entitlements.plist"
IDENTIFIER = "org.chatdesk.ChatDesk"
NOTARY = ("CHATDESK_NOTARY_KEY", "CHATDESK_NOTARY_KEY_ID", "CHATDESK_NOTARY_ISSUER")


def identity() -> str | None:
    """Return the signing identity; None is enough for this computer. Also for the spec's EXE."""
    return os.environ.get("CHATDESK_MAC_IDENTITY") or None


def info_plist(version: str) -> dict[str, Any]:
    """Return the app's Info.plist; for the spec's BUNDLE."""
    values: dict[str, Any] = plistlib.loads((HERE / "Info.plist").read_bytes())
    return values | {"CFBundleShortVersionString": version, "CFBundleVersion": version}


def make(folder: Path, dist: Path, version: str) -> list[Path]:
    """Package `dist`'s `.app`, described by `folder`; return the files. Raises `SetupError`."""
    app = dist / f"{folder.name}.app"
    resources = app / "Contents" / "Resources"
    shutil.copytree(folder / "LICENSES", resources / "LICENSES", dirs_exist_ok=True)
    shutil.copyfile(folder / "sbom.cdx.json", resources / "sbom.cdx.json")
    sign(app)
    image = dist / f"{folder.name}-{version}-macos-{platform.machine()}.dmg"
    with tempfile.TemporaryDirectory(dir=dist) as scratch:
        # Both flavours have one name, so that dragging one over the other replaces it.
        shutil.copytree(app, Path(scratch, "ChatDesk.app"), symlinks=True)
        Path(scratch, "Applications").symlink_to("/Applications")  # the target to drag it to
        source = ["-volname", folder.name, "-srcfolder", scratch]
        options = ["-fs", "HFS+", "-format", "UDZO", "-ov"]
        run("Making the disk image", ["hdiutil", "create", *source, *options, str(image)])
    notarize(image)
    return [image]


def sign(app: Path) -> None:
    """Sign the app again: its resources changed. PyInstaller signed the code inside likewise."""
    command = ["codesign", "--force", "--sign", identity() or "-"]
    if identity():
        command += ["--options", "runtime", "--timestamp", "--entitlements", str(ENTITLEMENTS)]
    else:
        say("CHATDESK_MAC_IDENTITY is not set: macOS will warn everybody else of this app")
    run("Signing", [*command, str(app)])
    run("Checking the signature", ["codesign", "--verify", "--deep", "--strict", str(app)])


def notarize(image: Path) -> None:
    """Sign the disk image, have Apple notarize it, and staple the ticket to it (minutes)."""
    key, key_id, issuer = (os.environ.get(name) for name in NOTARY)
    who = identity()
    if not (who and key and key_id and issuer):
        say(f"Not notarized: that takes CHATDESK_MAC_IDENTITY, {', '.join(NOTARY)}")
        return
    run("Signing the image", ["codesign", "--sign", who, "--timestamp", str(image)])
    account = ["--key", key, "--key-id", key_id, "--issuer", issuer]
    submit = ["xcrun", "notarytool", "submit", str(image), "--wait", *account]
    run("Having it notarized", submit)
    run("Stapling", ["xcrun", "stapler", "staple", str(image)])
