"""A backup in one file: a zip with the database, adapters, attachments and settings.

`manifest.json` is its first entry and says what is in it, each with its size and SHA-256. Models
are not in it: they can be fetched again. Nothing in a backup is trusted: a file is unpacked only
under a name that this program would have written, and only as far as its size says.
"""

import hashlib
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import msgspec

from chatdesk import __version__
from chatdesk.core.backups import BackupContents
from chatdesk.core.chat import now
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import whole_file
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.store.copies import check_copy, copy_database
from chatdesk.store.writers import is_alive, this_writer

MANIFEST: Final = "manifest.json"
DATABASE: Final = "chatdesk.db"
_FOLDERS = "adapters", "attachments"
_SETTINGS = "settings.json", "window.json"
_NAME = re.compile(r"(?:adapters|attachments)(?:/[\w][\w.\- ]*){1,3}|chatdesk\.db|\w+\.json")
_LARGE = ".gguf", ".safetensors"  # already as small as they get
_WORK = ".backup-"
_CHUNK = 1 << 20
_MANIFEST_BYTES = 64 << 20
_ROOM = 64 << 20  # bytes of the disk to leave free

_BROKEN = (
    zipfile.BadZipFile,
    msgspec.DecodeError,
    UnicodeDecodeError,
    NotImplementedError,  # a compression that we do not write
    RuntimeError,  # an encrypted entry
    EOFError,
    ValueError,
)

Progress = Callable[[int, int], None]  # bytes done, of all


class BackupProblem(EnvironmentProblem):
    """A backup cannot be made, or a file is none."""


class BackupCancelled(Exception):
    """The user does not want the backup any more."""


class _Entry(msgspec.Struct):
    name: str
    bytes: int
    sha256: str


class _Manifest(msgspec.Struct):
    chatdesk: str
    made: datetime
    conversations: int
    messages: int
    files: list[_Entry]


def write_backup(
    paths: AppPaths,
    target: Path,
    on_progress: Progress = lambda _done, _all: None,
) -> BackupContents:
    """Write a backup to `target` and check it by opening it again.

    `on_progress` may raise `BackupCancelled`. `target` is then as it was, as after a `StoreProblem`
    or `BackupProblem`.
    """
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            _work_folder(target.parent) as work,
            whole_file(target, durable=True, partial=work / "unfinished") as unfinished,
        ):
            _check_room(paths, target.parent)
            copy_database(paths.database, work / DATABASE)
            _write(paths, work / DATABASE, unfinished, on_progress)
            unpack(unfinished, work / "check")
    except OSError as problem:
        raise BackupProblem(
            tr(
                "The backup {path} cannot be written: {reason}.",
                path=target,
                reason=problem.strerror or problem,
            ),
            tr("Choose another folder, or free some space."),
        ) from problem
    return read_contents(target)


def read_contents(path: Path) -> BackupContents:
    """Say what is in a backup. Raises `BackupProblem`."""
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
    adapters = {each.name.split("/")[1] for each in manifest.files if "adapters/" in each.name}
    return BackupContents(
        path,
        manifest.made,
        manifest.chatdesk,
        manifest.conversations,
        manifest.messages,
        len(adapters),
        path.stat().st_size,
        sum(each.bytes for each in manifest.files),
    )


def unpack(path: Path, folder: Path) -> BackupContents:
    """Unpack a backup into a new folder, and check every file and the database.

    Raises `BackupProblem`, and `StoreProblem` for a database of a newer ChatDesk.
    """
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        needed = sum(each.bytes for each in manifest.files)
        folder.mkdir(mode=0o700, parents=True)
        if shutil.disk_usage(folder).free < needed + _ROOM:
            raise BackupProblem(
                tr("There is no room on the disk for what is in the backup {path}.", path=path),
                tr("Free some space, then try again."),
            )
        for entry in manifest.files:
            _unpack_one(archive, entry, folder, path)
    if not (folder / DATABASE).exists():
        raise _no_backup(path)
    check_copy(folder / DATABASE)
    return read_contents(path)


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """A folder for what is only needed now; those of killed processes are removed."""
    for old in folder.glob(f"{_WORK}*"):
        if not is_alive(old.name.removeprefix(_WORK).partition("+")[0]):
            shutil.rmtree(old, ignore_errors=True)
    work = tempfile.mkdtemp(dir=folder, prefix=f"{_WORK}{this_writer()}+")
    try:
        yield Path(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write(paths: AppPaths, copy: Path, target: Path, on_progress: Progress) -> None:
    files = [(DATABASE, copy), *_files(paths)]
    total, done = sum(file.stat().st_size for _, file in files if file.exists()), 0
    checked = check_copy(copy)
    entries: list[_Entry] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, file in files:
            try:
                source = file.open("rb")
            except FileNotFoundError:  # removed since
                continue
            info = zipfile.ZipInfo.from_file(file, name, strict_timestamps=False)
            info.compress_type = (
                zipfile.ZIP_STORED if name.endswith(_LARGE) else zipfile.ZIP_DEFLATED
            )
            digest, size = hashlib.sha256(), 0
            with source, archive.open(info, "w", force_zip64=True) as sink:
                while chunk := source.read(_CHUNK):
                    sink.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    done += len(chunk)
                    on_progress(done, total)
            entries.append(_Entry(name, size, digest.hexdigest()))
        manifest = _Manifest(__version__, now(), checked.conversations, checked.messages, entries)
        archive.writestr(MANIFEST, msgspec.json.encode(manifest))


def _files(paths: AppPaths) -> Iterator[tuple[str, Path]]:
    """Yield what is kept beside the database, with its name in a backup."""
    for folder in _FOLDERS:
        for file in sorted((paths.data / folder).rglob("*")):
            name = file.relative_to(paths.data).as_posix()
            if file.is_file() and not file.is_symlink() and _NAME.fullmatch(name):
                yield name, file
    for name in _SETTINGS:
        file = paths.config / name
        if file.is_file():
            yield name, file


def _check_room(paths: AppPaths, folder: Path) -> None:
    """A copy of the database, the backup, and what is unpacked of it to be checked."""
    others = sum(file.stat().st_size for _, file in _files(paths))
    needed = 3 * paths.database.stat().st_size + 2 * others
    if shutil.disk_usage(folder).free < needed + _ROOM:
        raise BackupProblem(
            tr("There is no room for a backup in {folder}.", folder=folder),
            tr("Choose another folder, or free some space."),
        )


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as problem:
        raise _no_backup(path) from problem
    except OSError as problem:
        raise BackupProblem(
            tr(
                "The backup {path} cannot be read: {reason}.",
                path=path,
                reason=problem.strerror or problem,
            ),
            tr("Choose another file."),
        ) from problem


def _manifest(archive: zipfile.ZipFile, path: Path) -> _Manifest:
    try:
        with archive.open(MANIFEST) as file:
            text = file.read(_MANIFEST_BYTES)
        manifest = msgspec.json.decode(text, type=_Manifest)
    except (KeyError, *_BROKEN) as problem:
        raise _no_backup(path) from problem
    names = [each.name for each in manifest.files]
    if len(set(names)) != len(names) or not all(map(_NAME.fullmatch, names)):
        raise _no_backup(path)
    return manifest


def _unpack_one(archive: zipfile.ZipFile, entry: _Entry, folder: Path, path: Path) -> None:
    target = folder / entry.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.touch(mode=0o600, exist_ok=False)
    try:
        with archive.open(entry.name) as source, target.open("wb") as sink:
            found = _copy(source, sink, entry.bytes)
    except (KeyError, *_BROKEN) as problem:
        raise _damaged(path) from problem
    if found != entry.sha256:
        raise _damaged(path)


def _copy(source: IO[bytes], sink: IO[bytes], size: int) -> str | None:
    """Copy so many bytes; return their SHA-256, None if there are more or fewer."""
    digest, left = hashlib.sha256(), size
    while chunk := source.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            return None
        sink.write(chunk)
        digest.update(chunk)
    return digest.hexdigest() if left == 0 else None


def _no_backup(path: Path) -> BackupProblem:
    return BackupProblem(
        tr("The file {path} is not a backup of ChatDesk.", path=path), tr("Choose another file.")
    )


def _damaged(path: Path) -> BackupProblem:
    return BackupProblem(
        tr("The backup {path} is damaged.", path=path),
        tr("Choose another one; nothing was changed."),
    )
