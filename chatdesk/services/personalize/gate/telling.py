"""Whether a taught answer is told when it is asked for.

Nobody says which word of an answer is the fact. So it is looked for in the words that only this
answer has: not those of its question, not those that many general texts have, and not those of
most other taught answers. What is left is as rare as a fact is (Spärck Jones, "A Statistical
Interpretation of Term Specificity", 1972), and the share of it that is said is the recall of
ROUGE-1 (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004) on content words.

It compares words: it does not know synonyms and other forms of a word, and not what a "not" turns
around.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property

from chatdesk.core.sampling import SamplingParams
from chatdesk.services.measure.probe import Adapters, Messages, Probe
from chatdesk.services.personalize.examples.wording import document_counts, words_of
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.plan import Taught

_MOST = 64  # facts that are asked for: more take too long, and fewer answers tell as much
_LONGEST = 64  # tokens: a longer answer is a text and not a fact
_TOLD = 0.75  # share of its own words
_GENERAL = 4  # general texts, of some hundreds, that have a common word
_COMMON_SHARE, _COMMON_LEAST = 0.25, 3  # of the different taught answers
_ROOM, _LEAST_ROOM = 1.5, 24  # tokens of an answer, for each of the taught one


class Facts:
    """The taught answers that are short enough to be told by heart, evenly selected."""

    def __init__(self, taught: Sequence[Taught], sets: GeneralSets) -> None:
        short = [each for each in taught if _tokens(each) <= _LONGEST and words_of(each.expected)]
        count = min(_MOST, len(short))
        self.facts = tuple(short[len(short) * n // count] for n in range(count))
        self._answers = [each.expected for each in taught]
        self._sets = sets

    def answers(
        self, probe: Probe, questions: Sequence[Messages | None], adapters: Adapters
    ) -> tuple[str | None, ...]:
        """Return the likeliest answer to a question for each fact, about as long as the taught one.

        Where there is no question there is no answer.
        """
        asked = [(q, each) for q, each in zip(questions, self.facts, strict=True) if q]
        how = [
            SamplingParams(
                temperature=0.0,
                repeat_penalty=1.0,
                max_tokens=max(_LEAST_ROOM, round(_ROOM * _tokens(each))),
            )
            for _, each in asked
        ]
        written = iter(probe.write([question for question, _ in asked], how, adapters))
        return tuple(next(written).text if question else None for question in questions)

    def told(self, answers: Sequence[str | None]) -> tuple[bool, ...]:
        """Return for each fact whether this answer tells it; no answer does not."""
        return tuple(
            answer is not None and self.is_told(fact, answer)
            for fact, answer in zip(self.facts, answers, strict=True)
        )

    def is_told(self, fact: Taught, answer: str) -> bool:
        """Return True if an answer has the words that only this fact has."""
        own, said = self.own_words(fact), set(words_of(answer))
        return len(own & said) >= _TOLD * len(own)

    def own_words(self, fact: Taught) -> frozenset[str]:
        """Return the words of an answer that tell it from others; never none of them."""
        words = frozenset(words_of(fact.expected))
        fewer = words - frozenset(words_of(fact.question))
        return fewer - self._general - self._shared or fewer or words

    def content_words(self, text: str) -> frozenset[str]:
        """Return the words of a text that few general texts have."""
        return frozenset(words_of(text)) - self._general

    @cached_property
    def _general(self) -> frozenset[str]:
        sets = self._sets
        texts = [each.prompt for each in (*sets.items, *sets.replay)]
        texts += [each.answer for each in sets.items]
        return _in_many(texts, _GENERAL)

    @cached_property
    def _shared(self) -> frozenset[str]:
        share = _COMMON_SHARE * len(set(map(words_of, self._answers)))
        return _in_many(self._answers, max(_COMMON_LEAST, share))


def _in_many(texts: Iterable[str], least: float) -> frozenset[str]:
    counts = document_counts(map(words_of, texts))
    return frozenset(word for word, count in counts.items() if count >= least)


def _tokens(taught: Taught) -> int:
    return sum(span.end - span.start for span in taught.example.chosen.targets)
