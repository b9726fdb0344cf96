"""How unlikely given answers are: the cross-entropy of each, in nats per token."""

from collections.abc import Iterable, Sequence

from chatdesk.core.generation import ScoreSequence
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.services.measure.probe import Adapters, Messages, Probe
from chatdesk.services.measure.statistics import mean_loss


def rendered_answers(probe: Probe, conversations: Iterable[Messages]) -> tuple[TokenSequence, ...]:
    """Return conversations in the model's template; the last message of each is the target."""
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
