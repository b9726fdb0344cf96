"""A bare Debian 12 to test the bundle in: no Python, no desktop, no network; needs root."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import check_screen

from dev import ROOT, SetupError, say

RELEASE = "bookworm"
USER = 1000
# A space and letters outside ASCII, as in a folder that a person may choose.
INSIDE, HOME = "/opt/Ünsere Programme/ChatDesk", "/home/jemand/Schöne Daten"
ANSWER_WITHIN_S = 120.0
ASK = ["ask", "--max-tokens", "5", "Say hello."]
# In its own namespaces, so that nothing has to be unmounted. The bundle is read-only.
ENTER = """
set -e
mkdir -p "$ROOT$INSIDE" "$ROOT/tmp/.X11-unix" "$ROOT$USER_HOME"
chown "$USER_ID" "$ROOT$USER_HOME"
mount --bind "$BUNDLE" "$ROOT$INSIDE"
mount -o remount,ro,bind "$ROOT$INSIDE"
mount --bind /tmp/.X11-unix "$ROOT/tmp/.X11-unix"
exec chroot --userspec="$USER_ID:$USER_ID" "$ROOT" /usr/bin/env -i PATH=/usr/bin LANG=C.UTF-8 \
    HOME="$USER_HOME" DISPLAY="$DISPLAY" "$INSIDE/chatdesk" "$@"
"""


class BareDebian:
    """A Debian root in `build/debian-root`, with `packages` added, and a bundle in it.

    It is built once for the same packages. Raises `SetupError` when that fails.
    """

    def __init__(self, bundle: Path, packages: list[str]) -> None:
        self._root = ROOT / "build" / "debian-root"
        self._bundle = bundle
        if os.geteuid():
            raise SetupError("Only root may enter another Debian. Run this with sudo.")
        self._make(packages)
        shutil.rmtree(self._root / HOME.lstrip("/"), ignore_errors=True)
        if any((self._root / "usr" / "bin").glob("python*")):
            raise SetupError(f"There is a Python in {self._root}, which makes the check worthless.")

    def _make(self, packages: list[str]) -> None:
        stamp, contents = self._root.with_suffix(".packages"), " ".join(packages)
        if stamp.exists() and stamp.read_text("utf-8") == contents:
            return
        say(f"Making a bare Debian in {self._root.relative_to(ROOT)} (a minute)")
        shutil.rmtree(self._root, ignore_errors=True)
        include = [f"--include={','.join(packages)}"]
        command = ["debootstrap", "--variant=minbase", *include, RELEASE, str(self._root)]
        with self._root.with_suffix(".log").open("w") as log:
            done = subprocess.run([*command, *mirror()], stdout=log, stderr=log, check=False)
        if done.returncode:
            raise SetupError(f"debootstrap failed; see {log.name} why.")
        stamp.write_text(contents, "utf-8")

    def command(self, *arguments: str) -> list[str]:
        """Return the command for `chatdesk ARGUMENTS` in there, as a user who owns only a home."""
        enter = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
        return [*enter, f"--mount-proc={self._root}/proc", "sh", "-c", ENTER, "sh", *arguments]

    def environment(self, display: str = "") -> dict[str, str]:
        """Return the environment of that command."""
        return {
            **{"PATH": os.environ["PATH"], "DISPLAY": display, "USER_ID": str(USER)},
            **{"ROOT": str(self._root), "BUNDLE": str(self._bundle)},
            **{"INSIDE": INSIDE, "USER_HOME": HOME},
        }

    def output(self, *arguments: str) -> str:
        """Return the output of a command in there. Raises `SetupError` when it fails."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"chatdesk {arguments[0]} failed (exit code {done.returncode}).")
        return done.stdout

    def ask(self) -> None:
        """Ask on the command line. Raises `SetupError` without an answer."""
        if not self.output(*ASK).strip():
            raise SetupError("The answer is empty.")

    def use_window(self, pictures: Path) -> None:
        """Open the window, ask in it, see the answer saved, and quit. Raises `SetupError`."""
        with check_screen.screen() as display:
            environment = self.environment(display)
            with check_screen.started(self.command(), environment) as process:
                window = check_screen.wait_for_window(display, process)
                before = self._answers()
                check_screen.type_line(display, window, "What is the capital of France?")
                try:
                    self._wait_for_answer(before)
                finally:
                    check_screen.screenshot(display, pictures / "debian.png")
                check_screen.quit_window(display, window, process)

    def _wait_for_answer(self, before: int) -> None:
        give_up = time.monotonic() + ANSWER_WITHIN_S
        while self._answers() == before:
            if time.monotonic() > give_up:
                raise SetupError(f"No answer came within {ANSWER_WITHIN_S:.0f} s.")

    def _answers(self) -> int:
        """Return the number of complete answers, by the bundle's own command line."""
        listed = json.loads(self.output("conversations", "list", "--json"))
        shown = [self.output("conversations", "show", chat["id"], "--json") for chat in listed]
        messages = [message for chat in shown for message in json.loads(chat)["messages"]]
        answers = [each for each in messages if each["role"] == "assistant" and each["text"]]
        return sum(each["state"] == "complete" for each in answers)


def mirror() -> list[str]:
    """Return this machine's Debian mirror, if it has one; else debootstrap uses its default."""
    if not shutil.which("apt-get"):
        return []
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Identifier: Packages"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return re.findall(rf"^{RELEASE} (\S+)$", known, re.MULTILINE)[:1]
