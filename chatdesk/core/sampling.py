"""The parameters of sampling, and presets of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

DRY_BREAKERS = ("\n", ":", '"', "*")  # llama.cpp's own
MAX_SEED = 2**32 - 2  # the one after it means "random" to llama.cpp


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """The parameters that choose the next token; the names are llama.cpp's.

    Off are: `temperature` 0 (greedy, whatever else is set), `dynatemp_range` 0, `top_k` 0, `top_p`
    1, `min_p` 0, `typical_p` 1, `top_n_sigma` 0, `xtc_probability` 0, `dry_multiplier` 0,
    `mirostat` 0, `repeat_penalty` 1, the other penalties 0. Penalties look back `repeat_last_n`
    tokens, DRY `dry_last_n` (-1 is the whole context). With `mirostat` 1 or 2 the filters (`top_k`
    to `xtc_probability`) and dynamic temperature are not used. `logit_bias` adds to the logits of
    tokens; -100 and less forbids one, because JSON has no infinity.

    `seed` None draws a new one; `max_tokens` None goes on to the end of the context window; `stop`
    strings end the answer and are not part of it.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.1
    repeat_last_n: int = 64
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    typical_p: float = 1.0
    top_n_sigma: float = 0.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_last_n: int = -1
    dry_breakers: tuple[str, ...] = DRY_BREAKERS
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()


PRESETS: Mapping[str, SamplingParams] = MappingProxyType(
    {
        "balanced": SamplingParams(),
        "precise": SamplingParams(temperature=0.2, top_k=20, top_p=0.9, min_p=0.1),
        "creative": SamplingParams(
            temperature=1.0, top_k=0, top_p=1.0, min_p=0.05, xtc_probability=0.2, xtc_threshold=0.1
        ),
        "repeatable": SamplingParams(temperature=0.0, repeat_penalty=1.0),
    }
)
"""Named starting points. The first is the default; "repeatable" takes the likeliest token."""
