"""Text as search compares it: case, diacritics and forms of letters folded; and its tokens.

Each character of text in form NFC is folded by itself, so that a place in the folded text is found
in the original. Scripts that put no blanks between words (Chinese, Japanese, Thai and others;
Korean, which adds its endings to words) are searched by overlapping pairs of letters.
"""

import re
import unicodedata
from itertools import accumulate
from operator import add

JOINED = (  # the scripts without blanks, as a part of a regular expression's class
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u1000-\u103f\u1100-\u11ff\u1780-\u17d3\u2e80-\u2fdf"
    "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U000323af"
)
SYMBOLS = "#$%&+@"  # of ASCII, those that are words of their own
ONE_WORD = f"[^\\W_{JOINED}]"  # a letter or digit of a script with blanks

_JOINED_RUN = re.compile(f"[{JOINED}]+")
_SYMBOL = re.compile(f"[{SYMBOLS}]")
_TOKEN = re.compile(f"[{JOINED}]+|[0-9A-Za-z{SYMBOLS}\u0080-\U0010ffff]+")
_ALIKE = {
    **dict.fromkeys("‘’‚‛ʼ", "'"),
    **dict.fromkeys("“”„‟«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict(zip("ıøłđħŧ", "ioldht", strict=True)),
    "\u200b": " ",
}


class _Folds(dict[int, str]):
    """Every character's folded form, made when it is first met."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if letter in _ALIKE:
            folded = _ALIKE[letter]
        else:
            apart = unicodedata.normalize("NFKD", letter.casefold())
            kept = "".join(_ALIKE.get(each, each) for each in apart if not _is_dropped(each))
            folded = unicodedata.normalize("NFC", kept)
        self[code] = folded
        return folded


class _Spread(dict[int, str]):
    """A folded character as the index has it: a sign alone becomes a word, or nothing at all."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if letter in SYMBOLS or (code > 127 and unicodedata.category(letter)[0] in "SC"):
            spread = f" {letter} "
        else:
            spread = letter if code > 127 and unicodedata.category(letter)[0] in "LNM" else " "
            spread = letter if code < 128 else spread
        self[code] = spread
        return spread


_FOLDS = _Folds()
_SPREAD = _Spread()


def _is_dropped(letter: str) -> bool:
    """True for accents, points and signs of no width; False for vowels, which are marks as well."""
    combining = unicodedata.combining(letter)
    return (
        10 <= combining <= 35
        or combining >= 200
        or unicodedata.category(letter) == "Cf"
        or "\ufe00" <= letter <= "\ufe0f"  # the variants of an emoji
    )


def composed(text: str) -> str:
    """Return the text in form NFC, in which places of the folded text are told."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return the text with case, diacritics and forms of letters folded."""
    return text.lower() if text.isascii() else composed(text).translate(_FOLDS)


def places(text: str) -> list[int] | None:
    """Return where each character of `composed(text)` begins in `folded(text)`, and its length.

    None where the two have the same places.
    """
    if text.isascii():
        return None
    lengths = [len(_FOLDS[ord(letter)]) for letter in composed(text)]
    return None if all(each == 1 for each in lengths) else [*accumulate(lengths, initial=0)]


def index_words(text: str) -> tuple[str, str]:
    """Return the words of a text with blanks between them, and the pairs of scripts without."""
    text = folded(text)
    pairs: list[str] = []
    if not text.isascii():
        for run in _JOINED_RUN.findall(text):
            pairs += pairs_of(run)
        text = _JOINED_RUN.sub(" ", text)
        return text.translate(_SPREAD), " ".join(pairs)
    return _SYMBOL.sub(r" \g<0> ", text), ""


def pairs_of(run: str) -> list[str]:
    """Return the overlapping pairs of letters of a run, and at its end the last letter alone."""
    return [*map(add, run, run[1:]), run[-1]]


def is_joined(token: str) -> bool:
    """True for a token of a script without blanks."""
    return _JOINED_RUN.match(token) is not None


def tokens(text: str) -> list[str]:
    """Return a folded text's words, signs and runs of scripts without blanks, in their order."""
    found: list[str] = []
    at = 0
    for run in [*_JOINED_RUN.finditer(text), None]:
        before = text[at : run.start() if run else None]
        found += _TOKEN.findall(before.translate(_SPREAD))
        if run:
            found.append(run[0])
            at = run.end()
    return found
