"""The colours of projects, in the colours of the theme."""

from chatdesk.core.i18n import tr
from chatdesk.ui.theme import Theme


def folder_colour(theme: Theme, colour: str) -> str:
    """Return the `#RRGGBB` of one of `core.projects.COLOURS`."""
    return {
        "red": theme.danger,
        "orange": theme.code_number,
        "green": theme.accent,
        "blue": theme.blue,
        "purple": theme.code_keyword,
    }.get(colour, theme.muted)


def colour_words(colour: str) -> str:
    """Return the name of one of `core.projects.COLOURS`."""
    return {
        "red": tr("Red"),
        "orange": tr("Orange"),
        "green": tr("Green"),
        "blue": tr("Blue"),
        "purple": tr("Purple"),
    }.get(colour, tr("No colour"))
