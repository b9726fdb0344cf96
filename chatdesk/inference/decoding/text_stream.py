"""Turns token bytes into text to show: whole characters, no stop strings."""

import codecs
from collections.abc import Sequence


class TextStream:
    """Turns the bytes of an answer, token by token, into text.

    A token may end in the middle of a character or of a stop string; a part that may still become
    one is held back. Bytes that are not UTF-8 become U+FFFD.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped_by: str | None = None

    def feed(self, piece: bytes) -> str:
        """Return the text that is certain now, empty if there is none.

        Sets `stopped_by` at a stop string.
        """
        text = self._held + self._decoder.decode(piece)
        if not self._stop:
            return text
        found = [(at, stop) for stop in self._stop if (at := text.find(stop)) >= 0]
        if found:
            end, self.stopped_by = min(found, key=lambda each: each[0])
            self._held = ""
            return text[:end]
        keep = max(_overlap(text, stop) for stop in self._stop)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def feed_hidden(self, written: str) -> str:
        """Take a token that is not shown, by what it is written as; return the text certain now.

        A stop string may be one, or hold one: what follows it in the stop string is not waited for.
        """
        for stop in self._stop:
            before, found, _ = stop.partition(written)
            if found and self._held.endswith(before):
                self.stopped_by = stop
                text, self._held = self._held, ""
                return text[: len(text) - len(before)]
        return ""

    def flush(self) -> str:
        """Return the text held back for a stop string that never came.

        Half a character at the end is dropped: when the answer continues, it is generated again.
        """
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` are the beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
