"""The installer for Windows, made from PyInstaller's folder. Standard library only.

Needs Inno Setup. Programs and installer are signed where CHATDESK_SIGN_THUMBPRINT is set, the SHA-1
of a certificate in the user's store.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from pathlib import Path

import icons

from dev import SetupError, run, say

HERE = Path(__file__).resolve().parent / "windows"
TIME_SERVER = "http://timestamp.digicert.com"  # proves the time of the signature, and nothing else


def version_resource(version: str) -> str:
    """Return the details that Windows shows for version `1.2.3`, as a file for the spec's EXE."""
    numbers = (*map(int, version.split(".")), 0)
    text = (HERE / "version.txt").read_text("utf-8")
    return text.replace("{numbers}", str(numbers)).replace("{version}", version)


def make(folder: Path, dist: Path, version: str) -> list[Path]:
    """Make the installer of the bundle `folder` in `dist`; return the files.

    Raises `SetupError`.
    """
    sign(*sorted(folder.glob("*.exe")))
    name = f"{folder.name}-{version}-windows-{platform.machine().lower()}-setup"
    with tempfile.TemporaryDirectory() as scratch:
        icon = Path(scratch, "chatdesk.ico")
        icon.write_bytes(icons.ico())
        values = {"Folder": folder, "Version": version, "Output": dist, "Name": name, "Icon": icon}
        defined = [f"/D{key}={value}" for key, value in values.items()]
        run("Making the installer", [compiler(), "/Q", *defined, str(HERE / "chatdesk.iss")])
    installer = dist / f"{name}.exe"
    sign(installer)
    return [installer]


def compiler() -> str:
    """Return Inno Setup's compiler: on the PATH, or in its default folder. Raises `SetupError`."""
    usual = Path(os.environ.get("PROGRAMFILES(X86)", ""), "Inno Setup 6", "ISCC.exe")
    found = shutil.which("ISCC") or (str(usual) if usual.exists() else None)
    if not found:
        raise SetupError("Inno Setup is missing. Get it with: winget install JRSoftware.InnoSetup")
    return found


def sign(*files: Path) -> None:
    """Sign programs, if there is a certificate. Raises `SetupError`."""
    thumbprint = os.environ.get("CHATDESK_SIGN_THUMBPRINT")
    if not thumbprint:
        names = ", ".join(file.name for file in files)
        say(f"CHATDESK_SIGN_THUMBPRINT is not set: Windows will warn of {names}")
        return
    command = ["signtool", "sign", "/sha1", thumbprint, "/fd", "sha256"]
    time = ["/tr", TIME_SERVER, "/td", "sha256"]
    run("Signing", [*command, *time, *map(str, files)])
