"""Where files go, as values. Which folders these are is decided at the composition root."""

import hashlib
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

    @property
    def sessions(self) -> Path:
        """What the model had read of recent conversations, as KV states."""
        return self.cache / "sessions"

    @property
    def threads(self) -> Path:
        """The thread counts that were measured on this machine."""
        return self.cache / "threads.json"

    @property
    def bandwidth(self) -> Path:
        """How fast this machine's memory is, as it was measured."""
        return self.cache / "bandwidth.json"

    @property
    def catalog(self) -> Path:
        """The list of recommended models that was fetched last, if one was."""
        return self.data / "catalog.json"

    @property
    def updates(self) -> Path:
        """When a newer version was looked for last."""
        return self.cache / "updates.json"

    @property
    def adapters(self) -> Path:
        """What came of training: a folder for each adapter, named as its id."""
        return self.data / "adapters"

    @property
    def figures(self) -> Path:
        """What was measured of models without an adapter, once for all runs."""
        return self.cache / "figures"

    def make(self) -> None:
        """Create the folders, private to the user. Raises `OSError`."""
        for folder in (self.data, self.config, self.cache, self.logs, self.models):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def session_prefix(conversation_id: str) -> str:
    """How the names of a conversation's state files begin, whatever the model.

    A hash: it cannot lead out of the folder, and tells nothing of the conversation.
    """
    return f"{_short_hash(conversation_id)}-"


def session_file(conversation_id: str, model_identity: str) -> str:
    """The name of the file that keeps a conversation's KV state with one model."""
    return f"{session_prefix(conversation_id)}{_short_hash(model_identity)}.kv"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def assets_dir() -> Path:
    """The folder of themes, icons, fonts and translations: in the bundle, wheel or checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def is_frozen() -> bool:
    """Whether this runs from a bundle rather than from Python files."""
    return bool(getattr(sys, "frozen", False))
