"""Where the files of a repository go. Names come from outside: none may lead out of the folder."""

import re
from pathlib import Path, PurePosixPath

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr

LONGEST_NAME_BYTES = 200  # file systems allow 255; what lies beside an unfinished file adds to it
MOST_PARTS = 8
# What Windows refuses, wherever this runs: a models folder may be on a disk that moves. See
# "Naming Files, Paths, and Namespaces" in the Win32 documentation.
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def repository_folder(folder: Path, repo: str) -> Path:
    """The folder of a repository `owner/name`. Raises `EnvironmentProblem` for hostile names."""
    return folder.joinpath(*_safe_parts(repo))


def file_place(folder: Path, path: str) -> Path:
    """Where a repository's GGUF file goes, in its folder. Raises `EnvironmentProblem`."""
    parts = _safe_parts(path)
    if not parts[-1].lower().endswith(".gguf"):
        raise _refused(path)
    return folder.joinpath(*parts)


def _safe_parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).parts
    if not 0 < len(parts) <= MOST_PARTS or not all(map(_is_safe, parts)):
        raise _refused(path)
    return parts


def _is_safe(name: str) -> bool:
    """Whether a name is one on every system; those that begin with a dot are hidden or worse."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return (
        length <= LONGEST_NAME_BYTES
        and not name.startswith(("/", "."))
        and not name.endswith((" ", "."))
        and not _FORBIDDEN.search(name)
        and not _RESERVED.fullmatch(name)
    )


def _refused(path: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        tr("The name {name} cannot be that of a model file here.", name=ascii(path[:100])),
        tr("Choose another model."),
    )
