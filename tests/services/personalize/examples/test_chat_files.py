import json
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.personalization import ExampleReason, Turn
from chatdesk.services.personalize.examples import chat_files as files
from chatdesk.services.personalize.examples.chat_files import read_chat_file

USER, ANSWER = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps({"messages": line}) + "\n" for line in lines), "utf-8")
    return path


def test_every_answer_of_a_line_is_an_example(tmp_path: Path) -> None:
    system = {"role": "developer", "content": "Be 艾达."}
    bye = {"role": "assistant", "content": "Bye", "name": "x"}
    path = written(tmp_path / "chats.jsonl", [USER, ANSWER], [system, USER, ANSWER, USER, bye])
    first, second, third = read_chat_file(path)
    assert first.why is ExampleReason.FILE
    assert first.turns == (Turn("user", "Hi"),)
    assert first.target == "Hello"
    (source,) = first.sources
    assert source.is_file
    assert source.message_id == "chats.jsonl:1"
    assert second.sources == third.sources != first.sources
    assert third.turns == (
        Turn("system", "Be 艾达."),
        Turn("user", "Hi"),
        Turn("assistant", "Hello"),
        Turn("user", "Hi"),
    )
    assert third.target == "Bye"


def test_the_same_line_is_the_same_conversation(tmp_path: Path) -> None:
    one = written(tmp_path / "one.jsonl", [USER, ANSWER])
    two = written(tmp_path / "two.jsonl", [USER, {**ANSWER, "content": "Hey"}], [USER, ANSWER])
    ids = [each.sources[0].conversation_id for each in read_chat_file(one) + read_chat_file(two)]
    assert ids[0] == ids[2] != ids[1]


def test_an_answer_without_weight_is_context_only(tmp_path: Path) -> None:
    path = written(tmp_path / "f", [USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}])
    (example,) = read_chat_file(path)
    assert len(example.turns) == 3


def test_windows_files_are_read(tmp_path: Path) -> None:
    line = json.dumps({"messages": [USER, ANSWER]}).encode()
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n" + line + b"\r\n")
    assert [each.sources[0].message_id for each in read_chat_file(tmp_path / "f")] == ["f:1", "f:3"]


GOOD = json.dumps({"messages": [USER, ANSWER]}).encode() + b"\n"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"not JSON", "malformed"),
        (b'"text"', "Expected"),
        (b'{"prompt": "Hi", "completion": "Hello"}', "messages"),
        (b'{"messages": [{"role": "tool", "content": "x"}]}', "messages"),
        (b'{"messages": [{"role": "user", "content": null}]}', "content"),
        (b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', "utf-8"),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', "truncated"),
        (b'{"messages": ' + b"[" * 100_000, "."),
        (b'{"messages": []}', "not follow a question"),
        (b'{"messages": [{"role": "user", "content": "Hi"}]}', "not follow a question"),
        (json.dumps({"messages": [ANSWER, USER]}).encode(), "not follow a question"),
        (json.dumps({"messages": [USER, ANSWER, ANSWER]}).encode(), "not follow a question"),
    ],
)
def test_the_first_bad_line_is_named(tmp_path: Path, bad: bytes, reason: str) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_bytes(GOOD + b"\n" + bad + b"\nnot JSON either\n")
    with pytest.raises(EnvironmentProblem) as raised:
        read_chat_file(path)
    problem = raised.value
    assert "3 of chats.jsonl" in problem.what
    assert reason in problem.what
    assert '{"role": "user"' in problem.todo


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(EnvironmentProblem, match="no answer"):
        read_chat_file(tmp_path / "f")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.jsonl"):
        with pytest.raises(EnvironmentProblem, match=path.name):
            read_chat_file(path)


def test_a_huge_line_is_never_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)  # a hole: nothing is written
    with pytest.raises(EnvironmentProblem, match="larger than 16 MB"):
        read_chat_file(path)
    assert files.LARGEST_BYTES == 16 * 1000**2
