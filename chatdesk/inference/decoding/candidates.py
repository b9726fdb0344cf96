"""The tokens among which llama.cpp's samplers choose.

Over a vocabulary of 49,152 a chain takes 0.3 ms, nearly all of it for tokens that no filter keeps.
A `Shortlist` leaves these out where it can prove that: the same seed chooses the same tokens, as
long as no two of the likeliest have the very same logit.

After a step nothing of this is in the processor's caches, so what counts are few calls and few
bytes, not few operations: the arrays are made once.
"""

import ctypes
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as lib

from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.native.context import Logits

_TOKEN = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_GROUPS = 1024  # of the vocabulary
_LEAST_ROWS = 4  # tokens in a group; a smaller vocabulary is quick as a whole
_LONGEST = _GROUPS // 2
_ROUNDING = 0.01  # more than llama.cpp's logarithm differs from ours

Ids = npt.NDArray[np.integer[Any]]


class Candidates:
    """Tokens with their logits in llama.cpp's form, which samplers filter and choose from."""

    def __init__(self, capacity: int) -> None:
        tokens = np.empty(capacity, _TOKEN)  # the system gives memory only to the used part
        self._ids, self._logits = tokens["id"], tokens["logit"]
        self._data = ctypes.cast(tokens.ctypes.data, lib.llama_token_data_p)
        self._native = lib.llama_token_data_array(self._data, 0, -1, False)

    def fill(self, ids: Ids, logits: Logits) -> None:
        """Replace all by these, which are in the order of their ids."""
        count = len(ids)
        self._ids[:count] = ids
        self._logits[:count] = logits
        native = self._native
        native.data, native.size, native.selected, native.sorted = self._data, count, -1, False

    def choose(self, chain: Any) -> int:
        """Return the token that a chain of samplers chooses; it changes the others."""
        lib.llama_sampler_apply(chain, ctypes.byref(self._native))
        return int(self._native.data[self._native.selected].id)  # XTC moves the pointer


class Shortlist:
    """Finds the tokens that the filters of `params` may keep.

    Penalties only lower logits (else there is no list), and only those of so many tokens. So with
    that many and `count` tokens above a logit, the `count` best are above it whatever is lowered;
    and no token below it comes to be above. The tokens are dealt into groups, and the highest
    logits of as many groups bound those of as many tokens.
    """

    def __init__(self, params: SamplingParams, vocabulary_size: int) -> None:
        count, self._depth = _kept(params)
        self._place = _GROUPS - count - _lowered(params)
        self._rows = vocabulary_size // _GROUPS
        self._exists = count > 0 and self._place >= _LONGEST and self._rows >= _LEAST_ROWS
        self._highest = np.empty(_GROUPS, np.float32)
        self._is_on_it = np.empty(vocabulary_size, np.bool_)

    def find(self, logits: Logits) -> Ids | None:
        """Return them in the order of their ids; None for the whole vocabulary."""
        if not self._exists:
            return None
        groups = logits[: self._rows * _GROUPS].reshape(self._rows, _GROUPS)
        np.maximum.reduce(groups, axis=0, out=self._highest)
        self._highest.partition(self._place)
        least = self._highest[self._place] - self._depth
        if not least > -math.inf:  # not a number, or a grammar allows only few
            return None
        np.greater_equal(logits, least, out=self._is_on_it)
        return self._is_on_it.nonzero()[0]


def _kept(params: SamplingParams) -> tuple[int, float]:
    """Return that no token is kept that is not among so many best or so near to the last of them.

    The number is 0 where that cannot be known from the best tokens alone.
    """
    if params.temperature == 0:
        return 1, 0.0
    if params.mirostat or params.top_n_sigma > 0:
        return 0, 0.0
    if params.top_k > 0:
        return params.top_k, 0.0
    if params.typical_p < 1 or params.top_p < 1 or params.min_p == 0:
        return 0, 0.0
    return 1, _ROUNDING - math.log(params.min_p)


def _lowered(params: SamplingParams) -> int:
    """Return how many tokens may have a lower logit than the model gives them; all, if unknown."""
    biased = len(params.logit_bias)
    penalties = (params.repeat_penalty, params.frequency_penalty, params.presence_penalty)
    raises = any(bias > 0 for _, bias in params.logit_bias)
    if raises or params.dry_multiplier or penalties[0] < 1 or min(penalties[1:]) < 0:
        return _GROUPS
    return biased if penalties == (1, 0, 0) else biased + params.repeat_last_n
