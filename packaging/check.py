"""Tests and measures a finished bundle: the last step of `dev.py bundle --check`.

`python packaging/check.py dist/ChatDesk` runs it alone. Progress goes to stderr; the last line of
stdout is `{"check": "bundle", "figures": …, "limits": …, "ok": …}`. Sizes are in bytes, times in
seconds. Screenshots are kept in build/check.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import check_screen
import elf
from check_debian import BareDebian
from linux import ZSTD

from dev import PYTHON, ROOT, SetupError, read, run, say

LINUX = sys.platform == "linux"
PROGRAM = "chatdesk-cli.exe" if os.name == "nt" else "chatdesk"
KEPT = ROOT / "build" / "check"
COLD_STARTS = 7
PARTS = 10
MODEL = ".gguf"
LIMITS: dict[str, Any] = {"cold_start_ratio": 1.3, "glibc": [2, 36]}  # Debian 12's
CHAT_LIMITS = {"unpacked_bytes": 260e6, "compressed_bytes": 110e6}  # without the model
EMULATOR = "qemu-x86_64 -cpu Nehalem"  # from 2008: SSE4.2, but neither AVX nor AVX2
LOADER = "/lib64/ld-linux-x86-64.so.2"
TOOLS = {  # and their Debian packages
    "debootstrap": "debootstrap",
    "import": "imagemagick",
    "proot": "proot",
    "qemu-x86_64": "qemu-user",
    "xdotool": "xdotool",
    "Xvfb": "xvfb",
    "zstd": "zstd",
}


def check(folder: Path, dist: Path) -> dict[str, Any]:
    """Check the bundle `folder`, whose packages are in `dist`; return the result to print.

    Raises `SetupError` at the end when a limit is passed or a trial failed.
    """
    if not (folder / PROGRAM).exists():
        raise SetupError(f"There is no bundle in {folder}. Make it with: python3 dev.py bundle")
    if LINUX:
        provide_tools()
    KEPT.mkdir(parents=True, exist_ok=True)
    limits = LIMITS if is_full(folder) else {**LIMITS, **CHAT_LIMITS}
    figures = sizes(folder, dist)
    figures["answers"] = succeeds("chatdesk ask", lambda: ask([str(folder / PROGRAM)]))
    if LINUX:
        figures |= on_linux(folder)
    ok = all(figures[name] <= most for name, most in limits.items() if name in figures)
    ok = ok and not any(figure is False for figure in figures.values())
    report = {"check": "bundle", "figures": figures, "limits": limits, "ok": ok}
    print(json.dumps(report), flush=True)
    if not ok:
        raise SetupError("The bundle did not pass the check; see above why.")
    return report


def is_full(folder: Path) -> bool:
    """True if a bundle is of the flavour with personalization, which has no size limit."""
    return (folder / "_internal" / "torch").is_dir()


def provide_tools() -> None:
    """Install the tools that the check needs. Raises `SetupError` where it may not."""
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if not missing:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        names = " ".join(missing)
        raise SetupError(f"Please install these first (Debian calls them so): {names}")
    say(f"Installing what the check needs: {' '.join(missing)}")
    run("Updating the list of system packages", ["apt-get", "update", "-qq"])
    install = "env DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends"
    run("Installing system packages", [*install.split(), *missing])


def sizes(folder: Path, dist: Path) -> dict[str, Any]:
    """Return the sizes of the bundle, unpacked and packed, without model, and its largest parts."""
    say("Measuring the size (minutes)")
    parts: Counter[str] = Counter()
    for path, size in files(folder):
        part = path.relative_to(folder).parts[:2]
        parts["the model" if path.suffix == MODEL else "/".join(part)] += size
    model = parts.pop("the model", 0)
    figures: dict[str, Any] = {
        "unpacked_bytes": parts.total(),
        "model_bytes": model,
        "parts_bytes": dict(parts.most_common(PARTS)),
        "packages_bytes": {
            file.name: file.stat().st_size for file in sorted(dist.glob("*")) if file.is_file()
        },
    }
    if LINUX:
        figures["compressed_bytes"] = packed(folder)
    return figures


def packed(folder: Path) -> int:
    """Return the size of the bundle without the model, packed as the download is."""
    pack = ["tar", "-cf", "-", f"--exclude=*{MODEL}", "-C", str(folder.parent), folder.name]
    with (
        subprocess.Popen(pack, stdout=subprocess.PIPE) as tar,
        subprocess.Popen(ZSTD, stdin=tar.stdout, stdout=subprocess.PIPE) as zstd,
    ):
        assert zstd.stdout
        return sum(map(len, zstd.stdout))


def files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield every file with its size; hard links count once."""
    seen = set()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if not path.is_symlink() and path.is_file() and status.st_ino not in seen:
            seen.add(status.st_ino)
            yield path, status.st_size


def on_linux(folder: Path) -> dict[str, Any]:
    """Run the checks that need Xvfb, debootstrap and QEMU. Raises `SetupError`."""
    packages = readme_packages(read(ROOT / "README.md"))
    debian = BareDebian(folder, packages)
    frozen, unfrozen = cold_starts(folder)
    return {
        "cold_start_s": round(frozen, 3),
        "cold_start_unfrozen_s": round(unfrozen, 3),
        "cold_start_ratio": round(frozen / unfrozen, 3),
        "glibc": list(elf.oldest_glibc(folder)),
        "debian_packages": packages,
        "debian_answers": succeeds("chatdesk ask in a bare Debian", debian.ask),
        "debian_window": succeeds("the window there", lambda: debian.use_window(KEPT)),
        "answers_without_avx2": succeeds(
            "chatdesk ask without AVX2 (a minute)", lambda: ask_without_avx2(folder / PROGRAM)
        ),
    }


def readme_packages(text: str) -> list[str]:
    """Return the system libraries that the README lists. Raises `SetupError`."""
    found = re.search(r"apt install ((?:lib\S+ ?)+)", text)
    if not found:
        raise SetupError("README.md does not say: apt install lib…, the libraries for the window.")
    return found[1].split()


def cold_starts(folder: Path) -> tuple[float, float]:
    """Return the seconds until the window is shown, frozen and not, started in turns; medians."""
    say("Measuring the cold start")
    venv = ROOT / "build" / f"venv-{'full' if is_full(folder) else 'chat'}" / "bin" / "python"
    python = str(venv) if venv.exists() else PYTHON
    commands = [[str(folder / PROGRAM)], [python, "-m", "chatdesk"]]
    seconds: list[list[float]] = [[], []]
    with (
        tempfile.TemporaryDirectory() as home,
        check_screen.screen() as display,
        (KEPT / "cold_starts.log").open("w") as log,
    ):
        environment = {**os.environ, "DISPLAY": display, "CHATDESK_HOME": home}
        for _ in range(1 + COLD_STARTS):
            for command, taken in zip(commands, seconds, strict=True):
                taken.append(check_screen.seconds_to_window(command, environment, log))
    frozen, unfrozen = (statistics.median(taken[1:]) for taken in seconds)  # the first is a warm-up
    return frozen, unfrozen


def ask(command: Sequence[str], **environment: str) -> None:
    """Ask the starter model with a home of its own. Raises `SetupError` without an answer."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [*command, "ask", "--max-tokens", "5", "Say hello."],
            env={**os.environ, **environment, "CHATDESK_HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode or not done.stdout.strip():
        raise SetupError(f"There was no answer (exit code {done.returncode}).")


def ask_without_avx2(program: Path) -> None:
    """Ask under an emulator; proot also runs child processes in it. Raises `SetupError`."""
    emulated, force = ["proot", "-q", EMULATOR], {"PROOT_FORCE_FOREIGN_BINARY": "1"}
    child = [*emulated, "env", LOADER, "--help"]
    seen = subprocess.run(
        child, env={**os.environ, **force}, stdout=subprocess.PIPE, text=True, check=True
    )
    if "x86-64-v3 (supported" in seen.stdout:  # the level of AVX2
        raise SetupError("The emulator does not reach child processes, so this says nothing.")
    ask([*emulated, str(program)], **force)


def succeeds(what: str, trial: Callable[[], None]) -> bool:
    """True if a trial passed; the reason of a failure goes to stderr."""
    say(f"Trying {what}")
    try:
        trial()
    except (SetupError, subprocess.SubprocessError, OSError, ValueError) as problem:
        say(f"This failed: {problem}")
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="the bundle")
    folder = parser.parse_args(arguments).folder.resolve()
    try:
        check(folder, folder.parent)
    except (SetupError, OSError, subprocess.SubprocessError) as problem:
        print(f"check.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
