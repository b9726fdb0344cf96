"""llama.cpp's sampler chain for `SamplingParams`."""

import ctypes
import math
import secrets
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from llama_cpp import llama_cpp as lib

from chatdesk.core.sampling import LONGEST_STOP, MAX_STOPS, NUMBERS, SamplingParams
from chatdesk.inference.decoding.candidates import Candidates, Shortlist
from chatdesk.inference.decoding.grammar import Constraint
from chatdesk.inference.native.context import Context, Logits
from chatdesk.inference.native.model import Model

_RANDOM_SEED = int(lib.LLAMA_DEFAULT_SEED)  # llama.cpp then draws one, and does not report it
_COLDEST = 1e-6  # much less overflows the logits; it is greedy in all but name
_FORBIDDING_BIAS = -100.0
# Logits of -inf make `typical` compare NaN; this removes them, and nothing that is ever drawn.
_LEAST_RELATIVE_PROBABILITY = 1e-30
_MIROSTAT_CANDIDATES = 100  # tokens from which mirostat 1 estimates, as in llama.cpp

_MOST_BREAKERS, _LONGEST_BREAKER = 16, 40  # each costs a vocabulary pass; llama.cpp's limit
_MOST_BIASES = 1024


class Sampler:
    """Chooses tokens. Use it with `with` or close it, because the chain is native memory.

    The tokens in `past` count for the penalties. `constraint` confines the answer to a grammar.
    Raises `ValueError` for parameters that mean nothing.
    """

    def __init__(
        self,
        params: SamplingParams,
        model: Model,
        past: Sequence[int],
        constraint: Constraint | None = None,
    ) -> None:
        check(params, model.vocabulary.size)
        drawn = secrets.randbits(32) if params.seed is None else params.seed
        self.seed = drawn % _RANDOM_SEED
        self._constraint = constraint
        self._shortlist = Shortlist(params, model.vocabulary.size)
        self._candidates = Candidates(model.vocabulary.size)
        self._chain: Any = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        for sampler in _samplers(params, model, self.seed):
            lib.llama_sampler_chain_add(self._chain, sampler)
        seen = max(_penalty_window(params), _dry_window(params, model))
        for token in past[-seen:] if seen else ():
            lib.llama_sampler_accept(self._chain, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory."""
        if self._chain:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def sample(
        self, context: Context, row: int, *, confined: bool = True, beside: int | None = None
    ) -> int:
        """Sample a token from a row of the last batch; it counts for the penalties.

        One that is not `confined` stands before what the grammar is about, and so does `beside`,
        which may come beside what the grammar allows. Raises `ConstraintError` when the grammar
        allows no token or is too complex.
        """
        logits = context.logits(row)
        if not confined or self._constraint is None:
            return self._choose(logits)
        refused = self._constraint.refused()
        if beside is not None:
            refused[beside] = False
        token = self._choose(np.where(refused, np.float32(-np.inf), logits))
        if token != beside:
            self._constraint.accept(token)
        return token

    def _choose(self, logits: Logits) -> int:
        """Do what `llama_sampler_sample` does, with as few candidates as give the same token."""
        ids = self._shortlist.find(logits)
        if ids is None:
            self._candidates.fill(np.arange(len(logits), dtype=np.int32), logits)
        else:
            self._candidates.fill(ids, logits[ids])
        token = self._candidates.choose(self._chain)
        lib.llama_sampler_accept(self._chain, token)
        return token


def _samplers(params: SamplingParams, model: Model, seed: int) -> Iterator[Any]:
    """Yield the chain in the order of llama.cpp's `common_sampler_init`, without no-ops.

    Unlike there, penalties and DRY also work with mirostat.
    """
    size = model.vocabulary.size
    if params.logit_bias:
        yield _logit_bias(params.logit_bias, size)
    if _penalty_window(params):
        yield lib.llama_sampler_init_penalties(
            size,
            params.repeat_last_n,
            params.repeat_penalty,
            params.frequency_penalty,
            params.presence_penalty,
        )
    if _dry_window(params, model):
        yield _dry(params, model)
    if params.temperature == 0:
        yield lib.llama_sampler_init_greedy()
        return
    if params.mirostat == 0:
        yield from _filters(params, seed)
        yield _temperature(params)
        yield lib.llama_sampler_init_dist(seed)
        return
    tau, eta = params.mirostat_tau, params.mirostat_eta
    yield lib.llama_sampler_init_temp(max(params.temperature, _COLDEST))
    if params.mirostat == 1:
        yield lib.llama_sampler_init_mirostat(size, seed, tau, eta, _MIROSTAT_CANDIDATES)
    else:
        yield lib.llama_sampler_init_mirostat_v2(seed, tau, eta)


def _filters(params: SamplingParams, seed: int) -> Iterator[Any]:
    """Yield the filters of unlikely (or the likeliest) tokens; each keeps at least one."""
    if params.top_n_sigma > 0:
        yield lib.llama_sampler_init_top_n_sigma(params.top_n_sigma)
    if params.top_k > 0:
        yield lib.llama_sampler_init_top_k(params.top_k)
    if params.typical_p < 1:
        yield lib.llama_sampler_init_min_p(_LEAST_RELATIVE_PROBABILITY, 1)
        yield lib.llama_sampler_init_typical(params.typical_p, 1)
    if params.top_p < 1:
        yield lib.llama_sampler_init_top_p(params.top_p, 1)
    if params.min_p > 0:
        yield lib.llama_sampler_init_min_p(params.min_p, 1)
    if params.xtc_probability > 0:
        yield lib.llama_sampler_init_xtc(params.xtc_probability, params.xtc_threshold, 1, seed)


def _temperature(params: SamplingParams) -> Any:
    if params.dynatemp_range == 0:
        return lib.llama_sampler_init_temp(max(params.temperature, _COLDEST))
    low = max(params.temperature - params.dynatemp_range, _COLDEST)
    high = max(params.temperature + params.dynatemp_range, _COLDEST)
    return lib.llama_sampler_init_temp_ext(
        (low + high) / 2, (high - low) / 2, params.dynatemp_exponent
    )


def _logit_bias(biases: Sequence[tuple[int, float]], vocabulary_size: int) -> Any:
    native = (lib.llama_logit_bias * len(biases))(
        *((token, -math.inf if bias <= _FORBIDDING_BIAS else bias) for token, bias in biases)
    )
    return lib.llama_sampler_init_logit_bias(vocabulary_size, len(biases), native)


def _dry(params: SamplingParams, model: Model) -> Any:
    breakers = [text.encode() for text in params.dry_breakers]
    return lib.llama_sampler_init_dry(
        model.vocabulary.handle,
        params.dry_multiplier,
        params.dry_base,
        params.dry_allowed_length,
        _dry_window(params, model),
        (ctypes.c_char_p * len(breakers))(*breakers),
        len(breakers),
    )


def _penalty_window(params: SamplingParams) -> int:
    """Return how many tokens the penalties look back; 0 when they are off."""
    penalties = (params.repeat_penalty, params.frequency_penalty, params.presence_penalty)
    return 0 if penalties == (1, 0, 0) else params.repeat_last_n


def _dry_window(params: SamplingParams, model: Model) -> int:
    """Return how many tokens DRY looks back; 0 when it is off."""
    if params.dry_multiplier == 0:
        return 0
    return model.trained_context if params.dry_last_n < 0 else params.dry_last_n


def check(params: SamplingParams, vocabulary_size: int | None = None) -> None:
    """Raise `ValueError`, with the name of the parameter that is out of its range.

    Tokens in `logit_bias` are only checked when the vocabulary's size is given.
    """
    for each in NUMBERS:
        if not each.low <= getattr(params, each.name) <= each.high:  # NaN is in no range
            raise ValueError(f"{each.name} must be between {each.low} and {each.high}")
    if params.max_tokens is not None and params.max_tokens < 0:
        raise ValueError("max_tokens must not be negative")
    if len(params.stop) > MAX_STOPS or any(len(text) > LONGEST_STOP for text in params.stop):
        raise ValueError(
            f"stop must be at most {MAX_STOPS} strings of at most {LONGEST_STOP} characters"
        )
    if len(params.dry_breakers) > _MOST_BREAKERS or not all(map(_is_breaker, params.dry_breakers)):
        raise ValueError(
            f"dry_breakers must be at most {_MOST_BREAKERS} strings"
            f" of 1 to {_LONGEST_BREAKER} bytes, none of them zero"
        )
    _check_biases(params.logit_bias, vocabulary_size)


def _is_breaker(text: str) -> bool:
    data = text.encode("utf-8", "replace")
    return 0 < len(data) <= _LONGEST_BREAKER and 0 not in data


def _check_biases(biases: Sequence[tuple[int, float]], vocabulary_size: int | None) -> None:
    if len(biases) > _MOST_BIASES:
        raise ValueError(f"logit_bias must be for at most {_MOST_BIASES} tokens")
    end = math.inf if vocabulary_size is None else vocabulary_size
    for token, bias in biases:
        if not 0 <= token < end:
            raise ValueError(f"logit_bias: the model has no token {token}")
        if not (-100 <= bias <= 100 or bias == -math.inf):
            raise ValueError("logit_bias must be between -100 and 100")
