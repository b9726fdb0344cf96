"""The direction in which a text is read."""

from unicodedata import bidirectional


def is_rtl(text: str) -> bool:
    """Return True if the first letter with a direction belongs to a right-to-left script."""
    kinds = (bidirectional(letter) for letter in text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return first != "L"
