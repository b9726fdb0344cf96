"""Where files go, as values. Which folders these are is decided at the composition root."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AppPaths:
    """The app's folders; none of them need exist yet."""

    data: Path
    config: Path
    cache: Path
    logs: Path
    models: Path

    @classmethod
    def under(cls, home: Path) -> "AppPaths":
        """Everything below one folder (portable use, tests)."""
        return cls(home / "data", home / "config", home / "cache", home / "logs", home / "models")

    @property
    def database(self) -> Path:
        """The conversations."""
        return self.data / "chatdesk.db"

    @property
    def settings(self) -> Path:
        """The settings the person made."""
        return self.config / "settings.json"

    @property
    def window_state(self) -> Path:
        """Window size, open conversation, drafts and scroll positions."""
        return self.config / "window.json"

    def make(self) -> None:
        """Create the folders, private to the user. Raises `OSError`."""
        for folder in (self.data, self.config, self.cache, self.logs, self.models):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def assets_dir() -> Path:
    """The folder of themes, icons, fonts and translations: in the bundle, wheel or checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def is_frozen() -> bool:
    """Whether this runs from a bundle rather than from Python files."""
    return bool(getattr(sys, "frozen", False))
