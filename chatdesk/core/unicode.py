"""Text that is valid Unicode."""

import unicodedata
from typing import Any

_NOT_SHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, halves of pairs, ends of lines
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def sound_text(text: str) -> str:
    """Return `text` as valid Unicode: lone surrogates (from a paste or terminal) become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_one_line(text: str) -> bool:
    """Return True for text that a sentence can show as it is: no control, nothing that turns it."""
    return not any(unicodedata.category(sign) in _NOT_SHOWN or sign in _TURNING for sign in text)


def sound_json(value: Any) -> Any:
    """Return a JSON value whose texts, keys included, are valid Unicode."""
    if isinstance(value, str):
        return sound_text(value)
    if isinstance(value, dict):
        return {sound_text(key): sound_json(each) for key, each in value.items()}
    return [sound_json(each) for each in value] if isinstance(value, list) else value
