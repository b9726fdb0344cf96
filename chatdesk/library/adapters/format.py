"""The interface of a format of adapters."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

Write = Callable[[Path], object]
"""Writes an adapter in GGUF to a path. May raise `OSError` and `AdapterProblem`."""


class AdapterFormat(Protocol):
    """A format that adapters are published in."""

    @property
    def ending(self) -> str:
        """The end of its files' names."""

    def recognizes(self, path: Path) -> bool:
        """Say whether a file or folder is of this format, by its name."""

    def name_of(self, path: Path) -> str:
        """Return what to call an adapter, by its file or folder."""

    def fitted(self, path: Path, model: Path) -> Write:
        """Check that an adapter fits a model. Raises `AdapterProblem`."""
