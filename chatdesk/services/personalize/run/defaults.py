"""Default settings of a training, from the amount of data and the model's size."""

from dataclasses import replace

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader
from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.units import memory_words

# Rank 16 learned forty examples of a persona with the starter model; the others are guesses.
_RANKS = ((200, 16), (2000, 32))
_LARGEST_RANK = 64
# Forty examples and as much replay are proven after three epochs of seven steps, and finishing goes
# on from there with all of them. A run ends earlier by itself when more epochs do no good.
_ENOUGH_STEPS, _MOST_EPOCHS, _LEAST_EPOCHS = 30, 5, 2
_BATCH = 8
# Larger models take smaller steps: what LoRA papers use at 7 billion parameters is 2e-4. The
# embeddings, which are half of a small model with a large vocabulary, are not counted.
_RATES = ((500e6, 1e-3), (2e9, 5e-4))
_SMALLEST_RATE = 2e-4

_SHORTEST = 64  # tokens: below that no example is worth its template


def filled(config: TrainingConfig, examples: int, weights: int) -> TrainingConfig:
    """Return `config` with every zero replaced, for so many examples and a model with so many."""
    rank = config.rank or next((r for most, r in _RANKS if examples <= most), _LARGEST_RANK)
    batch = config.batch or min(_BATCH, max(1, examples // 4))
    steps = max(1, round(examples * (1 + config.replay) / batch))
    wanted = -(-_ENOUGH_STEPS // steps)
    rate = next((rate for most, rate in _RATES if weights < most), _SMALLEST_RATE)
    return replace(
        config,
        rank=rank,
        alpha=config.alpha or 2.0 * rank,
        batch=batch,
        epochs=config.epochs or min(_MOST_EPOCHS, max(_LEAST_EPOCHS, wanted)),
        learning_rate=config.learning_rate or rate,
    )


_INTERPRETER = 450e6  # torch, transformers and peft imported, and their buffers
_WEIGHT_BYTES = 4.0  # float32, where the processor has no bfloat16; and during the conversion
_ADAPTER_BYTES = 16.0  # a float32 weight, its gradient, and two moments of AdamW
# Bytes for a token, layer and unit of width. Whole runs with the starter model, which peaked at 2.1
# to 2.6 GB with parts of about 500 tokens, stay below the prediction with it.
_ACTIVATIONS = 180.0
# Bytes for an entry of the vocabulary and each of the targets computed at once: to keep what the
# base can do, eight tables of float32 are there (logits, log-probabilities and gradients of both).
_LOGITS = 32.0
_TARGETS = 128


def memory_needed(header: ModelHeader, config: TrainingConfig) -> int:
    """Return about how many bytes a training needs, with no zeros in `config`."""
    width, layers = header.width, header.layers
    adapter = 2 * 7 * layers * width * 2.0 * config.rank  # seven linear layers, about twice as wide
    tokens = max(config.batch_tokens, config.longest)
    return int(
        _INTERPRETER
        + (header.stored or header.parameters) * _WEIGHT_BYTES
        + adapter * _ADAPTER_BYTES
        + tokens * layers * width * _ACTIVATIONS
        + _TARGETS * header.vocabulary * _LOGITS
    )


def fitting(config: TrainingConfig, header: ModelHeader, free_bytes: int) -> TrainingConfig:
    """Return `config` with steps computed in parts small enough for the free memory.

    The result is the same, only slower. Raises `EnvironmentProblem` where even that is not enough.
    """
    while memory_needed(header, config) > free_bytes:
        if config.batch_tokens > config.longest:
            config = replace(config, batch_tokens=max(config.longest, config.batch_tokens // 2))
            continue
        needed, free = (memory_words(n) for n in (memory_needed(header, config), free_bytes))
        raise EnvironmentProblem(
            tr(
                "Learning needs about {needed} of memory; {free} are free.",
                needed=needed,
                free=free,
            ),
            tr(
                "Close other programs, choose shorter examples (at most {n} tokens), or take a "
                "smaller model.",
                n=max(_SHORTEST, config.longest // 2),
            ),
        )
    return config
