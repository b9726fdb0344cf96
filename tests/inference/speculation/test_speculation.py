"""Speculative decoding: the guesses, and when they are made."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.open_model import Opened, open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch
from chatdesk.inference.speculation.speculation import (
    LARGEST_DRAFT,
    DraftLength,
    PromptLookup,
    StepCosts,
)

Cost = Callable[[int], float]  # rows -> times the duration of one row
PLAIN_S = 0.01


def cpu(rows: int) -> float:
    """Return the measured cost for the starter model on two cores."""
    return 0.45 + 0.55 * rows


def gpu(rows: int) -> float:
    return 1 + 0.02 * (rows - 1)


def useless(rows: int) -> float:
    return float(rows)


# Prompt lookup


def scan(tokens: Sequence[int]) -> int | None:
    """Return the place after the latest earlier occurrence of the longest run at the end.

    Runs are of 2 to 5 tokens.
    """
    for size in range(min(5, len(tokens)), 1, -1):
        end = list(tokens[-size:])
        for place in range(len(tokens) - 1, size - 1, -1):
            if list(tokens[place - size : place]) == end:
                return place
    return None


@pytest.mark.parametrize("words", [2, 4, 30])
def test_a_guess_follows_the_longest_run_that_occurred_before(words: int) -> None:
    draw = random.Random(words)
    for _ in range(300):
        tokens = [draw.randrange(words) for _ in range(draw.randrange(60))]
        place = scan(tokens)
        guessed = PromptLookup(tokens).propose(4)
        if place is None:
            assert guessed == []
        else:
            assert guessed[: len(tokens) - place] == tokens[place : place + 4]
            assert len(guessed) == 4


def test_tokens_that_come_later_are_known_like_those_of_the_prompt() -> None:
    draw = random.Random(1)
    for _ in range(100):
        tokens = [draw.randrange(200) for _ in range(40)]  # no run of five, so no interrupted copy
        whole, grown = PromptLookup(tokens), PromptLookup(tokens[:7])
        grown.extend(tokens[7:20])
        grown.extend(tokens[20:])
        assert grown.propose(5) == whole.propose(5)


def test_a_passage_that_reaches_the_end_repeats_itself() -> None:
    assert PromptLookup([9, 1, 2, 3, 1, 2, 3, 1, 2]).propose(7) == [3, 1, 2, 3, 1, 2, 3]


def test_nothing_is_guessed_without_an_earlier_passage() -> None:
    assert PromptLookup([]).propose(4) == []
    assert PromptLookup([1, 2, 3, 4]).propose(4) == []
    assert PromptLookup([1, 2, 3, 4]).chances(4) == []


PASSAGE = list(range(100, 140))


@pytest.mark.parametrize(
    ("said", "guessed"),
    [
        ([*PASSAGE[:20], 7], PASSAGE[21:24]),  # 120 was replaced
        ([*PASSAGE[:20], 7, PASSAGE[20]], PASSAGE[21:24]),  # 7 was put before it
        ([*PASSAGE[:20], PASSAGE[22]], PASSAGE[23:26]),  # two were left out
        ([*PASSAGE[:20], 7, 8, *PASSAGE[21:23]], PASSAGE[23:26]),  # two for one
    ],
)
def test_a_copy_that_broke_off_goes_on_there(said: list[int], guessed: list[int]) -> None:
    other = [7, 1, 2, 3, PASSAGE[22], 4, 5, 6, *PASSAGE[21:23], 8, 9]  # later, but elsewhere
    lookup = PromptLookup([*PASSAGE, *other])
    lookup.extend(said)
    assert lookup.propose(3) == guessed


def test_chances_follow_what_comes() -> None:
    copied, strayed = PromptLookup(PASSAGE), PromptLookup([1, 2, 3] * 20)
    copied.extend(PASSAGE[:30])
    (chance,) = copied.chances(1)
    assert chance > 0.9
    before = PromptLookup([5, 6, 7, 5, 6]).chances(1)[0]
    strayed.extend([token for n in range(20) for token in (1, 2, 100 + n)])
    strayed.extend([1, 2])
    assert strayed.chances(1)[0] < before / 3


# The decision


def answer(
    length: DraftLength, costs: StepCosts, cost: Cost, chance: float, steps: int, others: int = 0
) -> tuple[float, float]:
    """Return tokens and plain steps' time of a draft model's answer with so many steps."""
    draw = random.Random(3)
    tokens = time = 0.0
    for _ in range(steps):
        guesses = length.choose(others, draft_token_s=0.05 * PLAIN_S)
        right = 0
        while right < guesses and draw.random() < chance:
            right += 1
        rows = 1 + others + guesses
        noise = draw.uniform(0.85, 1.15)
        costs.measured(rows, cost(rows) * PLAIN_S * noise)
        if guesses:
            length.learned(guesses, right)
        tokens += 1 + right
        time += cost(rows) / cost(1 + others) + 0.05 * guesses
    return tokens, time


@pytest.mark.parametrize("cost", [cpu, useless])
def test_guesses_that_are_always_wrong_cost_less_than_three_percent(cost: Cost) -> None:
    costs = StepCosts()
    tokens, time = answer(DraftLength(costs), costs, cost, chance=0, steps=400)
    assert time / tokens < 1.03


def test_guesses_do_not_pay_where_every_row_costs_as_much_as_the_first() -> None:
    costs = StepCosts()
    tokens, time = answer(DraftLength(costs), costs, useless, chance=0.95, steps=400)
    assert time / tokens < 1.03


@pytest.mark.parametrize(("cost", "speed"), [(cpu, 1.25), (gpu, 4.5)])
def test_guesses_that_are_mostly_right_are_made(cost: Cost, speed: float) -> None:
    costs = StepCosts()
    length = DraftLength(costs)
    answer(length, costs, cost, chance=0.95, steps=40)
    tokens, time = answer(length, costs, cost, chance=0.95, steps=500)
    assert tokens / time > speed


def test_guessing_comes_back_when_it_gets_better() -> None:
    costs = StepCosts()
    length = DraftLength(costs)
    answer(length, costs, cpu, chance=0, steps=300)
    tokens, time = answer(length, costs, cpu, chance=0.95, steps=1000)
    assert tokens / time > 1.1


def test_others_do_not_wait_for_guesses() -> None:
    for cost, are_made in ((cpu, False), (gpu, True)):
        costs = StepCosts()
        for rows in range(1, 20):
            for _ in range(50):
                costs.measured(rows, cost(rows) * PLAIN_S)
        assert bool(DraftLength(costs).choose(2, chances=[0.99] * 15)) is are_made


def test_nothing_is_guessed_before_a_step_was_measured() -> None:
    assert DraftLength(StepCosts()).choose(0, chances=[1.0] * 15) == 0


def test_no_more_is_guessed_than_there_is() -> None:
    costs = StepCosts()
    costs.measured(1, PLAIN_S)
    assert DraftLength(costs).choose(0, chances=[]) == 0
    assert DraftLength(costs).choose(0, chances=[1.0] * 4) == 4
    assert DraftLength(costs, largest=6).choose(0, chances=[1.0] * 15) == 6


# The cost of a step


def test_sizes_between_measured_ones_are_interpolated() -> None:
    costs = StepCosts()
    for _ in range(100):
        for rows in (1, 4, 8):
            costs.measured(rows, cpu(rows) * PLAIN_S)
    for rows in range(1, 9):
        assert costs.expected(rows) == pytest.approx(cpu(rows) * PLAIN_S, rel=0.12)


def test_a_slower_machine_makes_every_size_slower() -> None:
    costs = StepCosts()
    for rows in (1, 8):
        costs.measured(rows, cpu(rows) * PLAIN_S)
    for _ in range(30):
        costs.measured(1, 3 * PLAIN_S)
    assert costs.expected(8) == pytest.approx(3 * cpu(8) * PLAIN_S, rel=0.1)


def test_one_disturbed_step_is_not_believed() -> None:
    costs = StepCosts()
    for _ in range(20):
        costs.measured(1, PLAIN_S)
    costs.measured(1, 100 * PLAIN_S)
    assert costs.expected(1) < 1.2 * PLAIN_S


# With the real model

PROMPTS = (
    "Repeat this text: The old lighthouse at the edge of the bay had stood empty for nearly thirty "
    "years when Marta first saw it. Every morning she packed a flask of tea and her notebook.",
    "Tell me a story about a small dragon.",
    "Write a Python class for a stack.",
)


@pytest.fixture(scope="module")
def opened(starter_model: Path) -> Iterator[Opened]:
    opened = open_model(starter_model, LoadOptions(context_window=512), AbortFlag())
    yield opened
    opened.close()


class Steps:
    """The greedy answer to a prompt, with as many guesses in every step as `draft` makes."""

    def __init__(self, opened: Opened, prompt: Sequence[int]) -> None:
        self._context, self._ends = opened.context, opened.model.vocabulary.ends_generation
        self._batch = Batch(self._context.batch)
        self._tokens = list(prompt)
        self.drafted = self.accepted = 0

    def run(self, count: int, draft: Callable[[], list[int]], heard: PromptLookup) -> list[int]:
        self._context.clear()
        self._batch.clear()
        self._batch.add_part(self._tokens[:-1], 0, 0)
        self._context.decode(self._batch)
        answer: list[int] = []
        while len(answer) < count and not (answer and self._ends(answer[-1])):
            new = self._step(draft())
            heard.extend(new)
            answer += new
        return answer[:count]

    def _step(self, guessed: Sequence[int]) -> list[int]:
        place = len(self._tokens) - 1
        self._batch.clear()
        for ahead, token in enumerate([self._tokens[-1], *guessed]):
            self._batch.add(token, place + ahead, 0, output=True)
        self._context.decode(self._batch)
        new: list[int] = []
        for row, guess in enumerate([*guessed, None]):
            new.append(int(self._context.logits(row).argmax()))
            if new[-1] != guess or self._ends(new[-1]):
                break
        self.drafted += len(guessed)
        self.accepted += len(new) - 1
        self._tokens += new
        self._context.cut(0, len(self._tokens) - 1)
        return new


@pytest.mark.parametrize("text", PROMPTS)
def test_a_greedy_answer_is_the_same_with_guesses(opened: Opened, text: str) -> None:
    chat = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    prompt = opened.model.vocabulary.tokenize(chat, True)
    # llama.cpp computes the attention of a single row otherwise when there are more than 256
    # cells, with other rounding.
    count = min(80, 250 - LARGEST_DRAFT - len(prompt))
    plain = Steps(opened, prompt).run(count, list, PromptLookup(prompt))
    lookup, guessing = PromptLookup(prompt), Steps(opened, prompt)
    assert guessing.run(count, lambda: lookup.propose(5), lookup) == plain
    assert 0 < guessing.accepted < guessing.drafted
