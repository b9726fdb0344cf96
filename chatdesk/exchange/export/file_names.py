"""Names of files that every system takes, made of titles."""

import re
from collections.abc import Container
from itertools import chain, count
from typing import Final

LONGEST: Final = 100  # bytes: with its folder it must fit Windows' 260 characters
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\ud800-\udfff]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_name(title: str, ending: str, taken: Container[str], instead: str) -> str:
    """Return a name for a file of this title, or `instead`, that is not `taken`.

    Names that differ in case only are the same on some systems: `taken` has them in lower case.
    https://learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    stem = " ".join(_FORBIDDEN.sub(" ", title).split()).strip(". ")
    stem = stem.encode()[:LONGEST].decode(errors="ignore").strip(". ") or instead
    if _RESERVED.fullmatch(stem):
        stem = f"{stem}_"
    names = chain([stem], (f"{stem} ({number})" for number in count(2)))
    return next(name for each in names if (name := f"{each}{ending}").lower() not in taken)
