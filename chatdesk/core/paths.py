"""The paths of files, as values. The composition root chooses the folders."""

import hashlib
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PRIVATE = 0o700


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
        """Return the paths below one folder (portable use, tests)."""
        return cls(home / "data", home / "config", home / "cache", home / "logs", home / "models")

    @property
    def database(self) -> Path:
        """The database of conversations."""
        return self.data / "chatdesk.db"

    @property
    def attachments(self) -> Path:
        """The files of messages, named by the SHA-256 of their content."""
        return self.data / "attachments"

    @property
    def restoring(self) -> Path:
        """The note that names what takes the place of the data at the next start, if any."""
        return self.data / "restoring"

    @property
    def settings(self) -> Path:
        """The user's settings."""
        return self.config / "settings.json"

    @property
    def window_state(self) -> Path:
        """Window size, open conversation, drafts and scroll positions."""
        return self.config / "window.json"

    @property
    def sessions(self) -> Path:
        """The KV states of recent conversations."""
        return self.cache / "sessions"

    @property
    def threads(self) -> Path:
        """The measured thread counts of this machine."""
        return self.cache / "threads.json"

    @property
    def bandwidth(self) -> Path:
        """The measured memory bandwidth of this machine."""
        return self.cache / "bandwidth.json"

    @property
    def catalog(self) -> Path:
        """The last list of recommended models that was fetched, if any."""
        return self.data / "catalog.json"

    @property
    def updates(self) -> Path:
        """The time of the last check for a newer version."""
        return self.cache / "updates.json"

    @property
    def adapters(self) -> Path:
        """The trained adapters: a folder for each, named by its id."""
        return self.data / "adapters"

    @property
    def figures(self) -> Path:
        """The measurements of models without an adapter, shared by all runs."""
        return self.cache / "figures"

    def make(self) -> None:
        """Create the folders, private to the user, also those that are there. Raises `OSError`."""
        for folder in (self.data, self.config, self.cache, self.logs, self.models):
            folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        for folder in (self.data, self.config, self.cache, self.logs):
            with suppress(OSError):  # another user's, or a disk without rights: used as it is
                folder.chmod(_PRIVATE)


def session_prefix(conversation_id: str) -> str:
    """Return the beginning of the names of a conversation's state files, for all models.

    A hash: it cannot lead out of the folder, and discloses nothing of the conversation.
    """
    return f"{_short_hash(conversation_id)}-"


def session_file(conversation_id: str, model_identity: str) -> str:
    """Return the name of the file with a conversation's KV state for one model."""
    return f"{session_prefix(conversation_id)}{_short_hash(model_identity)}.kv"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def assets_dir() -> Path:
    """Return the folder of themes, icons, fonts and translations: in bundle, wheel or checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def is_frozen() -> bool:
    """Return True if this runs from a bundle and not from Python files."""
    return bool(getattr(sys, "frozen", False))
