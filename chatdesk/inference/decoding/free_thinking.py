"""The thinking before an answer in a given shape: free, but not without end."""

from dataclasses import dataclass

from chatdesk.inference.prompt.thinking import MarkTokenizer, ThinkingMarks

_SHARE = 2  # half of what may be written: the other half is for the answer


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

    None where nothing tells from the first token whether it is going to: its mark is plain text.
    """
    opening = () if opened else tuple(vocabulary.tokenize(marks.opening, parse_special=True))
    is_token = len(opening) == 1 or bool(marks.silent)
    if not opened and not is_token:
        return None
    closing = vocabulary.tokenize(marks.ending, parse_special=True)
    return FreeThinking(opening, tuple(closing), room // _SHARE)
