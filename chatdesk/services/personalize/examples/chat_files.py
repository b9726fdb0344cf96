"""Chat files that are given by hand, in the format of OpenAI's fine-tuning: JSONL.

A line is a conversation: `{"messages": [{"role": "user", "content": "…"}, …]}`. Every answer in it
is an example, but for those with the `weight` 0.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.personalization import Example, Source, Turn, Why
from chatdesk.services.personalize.examples.examples import new_example

LARGEST_BYTES = 16 * 1024**2  # about four million tokens: days of training

_SHAPE = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'


class _Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant"]
    content: str
    weight: int = 1


class _Line(msgspec.Struct):
    messages: list[_Message]


def read_chat_file(path: Path) -> list[Example]:
    """The examples of a file. Raises `EnvironmentProblem`, which names the first bad line."""
    examples: list[Example] = []
    for number, data in enumerate(_read(path).split(b"\n"), 1):
        if not data.strip():
            continue
        digest = hashlib.sha256(data.strip()).hexdigest()[:16]
        source = Source(f"file:{digest}", f"{path.name}:{number}")
        try:
            line = msgspec.json.decode(data, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise EnvironmentProblem(
                tr(
                    "Line {line} of {file} cannot be learned from: {reason}.",
                    line=number,
                    file=path.name,
                    reason=str(problem).rstrip("."),
                ),
                tr("Every line must look like this: {shape}", shape=_SHAPE),
            ) from problem
        _check_order(line.messages, path, number)
        examples += _examples(line.messages, source)
    if not examples:
        raise EnvironmentProblem(
            tr("There is no answer to learn in {file}.", file=path.name),
            tr("Every line must look like this: {shape}", shape=_SHAPE),
        )
    return examples


def _read(path: Path) -> bytes:
    """The bytes of a file, without the mark that some editors put at its beginning."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as problem:
        raise EnvironmentProblem(
            tr("{file} cannot be read: {reason}.", file=path.name, reason=problem.strerror),
            tr("Choose a chat file with a conversation on every line (JSONL)."),
        ) from problem
    if len(data) > LARGEST_BYTES:
        raise EnvironmentProblem(
            tr("{file} is larger than {limit} MB.", file=path.name, limit=LARGEST_BYTES // 1024**2),
            tr("Take its best conversations: learning from so many would last for days."),
        )
    return data.removeprefix(b"\xef\xbb\xbf")


def _check_order(messages: Sequence[_Message], path: Path, number: int) -> None:
    roles = [each.role for each in messages]
    before = {first for first, second in itertools.pairwise(["", *roles]) if second == "assistant"}
    if before != {"user"}:
        raise EnvironmentProblem(
            tr(
                "In line {line} of {file}, an answer does not follow a question.",
                line=number,
                file=path.name,
            ),
            tr("Every line must look like this: {shape}", shape=_SHAPE),
        )


def _examples(messages: Sequence[_Message], source: Source) -> Iterator[Example]:
    turns = [
        Turn("system" if each.role == "developer" else each.role, each.content) for each in messages
    ]
    for place, message in enumerate(messages):
        if message.role == "assistant" and message.weight:
            yield new_example(Why.FILE, turns[:place], message.content, [source])
