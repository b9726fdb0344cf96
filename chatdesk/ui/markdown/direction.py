"""The direction in which a text is read."""

import re
from unicodedata import bidirectional

_RIGHT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_NO_WORDS = re.compile(r"`[^`]*`|\]\([^)\s]*\)|https?://\S+")  # of whatever language


def has_rtl(text: str) -> bool:
    """Return True if there are letters of a right-to-left script in a text."""
    return _RIGHT.search(text) is not None


def is_rtl(text: str) -> bool:
    """Return True if a text begins with a right-to-left script, or is mostly in one.

    Such a paragraph may begin with a name in Latin letters.
    """
    if not has_rtl(text):
        return False
    kinds = [bidirectional(letter) for letter in _NO_WORDS.sub("", text)]
    letters = [kind != "L" for kind in kinds if kind in ("L", "R", "AL")]
    return bool(letters) and (letters[0] or 2 * sum(letters) > len(letters))
