"""Chats in the format of OpenAI's fine-tuning: JSONL.

A line is a chat: `{"messages": [{"role": "user", "content": "…"}, …]}`. An answer may have a
`weight`, 0 or 1.
https://platform.openai.com/docs/guides/supervised-fine-tuning
"""

import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.exchange.chat import FileChat, FileMessage


class _Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant"]
    content: str
    weight: int = 1


class _Line(msgspec.Struct):
    messages: list[_Message]


class ChatJsonl:
    """One JSON object in each line; empty lines are passed over."""

    ending = ".jsonl"
    shape = (
        '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'
    )

    def recognizes(self, data: bytes) -> bool:
        """True if the first line is an object with messages."""
        first = next((line for line in data.split(b"\n", 100) if line.strip()), b"")
        return b'"messages"' in first

    def read(self, data: bytes, file: str) -> Iterator[FileChat]:
        """Read line by line. Raises `EnvironmentProblem`, which names the first bad line."""
        for number, line in enumerate(data.split(b"\n"), 1):
            if line.strip():
                digest = hashlib.sha256(line.strip()).hexdigest()[:16]
                yield FileChat(number, digest, self._messages(line, number, file))

    def _messages(self, data: bytes, number: int, file: str) -> tuple[FileMessage, ...]:
        try:
            line = msgspec.json.decode(data, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise EnvironmentProblem(
                tr(
                    "Line {line} of {file} cannot be read: {reason}.",
                    line=number,
                    file=file,
                    reason=str(problem).rstrip("."),
                ),
                tr("Every line must look like this: {shape}", shape=self.shape),
            ) from problem
        return tuple(
            FileMessage(
                "system" if each.role == "developer" else each.role, each.content, each.weight
            )
            for each in line.messages
        )
