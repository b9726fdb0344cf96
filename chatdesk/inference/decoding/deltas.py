"""The pieces of an answer on their way to who reads it."""

import math
import time
from collections.abc import Callable

from chatdesk.core.generation import TextDelta, ThinkingDelta, TokenLogprob
from chatdesk.core.protocol import Event

# Each event wakes its reader, which takes a core from llama.cpp; nobody sees more than a frame of
# the screen shows (60 Hz).
_FRAME_S = 1 / 60


class Deltas:
    """Joins what comes within a frame of the screen. The first piece goes out at once."""

    def __init__(self, request_id: str, send: Callable[[Event], None]) -> None:
        self._request_id = request_id
        self._send = send
        self._text = ""
        self._is_thinking = False
        self._tokens = 0
        self._logprobs: list[TokenLogprob] = []
        self._sent = -math.inf

    def take_logprob(self, logprob: TokenLogprob) -> None:
        """Let it go out with the text that comes next."""
        self._logprobs.append(logprob)

    def take(self, text: str, thinking: bool, tokens: int) -> None:
        """Take a piece of the answer or of its thinking; `tokens` is how many there are so far."""
        if thinking != self._is_thinking:
            self.flush()
        self._text += text
        self._is_thinking = thinking
        self._tokens = tokens
        if time.monotonic() - self._sent >= _FRAME_S:
            self.flush()

    def flush(self) -> None:
        """Send what is held: before the answer waits for anything but its next step."""
        if not self._text:
            return
        if self._is_thinking:
            self._send(ThinkingDelta(self._request_id, self._text, self._tokens))
        else:
            self._send_text()
        self._text = ""
        self._sent = time.monotonic()

    def end(self, tokens: int) -> None:
        """Send all that is held, log-probabilities of tokens without text included."""
        self.flush()
        if self._logprobs:
            self._tokens = tokens
            self._send_text()

    def _send_text(self) -> None:
        logprobs = tuple(self._logprobs)
        self._logprobs.clear()
        self._send(TextDelta(self._request_id, self._text, logprobs, self._tokens))
