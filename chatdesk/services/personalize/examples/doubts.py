"""Examples that would do harm: empty, noise, repetition, refusals, half an answer.

The limits were chosen on translated messages of 118 languages, Python and JavaScript source and
tables (cut to 60 to 1,000 characters), against random characters, words and tokens.
"""

import math
import re
import unicodedata
from collections import Counter

from chatdesk.core.personalization import Doubt, Example, ExampleReason
from chatdesk.services.personalize.examples.refusals import is_refusal

# Frequency of letters in 70 languages with Latin script, without their accents; in 1/1000.
_FREQUENCY = {
    **{"a": 115, "b": 18, "c": 28, "d": 39, "e": 112, "f": 13, "g": 22, "h": 19, "i": 85, "j": 11},
    **{"k": 26, "l": 47, "m": 30, "n": 73, "o": 66, "p": 26, "q": 2, "r": 61, "s": 58, "t": 60},
    **{"u": 39, "v": 15, "w": 7, "x": 3, "y": 13, "z": 11},
}
_LOG_ODDS = {
    letter: math.log2(share / sum(_FREQUENCY.values()) * 26) for letter, share in _FREQUENCY.items()
}


def doubts(example: Example) -> tuple[Doubt, ...]:
    """Return the doubts about learning an example, those already known included."""
    target = example.shown(example.target)
    if not target.strip():
        return (Doubt.EMPTY,)
    found = set(example.doubts)
    if is_noise(target):
        found.add(Doubt.NOISE)
    if is_repetitive(target):
        found.add(Doubt.REPETITION)
    if example.why is not ExampleReason.CORRECTED and is_refusal(target):
        found.add(Doubt.REFUSAL)
    if _ends_in_the_middle(target):
        found.add(Doubt.CUT_OFF)
    return tuple(each for each in Doubt if each in found)


# Noise

_LEAST_LETTERS = 30
_LEAST_ODDS = -0.2  # bits a letter: random letters have -0.6, languages 0.2 to 0.7, Welsh -0.19
_LEAST_IDEOGRAPHS = 8
_RARE_SHARE = 1 / 3  # of ideographs: random ones are rare to 64 %, those of languages to 2 %
_BROKEN_SHARE = 0.05  # of characters
_BROKEN = {"Cc", "Cn", "Co", "Cs"}  # categories: control, unassigned, private, surrogate
_LEAST_WORDS = 60  # of running text
_LEAST_REPEATED = 0.02  # of the words; languages have 0.035 or more (of 100), random words 0.015
_RUNNING = re.compile(r"\b(?:[^\W\d_]+[ '’]){8,}")  # words without a mark or a line's end between


def is_noise(text: str) -> bool:
    """Return True if a text is of random characters, or (if it is long) of random words."""
    if sum(map(_is_broken, text)) > len(text) * _BROKEN_SHARE:
        return True
    return _has_random_letters(text) or _has_random_ideographs(text) or _has_random_words(text)


def _is_broken(character: str) -> bool:
    if character in "\n\r\t":
        return False
    return character == "\ufffd" or unicodedata.category(character) in _BROKEN


def _has_random_letters(text: str) -> bool:
    """Return True for mostly Latin letters that are less likely than in any language."""
    letters = [each for each in unicodedata.normalize("NFD", text.lower()) if each.isalpha()]
    latin = [each for each in letters if each in _LOG_ODDS]
    if len(latin) < max(_LEAST_LETTERS, len(letters) / 2):
        return False
    return sum(map(_LOG_ODDS.__getitem__, latin)) / len(latin) < _LEAST_ODDS


def _has_random_ideographs(text: str) -> bool:
    ideographs = [each for each in text if "\u3400" <= each <= "\u9fff"]
    rare = sum(not _is_common(each) for each in ideographs)
    return len(ideographs) >= _LEAST_IDEOGRAPHS and rare > len(ideographs) * _RARE_SHARE


def _is_common(ideograph: str) -> bool:
    """Return True if it is in the first level of a Chinese or Japanese character set."""
    for encoding, end in (("gb2312", 0xD8), ("big5", 0xC7), ("euc_jp", 0xD0)):
        data = ideograph.encode(encoding, "ignore")
        if len(data) == 2 and data[0] < end:
            return True
    return False


def _has_random_words(text: str) -> bool:
    """Return True if a long text, with spaces between words, repeats almost no word."""
    running = " ".join(_RUNNING.findall(text)).lower()
    words = re.findall(r"[^\W\d_]+", running)
    return len(words) >= _LEAST_WORDS and 1 - len(set(words)) / len(words) < _LEAST_REPEATED


# Repetition

_LONGEST_UNIT = 80  # characters of the repeated text
_TIMES = 5
_REPEATED_SHARE = 1 / 3  # of the text
_SHORTEST_RUN = 16  # characters; laughter is shorter
_UNIT_AGAIN = re.compile(rf"(.{{1,{_LONGEST_UNIT}}}?)\1{{{_TIMES - 1},}}", re.DOTALL)
_MOST_WORDS = 0.5  # of all words may be the same; human texts have 0.2
_LEAST_COUNTED = 8  # words, or lines


def is_repetitive(text: str) -> bool:
    """Return True if a word, phrase or line is repeated often. Rules and numbers may be."""
    for run in _UNIT_AGAIN.finditer(text):
        length = len(run[0])
        is_long = length >= max(_SHORTEST_RUN, len(text) * _REPEATED_SHARE)
        if is_long and any(map(str.isalpha, run[1])):
            return True
    words = [word for word in re.findall(r"\w+", text.lower()) if not word.isnumeric()]
    lines = [line.strip() for line in text.splitlines() if any(map(str.isalpha, line))]
    return _is_mostly_one(words) or _is_mostly_one(lines)


def _is_mostly_one(parts: list[str]) -> bool:
    if len(parts) < _LEAST_COUNTED:
        return False
    return Counter(parts).most_common(1)[0][1] > len(parts) * _MOST_WORDS


# Cut off

_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_OPEN_END = re.compile(r"\w[,，、-]\s*\Z")


def _ends_in_the_middle(text: str) -> bool:
    """Return True if a fence is open, or ends in comma or hyphen. A full stop is not required."""
    return len(_FENCE.findall(text)) % 2 == 1 or bool(_OPEN_END.search(text))
