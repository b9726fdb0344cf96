"""The text of a file that a person drops on the window: hostile until it is read."""

import codecs
import locale
import os
import stat
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import current_language, tr
from chatdesk.core.units import size_words

LIMIT = 256_000  # bytes: more than most models can read at once
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ALLOWED = frozenset("\t\n\r\f")


def read_text_file(path: Path) -> str | None:
    """Return the text of a file; None if it is no text, or no file. Raises `EnvironmentProblem`."""
    try:
        data = _bytes(path)
    except OSError as problem:
        raise EnvironmentProblem(
            tr("“{name}” cannot be read: {reason}.", name=path.name, reason=problem.strerror),
            tr("Choose another file."),
        ) from problem
    return None if data is None else _decoded(data)


def _bytes(path: Path) -> bytes | None:
    if path.is_dir():  # nothing can be read from it, which is no problem
        return None
    # A pipe would be waited for; what a file is can change until it is open.
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(LIMIT + 1)
        if len(data) <= LIMIT:
            return data
        size = os.fstat(descriptor).st_size
    if _decoded(data[: LIMIT // 2], whole=False) is None:
        return None
    raise EnvironmentProblem(
        tr(
            "“{name}” is too long to be put into a message: {size}.",
            name=path.name,
            size=size_words(size),
        ),
        tr("A text file may have up to {size}.", size=size_words(LIMIT)),
    )


def _decoded(data: bytes, *, whole: bool = True) -> str | None:
    """The text of these bytes in the first encoding in which they are one."""
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    chinese = current_language().startswith("zh")
    usual = ("utf-8", locale.getencoding(), "gb18030" if chinese else "cp1252")
    for encoding in (marked,) if marked else usual:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
        except (UnicodeError, LookupError):
            continue
        if all(letter.isprintable() or letter in _ALLOWED or ord(letter) > 0x9F for letter in text):
            return text.replace("\r\n", "\n").replace("\r", "\n")
    return None
