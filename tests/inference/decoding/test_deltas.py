"""What comes within a frame of the screen goes out together; nothing is lost or waits for long."""

import pytest

from chatdesk.core.generation import TextDelta, ThinkingDelta, TokenLogprob
from chatdesk.core.protocol import Event
from chatdesk.inference.decoding.deltas import Deltas

TOKEN_S = 0.005
LOGPROB = TokenLogprob(1, (97,), -0.1)


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("chatdesk.inference.decoding.deltas.time", clock)
    return clock


def write(deltas: Deltas, clock: Clock, text: str, thinking: bool = False) -> None:
    for count, letter in enumerate(text, 1):
        deltas.take(letter, thinking, count)
        clock.now += TOKEN_S


def test_the_first_piece_goes_out_at_once_and_what_follows_frame_by_frame(clock: Clock) -> None:
    sent: list[Event] = []
    deltas = Deltas("1", sent.append)
    write(deltas, clock, "abcdefghij")
    deltas.end(10)
    assert sent == [
        TextDelta("1", "a", (), 1),
        TextDelta("1", "bcde", (), 5),
        TextDelta("1", "fghi", (), 9),
        TextDelta("1", "j", (), 10),
    ]


def test_a_slow_model_sends_every_token(clock: Clock) -> None:
    sent: list[Event] = []
    deltas = Deltas("1", sent.append)
    for count, letter in enumerate("abc", 1):
        deltas.take(letter, False, count)
        clock.now += 0.02
    assert sent == [TextDelta("1", letter, (), n) for n, letter in enumerate("abc", 1)]


def test_thinking_and_answer_are_never_joined(clock: Clock) -> None:
    sent: list[Event] = []
    deltas = Deltas("1", sent.append)
    write(deltas, clock, "hm", thinking=True)
    deltas.take("yes", False, 3)
    deltas.flush()
    assert sent == [
        ThinkingDelta("1", "h", 1),
        ThinkingDelta("1", "m", 2),
        TextDelta("1", "yes", (), 3),
    ]


def test_logprobs_go_with_their_text_or_at_the_end(clock: Clock) -> None:
    sent: list[Event] = []
    deltas = Deltas("1", sent.append)
    for count, letter in enumerate("abc", 1):
        deltas.take_logprob(LOGPROB)
        deltas.take(letter, False, count)
    deltas.flush()
    deltas.take_logprob(LOGPROB)  # of a token without text
    deltas.end(4)
    assert sent == [
        TextDelta("1", "a", (LOGPROB,), 1),
        TextDelta("1", "bc", (LOGPROB, LOGPROB), 3),
        TextDelta("1", "", (LOGPROB,), 4),
    ]
