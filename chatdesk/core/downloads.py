"""Downloads as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chatdesk.core.hub import HubFile


class DownloadState(StrEnum):
    """The state of a download."""

    QUEUED = "queued"
    RUNNING = "running"
    CHECKING = "checking"  # all bytes are there; the hash is being computed
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Download:
    """A download of a model. `files` are all its parts.

    `received` counts the bytes on the disk, of all parts. `problem` is a sentence: why it failed,
    or why it waits to try again. `path` is the place of its first part once it is complete,
    `folder` the folder of the parts from the beginning.
    """

    id: str
    repo: str
    revision: str
    name: str
    files: tuple[HubFile, ...]
    state: DownloadState
    added: datetime
    received: int = 0
    problem: str = ""
    path: str = ""
    folder: str = ""

    @property
    def bytes(self) -> int:
        """The size of all parts."""
        return sum(file.bytes for file in self.files)
