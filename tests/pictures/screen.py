"""A screen of the window: its name, the home it is seen in, and how to come to it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.pictures.homes import LIVED_IN, Home
from tests.pictures.stage import Stage

Opening = Callable[[], object]


class ShownBug(Exception):
    """A bug that there is not, for the picture of the dialog that reports one."""


@dataclass(frozen=True, slots=True)
class Screen:
    """`bring` brings a window that shows an empty chat to the screen.

    What opens a menu, or a dialog that waits for its end, is returned and not called.
    """

    name: str
    bring: Callable[[Stage], Opening | None]
    home: Home = LIVED_IN
