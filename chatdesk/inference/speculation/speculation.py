"""Speculative decoding: several tokens are checked in one step, not computed one by one.

The sampled tokens do not depend on the guesses; these only decide how many tokens one step gives. A
step with more rows takes longer, on a CPU much longer, so most of this is about when guesses are
worth their rows.
"""

import itertools
import operator
from bisect import bisect_left
from collections.abc import Sequence

LARGEST_DRAFT = 15  # tokens; with the one before them 16 rows
_LENGTHS = (1, 2, 3, 5, 7, 11, LARGEST_DRAFT)  # few, so that each one's time is soon known

_SHORTEST_RUN, _LONGEST_RUN = 2, 5  # tokens
_RESUME_FOR = 24  # tokens: so long an interrupted copy is expected to go on
_RESUME_WITHIN = 48  # tokens after the place of the interruption
_SKIPPED = 8  # tokens of a passage that a copy leaves out at once

# Probability that the next token is right after 0, 1, 2, 3, 4, 5-7, 8-15, 16-31 and more matching
# ones, until this answer has its own figures: anywhere, and where an interrupted copy resumes.
_CHANCES = (0.0, 0.0, 0.35, 0.5, 0.6, 0.7, 0.85, 0.95, 0.96)
_NEAR_CHANCES = (0.3, 0.5, 0.65, 0.8, 0.85, 0.9, 0.94, 0.95, 0.97)
_CHANCE_WEIGHT = 4.0  # tokens
_CHANCE_MEMORY = 0.97  # of the counts, with each further token


class Chance:
    """The share of right guesses of a kind; the latest ones count most."""

    def __init__(self, expected: float, weight: float = _CHANCE_WEIGHT) -> None:
        self._right = expected * weight
        self._seen = weight

    @property
    def value(self) -> float:
        """A probability."""
        return self._right / self._seen

    def learn(self, right: bool) -> None:
        """Count one guess."""
        self._right = self._right * _CHANCE_MEMORY + right
        self._seen = self._seen * _CHANCE_MEMORY + 1


class PromptLookup:
    """Guesses that repeat an earlier passage which began in the same way.

    It follows the longest run of 2 to 5 tokens at the end that occurred before; of several places
    the first one after where a copy was interrupted, else the latest. Every new token is compared
    with the guess there would have been, so the chances are known without computing anything.
    """

    def __init__(self, tokens: Sequence[int]) -> None:
        """Begin after a prompt."""
        self._tokens: list[int] = []
        self._places: dict[tuple[int, ...], list[int]] = {}  # of the token that follows a run
        self._chances = [Chance(value) for value in _CHANCES]
        self._near_chances = [Chance(value) for value in _NEAR_CHANCES]
        self._next: int | None = None  # the place of the token that is guessed next
        self._match = 0  # the number of tokens before it that equal those at the end
        self._near = False  # it is where a copy resumes
        self._broken = 0  # the place of the interruption
        self._resume_for = 0  # the number of further tokens to look for it there
        for token in tokens:
            self._append(token)
        self._find()

    def extend(self, tokens: Sequence[int]) -> None:
        """Add tokens of the answer as they come."""
        for token in tokens:
            place, match = self._next, self._match
            is_right = place is not None and self._tokens[place] == token
            if place is not None:
                self._chance(match).learn(is_right)
                if match >= _LONGEST_RUN and not is_right:
                    self._broken, self._resume_for = place, _RESUME_FOR
            self._resume_for -= 1
            self._append(token)
            if place is not None and is_right and match >= _LONGEST_RUN:
                self._next, self._match = place + 1, match + 1
            else:
                self._find()

    def propose(self, limit: int) -> list[int]:
        """Return at most `limit` likely next tokens; none without an earlier passage.

        A passage that reaches up to the end is assumed to repeat itself.
        """
        if self._next is None:
            return []
        guessed = self._tokens[self._next : self._next + limit]
        period = len(self._tokens) - self._next
        while len(guessed) < limit:
            guessed.append(guessed[-period])
        return guessed

    def chances(self, limit: int) -> list[float]:
        """Return the probability of each token of `propose(limit)`, given those before it."""
        if self._next is None:
            return []
        return [self._chance(self._match + ahead).value for ahead in range(limit)]

    def _chance(self, match: int) -> Chance:
        chances = self._near_chances if self._near else self._chances
        return chances[min(match if match < _LONGEST_RUN else 2 + match.bit_length(), 8)]

    def _append(self, token: int) -> None:
        self._tokens.append(token)
        end = len(self._tokens)
        for size in range(_SHORTEST_RUN, min(_LONGEST_RUN, end) + 1):
            self._places.setdefault(tuple(self._tokens[-size:]), []).append(end)

    def _find(self) -> None:
        """Find the earlier place that the end of the text repeats."""
        self._next, self._match, self._near = None, 0, False
        for size in range(min(_LONGEST_RUN, len(self._tokens)), _SHORTEST_RUN - 1, -1):
            places = self._places[tuple(self._tokens[-size:])]
            earlier = len(places) - 1  # the last one is the end itself
            if earlier:
                self._match = size
                after = bisect_left(places, self._broken, 0, earlier)
                self._near = (
                    self._resume_for > 0
                    and after < earlier
                    and places[after] - self._broken <= _RESUME_WITHIN
                )
                self._next = places[after if self._near else earlier - 1]
                break
        if self._resume_for > 0 and not self._near and self._match < _LONGEST_RUN:
            self._resume()

    def _resume(self) -> None:
        """Resume an interrupted copy: after the last token, or with that one replaced."""
        passage = self._tokens[self._broken : min(self._broken + _SKIPPED, len(self._tokens) - 1)]
        if self._tokens[-1] in passage:
            place, match = self._broken + passage.index(self._tokens[-1]) + 1, 1
        elif self._resume_for == _RESUME_FOR - 1:
            place, match = self._broken + 1, 0
        else:
            return
        if place < len(self._tokens) and self._match <= match + 1:
            self._next, self._match, self._near = place, match, True


_FURTHER_ROW = 0.7  # of the time of the first row: the cost of others, until it is measured
_FOLLOW_ALL, _FOLLOW_ONE = 0.2, 0.2  # weights of a measurement in the expected times
_LARGEST_SURPRISE = 1.5  # times the expected time: a longer step was disturbed
_DOUBT = 0.9995  # sizes that seem slow slowly get lower estimates, so that they are tried again


class StepCosts:
    """The duration of decode steps by their number of rows, shared by all answers of one model.

    The machine gets faster and slower as a whole when other programs run, so a step of any size
    informs the estimate of all sizes, and a little more of its own. Used by one thread.
    """

    def __init__(self) -> None:
        self._row_s = 0.0  # seconds of a step with one row
        self._sizes = [1]  # measured ones, and
        self._relative = [1.0]  # their times, in steps of one row

    def measured(self, rows: int, seconds: float) -> None:
        """Learn from a step of so many rows, at least one."""
        if not self._row_s:
            self._row_s = seconds / self._times(rows)
        if rows == 1:
            self._measured_one(seconds)
            return
        surprise = min(seconds / self.expected(rows), _LARGEST_SURPRISE)
        at = bisect_left(self._sizes, rows)
        if at == len(self._sizes) or self._sizes[at] != rows:
            self._relative.insert(at, self._times(rows) * surprise)
            self._sizes.insert(at, rows)
            return
        self._row_s *= surprise**_FOLLOW_ALL
        self._relative[at] *= surprise**_FOLLOW_ONE

    def _measured_one(self, seconds: float) -> None:
        surprise = min(seconds / self._row_s, _LARGEST_SURPRISE)
        self._row_s *= surprise**_FOLLOW_ALL
        if len(self._sizes) > 1:
            self._relative = [
                min(times, max(times * _DOUBT, _usual(size)))
                for size, times in zip(self._sizes, self._relative, strict=True)
            ]

    def expected(self, rows: int) -> float:
        """Return the seconds of a step of so many rows, at least one; 0 before any measurement.

        On the line through the nearest measured sizes.
        """
        return self._row_s * self._times(rows)

    def _times(self, rows: int) -> float:
        sizes, relative = self._sizes, self._relative
        at = bisect_left(sizes, rows)
        high = min(at, len(sizes) - 1)
        low = max(high - 1, 0)
        slope = _FURTHER_ROW
        if low < high:
            slope = max(0.0, (relative[high] - relative[low]) / (sizes[high] - sizes[low]))
        if at == len(sizes):
            slope = min(slope, _FURTHER_ROW)  # the first of the further rows are the slowest
        return relative[high] + slope * (rows - sizes[high])


def _usual(rows: int) -> float:
    return 1 + _FURTHER_ROW * (rows - 1)


_WORTH = 1.1  # times the plain speed, so that errors of measurement do not slow an answer down
_PATIENCE = 1.1  # times the duration of a step that other answers wait for
_DRAFT_CHANCE = 0.85  # of a draft model's tokens, until it is measured
_READING = 0.3  # of the time to guess a token: to read one of several
_PROBE_LENGTH = 3
# In plain steps: the budget for wrong guesses at first, its growth with each step, and its limit.
_SPARE, _MORE_SPARE, _MOST_SPARE = 2.0, 0.02, 8.0
_CAUTION = 0.2  # times the plain speed: the gain required for each plain step beyond that


class DraftLength:
    """Decides for one answer how many tokens to guess now.

    It maximizes the tokens per second: `(1 + expected right guesses) / seconds of the step` against
    one token per plain step. An account of the cost and gain of guesses limits what an answer can
    lose by them.
    """

    def __init__(self, costs: StepCosts, largest: int = LARGEST_DRAFT) -> None:
        self._costs = costs
        self._largest = largest
        self._chance = Chance(_DRAFT_CHANCE)
        self._spare = _SPARE
        self._skipped = 0  # tokens that the draft model has not read
        self._prices = [0.0]  # of as many guesses as chosen last, and of fewer; plain steps

    def choose(
        self, others: int, draft_token_s: float = 0.0, chances: Sequence[float] | None = None
    ) -> int:
        """Return how many tokens to guess, 0 when guessing does not pay.

        `others` rows of other answers are in the step anyway. `chances` are those of the available
        guesses, each given those before it. None means the guesses of a draft model that takes
        `draft_token_s` for a token: its chances are known from earlier guesses, and now and then
        some are made only to measure them.
        """
        plain = self._costs.expected(others + 1)
        if plain == 0:
            return 0
        self._spare = min(self._spare + _MORE_SPARE, _MOST_SPARE)
        known = [self._chance.value] * self._largest if chances is None else chances
        prices = [
            (self._costs.expected(others + 1 + length) + length * draft_token_s) / plain - 1
            for length in range(min(self._largest, len(known)) + 1)
        ]
        if others:
            prices = [price for price in prices if price <= _PATIENCE - 1]
        best = self._best(known, prices)
        if chances is None and best == 0:
            best = self._probe(prices, _READING * self._skipped * draft_token_s / plain)
        self._skipped = 0 if best else self._skipped + 1
        self._prices = prices[: best + 1]
        return best

    def learned(self, drafted: int, accepted: int) -> None:
        """Learn that of so many guesses the first `accepted` were right.

        Call it after `choose` returned a number, also when no guesses were made: a guess that a
        draft model was too unsure of took its time as well.
        """
        for place in range(min(accepted + 1, drafted)):
            self._chance.learn(place < accepted)
        price = self._prices[min(drafted + 1, len(self._prices) - 1)]
        self._spare = min(self._spare + accepted - price, _MOST_SPARE)

    def _best(self, chances: Sequence[float], prices: Sequence[float]) -> int:
        right = [0.0, *itertools.accumulate(itertools.accumulate(chances, operator.mul))]
        longest = len(prices) - 1
        best, best_speed = 0, _WORTH + _CAUTION * max(0.0, -self._spare)
        for length in {min(length, longest) for length in _LENGTHS} - {0}:
            speed = (1 + right[length]) / (1 + prices[length])
            if speed > best_speed:
                best, best_speed = length, speed
        return best

    def _probe(self, prices: Sequence[float], reading: float) -> int:
        """Return how many tokens to guess as a trial, if that and the skipped reading is
        affordable.
        """
        length = min(_PROBE_LENGTH, len(prices) - 1)
        if prices[length] + reading > self._spare:
            return 0
        self._spare -= reading
        return length
