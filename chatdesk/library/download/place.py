"""The places of a repository's files. Names are untrusted: none may lead out of the folder."""

import re
from pathlib import Path, PurePosixPath

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr

LONGEST_NAME_BYTES = 200  # file systems allow 255; names of unfinished files are longer
MOST_PARTS = 8
# Windows refuses these; checked everywhere, because a models folder may be on a removable disk. See
# "Naming Files, Paths, and Namespaces" in the Win32 documentation.
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def repository_folder(folder: Path, repo: str) -> Path:
    """Return the folder of a repository `owner/name`. Refuses hostile names.

    Raises `EnvironmentProblem`.
    """
    return folder.joinpath(*_safe_parts(repo))


def file_place(folder: Path, path: str) -> Path:
    """Return the place of a repository's GGUF file in its folder. Raises `EnvironmentProblem`."""
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
    """Return True if a name is valid on every system; a first dot is hidden or worse."""
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
