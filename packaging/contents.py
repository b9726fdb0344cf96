"""Describes the contents of a bundle: `LICENSES/`, and the bill of materials `sbom.cdx.json`.

Every file of the bundle and every module in its program must be of known origin, and its licence
must allow redistribution without ChatDesk having to be under it; else there is no bundle.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Any

import sbom
from origins import HERE, ROOT, Origins, Part, UnknownOrigin

from dev import SetupError

COMMON = "/usr/share/common-licenses"  # Debian's packages link to files there
POINTED_TO = rf"{COMMON}/([\w.-]+\w)".encode()
# PyInstaller's bootloader is in every program it makes, though it is none of the modules.
STARTERS = ("pyinstaller", "pyinstaller-hooks-contrib")
MOST_NAMED = 12  # problems in one message
LOOK = """
import json, platform, sys, sysconfig
from PyInstaller.archive.readers import CArchiveReader
archive = CArchiveReader(sys.argv[1]).open_embedded_archive("PYZ.pyz")
modules = {name.partition(".")[0] for name in archive.toc} - sys.stdlib_module_names
print(json.dumps({
    "modules": sorted(name for name in modules if not name.startswith("_pyi_")),
    "path": [entry for entry in sys.path if entry],
    "python": platform.python_version(),
    "homes": [sysconfig.get_path("stdlib"), sys.base_prefix],
}))
"""


def describe(folder: Path, python: str) -> None:
    """Write `LICENSES/` and `sbom.cdx.json` into the bundle `folder`, made in the venv of `python`.

    Raises `SetupError` when the origin or licence of something is unknown or not allowed.
    """
    texts, bill = folder / "LICENSES", folder / "sbom.cdx.json"
    parts = find_parts(folder, look_into(folder, python))
    refuse(f"{part.name} {problem}" for part in parts if (problem := what_hinders(part)))
    shutil.rmtree(texts, ignore_errors=True)
    write_texts(parts, texts)
    source = (ROOT / "chatdesk" / "__init__.py").read_text("utf-8")
    version = re.findall(r'__version__ = "(.+)"', source)[0]
    document = sbom.document(folder, version, parts)
    bill.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def look_into(folder: Path, python: str) -> dict[str, Any]:
    """Return the modules in the bundle's program, and the package paths of its Python."""
    names = {"linux": "_internal/chatdesk.bin", "win32": "chatdesk.exe"}
    program = folder / names.get(sys.platform, "chatdesk")
    command = [python, "-c", LOOK, str(program)]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SetupError(f"{program} cannot be looked into: {answer.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def find_parts(folder: Path, found: dict[str, Any]) -> list[Part]:
    """Return the parts of the bundle beside ChatDesk itself, by name. Raises `SetupError`."""
    inside = folder / "_internal"
    paths = [path for path in sorted(inside.rglob("*")) if path.is_file() and not path.is_symlink()]
    homes = [Path(home, "LICENSE.txt") for home in found["homes"]]
    words = next((path for path in homes if path.exists()), homes[0])
    libraries = [path.name for path in paths if path.parent == inside]
    origins = Origins(found["path"], (found["python"], words), libraries)
    parts = {part.purl: part for part in map(origins.package, STARTERS)}
    unknown = []
    for name in [*(path.relative_to(inside) for path in paths), *map(PurePath, found["modules"])]:
        try:
            part = origins.part_of(name)
        except UnknownOrigin:
            unknown.append(f"{name} is of unknown origin")
            continue
        if part:
            part = parts.setdefault(part.purl, part)
            part.files += [inside / name] if (inside / name).is_file() else []
    refuse(unknown)
    return sorted(parts.values(), key=lambda part: (part.name.lower(), part.purl))


def what_hinders(part: Part) -> str:
    """Return why a part cannot be in a bundle; empty when it can."""
    if not part.licence:
        return "does not say its licence"
    if not may_be_given_on(part.licence):
        return f"is under {part.licence}"
    if not part.texts or not all(path.exists() for path in part.texts.values()):
        return "comes without the text of its licence"
    return ""


def may_be_given_on(expression: str) -> bool:
    """True if an SPDX expression offers terms that do not extend to the rest of the bundle.

    The GPL and AGPL do, unless an exception (`WITH`) says otherwise; the LGPL does not extend to
    code that only links to a library. Parentheses are not parsed: in them every name must be
    allowed.
    """
    choices = [expression] if "(" in expression else re.split(r"\bOR\b", expression)
    return any(not re.search(r"\bA?GPL-[\w.+-]*+(?!\s+WITH\b)", choice) for choice in choices)


def refuse(problems: Iterable[str]) -> None:
    """Raise one `SetupError` that lists the problems, if there are any."""
    found = list(problems)
    if found:
        more = f" (and {len(found) - MOST_NAMED} more)" if len(found) > MOST_NAMED else ""
        raise SetupError(
            f"This must not be in a bundle: {'; '.join(found[:MOST_NAMED])}{more}. Leave it out in "
            "packaging/chatdesk.spec, or state its licence in packaging/licenses/known.toml."
        )


def write_texts(parts: Sequence[Part], folder: Path) -> None:
    """Write the licences into `folder`: one folder for each part, and a list of them all."""
    common: set[str] = set()
    for part in parts:
        place = folder / part.name
        place.mkdir(parents=True, exist_ok=True)
        for name, source in sorted(part.texts.items()):
            text = source.read_bytes()
            (place / name).write_bytes(text)
            common |= {word.decode() for word in re.findall(POINTED_TO, text)}
    for name in sorted(common):
        shutil.copyfile(f"{COMMON}/{name}", folder / f"{name}.txt")
    lines = [f"{part.name} {part.version}: {part.licence}".replace(" :", ":") for part in parts]
    (folder / "ChatDesk").mkdir(parents=True)
    shutil.copyfile(ROOT / "LICENSE", folder / "ChatDesk" / "LICENSE.txt")
    head = (HERE / "README.txt").read_text("utf-8")
    (folder / "README.txt").write_text(head + "\n".join(lines) + "\n", "utf-8")
