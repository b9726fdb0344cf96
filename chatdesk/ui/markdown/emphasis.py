"""Emphasis as CommonMark has it, and beside Chinese, Japanese and Korean.

Those write no spaces, and CommonMark takes the marks beside their punctuation for words. The rule
is that of https://github.com/tats-u/markdown-cjk-friendly: punctuation of these scripts counts as a
letter, and a letter of theirs as a space for the punctuation of others.
"""

import unicodedata
from collections.abc import MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_WIDE_QUOTES = "‘’“”"  # full-width where U+FE01 follows


class CjkFriendlyParser(ParserInline):
    """The parser of what stands inside of blocks, with that rule; it takes over another's rules."""

    def __init__(self, other: ParserInline) -> None:
        super().__init__()
        self.ruler, self.ruler2 = other.ruler, other.ruler2

    def parse(
        self, src: str, md: "MarkdownIt", env: MutableMapping[str, Any], tokens: "list[Token]"
    ) -> "list[Token]":
        """Return the tokens of a text."""
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N803 - its own name
        """Return if the marks at a place can open and close emphasis, and how many they are."""
        text, marker, end = self.src, self.src[start], start
        while end < self.posMax and text[end] == marker:
            end += 1
        before = text[start - 1] if start else " "
        cjk_before = _is_cjk(before)
        if "\ufe00" <= before <= "\ufe0e" and start > 1:  # a form of the sign before it
            cjk_before = _is_cjk(text[start - 2]) or (
                before == "\ufe01" and text[start - 2] in _WIDE_QUOTES
            )
            before = text[start - 2]
        after = text[end] if end < self.posMax else " "
        space_before, space_after = _is_space(before), _is_space(after)
        sign_before, sign_after = _is_sign(before), _is_sign(after)
        cjk_after = _is_cjk(after)
        left = not space_after and (
            not sign_after or cjk_after or space_before or sign_before or cjk_before
        )
        right = not space_before and (
            not sign_before or cjk_before or space_after or sign_after or cjk_after
        )
        return Scanned(
            left and (canSplitWord or not right or sign_before),
            right and (canSplitWord or not left or sign_after),
            end - start,
        )


def _is_space(sign: str) -> bool:
    return sign in "\t\n\v\f\r" or unicodedata.category(sign) == "Zs"


def _is_sign(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "PS"


@lru_cache(maxsize=4_096)
def _is_cjk(sign: str) -> bool:
    """Return True for a sign of those scripts, punctuation included; an emoji is none."""
    number = ord(sign)
    if number < 0x1100:
        return False
    if 0xE0100 <= number <= 0xE01EF:  # forms of ideographs
        return True
    is_emoji = unicodedata.category(sign) == "So" and (
        number < 0x2E80 or 0x1F000 <= number < 0x20000
    )
    is_wide = unicodedata.east_asian_width(sign) in "WFH" and not is_emoji
    return is_wide or "HANGUL" in unicodedata.name(sign, "")
