"""Writes the inside of a block: text in its character formats, inline code, links.

Model output is never read as HTML and nothing is fetched: raw HTML arrives here as text, an image
is shown as its description.
"""

import re
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor

from chatdesk.core.i18n import tr
from chatdesk.ui.markdown.addresses import safe_link
from chatdesk.ui.markdown.properties import INLINE_CODE
from chatdesk.ui.theme import Theme, code_font, text_font

if TYPE_CHECKING:  # the parser is imported when the first message is shown
    from markdown_it.token import Token

CHIP_PADDING = 4.0  # pixels between inline code and its border
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\uffef\U00020000-\U0003ffff]")


@dataclass(frozen=True)
class Style:
    """The active character formats at one place; `quiet` text is muted.

    `wide` letters are bold in full only: many Chinese fonts have one weight, of which Qt makes a
    bold one but none between.
    """

    pixels: float
    bold: bool = False
    wide: bool = False
    italic: bool = False
    strike: bool = False
    href: str = ""
    raised: bool = False
    quiet: bool = False


class InlineWriter:
    """Inserts inline tokens at a cursor; `has_links` is set with the first link."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.has_links = False
        self._formats: dict[Style, QTextCharFormat] = {}

    def write(self, cursor: QTextCursor, inline: "Token", base: Style) -> None:
        """Insert the children of `inline`; `base` is the style without markup."""
        on = base
        children = inline.children or []
        for token, following in zip_longest(children, children[1:]):
            kind = token.type
            if kind == "text":
                before_code = following is not None and following.type == "code_inline"
                wide = on.bold and _WIDE.search(token.content) is not None
                form = self.format(replace(on, wide=wide))
                _insert(cursor, token.content, form, spaced=before_code)
            elif kind == "code_inline":
                _insert(cursor, token.content, self._code_format(on), spaced=True)
            elif kind in ("softbreak", "hardbreak"):
                cursor.insertText("\u2028")
            elif kind == "link_open":
                on = replace(on, href=safe_link(str(token.attrs.get("href", ""))))
            elif kind == "link_close":
                on = replace(on, href="")
            elif kind == "image":
                shown = replace(on, href=on.href or safe_link(str(token.attrs.get("src", ""))))
                words = tr("[image: {description}]", description=token.content or "…")
                cursor.insertText(words, self.format(shown))
            elif kind == "footnote_ref":
                cursor.insertText(token.meta["label"], self.format(replace(on, raised=True)))
            else:
                on = _switched(on, kind, base)

    def format(self, on: Style) -> QTextCharFormat:
        """Return the character format of a style."""
        if on in self._formats:
            return self._formats[on]
        bold = QFont.Weight.Bold if on.wide else QFont.Weight.DemiBold
        weight = bold if on.bold else QFont.Weight.Normal
        form = QTextCharFormat()
        font = text_font(on.pixels, weight)
        font.setItalic(on.italic)
        font.setStrikeOut(on.strike)
        form.setFont(font)
        form.setForeground(QColor(self._theme.muted if on.quiet else self._theme.text))
        if on.raised:
            form.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
        if on.href:
            form.setAnchor(True)
            form.setAnchorHref(on.href)
            form.setForeground(QColor(self._theme.accent))
            form.setFontUnderline(True)
            self.has_links = True
        self._formats[on] = form
        return form

    def _code_format(self, on: Style) -> QTextCharFormat:
        form = QTextCharFormat(self.format(replace(on, quiet=False)))
        font = code_font()
        font.setWeight(QFont.Weight.DemiBold if on.bold else QFont.Weight.Normal)
        form.setFont(font)
        form.setProperty(INLINE_CODE, True)
        return form


def _insert(cursor: QTextCursor, text: str, form: QTextCharFormat, *, spaced: bool) -> None:
    """Insert text; `spaced` leaves room after it for the border of inline code."""
    if not spaced:
        cursor.insertText(text, form)
        return
    wide = QTextCharFormat(form)
    wide.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
    wide.setFontLetterSpacing(CHIP_PADDING)
    cursor.insertText(text[:-1], form)
    cursor.insertText(text[-1:], wide)


def _switched(on: Style, kind: str, base: Style) -> Style:
    name, _, side = kind.rpartition("_")
    start = side == "open"
    if name == "strong":
        return replace(on, bold=start or base.bold)
    if name == "em":
        return replace(on, italic=start)
    if name == "s":
        return replace(on, strike=start)
    return on
