import pytest

from chatdesk.core.parts import (
    Attachment,
    Audio,
    Image,
    Part,
    Place,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    filled,
    frame_of,
    plain,
    text_of,
)

PICTURE = Image("ab" * 32, "image/png", 640, 480, "茶.png")
CALL = ToolCall("1", "files", "read", '{"path":"茶.txt"}')
RESULT = ToolResult("1", "A leaf.", seconds=0.5)
EVERY_KIND: tuple[Part, ...] = (
    Thinking("I look it up."),
    CALL,
    RESULT,
    Thinking("Now I know."),
    Text("Tea is "),
    PICTURE,
    Source(1, "茶.pdf", "Tea is a leaf.", page=3, heading="Tea", start=10, end=24, cited=True),
    Audio("cd" * 32, "audio/wav", 1.5),
    Attachment("ef" * 32, "text/csv", "prices.csv", 1000),
    Text("a leaf. 茶"),
)


@pytest.mark.parametrize("parts", [(), (Text("a"),), (Thinking("b"),), (Thinking("b"), Text("a"))])
def test_a_message_of_words_has_no_frame(parts: tuple[Part, ...]) -> None:
    assert frame_of(parts) == ()
    assert plain(text_of(parts), text_of(parts, Thinking)) == parts


@pytest.mark.parametrize(
    "parts",
    [EVERY_KIND, EVERY_KIND[::-1], (PICTURE,), (Text("a"), Thinking("b")), (PICTURE, Text("a"))],
)
def test_words_come_back_to_their_places(parts: tuple[Part, ...]) -> None:
    frame = frame_of(parts)
    assert not any(isinstance(each, Text | Thinking) for each in frame)
    assert filled(frame, text_of(parts), text_of(parts, Thinking)) == parts


@pytest.mark.parametrize(
    ("frame", "text", "thinking", "parts"),
    [
        ((Place(Text, 2), CALL), "ab", "", (Text("ab"), CALL)),
        ((Place(Text, 2), CALL), "abc", "", (Text("ab"), CALL, Text("c"))),
        ((Place(Text, 2), CALL), "abc", "d", (Text("ab"), CALL, Thinking("d"), Text("c"))),
        ((Place(Text, 2), CALL, Place(Text, 1)), "abcd", "", (Text("ab"), CALL, Text("cd"))),
        ((Place(Text, 2), CALL, Place(Text, 1)), "a", "", (Text("a"), CALL)),
        ((CALL, Place(Thinking, 1)), "a", "bc", (CALL, Thinking("bc"), Text("a"))),
    ],
)
def test_more_words_come_at_the_end(
    frame: tuple[Part | Place, ...], text: str, thinking: str, parts: tuple[Part, ...]
) -> None:
    assert filled(frame, text, thinking) == parts
