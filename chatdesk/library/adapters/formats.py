"""The formats of adapters: a new one is a module of this folder and a line here."""

from pathlib import Path

from chatdesk.library.adapters.format import AdapterFormat
from chatdesk.library.adapters.gguf import GgufAdapters
from chatdesk.library.adapters.peft import PeftAdapters

FORMATS: tuple[AdapterFormat, ...] = (GgufAdapters(), PeftAdapters())


def format_of(path: Path) -> AdapterFormat:
    """Find the format of an adapter; GGUF, which then says what is wrong, where none is known."""
    return next((each for each in FORMATS if each.recognizes(path)), FORMATS[0])
