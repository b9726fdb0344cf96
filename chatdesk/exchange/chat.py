"""A chat as a file of another program holds it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class FileMessage:
    """One message. An answer with the `weight` 0 is context, and not an example to learn from."""

    role: Literal["system", "user", "assistant"]
    text: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class FileChat:
    """The messages in their order.

    `line` is where the chat begins in its file, from 1; `digest` is the same for the same chat in
    any file.
    """

    line: int
    digest: str
    messages: tuple[FileMessage, ...]


class ChatFormat(Protocol):
    """The chat format of one program."""

    @property
    def ending(self) -> str:
        """The end of its files' names."""
        ...

    @property
    def shape(self) -> str:
        """An example of a chat, shown to a person whose file is wrong."""
        ...

    def recognizes(self, data: bytes) -> bool:
        """True if a file with this content is in this format."""
        ...

    def read(self, data: bytes, file: str) -> Iterator[FileChat]:
        """Read the chats one by one; `file` is the name for error messages.

        Raises `EnvironmentProblem`, which names the first bad place.
        """
        ...
