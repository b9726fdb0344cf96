"""The keys of what the window does, and their names where a button tells them."""

from enum import StrEnum

from PySide6.QtGui import QKeySequence

from chatdesk.core.i18n import tr


class Keys(StrEnum):
    """As Qt writes them; on macOS Ctrl is the Command key."""

    NEW_CHAT = "Ctrl+N"
    TEMPORARY_CHAT = "Ctrl+Shift+N"
    FIND_CHAT = "Ctrl+Shift+F"
    SIDEBAR = "Ctrl+B"
    INSPECTOR = "Ctrl+I"
    MODEL_OPTIONS = "Ctrl+Shift+M"
    SETTINGS = "Ctrl+,"
    NOTICE = "F6"
    LARGER_TEXT = "Ctrl++"
    LARGER_TEXT_TOO = "Ctrl+="  # the same key without Shift
    SMALLER_TEXT = "Ctrl+-"
    USUAL_TEXT = "Ctrl+0"
    QUIT = "Ctrl+Q"


def with_keys(words: str, keys: str) -> str:
    """Return what a button does with its keys, as they are called on this computer."""
    native = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
    return tr("{action} ({keys})", action=words, keys=native)
