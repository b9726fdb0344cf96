"""What keeps the window from opening is told in one clear sentence, and in a dialog if one can be.

Each case is a real start of `chatdesk` in a process of its own.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatdesk import startup
from chatdesk.core.paths import AppPaths
from chatdesk.services.system.locations import find_paths

linux = pytest.mark.skipif(sys.platform != "linux", reason="a matter of Linux")
TIMEOUT_S = 60
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XDG_RUNTIME_DIR")
COMMAND = [sys.executable, "-m", "chatdesk"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Ours without a screen, in English, with a home of its own."""
    ours = {name: value for name, value in os.environ.items() if name not in SCREENS}
    return {**ours, "LC_ALL": "C.UTF-8", "CHATDESK_HOME": str(home), **more}


def told(environment: Mapping[str, str], command: list[str] = COMMAND) -> str:
    """The one line of a start that fails."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert (done.returncode, done.stdout) == (1, ""), done
    (line,) = done.stderr.splitlines()
    return line.removeprefix("chatdesk: ")


@linux
@pytest.mark.parametrize(
    ("screen", "sentence"),
    [
        ({}, "There is no screen to open a window on. Start ChatDesk from a desktop"),
        ({"DISPLAY": ":987"}, "The screen “:987” cannot be reached."),
        ({"DISPLAY": "not a screen"}, "The screen “not a screen” cannot be reached."),
        ({"QT_QPA_PLATFORM": "xcb"}, "The screen “xcb” cannot be reached."),
        ({"QT_QPA_PLATFORM": "nonsense"}, "Qt has no platform “nonsense”. Unset QT_QPA_PLATFORM"),
        ({"QT_QPA_PLATFORM": "nonsense:size=3;xcb"}, "Qt has no platform “nonsense”."),
    ],
)
def test_without_a_screen(tmp_path: Path, screen: dict[str, str], sentence: str) -> None:
    assert told(environment(tmp_path, **screen)).startswith(sentence)
    assert list(tmp_path.iterdir()) == []  # nothing was begun


@linux
def test_a_screen_that_cannot_be_reached_does_not_hide_one_that_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path, QT_QPA_PLATFORM="xcb;offscreen").items():
        monkeypatch.setenv(name, value)
    startup.check_screen()  # must not raise


LIBRARY_MISSING = """
import ctypes, shutil, subprocess, sys
from chatdesk.cli import main as cli

def cdll(name, original=ctypes.CDLL):
    if name and "libqoffscreen" in name:
        raise OSError("libEGL.so.1: cannot open shared object file: No such file or directory")
    return original(name)

ctypes.CDLL = cdll
if sys.argv[1] == "ldd":
    words = "\\tlibEGL.so.1 => not found\\n\\tlibxcb-cursor.so.0 => not found\\n"
    words += "\\tlibX11-xcb.so.1 => not found\\n\\tlibEGL.so.1 => not found\\n"
    subprocess.run = lambda *a, **b: subprocess.CompletedProcess(a, 0, words)
else:
    shutil.which = lambda name: None
sys.exit(cli.main([]))
"""


@linux
@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        (
            "ldd",
            "The window needs system libraries that are missing: libEGL.so.1 libX11-xcb.so.1 "
            "libxcb-cursor.so.0. Install them; on Debian and Ubuntu with: apt install libegl1 "
            "libx11-xcb1 libxcb-cursor0",
        ),
        ("none", "The window cannot be opened: libEGL.so.1: cannot open shared object file"),
    ],
)
def test_without_a_library(tmp_path: Path, tool: str, sentence: str) -> None:
    command = [sys.executable, "-c", LIBRARY_MISSING, tool]
    assert told(environment(tmp_path, QT_QPA_PLATFORM="offscreen"), command).startswith(sentence)


@linux
def test_all_that_is_missing_is_named(tmp_path: Path) -> None:
    """The system's own `ldd` is read right."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("needs a C compiler")
    (tmp_path / "empty.c").touch()
    missing = [f"-l{name}" for name in ("one-1", "two")]
    for name in ("one-1.so.3", "two.so.5"):
        library = tmp_path / f"lib{name}"
        options = ["-shared", "-o", str(library), f"-Wl,-soname,lib{name}"]
        subprocess.run([compiler, *options, str(tmp_path / "empty.c")], check=True)
        link = tmp_path / f"lib{name}".split(".so")[0]
        link.with_name(f"{link.name}.so").symlink_to(library)
    plugin = tmp_path / "plugin.so"
    needs = ["-Wl,--no-as-needed", f"-L{tmp_path}", *missing]
    options = ["-shared", "-o", str(plugin), str(tmp_path / "empty.c"), *needs]
    subprocess.run([compiler, *options], check=True)
    problem = startup._cannot_load(plugin, Path("/nowhere"), OSError("a reason"))
    assert "libone-1.so.3 libtwo.so.5" in problem.what
    assert problem.todo.endswith("apt install libone-1-3 libtwo5")
    problem = startup._cannot_load(plugin, tmp_path, OSError("a reason"))  # all are found
    assert problem.what == "The window cannot be opened: a reason."


@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="needs qemu-user")
@linux
@pytest.mark.parametrize(
    ("processor", "lacking"),
    [("qemu64", "SSSE3, SSE4.1, SSE4.2, POPCNT"), ("Penryn", "SSE4.2, POPCNT")],
)
def test_on_an_old_processor(tmp_path: Path, processor: str, lacking: str) -> None:
    command = ["qemu-x86_64", "-cpu", processor, *COMMAND, "conversations", "list"]
    sentence = f"This processor is too old: it lacks {lacking}. ChatDesk needs one"
    assert told(environment(tmp_path), command).startswith(sentence)


@linux
def test_this_processor_is_good_enough() -> None:
    startup.check_processor()  # must not raise


# The app is imported first: a stranger may not be able to read our Python.
AS_A_STRANGER = """
import os, sys
from chatdesk.cli import main as cli
from chatdesk import app
os.geteuid() or os.setuid(65534)
sys.exit(cli.main([]))
"""


@contextmanager
def closed_home(folder: str) -> Iterator[Path]:
    """A home with one folder that nobody may write to, open to strangers otherwise."""
    # Not tmp_path: a stranger may not pass through its private parents.
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        paths = AppPaths.under(home)
        paths.make()
        for path in (home, *home.iterdir()):
            path.chmod(0o777)
        (home / folder).chmod(0o555)
        try:
            yield home
        finally:
            (home / folder).chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize("folder", ["data", "config", "cache"])
def test_in_a_home_that_is_read_only(folder: str) -> None:
    with closed_home(folder) as home:
        command = [sys.executable, "-c", AS_A_STRANGER]
        line = told(environment(home, QT_QPA_PLATFORM="offscreen"), command)
        assert line == (
            f"The folder {home / folder} cannot be used: Permission denied. "
            "Make it writable, or set CHATDESK_HOME to another folder."
        )


IN_A_FULL_HOME = """
import resource, sys
from chatdesk.cli import main as cli
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(cli.main([]))
"""


@linux
def test_in_a_home_that_takes_no_more(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_A_FULL_HOME]
    line = told(environment(tmp_path, QT_QPA_PLATFORM="offscreen"), command)
    assert line == (
        f"The folder {tmp_path / 'data'} cannot be used: File too large. "
        "Free some space, then try again."
    )
    assert list((tmp_path / "data").glob("trial*")) == []


@linux
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may mount")
def test_on_a_full_disk(tmp_path: Path) -> None:
    options = ["-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path)]
    if subprocess.call(["mount", *options], stderr=subprocess.DEVNULL):
        pytest.skip("this machine lets nobody mount")
    try:
        AppPaths.under(tmp_path).make()
        (tmp_path / "ballast").write_bytes(bytes(200 * 1024))
        line = told(environment(tmp_path, QT_QPA_PLATFORM="offscreen"))
        assert "No space left on device. Free some space, then try again." in line
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_folder_that_can_be_used_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATDESK_HOME", str(tmp_path))
    paths = find_paths()
    startup.check_folders(paths)
    assert all(not list(folder.iterdir()) for folder in (paths.data, paths.config, paths.cache))


@contextmanager
def first_window(home: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A window that stands."""
    command = [sys.executable, "-m", "tests.window_child", "wait"]
    with subprocess.Popen(
        command, env=environment(home, **more), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert "waiting" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_while_another_version_runs(tmp_path: Path) -> None:
    with first_window(tmp_path, QT_QPA_PLATFORM="offscreen") as first:
        (tmp_path / "data" / "window" / "version").write_text("0.0.1", "utf-8")
        line = told(environment(tmp_path, QT_QPA_PLATFORM="offscreen"))
        assert line.startswith("Another version of ChatDesk is running: 0.0.1. Close its window")
        assert first.stdout
        assert "raised" in first.stdout.readline()  # one can see which


@linux
def test_while_a_window_hangs(tmp_path: Path) -> None:
    with first_window(tmp_path, QT_QPA_PLATFORM="offscreen") as first:
        first.send_signal(signal.SIGSTOP)
        line = told(environment(tmp_path, QT_QPA_PLATFORM="offscreen"))
        assert line.startswith("ChatDesk is already running, but its window does not answer.")


@contextmanager
def real_screen() -> Iterator[str]:
    command = ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def xdotool(display: str, *arguments: str) -> str:
    command = ["xdotool", *arguments]
    return subprocess.run(
        command, env={**os.environ, "DISPLAY": display}, capture_output=True, text=True, check=False
    ).stdout.strip()


@linux
@pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
)
def test_a_dialog_tells_it_too(tmp_path: Path) -> None:
    (tmp_path / "config").touch()  # a file where a folder must be
    with real_screen() as display:
        with subprocess.Popen(
            COMMAND,
            env=environment(tmp_path, DISPLAY=display),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr
            assert str(tmp_path / "config") in process.stderr.readline()
            end = time.monotonic() + TIMEOUT_S
            while not (window := xdotool(display, "search", "--onlyvisible", "--name", "ChatDesk")):
                assert time.monotonic() < end
                time.sleep(0.05)
            assert process.poll() is None  # it waits to be read
            xdotool(display, "windowfocus", window)
            while process.poll() is None:
                assert time.monotonic() < end
                xdotool(display, "key", "Return")
                time.sleep(0.1)
            assert process.returncode == 1
