"""Likelihoods of answers: losses per answer, and the divergence from the base."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatdesk.core.generation import Adapter, PromptMessage, ScoreSequence, Span
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.core.training import TokenExample
from chatdesk.services.measure.probe import Probe
from chatdesk.services.measure.statistics import mean_loss
from chatdesk.services.personalize.gate.general_sets import GeneralItem
from chatdesk.services.personalize.plan import HeldOut

Adapters = tuple[Adapter, ...]

_BEGINNING = 32  # tokens: further on, an answer's own words predict it, not the question
_STRANGERS = 2  # other questions to try an answer with


@dataclass(frozen=True, slots=True)
class Relation:
    """Losses of the beginning of one answer, in nats per token.

    After its own question, and the mean after those of other conversations.
    """

    own: float
    other: float


def rendered_items(probe: Probe, items: Sequence[GeneralItem]) -> tuple[TokenSequence, ...]:
    """Return questions with their right answers, in the model's template."""
    conversations = [
        (PromptMessage("user", item.prompt), PromptMessage("assistant", item.answer))
        for item in items
    ]
    return tuple(
        TokenSequence(each.tokens, (each.spans[-1],)) for each in probe.render(conversations)
    )


def answer_losses(
    probe: Probe, answers: Sequence[TokenSequence], adapters: Adapters = ()
) -> tuple[float, ...]:
    """Return the mean loss of each sequence over its targets, in nats per token."""
    scored = probe.score([_sequence(each) for each in answers], adapters)
    return tuple(_loss(each, found) for each, found in zip(answers, scored, strict=True))


def _sequence(answer: TokenSequence) -> ScoreSequence:
    start, end = answer.targets[0].start, answer.targets[-1].end
    return ScoreSequence(answer.tokens[:start], answer.tokens[start:end])


def _loss(answer: TokenSequence, logprobs: Sequence[float]) -> float:
    start = answer.targets[0].start
    return mean_loss(
        [logprobs[n - start] for span in answer.targets for n in range(span.start, span.end)]
    )


def relations(probe: Probe, heldout: Sequence[HeldOut], adapters: Adapters) -> tuple[Relation, ...]:
    """Return how much better each answer fits its own question than those of other conversations.

    An answer without other questions to try it with is left out.
    """
    pairs = [(each, strangers) for each in heldout if (strangers := _strangers(each, heldout))]
    sequences = [
        ScoreSequence(_before_last(question), _beginning(answer))
        for answer, strangers in pairs
        for question in (answer.example, *strangers)
    ]
    losses = iter([mean_loss(each) for each in probe.score(sequences, adapters)])
    return tuple(_relation(losses, len(strangers)) for _, strangers in pairs)


def _relation(losses: Iterator[float], strangers: int) -> Relation:
    own = next(losses)
    return Relation(own, math.fsum(next(losses) for _ in range(strangers)) / strangers)


def _strangers(answer: HeldOut, heldout: Sequence[HeldOut]) -> list[TokenExample]:
    """Return other questions, evenly selected."""
    asked = answer.turns
    others = [
        each.example
        for each in heldout
        if each.conversation_id != answer.conversation_id and each.turns != asked
    ]
    count = min(_STRANGERS, len(others))
    return [others[len(others) * n // count] for n in range(count)]


def _last(example: TokenExample) -> Span:
    return example.chosen.targets[-1]


def _before_last(example: TokenExample) -> tuple[int, ...]:
    return example.chosen.tokens[: _last(example).start]


def _beginning(held: HeldOut) -> tuple[int, ...]:
    span = _last(held.example)
    return held.example.chosen.tokens[span.start : min(span.end, span.start + _BEGINNING)]


@dataclass(frozen=True, slots=True)
class BaseText:
    """Tokens the base wrote at temperature 1 after a prompt, and their log-probabilities."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]


def divergence(probe: Probe, texts: Sequence[BaseText], adapters: Adapters) -> float:
    """Return the mean Kullback-Leibler divergence KL(base || adapter) of the next token, in nats.

    Estimated on text of the base by r - 1 - log r with r = p_adapter / p_base, which is never
    negative and unbiased (Schulman, "Approximating KL Divergence", 2020).
    """
    scored = probe.score([ScoreSequence(each.prompt, each.tokens) for each in texts], adapters)
    ratios = [
        after - before
        for text, found in zip(texts, scored, strict=True)
        for before, after in zip(text.logprobs, found, strict=True)
    ]
    return math.fsum(math.exp(ratio) - 1 - ratio for ratio in ratios) / len(ratios)
