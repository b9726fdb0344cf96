"""A virtual screen with keyboard input: Xvfb, xdotool and ImageMagick. Linux only."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dev import SetupError

TITLE = "^ChatDesk$"
LOOK_EVERY_S = 0.005
WINDOW_WITHIN_S = 60.0
ENDS_WITHIN_S = 20.0
SETTLE_S = 1.0  # time that a window without a window manager needs to get the keyboard focus


@contextmanager
def screen() -> Iterator[str]:
    """A new screen for the duration of the block; yields its DISPLAY."""
    # Other users may draw on it (-ac), and it does not reset when a client leaves (-noreset).
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-ac", "-noreset"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout
            number = server.stdout.readline().strip()
            if not number:
                raise SetupError("Xvfb could not start; run it by hand to see why.")
            yield f":{number}"
        finally:
            server.terminate()


@contextmanager
def started(
    command: Sequence[str], environment: Mapping[str, str], stderr: IO[str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program, which ends with the block at the latest."""
    with subprocess.Popen(command, env=environment, stderr=stderr) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def seconds_to_window(
    command: Sequence[str], environment: Mapping[str, str], log: IO[str] | None = None
) -> float:
    """Return the time until the window of a program is on the screen. Its stderr goes to `log`."""
    begun = time.perf_counter()
    with started(command, environment, log) as process:
        wait_for_window(environment["DISPLAY"], process)
        return time.perf_counter() - begun


def wait_for_window(display: str, process: subprocess.Popen[bytes]) -> str:
    """Return the window's number, once it is on the screen. Raises `SetupError` on a timeout."""
    give_up = time.monotonic() + WINDOW_WITHIN_S
    while time.monotonic() < give_up:
        if found := _xdotool(display, "search", "--onlyvisible", "--name", TITLE).split():
            return found[0]
        if process.poll() is not None:
            raise SetupError(f"It ended without a window (exit code {process.returncode}).")
        time.sleep(LOOK_EVERY_S)
    raise SetupError(f"No window came within {WINDOW_WITHIN_S:.0f} s.")


def type_line(display: str, window: str, text: str) -> None:
    """Type a line into a window and press Enter."""
    _xdotool(display, "windowfocus", window)
    time.sleep(SETTLE_S)
    _xdotool(display, "type", "--delay", "30", text)
    _xdotool(display, "key", "Return")


def quit_window(display: str, window: str, process: subprocess.Popen[bytes]) -> None:
    """Quit with the keyboard. Raises `SetupError` when the program does not end in good order."""
    _xdotool(display, "windowfocus", window)
    _xdotool(display, "key", "ctrl+q")
    try:
        code = process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        raise SetupError("The window did not quit.") from None
    if code:
        raise SetupError(f"The window quit with exit code {code}.")


def screenshot(display: str, file: Path) -> None:
    """Save the screen as a PNG."""
    subprocess.run(["import", "-display", display, "-window", "root", str(file)], check=True)


def _xdotool(display: str, *arguments: str) -> str:
    """Return xdotool's output; empty when it finds nothing."""
    command = ["xdotool", *arguments]
    environment = {"DISPLAY": display, "PATH": "/usr/bin"}
    return subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout
