"""What pictures there are: sizes of the window, scales of the screen, and looks."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from chatdesk.core.coercion import coerced

SIZES = ("640x480", "1120x760", "2560x1440")  # of the window, which fills its screen
SCALES = (100, 200)  # percent
LOOKS = {"light": ("en", "light"), "dark": ("en", "dark"), "chinese": ("zh_CN", "light")}


@dataclass(frozen=True, slots=True)
class Job:
    """The pictures of one process: of one scale and one language, for all screens or some.

    Without a `folder` nothing is saved, only checked.
    """

    scale: int
    language: str
    looks: tuple[str, ...]
    sizes: tuple[str, ...]
    only: tuple[str, ...] = ()
    folder: str = ""

    @property
    def words(self) -> str:
        """The job in a few words."""
        return f"{self.scale} %, {', '.join(self.looks)}"

    def dump(self) -> str:
        """Return the job as a line for its process."""
        return json.dumps(asdict(self))


def load_job(line: str) -> Job:
    """The job of a line of `Job.dump`."""
    return coerced(Job, json.loads(line))


def jobs(
    sizes: Sequence[str] = SIZES,
    scales: Sequence[int] = SCALES,
    looks: Sequence[str] = tuple(LOOKS),
    only: Sequence[str] = (),
    folder: str = "",
) -> list[Job]:
    """A job for each scale and language."""
    languages = dict.fromkeys(LOOKS[look][0] for look in looks)
    return [
        Job(
            scale,
            language,
            tuple(look for look in looks if LOOKS[look][0] == language),
            tuple(sizes),
            tuple(only),
            folder,
        )
        for scale in scales
        for language in languages
    ]


def pixels(size: str) -> tuple[int, int]:
    """The width and height of a size like "640x480"."""
    width, height = map(int, size.split("x"))
    return width, height


def write_screens(job: Job, file: Path) -> None:
    """Write the screens of Qt's platform "offscreen": one for each size, beside each other."""
    screens, left = [], 0
    for size in job.sizes:
        width, height = (side * job.scale // 100 for side in pixels(size))
        screens.append(
            {
                "name": size,
                "x": left,
                "y": 0,
                "width": width,
                "height": height,
                "logicalDpi": 96,
                "logicalBaseDpi": 96,
                "dpr": 1.0,
            }
        )
        left += width
    file.write_text(json.dumps({"windowFrameMargins": False, "screens": screens}), "utf-8")


def file_name(screen: str, size: str, scale: int, look: str) -> str:
    """The name of a picture; those of one screen stand beside each other."""
    slug = re.sub(r"[^a-z0-9]+", "-", screen.lower()).strip("-")
    return f"{slug}--{size}-{scale}-{look}.png"
