"""The formats of chat files: a new one is a module of this room and a line here."""

from chatdesk.exchange.chat import ChatFormat
from chatdesk.exchange.chat_jsonl import ChatJsonl

FORMATS: tuple[ChatFormat, ...] = (ChatJsonl(),)


def format_of(data: bytes) -> ChatFormat:
    """Find the format of a file by its content.

    A file that no format recognizes gets the last one, which then says what is wrong with it.
    """
    return next((each for each in FORMATS if each.recognizes(data)), FORMATS[-1])
