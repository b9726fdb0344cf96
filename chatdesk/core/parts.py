"""The parts of a message: text, thinking, and parts of other kinds between them.

Bytes are not in here: pictures, sounds and files are named by the SHA-256 of their content, which
is also the name of the file that holds them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Text of the message."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model's thinking before the next part."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture; `width` and `height` in pixels."""

    sha256: str
    media_type: str
    width: int
    height: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound."""

    sha256: str
    media_type: str
    seconds: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A request of the model to `tool` of `server`; `arguments` is a JSON object as text.

    `id` is unique in the message, so that the result can name its call.
    """

    id: str
    server: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call, or with `is_error` the reason why there is none."""

    call_id: str
    text: str
    is_error: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that the model was given, kept whole, because its document may be deleted.

    `number` is the model's name for it. `page`, `heading`, `start` and `end` (characters) are its
    place, as far as known. `cited`: the answer refers to it.
    """

    number: int
    document: str
    text: str
    page: int | None = None
    heading: str = ""
    start: int | None = None
    end: int | None = None
    cited: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """Any other file."""

    sha256: str
    media_type: str
    name: str
    bytes: int


Words = Text | Thinking
Part = Text | Thinking | Image | Audio | ToolCall | ToolResult | Source | Attachment


@dataclass(frozen=True, slots=True)
class Place:
    """The place of so many characters of a message's text or thinking among its other parts."""

    kind: type[Text] | type[Thinking]
    length: int


Frame = tuple[Part | Place, ...]


def text_of(parts: Iterable[Part], kind: type[Text] | type[Thinking] = Text) -> str:
    """Return all of the text, or of the thinking, without other parts."""
    return "".join(part.text for part in parts if isinstance(part, kind))


def plain(text: str, thinking: str = "") -> tuple[Part, ...]:
    """Return the parts of a message of words alone."""
    if thinking:
        return (Thinking(thinking), Text(text)) if text else (Thinking(thinking),)
    return (Text(text),) if text else ()


def frame_of(parts: Sequence[Part]) -> Frame:
    """Return the parts with places instead of words; () when they are `plain`."""
    if list(map(type, parts)) in ([], [Text], [Thinking], [Thinking, Text]):
        return ()
    return tuple(
        Place(type(part), len(part.text)) if isinstance(part, Words) else part for part in parts
    )


def filled(frame: Frame, text: str, thinking: str = "") -> tuple[Part, ...]:
    """Return the parts of a frame with these words in their places; words without one come last."""
    if not frame:
        return plain(text, thinking)
    left = {Text: text, Thinking: thinking}
    parts: list[Part] = []
    for each in frame:
        if not isinstance(each, Place):
            parts.append(each)
        elif words := left[each.kind][: each.length]:
            parts.append(each.kind(words))
            left[each.kind] = left[each.kind][each.length :]
    for kind in (Thinking, Text):
        if parts and isinstance(last := parts[-1], kind):
            parts[-1] = kind(last.text + left[kind])
        elif left[kind]:
            parts.append(kind(left[kind]))
    return tuple(parts)
