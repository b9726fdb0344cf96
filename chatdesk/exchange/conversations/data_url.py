"""Files inside of addresses: `data:image/png;base64,…`."""

import base64
import binascii
import io
import mimetypes
import re
from functools import partial
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from chatdesk.core.i18n import tr
from chatdesk.core.imported import ImportedFile, Unreadable

_DATA = re.compile(r"data:([\w.+/-]*)(?:;[\w.+=-]*)*?(;base64)?,")
_SHORT = 200  # characters of an address in a name


def file_of_url(address: str, name: str = "", media_type: str = "") -> ImportedFile:
    """Return the file in a data address; other addresses are not fetched."""
    found = _DATA.match(address[:_SHORT])
    if not found:
        return ImportedFile(name or address[:_SHORT] or "?", media_type, None)
    media_type = found[1] or media_type or "text/plain"
    name = name or "file" + (mimetypes.guess_extension(media_type) or "")
    data = address[found.end() :]
    if found[2]:
        return file_of_base64(data, name, media_type)
    return ImportedFile(name, media_type, partial(io.BytesIO, unquote_to_bytes(data)))


def file_of_base64(data: str, name: str, media_type: str) -> ImportedFile:
    """Return the file whose bytes are written as base64."""
    return ImportedFile(name, media_type, partial(_bytes, data))


def _bytes(data: str) -> BinaryIO:
    try:
        return io.BytesIO(base64.b64decode(data))
    except (binascii.Error, ValueError) as problem:
        raise Unreadable(tr("It is damaged.")) from problem
