"""Adapters' files: whole or not there at all, wherever they are copied to."""

import shutil
from pathlib import Path

from chatdesk.core.errors import AdapterProblem
from chatdesk.core.files import PUBLIC, whole_file
from chatdesk.core.i18n import tr
from chatdesk.core.training import ADAPTER_FILE, PEFT_FOLDER
from chatdesk.library.adapters.formats import format_of


def import_file(source: Path, model: Path, folder: Path) -> int:
    """Put an adapter that fits a model into a folder of its own, in GGUF; its bytes.

    `source` is a GGUF file, or PEFT's file or folder. Raises `AdapterProblem`.
    """
    place = folder / ADAPTER_FILE
    write = format_of(source).fitted(source, model)
    try:
        folder.mkdir(mode=0o700, parents=True)
        with whole_file(place) as unfinished:
            write(unfinished)
        return place.stat().st_size
    except BaseException as problem:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(problem, OSError):
            raise _not_copied(source, problem) from problem
        raise


def export_files(folder: Path, place: Path) -> tuple[Path, ...]:
    """Copy an adapter to `place`: a GGUF file if that is its ending, else PEFT's files in a folder.

    What is there by these names is replaced. The files written. Raises `AdapterProblem`.
    """
    if place.suffix.lower() == ".gguf":
        files = {folder / ADAPTER_FILE: place}
    else:
        files = {file: place / file.name for file in sorted((folder / PEFT_FOLDER).glob("*"))}
    if not files:
        raise AdapterProblem(
            tr("Of this adapter there is a GGUF file only."),
            tr("Choose a file name that ends in .gguf."),
        )
    for source, target in files.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(target, mode=PUBLIC) as unfinished:
                shutil.copyfile(source, unfinished)
        except OSError as problem:
            raise _not_copied(target, problem) from problem
    return tuple(files.values())


def remove(folder: Path) -> None:
    """Remove an adapter's folder, if it is there. Raises `AdapterProblem`."""
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as problem:
        raise AdapterProblem(
            tr("“{file}” could not be removed: {reason}.", file=folder, reason=problem.strerror),
            tr("Remove it by hand."),
        ) from problem


def _not_copied(file: Path, problem: OSError) -> AdapterProblem:
    return AdapterProblem(
        tr("“{file}” could not be copied: {reason}.", file=file.name, reason=problem.strerror),
        tr("Check the disk, then try again."),
    )
