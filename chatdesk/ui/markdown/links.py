"""Addresses in a text that nobody marked as links: `http(s)://`, `www.` and mail, nothing else.

An address ends where a sentence goes on: before white space, before a sign that no address has (a
full-width bracket, a quotation mark), and before words in letters that are written without spaces,
unless these begin a part of it: `…/wiki/维基百科`, but not `…/a/b第二页`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACELESS = (  # Chinese, Japanese and Korean letters
    "々-〇ぁ-ゖゝ-ゟァ-ヺー-ヿㄅ-ㄯ\u3400-\u4dbf\u4e00-\u9fff가-힣\uf900-\ufaff\U00020000-\U0003134f"
)
_PATH = (
    rf"(?:[-._~:/?#\[\]@!$&'()+,;=%]|(?![{_SPACELESS}])[^\W_]"
    rf"|(?<=[-/=?&#_%{_SPACELESS}])[{_SPACELESS}])*"
)
_LETTER = rf"(?![{_SPACELESS}_])\w"
_DOMAIN = rf"(?:(?:-|{_LETTER}){{1,63}}\.){{1,8}}(?:(?!\d){_LETTER}){{2,24}}(?!-|{_LETTER})"
# Case is ignored in parts only: with the letters of `_SPACELESS` it would compile for 20 ms more.
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9_.+/@-])(?:(?P<web>(?i:https?)://[^\W_]{_PATH})"
    rf"|(?P<bare>(?i:www)\.{_DOMAIN}(?:[:/?#]{_PATH})?)"
    rf"|(?P<mail>(?:(?i:mailto):)?[A-Za-z0-9][A-Za-z0-9._+-]{{0,63}}@{_DOMAIN}))"
)
_AFTER_IT = "?!.,:;*_~'\""
_CLOSING = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Link:
    """An address found in a text: markdown-it's own form of it."""

    index: int
    last_index: int
    text: str
    url: str
    schema: str


class LinkFinder:
    """Finds addresses for markdown-it, in place of linkify-it."""

    def pretest(self, text: str) -> bool:
        """Return True if a look is worth it."""
        return "://" in text or "@" in text or "www." in text.lower()

    def test(self, text: str) -> bool:
        """Return True if there is an address in a text."""
        return next(_links(text), None) is not None

    def match(self, text: str) -> list[Link] | None:
        """Return the addresses in a text."""
        return list(_links(text)) or None

    def match_at_start(self, text: str) -> Link | None:
        """Return the web address that a text begins with."""
        found = _ADDRESS.match(text)
        return _link(found) if found and found["web"] else None


def _links(text: str) -> Iterator[Link]:
    return (_link(found) for found in _ADDRESS.finditer(text))


def _link(found: re.Match[str]) -> Link:
    written = found[0] if found["mail"] else _without_sentence(found[0])
    schema, prefix = "http:", ""
    if found["bare"]:
        schema, prefix = "", "http://"
    elif found["mail"]:
        schema, prefix = "mailto:", "" if written.lower().startswith("mailto:") else "mailto:"
    start = found.start()
    return Link(start, start + len(written), written, prefix + written, schema)


def _without_sentence(address: str) -> str:
    """Return an address without the signs at its end that belong to the sentence around it."""
    while True:
        end = address[-1:]
        opening = _CLOSING.get(end)
        if not (end in _AFTER_IT or (opening and address.count(end) > address.count(opening))):
            return address
        address = address[:-1]
