"""`tr()`: every sentence for the user, in the user's language.

GNU gettext through the standard library, so that the command line needs no Qt. Catalogs are
`assets/locale/<language>/LC_MESSAGES/chatdesk.mo`, compiled from the `.po` beside them by `dev.py
translations`. The chosen language is the only process-wide setting of the program: it is set once,
before the first sentence.
"""

import gettext
import locale
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
_BEFORE_UNIT = re.compile(r"(?<=[}\d]) (?=%|(?:[kMGT]B|min|s|h|tokens/s)\b|词元/秒|秒|分|小时)")
_WINDOWS_NAMES = {"chinese": "zh_CN"}  # how the names of locales begin there

_ties = False
_catalog: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def system_language() -> str:
    """Return the best of `LANGUAGES` for this system; English when none fits."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return _supported(value)
    return _supported(locale.getlocale()[0] or "")


def _supported(name: str) -> str:
    name = name.lower()
    for language in LANGUAGES:
        if name[:2] == language[:2] and not name[2:3].isalpha():
            return language
    return next((own for start, own in _WINDOWS_NAMES.items() if name.startswith(start)), "en")


def set_language(language: str, locale_dir: Path) -> None:
    """Use `language` (a key of `LANGUAGES`) from now on; an unknown one means English."""
    global _catalog, _language  # noqa: PLW0603 - see the module's docstring
    _language = language
    _catalog = gettext.translation("chatdesk", locale_dir, [language], fallback=True)


def tie_units(tied: bool) -> None:
    """Keep numbers and their units on one line from now on, for the window.

    Text on a terminal, and what programs read, has spaces that are found by whoever looks for them.
    """
    global _ties  # noqa: PLW0603 - see the module's docstring
    _ties = tied


def current_language() -> str:
    """Return the language that was set last."""
    return _language


class Sentence(str):
    """Words in the user's language, together with the parts they were made of.

    `message` is their key in the catalog, `many` the second one of a counted thing (its count is
    the value `n`), `values` fill the placeholders. The store keeps these instead of the words, so
    that a sentence made in one language is read in another.
    """

    __slots__ = ("many", "message", "values")
    message: str
    values: Mapping[str, Any]
    many: str

    @classmethod
    def of(cls, message: str, values: Mapping[str, Any], many: str = "") -> "Sentence":
        """Make the sentence in the current language; a message without translation is kept."""
        known = _catalog
        found = known.ngettext(message, many, values["n"]) if many else known.gettext(message)
        words = _tied(found) if _ties else found
        said = cls(words.format(**values) if values else words)
        said.message, said.values, said.many = message, values, many
        return said


@cache
def _tied(words: str) -> str:
    """Keep a number and its unit on one line, with a space that does not break."""
    return _BEFORE_UNIT.sub("\u00a0", words)


def plain(value: object) -> str:
    """Return a sentence as a plain `str`: msgspec encodes no subclass (its `enc_hook`).

    Raises `TypeError` for anything else.
    """
    if isinstance(value, Sentence):
        return str(value)
    raise TypeError(f"objects of type {type(value).__name__} cannot be encoded")


def tr(text: str, **values: object) -> str:
    """Return `text` in the user's language, with its `{placeholders}` filled from `values`."""
    return Sentence.of(text, values)


def trn(one: str, many: str, n: int, **values: object) -> str:
    """Like `tr` for a counted thing: `one` or `many` by the language's rule; `{n}` is the count."""
    return Sentence.of(one, {"n": n, **values}, many)
