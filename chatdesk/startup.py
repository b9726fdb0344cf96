"""Checks before the window, or any command, begins.

Where one of these is missing the process would end without a message: by a signal of the processor,
or by Qt, which aborts. Nothing here loads more than the window loads anyway.
"""

import ctypes
import importlib.util
import os
import re
import sys
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.services.system.locations import folder_problem

ROOM_BYTES = 64 * 1024  # what SQLite wants to open a database: its index and some of its log
SCREENS = {"xcb": "DISPLAY", "wayland": "WAYLAND_DISPLAY"}  # Qt's platforms and where they are
# Bits of register ECX of CPUID leaf 1, which together with SSE2 make x86-64-v2. NumPy and Qt are
# built for that: every Intel or AMD processor since 2013 has it.
FEATURES = {"SSSE3": 9, "SSE4.1": 19, "SSE4.2": 20, "POPCNT": 23}


class NoWindow(EnvironmentProblem):
    """No window can be opened here, and so no dialog can show the reason."""


class _CpuidFeature(ctypes.Structure):
    """`struct cpuid_feature` of glibc's <sys/platform/x86.h>: EAX, EBX, ECX and EDX."""

    _fields_ = (("cpuid", ctypes.c_uint32 * 4), ("active", ctypes.c_uint32 * 4))


def check_processor() -> None:
    """Raise `NoWindow` where the libraries would die of an instruction this processor lacks.

    Only looked at on Linux: Windows and macOS do not run on such processors themselves.
    """
    look = None
    if sys.platform == "linux" and os.uname().machine == "x86_64":
        look = getattr(ctypes.CDLL(None), "__x86_get_cpuid_feature_leaf", None)
    if look is None:  # another libc
        return
    look.restype = ctypes.POINTER(_CpuidFeature)
    lacking = _lacking(look(0).contents.cpuid[2])
    if lacking:
        raise NoWindow(
            tr("This processor is too old: it lacks {features}.", features=", ".join(lacking)),
            tr("ChatDesk needs one that supports x86-64-v2; all since 2013 do."),
        )


def _lacking(ecx: int) -> list[str]:
    return [name for name, bit in FEATURES.items() if not ecx >> bit & 1]


def check_screen() -> None:
    """Raise `NoWindow` where Qt would abort: no screen, or a library it needs is missing."""
    if sys.platform != "linux":
        return
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    platforms = [re.split("[:-]", name)[0] for name in wanted.split(";") if name]
    platforms = platforms or [name for name, value in SCREENS.items() if os.environ.get(value)]
    problems = []
    for platform in platforms:
        try:
            _check_platform(platform)
            return
        except NoWindow as problem:
            problems.append(problem)
    raise problems[0] if problems else _no_screen(tr("There is no screen to open a window on."))


def _no_screen(what: str) -> NoWindow:
    return NoWindow(what, tr("Start ChatDesk from a desktop, or ask here with: chatdesk ask"))


def _check_platform(name: str) -> None:
    """Check that Qt can open windows on one of its platforms. Raises `NoWindow`."""
    spec = importlib.util.find_spec("PySide6")
    assert spec and spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    plugins = package / "Qt" / "plugins" / "platforms"
    plugin = plugins / f"libq{name}.so"
    if not plugin.exists():
        names = sorted(file.stem.removeprefix("libq") for file in plugins.glob("libq*.so"))
        raise NoWindow(
            tr("Qt has no platform “{name}”.", name=name),
            tr("Unset QT_QPA_PLATFORM, or set it to one of: {names}.", names=", ".join(names)),
        )
    try:
        ctypes.CDLL(str(plugin))  # as Qt does in a moment: this costs nothing
    except OSError as reason:
        raise _cannot_load(plugin, package.parent, reason) from reason
    if name in SCREENS and not _answers(name):
        screen = os.environ.get(SCREENS[name]) or name
        raise _no_screen(tr("The screen “{screen}” cannot be reached.", screen=screen))


def _cannot_load(plugin: Path, libraries: Path, reason: OSError) -> NoWindow:
    """Return the problem of a plugin that does not load. `libraries` has a bundle's own ones."""
    import shutil
    import subprocess

    missing = []
    if ldd := shutil.which("ldd"):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
        command = [ldd, str(plugin)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        missing = sorted(set(re.findall(r"(\S+) => not found", done.stdout)))
    if not missing:
        return NoWindow(tr("The window cannot be opened: {reason}.", reason=reason))
    packages = " ".join(map(debian_package, missing))
    return NoWindow(
        tr("The window needs system libraries that are missing: {names}.", names=" ".join(missing)),
        tr("Install them; on Debian and Ubuntu with: apt install {packages}", packages=packages),
    )


def debian_package(library: str) -> str:
    """The package of a shared library by Debian's naming rule (Policy 8.1)."""
    name, _, version = library.lower().replace("_", "-").partition(".so.")
    return f"{name}-{version}" if name[-1].isdigit() else f"{name}{version}"


def _answers(platform: str) -> bool:
    """Return True if the screen of a platform can be reached; its library is loaded already."""
    if platform == "xcb":
        xcb = ctypes.CDLL("libxcb.so.1")
        xcb.xcb_connect.restype = ctypes.c_void_p
        connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
        failed = xcb.xcb_connection_has_error(connection)
        xcb.xcb_disconnect(connection)
        return not failed
    wayland = ctypes.CDLL("libwayland-client.so.0")
    wayland.wl_display_connect.restype = ctypes.c_void_p
    display = ctypes.c_void_p(wayland.wl_display_connect(None))
    if display:
        wayland.wl_display_disconnect(display)
    return bool(display)


def check_folders(paths: AppPaths) -> None:
    """Raise `EnvironmentProblem` where what is written in the window could not be kept."""
    for folder in (paths.data, paths.config, paths.cache):
        trial = folder / f"trial-{os.getpid()}"
        try:
            try:
                trial.write_bytes(bytes(ROOM_BYTES))
            finally:
                trial.unlink(missing_ok=True)
        except OSError as problem:
            raise folder_problem(folder, problem) from problem
