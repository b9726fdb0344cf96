import pytest

from chatdesk.exchange.chat import FileMessage
from chatdesk.exchange.chat_jsonl import ChatJsonl
from chatdesk.exchange.formats import FORMATS, format_of


def test_chat_jsonl_is_recognized_by_its_content() -> None:
    assert ChatJsonl().recognizes(b'\n{"messages": []}\n')
    assert not ChatJsonl().recognizes(b'{"conversations": []}\n')
    assert not ChatJsonl().recognizes(b"")


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"[" * 1000])
def test_a_file_that_no_format_recognizes_gets_the_last_one(data: bytes) -> None:
    assert format_of(data) is FORMATS[-1]


def test_chats_come_with_their_line_and_a_digest_of_their_content() -> None:
    line = b'{"messages": [{"role": "developer", "content": "Be brief."}]}'
    first, second = ChatJsonl().read(b"\n" + line + b"\r\n" + line, "f.jsonl")
    assert (first.line, second.line) == (2, 3)
    assert first.digest == second.digest
    assert first.messages == (FileMessage("system", "Be brief."),)
