"""llama.cpp's sampler chain for `SamplingParams`."""

import math
import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import SamplingParams

_RANDOM_SEED = int(lib.LLAMA_DEFAULT_SEED)  # asks llama.cpp to draw one it does not tell


class Sampler:
    """Chooses tokens; to be used with `with`, as the chain is native memory.

    Raises `ValueError` for parameters that mean nothing.
    """

    def __init__(self, params: SamplingParams, vocabulary_size: int, past: Sequence[int]) -> None:
        check(params)
        drawn = secrets.randbits(32) if params.seed is None else params.seed
        self.seed = drawn % _RANDOM_SEED
        self._chain: Any = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for sampler in _samplers(params, vocabulary_size, self.seed):
            lib.llama_sampler_chain_add(self._chain, sampler)
        for token in past[-params.repeat_last_n :] if params.repeat_last_n > 0 else ():
            lib.llama_sampler_accept(self._chain, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        lib.llama_sampler_free(self._chain)

    def sample(self, context: Any) -> int:
        """The next token by the context's last logits; it counts for the repetition penalty."""
        return int(lib.llama_sampler_sample(self._chain, context, -1))


def _samplers(params: SamplingParams, vocabulary_size: int, seed: int) -> list[Any]:
    """The chain in the order of llama.cpp's `common_sampler_init`."""
    chain = []
    if params.repeat_penalty != 1 and params.repeat_last_n > 0:
        chain.append(
            lib.llama_sampler_init_penalties(
                vocabulary_size, params.repeat_last_n, params.repeat_penalty, 0.0, 0.0
            )
        )
    if params.temperature == 0:
        return [*chain, lib.llama_sampler_init_greedy()]
    if params.top_k > 0:
        chain.append(lib.llama_sampler_init_top_k(params.top_k))
    if params.top_p < 1:
        chain.append(lib.llama_sampler_init_top_p(params.top_p, 1))
    if params.min_p > 0:
        chain.append(lib.llama_sampler_init_min_p(params.min_p, 1))
    chain.append(lib.llama_sampler_init_temp(params.temperature))
    chain.append(lib.llama_sampler_init_dist(seed))
    return chain


def check(params: SamplingParams) -> None:
    """Raises `ValueError` naming the parameter that is out of its range."""
    ranges = (
        ("temperature", params.temperature, 0, 100),
        ("top_k", params.top_k, 0, 2**31 - 1),
        ("top_p", params.top_p, 0, 1),
        ("min_p", params.min_p, 0, 1),
        ("repeat_penalty", params.repeat_penalty, 0.01, 100),
        ("repeat_last_n", params.repeat_last_n, 0, 2**16),
        ("max_tokens", params.max_tokens or 0, 0, math.inf),
    )
    for name, value, low, high in ranges:
        if not low <= value <= high:
            raise ValueError(f"{name} must be between {low} and {high}")
