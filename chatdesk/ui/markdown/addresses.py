"""Where a link leads: whether it may be opened, and how it is shown before.

Models and imported chats write links, so what is shown must not deceive. The host comes first, in
ASCII: letters that only look like Latin ones are told apart. A name before it (`bank.com@…`) is
left out, and signs that turn a text around, blanks and markup stay encoded.
"""

import re
from urllib.parse import quote, unquote

from PySide6.QtCore import QUrl

SAFE_SCHEMES = ("http", "https", "mailto")
_LONGEST = 200  # characters that are shown
_IN_ASCII = QUrl.ComponentFormattingOption.FullyEncoded
_NAME = re.compile(r"//[^/?#]*@")
_ENCODED = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")  # what is not ASCII


def safe_link(target: str) -> str:
    """Return `target` if a click may open it, else ""."""
    url = QUrl(target)
    if url.scheme() == "mailto":
        return target if url.path() else ""
    return target if url.scheme() in SAFE_SCHEMES and url.host() else ""


def shown_address(url: QUrl) -> str:
    """Return an address as it is shown; a host of other letters stands behind it, too."""
    host = url.host()
    if url.scheme() == "mailto":
        text, host = _mail(url)
    else:
        text = _NAME.sub("//", url.toString(_IN_ASCII), count=1)
    text = _ENCODED.sub(_letters, text)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    return text if host.isascii() else f"{text} ({host})"


def _mail(url: QUrl) -> tuple[str, str]:
    local, at, domain = url.path().rpartition("@")
    known = bytes(QUrl.toAce(domain).data()).decode()
    query = url.query(_IN_ASCII)
    text = f"mailto:{quote(local)}{at}{known or quote(domain)}{'?' if query else ''}{query}"
    return text, QUrl.fromAce(known.encode()) if known else ""


def _letters(encoded: re.Match[str]) -> str:
    """Return letters and digits as they are, and other signs encoded."""
    text = unquote(encoded[0])
    return "".join(sign if sign.isalnum() else quote(sign) for sign in text)
