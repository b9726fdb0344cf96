"""The thinking before an answer in a given shape: free, but not without end."""

from dataclasses import dataclass

from chatdesk.inference.prompt.thinking import MarkTokenizer, ThinkingMarks

_SHARE = 2  # half of what may be written: the other half is for the answer
_LEAST = 128  # tokens; a model that has less for it, and has not begun, does not begin to think


@dataclass(frozen=True, slots=True)
class FreeThinking:
    """The tokens of its marks, and how many it may have.

    `opening` is empty where the prompt has opened it. Where the thinking reaches its limit, or the
    model would end without an answer, `closing` is written for the model.
    """

    opening: tuple[int, ...]
    closing: tuple[int, ...]
    limit: int


def free_thinking(
    marks: ThinkingMarks, vocabulary: MarkTokenizer, room: int, *, opened: bool
) -> FreeThinking | None:
    """Return how a model thinks before an answer of which `room` tokens may be written.

    None where it does not: where its mark is plain text, so that the first token tells nothing, and
    where there is not room enough.
    """
    opening = () if opened else tuple(vocabulary.tokenize(marks.opening, parse_special=True))
    is_token = len(opening) == 1 or bool(marks.silent)
    limit = room // _SHARE
    if not opened and not (is_token and limit >= _LEAST):
        return None
    closing = vocabulary.tokenize(marks.ending, parse_special=True)
    return FreeThinking(opening, tuple(closing), limit)
