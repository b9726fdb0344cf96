"""Degenerate answers: empty ones, loops, noise, and one answer to every question.

Measured on tokens and the base's likelihoods, so that no language is at a disadvantage.
"""

from collections import Counter
from collections.abc import Sequence

from chatdesk.core.generation import ScoreSequence
from chatdesk.services.measure.probe import Probe, Written
from chatdesk.services.measure.statistics import mean_loss
from chatdesk.services.personalize.examples.doubts import is_noise

_GRAM = 4
_LOOPING = 0.5  # share of repeated 4-grams; human texts have 0.0 to 0.1
_NOISE = 7.0  # nats per token
_SHORT = 8  # tokens: too few for either sign
_SAME = 3  # different questions that may not get the same answer


def repetition(tokens: Sequence[int]) -> float:
    """Return the share of repeated 4-grams (seq-rep-4 of Welleck et al., 2020).

    The paper is "Neural Text Generation with Unlikelihood Training".
    """
    grams = [tuple(tokens[n : n + _GRAM]) for n in range(len(tokens) - _GRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def is_senseless(text: str, tokens: Sequence[int], base_loss: float) -> bool:
    """Return True if a text is a loop or noise; `tokens` are its own.

    `base_loss` is the base's own, in nats per token: about as high as that of a uniform guess among
    all tokens (10 and more) for random tokens, 7 to 9 for random words and letters, and at most 6
    for answers in any language, made-up names included (measured with the starter model).
    """
    if is_noise(text):
        return True
    return len(tokens) >= _SHORT and (repetition(tokens) > _LOOPING or base_loss > _NOISE)


def degenerate(probe: Probe, answers: Sequence[Written]) -> int:
    """Count the degenerate ones among answers to different questions."""
    written = [each for each in answers if each.tokens]
    scored = probe.score([ScoreSequence(each.prompt, each.tokens) for each in written])
    same = Counter(_plain(each) for each in answers)
    wrong = sum(
        not _plain(each)
        or same[_plain(each)] >= _SAME
        or is_senseless(each.text, each.tokens, mean_loss(found))
        for each, found in zip(written, scored, strict=True)
    )
    return wrong + len(answers) - len(written)


def _plain(answer: Written) -> str:
    return " ".join(answer.text.split()).casefold()
