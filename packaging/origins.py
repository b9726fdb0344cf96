"""The origins of the parts of a bundle: Python packages, the system's libraries, or a rule.

The build's venv has the metadata of packages; `licenses/known.toml` has what nothing on the build
machine states. Standard library only.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent / "licenses"
LIBRARY = re.compile(r"\.(so|dylib|dll)\b")
LICENCE_FILES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*", "sboms/*.json")


@dataclass
class Part:
    """A third-party part of the bundle."""

    name: str
    version: str  # empty: unknown
    licence: str  # an SPDX expression; empty: unknown
    purl: str  # its identity: see the Package URL specification
    texts: dict[str, Path] = field(default_factory=dict)  # licences, by the name they get
    files: list[Path] = field(default_factory=list)  # those in the bundle's folder


class UnknownOrigin(Exception):
    """Neither the build machine nor a rule states where something comes from."""


class Origins:
    """Finds the part that a file or a module of a bundle belongs to."""

    def __init__(self, path: list[str], python: tuple[str, Path], libraries: list[str]) -> None:
        """`path` has the packages; `python` is its version and licence; `libraries` file names."""
        known = tomllib.loads((HERE / "known.toml").read_text("utf-8"))
        self._rules: list[dict[str, Any]] = known["part"]
        self._licences: dict[str, str] = known["packages"]
        self._words: dict[str, str] = known["words"]
        self._texts: dict[str, list[str]] = known["texts"]
        self._python = python
        self._packages = {package.name.lower(): package for package in distributions(path=path)}
        self._parts: dict[str, Part] = {}  # of packages: their files are read once
        self._owners: dict[str, str] = {}  # of modules and folders, by name
        self._libraries: dict[str, str] = {}  # owners of libraries that PyInstaller moves up
        for package in self._packages.values():
            files = package.files or []
            self._owners |= dict.fromkeys(map(top, files), package.name)
            native = (file.name for file in files if LIBRARY.search(file.name))
            self._libraries |= dict.fromkeys(native, package.name)
        self._debian = debian_packages(libraries)

    def part_of(self, name: PurePath) -> Part | None:
        """Return the part of a file (by its path in the bundle) or module; None for our own.

        Raises `UnknownOrigin`.
        """
        for rule in self._rules:
            if any(fnmatchcase(name.as_posix().lower(), pattern) for pattern in rule["files"]):
                return self._by_rule(rule, name.name)
        if top(name) == "chatdesk":
            return None
        owner = self._owners.get(top(name)) or self._libraries.get(name.as_posix())
        if not owner:
            raise UnknownOrigin(name)
        return self.package(owner)

    def package(self, name: str) -> Part:
        """Return an installed Python package as a part. Raises `KeyError` without it."""
        if name not in self._parts:
            self._parts[name] = self._by_package(self._packages[name.lower()])
        return self._parts[name]

    def _by_package(self, package: Distribution) -> Part:
        texts = {
            "-".join(file.parts[1:]): Path(str(package.locate_file(file)))
            for file in package.files or ()
            if ".dist-info" in file.parts[0] and any(map(file.match, LICENCE_FILES))
        }
        missing = () if texts else self._texts.get(package.name, ())
        texts |= {Path(text).name: ROOT / text for text in missing}
        purl = f"pkg:pypi/{package.name.lower().replace('_', '-')}@{package.version}"
        return Part(package.name, package.version, self._licence(package), purl, texts)

    def _licence(self, package: Distribution) -> str:
        """Return the known licence, else the stated SPDX, else the meaning of the stated text."""
        said = package.metadata.json  # with names like license_expression
        if found := self._licences.get(package.name) or said.get("license_expression"):
            return str(found)
        says = [said.get("license", ""), *said.get("classifier", [])]
        return next((self._words[words] for words in says if words in self._words), "")

    def _by_rule(self, rule: dict[str, Any], file: str) -> Part:
        name, version = rule["name"], ""
        purl = rule.get("purl", f"pkg:generic/{quote(name.lower())}")
        texts = {Path(text).name: ROOT / text for text in rule.get("texts", ())}
        debian = self._debian.get(file)
        if name == "Python":
            version, texts["LICENSE.txt"] = self._python
            purl = f"{purl}@{version}"
        elif debian and not texts:
            package, name, version = debian
            system = platform.freedesktop_os_release()["ID"]
            purl = f"pkg:deb/{system}/{quote(name)}@{quote(version, safe=':')}"
            texts["copyright"] = Path("/usr/share/doc", package, "copyright")
        elif not texts and sys.platform != "linux":  # Python's installer contains them, and text
            texts["Python-LICENSE.txt"] = self._python[1]
        return Part(name, version, rule["licence"], purl, texts)


def top(name: PurePath) -> str:
    """Return the first part of a path: a folder, or a module or file without its extensions."""
    return name.parts[0] if len(name.parts) > 1 else name.name.partition(".")[0]


def debian_packages(libraries: list[str]) -> dict[str, tuple[str, str, str]]:
    """Return Debian's package, its source package and that one's version, by library file name."""
    if not libraries or not shutil.which("dpkg-query"):
        return {}
    patterns = [f"*/{name}" for name in libraries]
    found: dict[str, str] = {}
    for line in _ask_dpkg("-S", *patterns):
        packages, _, path = line.rpartition(": ")
        found.setdefault(PurePath(path).name, packages.partition(",")[0])
    form = r"${binary:Package} ${Package} ${source:Package} ${source:Version}\n"
    answers = [line.split() for line in _ask_dpkg("-W", "-f", form, *sorted(set(found.values())))]
    details = {full: (short, source, version) for full, short, source, version in answers}
    return {library: details[package] for library, package in found.items() if package in details}


def _ask_dpkg(*arguments: str) -> list[str]:
    """Return dpkg's output as lines; unknown names are left out (and make its exit code 1)."""
    command = ["dpkg-query", *arguments]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    return answer.stdout.splitlines()
