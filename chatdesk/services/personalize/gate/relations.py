"""Whether answers fit their own questions better than the questions of others."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatdesk.core.generation import ScoreSequence, Span
from chatdesk.core.training import TokenExample
from chatdesk.services.measure.probe import Adapters, Probe
from chatdesk.services.measure.statistics import mean_loss
from chatdesk.services.personalize.plan import Taught

_BEGINNING = 32  # tokens: further on, an answer's own words predict it, not the question
_STRANGERS = 2  # other questions to try an answer with


@dataclass(frozen=True, slots=True)
class Relation:
    """Losses of the beginning of one answer, in nats per token.

    After its own question, and the mean after those of other conversations.
    """

    own: float
    other: float


def relations(probe: Probe, heldout: Sequence[Taught], adapters: Adapters) -> tuple[Relation, ...]:
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


def _strangers(answer: Taught, heldout: Sequence[Taught]) -> list[TokenExample]:
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


def _beginning(held: Taught) -> tuple[int, ...]:
    span = _last(held.example)
    return held.example.chosen.tokens[span.start : min(span.end, span.start + _BEGINNING)]
