"""Backups as values."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BackupContents:
    """What a backup holds. `bytes` is the file's own size, `unpacked` that of what is in it."""

    path: Path
    made: datetime
    version: str
    conversations: int
    messages: int
    adapters: int
    bytes: int
    unpacked: int
