"""Makes a picture of every screen and state of the window: `python dev.py pictures FOLDER`.

With `--check` what is outside, cut, too small, nameless or on top of something else is listed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.pictures.matrix import LOOKS, SCALES, SIZES, Job, jobs, write_screens

ROOT = Path(__file__).resolve().parent.parent.parent
_LAST_LINES = 60  # of what else a process writes


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process reported of a screen: a flaw, or why it could not be shown."""

    screen: str
    size: str
    scale: int
    look: str
    words: str

    def __str__(self) -> str:
        return f"{self.screen} · {self.size} · {self.scale} % · {self.look} · {self.words}"


def run(job: Job) -> Iterator[Seen]:
    """Do a job in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="chatdesk-screens-") as folder:
        write_screens(job, Path(folder, "screens.json"))
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "CHATDESK_REDUCED_MOTION": "1",
            "QT_LOGGING_RULES": "qt.qpa.*=false",  # what the platform does not support
            "QT_QPA_PLATFORM": "offscreen:configfile=screens.json",  # no path: it has no colon
            "QT_SCALE_FACTOR": str(job.scale / 100),
        }
        with subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.pictures.photographer", job.dump()],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as process:
            assert process.stdout
            others: deque[str] = deque(maxlen=_LAST_LINES)
            for line in process.stdout:
                try:
                    found = json.loads(line)
                except ValueError:
                    others.append(line)
                    continue
                look = found.get("look", ", ".join(job.looks))
                yield Seen(found["screen"], found["size"], job.scale, look, found["words"])
    if process.returncode:
        words = f"the process ended with {process.returncode}: {''.join(others)}"
        yield Seen("", "", job.scale, ", ".join(job.looks), words)


def run_all(todo: Sequence[Job], tell: Callable[[Seen], None] | None = None) -> list[Seen]:
    """Do all jobs, one for each core at once; `tell` hears of each flaw as it is seen."""

    def follow(job: Job) -> list[Seen]:
        found = []
        for seen in run(job):
            found.append(seen)
            if tell:
                tell(seen)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [seen for found in pool.map(follow, todo) for seen in found]


def main() -> int:
    """The command line; 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="dev.py pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", default="", help="where the pictures go")
    parser.add_argument("--check", action="store_true", help="list what is wrong in them")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these screens")
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH")
    parser.add_argument("--scales", nargs="+", type=int, default=SCALES, metavar="PERCENT")
    parser.add_argument("--looks", nargs="+", default=[*LOOKS], choices=LOOKS)
    parser.add_argument("--list", action="store_true", help="the names of the screens")
    options = parser.parse_args()
    if options.list:
        from tests.pictures.screens import SCREENS

        print("\n".join(screen.name for screen in SCREENS))
        return 0
    if not options.folder and not options.check:
        parser.error("name a folder for the pictures, or --check")
    folder = str(Path(options.folder).absolute()) if options.folder else ""
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    todo = jobs(options.sizes, options.scales, options.looks, options.only, folder)
    seen = run_all(todo, lambda each: print(each, flush=True))
    print("Something is wrong in them." if seen else "Nothing is wrong in them.")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
