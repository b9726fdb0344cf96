"""The examples of a run as batches of token ids: packed one after another, without padding."""

import hashlib
import random
from collections.abc import Sequence as Many
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import msgspec
import torch

from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import (
    DATASET_FILE,
    Sequence,
    TokenExample,
    TrainingData,
    TrainingFailure,
)
from chatdesk.training.failures import TrainingError


@dataclass(frozen=True)
class ExampleBatch:
    """Some sequences, packed: the `shared` tokens they all begin with, once, then the rest of each.

    `lengths` are those of the rests, up to the last token with a target after it. `before` are the
    places whose next token is one of `targets`; `counts` is the number of these in each sequence,
    in their order.
    """

    tokens: torch.Tensor  # (1, all tokens)
    positions: torch.Tensor  # (1, all tokens)
    before: torch.Tensor  # (all targets,)
    targets: torch.Tensor  # (all targets,)
    shared: int
    lengths: tuple[int, ...]
    counts: tuple[int, ...]


def read_dataset(folder: Path) -> tuple[TrainingData, str]:
    """Return the data of a run and a hash of it. Raises `TrainingError`."""
    try:
        content = (folder / DATASET_FILE).read_bytes()
        data = msgspec.json.decode(content, type=TrainingData)
    except (OSError, msgspec.MsgspecError) as problem:
        raise TrainingError(TrainingFailure.DATA, str(problem)) from problem
    return data, hashlib.sha256(content).hexdigest()


def check(data: TrainingData, vocabulary: int) -> None:
    """Refuse data that cannot be trained on. Raises `TrainingError`."""
    if not data.train:
        raise TrainingError(TrainingFailure.DATA, "no examples")
    for example in (*data.train, *data.validation, *data.replay, *data.replay_validation):
        for sequence in sequences(example):
            _check(sequence, vocabulary)


def _check(sequence: Sequence, vocabulary: int) -> None:
    size = len(sequence.tokens)
    if not all(0 <= token < vocabulary for token in sequence.tokens):
        raise TrainingError(TrainingFailure.DATA, f"a token that is none of the {vocabulary}")
    if not sequence.targets:
        raise TrainingError(TrainingFailure.DATA, "a sequence without a target")
    if not all(0 < span.start < span.end <= size for span in sequence.targets):
        raise TrainingError(TrainingFailure.DATA, f"a target outside of {size} tokens")


def sequences(example: TokenExample) -> tuple[Sequence, ...]:
    """Return the one sequence of an example, or the two of a pair, the better one first."""
    return (example.chosen,) if example.rejected is None else (example.chosen, example.rejected)


def target_count(sequence: Sequence) -> int:
    """Return the number of tokens that count in the loss."""
    return sum(span.end - span.start for span in sequence.targets)


def token_count(example: TokenExample) -> int:
    """Return the number of tokens to compute."""
    return sum(len(sequence.tokens) for sequence in sequences(example))


def epoch_steps(data: TrainingData, config: TrainingConfig, epoch: int) -> list[list[TokenExample]]:
    """Return all examples and an epoch's replay, shuffled, `batch` for each optimizer step."""
    order = [*data.train, *epoch_replay(data, config, epoch)]
    random.Random(f"{config.seed} {epoch}").shuffle(order)  # noqa: S311 - to be repeatable is its point
    return [order[start : start + config.batch] for start in range(0, len(order), config.batch)]


def epoch_replay(data: TrainingData, config: TrainingConfig, epoch: int) -> list[TokenExample]:
    """Return the replay of an epoch, which goes on where that of the epoch before ended."""
    count = round(len(data.train) * config.replay) if data.replay else 0
    return [data.replay[n % len(data.replay)] for n in range(epoch * count, (epoch + 1) * count)]


def parts(examples: Many[TokenExample], tokens: int) -> list[list[TokenExample]]:
    """Split examples into parts of at most `tokens` (or a single longer one), in their order."""
    found: list[list[TokenExample]] = []
    room = 0
    for example in examples:
        size = token_count(example)
        if size > room:
            found.append([])
            room = tokens
        found[-1].append(example)
        room -= size
    return found


def pack(examples: Many[TokenExample]) -> ExampleBatch:
    """Return their sequences as a batch, those of a pair side by side.

    What they all begin with is computed once: with a short question and a short answer, the
    system's message is half of the tokens.
    """
    packed = [sequence for example in examples for sequence in sequences(example)]
    beginnings = [each.tokens[: each.targets[0].start - 1] for each in packed]
    columns = zip(*beginnings, strict=False)
    shared = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    tokens, positions = [*beginnings[0][:shared]], [*range(shared)]
    before: list[int] = []
    targets: list[int] = []
    lengths: list[int] = []
    for sequence in packed:
        start, end = len(tokens) - shared, sequence.targets[-1].end - 1
        for span in sequence.targets:
            before += range(start + span.start - 1, start + span.end - 1)
            targets += sequence.tokens[span.start : span.end]
        tokens += sequence.tokens[shared:end]
        positions += range(shared, end)
        lengths.append(end - shared)
    return ExampleBatch(
        tokens=torch.tensor([tokens]),
        positions=torch.tensor([positions]),
        before=torch.tensor(before),
        targets=torch.tensor(targets),
        shared=shared,
        lengths=tuple(lengths),
        counts=tuple(map(target_count, packed)),
    )
