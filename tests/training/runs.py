"""Requests for training runs."""

import random
from pathlib import Path
from typing import Any

import msgspec

from chatdesk.core.generation import Span
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import DATASET_FILE, Sequence, TokenExample, Train, TrainingData
from tests.tiny_models import SIZE

CONFIG = TrainingConfig(
    rank=4,
    alpha=8.0,
    epochs=3,
    learning_rate=0.01,
    batch=4,
    batch_tokens=100,
    dropout=0.1,
    replay=0.4,  # as much as `mixed` has
    patience=10,
    general_limit=10.0,
    seed=5,
)


def answer(seed: int, size: int = 24) -> TokenExample:
    """A random example with two targets."""
    return TokenExample(_sequence(random.Random(seed), size))


def preference(seed: int, size: int = 20) -> TokenExample:
    """A random pair that shares its beginning."""
    source = random.Random(seed)
    chosen = _sequence(source, size)
    rest = tuple(source.randrange(6, SIZE) for _ in range(size // 2))
    rejected = Sequence(chosen.tokens[: size // 2] + rest, (Span(size // 2, size),))
    return TokenExample(Sequence(chosen.tokens, (Span(size // 2, size),)), rejected, 0.5)


def _sequence(source: random.Random, size: int) -> Sequence:
    tokens = tuple(source.randrange(6, SIZE) for _ in range(size + source.randrange(8)))
    return Sequence(tokens, (Span(4, 7), Span(size // 2, len(tokens))))


def mixed(examples: int = 8) -> TrainingData:
    """Answers, pairs and replay, with some of each to validate on."""
    pairs = examples // 4
    return TrainingData(
        train=(*map(answer, range(examples)), *map(preference, range(pairs))),
        validation=(*map(answer, range(100, 103)), preference(100)),
        replay=tuple(map(answer, range(200, 200 + examples // 2))),
        replay_validation=tuple(map(answer, range(300, 303))),
    )


def ask_for(
    folder: Path, model: Path, data: TrainingData, config: TrainingConfig = CONFIG, **more: Any
) -> Train:
    """Return the request for a run in `folder`, after writing its data there."""
    folder.mkdir(exist_ok=True)
    (folder / DATASET_FILE).write_bytes(msgspec.json.encode(data))
    about = model.stat()
    return Train(
        folder.name, str(folder), str(model), about.st_size, about.st_mtime_ns, config, **more
    )
