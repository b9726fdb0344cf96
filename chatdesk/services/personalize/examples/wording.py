"""The words of answers: which of them are common, and which answers say the same."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

# A run of letters and digits; each character of the scripts that have no spaces between words.
_NO_SPACES = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_NO_SPACES}]|(?:(?![{_NO_SPACES}_])\w)+")
_TELLING = 16  # different answers that may share a word that tells a fact
_ALIKE = 0.5  # Dice coefficient: an answer in other words has 0.6, another fact in the same 0.3


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in their order, without case and punctuation."""
    return tuple(_WORD.findall(text.casefold()))


def document_counts(texts: Iterable[Sequence[str]]) -> Counter[str]:
    """Return in how many different texts, given as words, each word is."""
    return Counter(word for words in set(map(tuple, texts)) for word in set(words))


def same_facts(answers: Sequence[str]) -> list[int]:
    """Return a number for each answer, equal for those that say the same, or nearly the same.

    Two do when the Dice coefficient of their words is at least `_ALIKE`, with each word weighted
    by how few of the answers have it (Dice, "Measures of the Amount of Ecologic Association
    Between Species", 1945; Spärck Jones, "A Statistical Interpretation of Term Specificity",
    1972). It is transitive.
    """
    words = [frozenset(words_of(each)) for each in answers]
    counts = document_counts([sorted(each) for each in words])
    weights = {word: math.log(1 + len(set(words)) / count) for word, count in counts.items()}
    place_of: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    numbers: dict[frozenset[str], int] = {}
    for each in words:
        if each in numbers:
            continue
        numbers[each] = len(numbers)
        telling = [word for word in each if counts[word] <= _TELLING]
        for other in {other for word in telling for other in place_of[word]}:
            if numbers[other] != numbers[each] and _dice(each, other, weights) >= _ALIKE:
                _join(numbers, numbers[each], numbers[other])
        for word in telling:
            place_of[word].append(each)
    return [numbers[each] for each in words]


def _dice(one: frozenset[str], other: frozenset[str], weights: Mapping[str, float]) -> float:
    def weight(words: Iterable[str]) -> float:
        return math.fsum(weights[word] for word in words)

    return 2 * weight(one & other) / (weight(one) + weight(other))


def _join(numbers: dict[frozenset[str], int], one: int, other: int) -> None:
    for words, number in numbers.items():
        if number == other:
            numbers[words] = one
