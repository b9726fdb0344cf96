"""Whether a file is an export of another app."""

from contextlib import closing
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.exchange.conversations.files import open_files
from chatdesk.exchange.conversations.formats import format_of

_ENDINGS = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".bak", ".gz"})


def is_export(path: Path) -> bool:
    """Return True for a file that holds chats of an app, by its name and what is in it."""
    if path.suffix.lower() not in _ENDINGS:
        return False
    try:
        with closing(open_files(path)) as files:
            format_of(files)
    except EnvironmentProblem:
        return False
    return True
