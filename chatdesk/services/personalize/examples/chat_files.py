"""Chat files that the user chose to learn from: every answer in them is an example."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.personalization import Example, ExampleReason, ExampleSource, Turn
from chatdesk.core.units import MB, size_words
from chatdesk.exchange.chat import ChatFormat, FileChat, FileMessage
from chatdesk.exchange.formats import format_of
from chatdesk.services.personalize.examples.examples import new_example

LARGEST_BYTES = 16 * MB  # about four million tokens: days of training


def read_chat_file(path: Path) -> list[Example]:
    """The examples of a file. Raises `EnvironmentProblem`, which names the first bad line."""
    data = _read(path)
    chat_format = format_of(data)
    examples: list[Example] = []
    for chat in chat_format.read(data, path.name):
        _check_order(chat, path, chat_format)
        source = ExampleSource(f"file:{chat.digest}", f"{path.name}:{chat.line}")
        examples += _examples(chat.messages, source)
    if not examples:
        raise EnvironmentProblem(
            tr("There is no answer to learn in {file}.", file=path.name),
            tr("Every line must look like this: {shape}", shape=chat_format.shape),
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
            tr("{file} is larger than {size}.", file=path.name, size=size_words(LARGEST_BYTES)),
            tr("Take its best conversations: learning from so many would last for days."),
        )
    return data.removeprefix(b"\xef\xbb\xbf")


def _check_order(chat: FileChat, path: Path, chat_format: ChatFormat) -> None:
    roles = [each.role for each in chat.messages]
    before = {first for first, second in itertools.pairwise(["", *roles]) if second == "assistant"}
    if before != {"user"}:
        raise EnvironmentProblem(
            tr(
                "In line {line} of {file}, an answer does not follow a question.",
                line=chat.line,
                file=path.name,
            ),
            tr("Every line must look like this: {shape}", shape=chat_format.shape),
        )


def _examples(messages: Sequence[FileMessage], source: ExampleSource) -> Iterator[Example]:
    turns = [Turn(each.role, each.text) for each in messages]
    for place, message in enumerate(messages):
        if message.role == "assistant" and message.weight:
            yield new_example(ExampleReason.FILE, turns[:place], message.text, [source])
