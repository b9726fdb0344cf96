"""What pictures there are: sizes of the window, scales of the screen, and looks.

Large text has no pictures on a screen of 200 %: there the window would have less room than on any.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from chatdesk.core.coercion import coerced

SIZES = ("640x480", "1120x760", "2560x1440")  # of the window, which fills its screen
SCALES = (100, 200)  # percent


@dataclass(frozen=True, slots=True)
class Look:
    """A language, a theme, and the size of the text in percent."""

    language: str = "en"
    theme: str = "light"
    text: int = 100


LOOKS = {
    "light": Look(),
    "dark": Look(theme="dark"),
    "chinese": Look("zh_CN"),
    "large": Look(text=200),
    "chinese-large": Look("zh_CN", text=200),
}


@dataclass(frozen=True, slots=True)
class Job:
    """The pictures of one process: one scale, language and size of text, all screens or some.

    Without a `folder` nothing is saved, only checked.
    """

    scale: int
    looks: tuple[str, ...]  # which differ in their theme only
    sizes: tuple[str, ...]
    only: tuple[str, ...] = ()
    folder: str = ""

    @property
    def look(self) -> Look:
        """The first of its looks."""
        return LOOKS[self.looks[0]]

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
    """A job for each scale, language and size of text."""
    alike: dict[tuple[int, str, int], list[str]] = {}
    for scale, name in product(scales, looks):
        look = LOOKS[name]
        if look.text == 100 or scale == 100:
            alike.setdefault((scale, look.language, look.text), []).append(name)
    return [
        Job(scale, tuple(names), tuple(sizes), tuple(only), folder)
        for (scale, _, _), names in alike.items()
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
