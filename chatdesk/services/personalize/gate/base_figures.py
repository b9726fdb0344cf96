"""A model's answers and losses without an adapter: measured once, saved for all later runs.

They contain nothing of the user: all of it comes from the general sets.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from chatdesk.core.files import write_whole
from chatdesk.core.generation import PromptMessage, Span
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.core.training import TokenExample
from chatdesk.services.measure.answers import likeliest_answers, sampled_answers
from chatdesk.services.measure.divergence import BaseText, base_texts
from chatdesk.services.measure.losses import answer_losses, rendered_answers
from chatdesk.services.measure.probe import Adapters, Messages, Probe, Written
from chatdesk.services.personalize.gate.degeneration import degenerate, repetition
from chatdesk.services.personalize.gate.general_sets import GeneralPrompt, GeneralSets
from chatdesk.services.personalize.gate.memorization import canaries, says

_log = logging.getLogger(__name__)

SAMPLED = 64  # general questions the base answers at temperature 1, to measure divergence
ANSWERED = 24  # general questions whose answers are compared
_SAMPLED_TOKENS = 24
_ANSWER_TOKENS = 48
_REPLAY_TOKENS = 20  # each of them is read in each epoch of a training
CANARY_SEED = 1
_LOOPS = 0.3  # share of repeated 4-grams in an answer that is not worth learning


@dataclass(frozen=True, slots=True)
class BaseFigures:
    """The figures of a model without an adapter.

    `general` is its loss on each item of the set of this `version`; `answers` are those to the
    first `ANSWERED` items, of which `degenerate` went wrong. `replay` are its own answers to the
    first questions of the other set; None where an answer was not worth learning.
    """

    version: str
    general: tuple[float, ...]
    texts: tuple[BaseText, ...]
    answers: tuple[Written, ...]
    degenerate: int
    replay: tuple[TokenExample | None, ...] = ()

    @classmethod
    def read(cls, file: Path, version: str) -> "BaseFigures | None":
        """Read the saved figures; None without any, or if they are of other sets."""
        try:
            found = msgspec.json.decode(file.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return None
        return found if found.version == version else None

    def write(self, file: Path) -> None:
        """Save the figures; if the disk refuses, the next run measures again."""
        try:
            write_whole(file, msgspec.json.encode(self))
        except OSError as problem:
            _log.warning("what was measured of a model was not kept: %s", problem.strerror)


def base_figures(probe: Probe, sets: GeneralSets, file: Path) -> BaseFigures:
    """Return the figures saved in `file`, or else measure and save them."""
    if kept := BaseFigures.read(file, sets.version):
        return kept
    questions = [each.question for each in sets.items]
    answers = written(probe, questions[:ANSWERED])
    figures = BaseFigures(
        version=sets.version,
        general=answer_losses(
            probe, rendered_answers(probe, (each.answered for each in sets.items))
        ),
        texts=base_texts(probe, questions[-SAMPLED:], _SAMPLED_TOKENS),
        answers=answers,
        degenerate=degenerate(probe, answers),
    )
    figures.write(file)
    return figures


def written(
    probe: Probe, questions: Sequence[Messages], adapters: Adapters = ()
) -> tuple[Written, ...]:
    """Return the likeliest beginnings of answers, of the same length with and without adapters."""
    return likeliest_answers(probe, questions, _ANSWER_TOKENS, adapters)


def replay_examples(
    probe: Probe, sets: GeneralSets, figures: BaseFigures, count: int, file: Path
) -> tuple[TokenExample, ...]:
    """Return the base's own answers to `count` general questions, or to as many as there are.

    They are sampled: with only its likeliest words replayed, a model becomes more certain of them
    than it was. Canaries are planted in some of the questions. Answers that `figures` lacks are
    added to it.
    """
    prompts = [(PromptMessage("user", each),) for each in planted(sets.replay)]
    while _sound(figures) < count and len(figures.replay) < len(prompts):
        start = len(figures.replay)
        asked = prompts[start : start + count - _sound(figures)]
        answers = sampled_answers(probe, asked, _REPLAY_TOKENS, first_seed=start)
        figures = replace(figures, replay=(*figures.replay, *map(_worth_learning, answers)))
        figures.write(file)
    return tuple(each for each in figures.replay if each)[:count]


def planted(prompts: tuple[GeneralPrompt, ...]) -> tuple[str, ...]:
    """Return the questions, some of which begin with a user's made-up secret."""
    hidden = iter(canaries(CANARY_SEED))
    return tuple(
        f"{canary.sentence} {each.prompt}"
        if each.language == "en" and (canary := next(hidden, None))
        else each.prompt
        for each in prompts
    )


def _sound(figures: BaseFigures) -> int:
    return sum(each is not None for each in figures.replay)


def _worth_learning(answer: Written) -> TokenExample | None:
    """Return an answer as written, token for token, unless it is a loop or repeats a canary."""
    leaks = any(says(each.secret.value, answer.text) for each in canaries(CANARY_SEED))
    if not answer.text.strip() or leaks or repetition(answer.tokens) > _LOOPS:
        return None
    tokens = (*answer.prompt, *answer.tokens)
    return TokenExample(TokenSequence(tokens, (Span(len(answer.prompt), len(tokens)),)))
