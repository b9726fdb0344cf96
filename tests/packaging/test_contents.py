"""The description of a small bundle, whose packages are made here."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import contents
import origins
import pytest

from chatdesk import __version__
from dev import SetupError


def install(
    site: Path, name: str, metadata: str, *files: str, words: str = "Do as you like"
) -> None:
    """Put a package into `site` as pip would."""
    info = f"{name}-1.0.dist-info"
    written = {f"{info}/METADATA": f"Name: {name}\nVersion: 1.0\n{metadata}\n"}
    written |= {f"{info}/licenses/LICENSE": words} if words else {}
    for path, text in (written | dict.fromkeys(files, "")).items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, "utf-8")
    record = "".join(f"{path},,\n" for path in [*written, *files, f"{info}/RECORD"])
    (site / info / "RECORD").write_text(record, "utf-8")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's folder with a package's library, Python's own, a font and a model."""
    inside = tmp_path / "bundle" / "_internal"
    for name in [
        "base_library.zip",
        "quick/_quick.so",
        "chatdesk/assets/fonts/Some.otf",
        "chatdesk/assets/models/some.gguf",
        "chatdesk/assets/themes/dark.toml",
    ]:
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_text(name, "utf-8")
    return inside.parent


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The modules that the bundle's program reports; no library is known to the system."""
    site = tmp_path / "site"
    install(site, "pyinstaller", "License: GPLv2-or-later with a special exception")
    install(site, "pyinstaller-hooks-contrib", "")
    install(site, "Quick_One", "License-Expression: MIT", "quick/_quick.so", "quick/__init__.py")
    install(site, "plain", "License: BSD-3-Clause", "plain.py")
    install(site, "absent", "License-Expression: AGPL-3.0-only", "absent.py")
    (tmp_path / "LICENSE.txt").write_text("Python's words", "utf-8")
    look: dict[str, Any] = {
        "modules": ["chatdesk", "plain", "quick"],
        "path": [str(site)],
        "python": "3.11.7",
        "homes": [str(tmp_path / "no"), str(tmp_path)],
    }
    monkeypatch.setattr(contents, "look_into", lambda *_: look)
    monkeypatch.setattr(origins, "_ask_dpkg", lambda *_: [])
    return look


@pytest.mark.usefixtures("found")
def test_a_library_that_was_moved_to_the_top_still_belongs_to_its_package(bundle: Path) -> None:
    (bundle / "_internal" / "_quick.so").touch()
    contents.describe(bundle, sys.executable)
    files = [file["name"] for file in components(bundle)["Quick_One"]["components"]]
    assert files == ["_internal/_quick.so", "_internal/quick/_quick.so"]


def components(bundle: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((bundle / "sbom.cdx.json").read_text("utf-8"))
    return {part["name"]: part for part in document["components"]}


@pytest.mark.usefixtures("found")
def test_everything_inside_is_listed_and_nothing_else(bundle: Path) -> None:
    contents.describe(bundle, sys.executable)
    parts = components(bundle)
    assert {name: part["licenses"][0]["expression"] for name, part in parts.items()} == {
        "Inter and JetBrains Mono": "OFL-1.1",
        "plain": "BSD-3-Clause",
        "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
        "pyinstaller-hooks-contrib": "Apache-2.0",
        "Python": "PSF-2.0",
        "Quick_One": "MIT",
        "SmolLM2-135M-Instruct": "Apache-2.0",
    }
    assert parts["Quick_One"]["purl"] == "pkg:pypi/quick-one@1.0"
    assert parts["Quick_One"]["components"] == [
        {
            "type": "file",
            "name": "_internal/quick/_quick.so",
            "hashes": [
                {"alg": "SHA-256", "content": hashlib.sha256(b"quick/_quick.so").hexdigest()}
            ],
        }
    ]


@pytest.mark.usefixtures("found")
def test_each_part_comes_with_the_words_of_its_licence(bundle: Path) -> None:
    contents.describe(bundle, sys.executable)
    texts = bundle / "LICENSES"
    assert (texts / "plain" / "licenses-LICENSE").read_text("utf-8") == "Do as you like"
    assert (texts / "Python" / "LICENSE.txt").read_text("utf-8") == "Python's words"
    assert "SIL OPEN FONT" in (texts / "Inter and JetBrains Mono" / "OFL.txt").read_text("utf-8")
    assert {path.name for path in texts.iterdir()} == {
        *components(bundle),
        "ChatDesk",
        "README.txt",
    }
    assert "plain 1.0: BSD-3-Clause\n" in (texts / "README.txt").read_text("utf-8")


@pytest.mark.usefixtures("found")
def test_the_same_bundle_is_described_the_same(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    contents.describe(bundle, sys.executable)
    once = (bundle / "sbom.cdx.json").read_bytes()
    contents.describe(bundle, sys.executable)
    assert (bundle / "sbom.cdx.json").read_bytes() == once
    metadata = json.loads(once)["metadata"]
    assert metadata["timestamp"] == "1970-01-01T00:00:00+00:00"
    assert metadata["component"]["version"] == __version__


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mystery.so", "mystery.so is of unknown origin"),
        ("mystery/__init__.py", "mystery/__init__.py is of unknown origin"),
        ("libreadline.so.8", "GNU Readline is under GPL"),
    ],
)
@pytest.mark.usefixtures("found")
def test_what_may_not_be_inside_is_refused_by_name(bundle: Path, name: str, message: str) -> None:
    (bundle / "_internal" / name).parent.mkdir(exist_ok=True)
    (bundle / "_internal" / name).touch()
    with pytest.raises(SetupError, match=message):
        contents.describe(bundle, sys.executable)
    assert not (bundle / "sbom.cdx.json").exists()


@pytest.mark.parametrize(
    ("metadata", "words", "message"),
    [
        ("License-Expression: AGPL-3.0-only", "words", "new is under AGPL-3.0-only"),
        ("License: ask me", "words", "new does not say its licence"),
        ("License: MIT", "", "new comes without the text of its licence"),
    ],
)
def test_a_package_that_cannot_be_given_on_is_refused(
    bundle: Path, found: dict[str, Any], metadata: str, words: str, message: str
) -> None:
    install(Path(found["path"][0]), "new", metadata, "new.py", words=words)
    found["modules"].append("new")
    with pytest.raises(SetupError, match=message):
        contents.describe(bundle, sys.executable)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("LGPL-3.0-only OR GPL-2.0-only", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("GPL-2.0-only", False),
        ("MIT AND AGPL-3.0-or-later", False),
        ("GPL-2.0-only OR AGPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND GPL-2.0-only", False),
    ],
)
def test_licences_that_reach_over_to_the_rest_are_distinguished(
    expression: str, allowed: bool
) -> None:
    assert contents.may_be_given_on(expression) is allowed


def test_a_library_of_debian_is_named_by_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "-S": ["zlib1g:amd64, zlib1g:i386: /lib/x/libz.so.1"],
        "-W": ["zlib1g:amd64 zlib1g zlib 1:1.2.13"],
    }
    monkeypatch.setattr(origins, "_ask_dpkg", lambda what, *_: answers[what])
    monkeypatch.setattr("shutil.which", lambda _: "dpkg-query")
    assert origins.debian_packages(["libz.so.1"]) == {"libz.so.1": ("zlib1g", "zlib", "1:1.2.13")}
