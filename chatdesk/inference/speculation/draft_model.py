"""Drafts from a second, small model of the same vocabulary."""

import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import FailureCode
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch, Context
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.model import Model
from chatdesk.inference.native.vocabulary import Vocabulary

_BATCH = 128  # tokens
_LIKELY = 0.6  # a token of lower probability ends the draft
_SIZE_TOLERANCE = 128  # unused tokens at the end of one of the vocabularies; as in llama.cpp
_SMOOTHING = 0.1


class DraftModel:
    """Guesses the next tokens of a model, one after the other. Used by one thread.

    It has its own KV cache, with one sequence for each answer.
    """

    def __init__(
        self,
        path: Path,
        target: Model,
        *,
        window: int,
        threads: int,
        answers: int,
        abort: AbortFlag,
    ) -> None:
        """Load the model with a window of so many tokens, for so many answers at once.

        Raises `LoadError`, also when its vocabulary is not that of `target`, and `Aborted`.
        """
        self._model = Model(path, _model_parameters(), abort)
        try:
            _check(self._model, target)
            self._context = Context(
                self._model, _context_parameters(window, threads, answers), abort
            )
        except BaseException:
            self._model.close()
            raise
        self._batch = Batch(_BATCH)
        self._known: dict[Hashable, tuple[int, list[int]]] = {}  # sequence and its cached tokens
        self._free = list(range(answers))
        self._target_size = target.vocabulary.size
        self._token_s: float | None = None

    @property
    def token_s(self) -> float:
        """The seconds that it takes to guess one token; 0 before the first guess."""
        return self._token_s or 0.0

    def propose(self, key: Hashable, tokens: Sequence[int], limit: int) -> list[int]:
        """Return at most `limit` tokens that are likely to follow `tokens` in the answer `key`.

        Only the difference from the last call is read. Raises `Aborted`.
        """
        if len(tokens) + limit > self._context.window:
            return []
        sequence, cached = self._sequence(key)
        keep = min(_common(cached, tokens), len(tokens) - 1)
        self._context.cut(sequence, keep)
        del cached[keep:]
        self._make_room(key, len(tokens) + limit)
        return self._draft(sequence, cached, tokens[keep:], limit)

    def forget(self, key: Hashable) -> None:
        """Drop the sequence of an answer that has ended."""
        known = self._known.pop(key, None)
        if known:
            self._context.drop(known[0])
            self._free.append(known[0])

    def close(self) -> None:
        """Free the memory."""
        self._context.close()
        self._model.close()

    def _sequence(self, key: Hashable) -> tuple[int, list[int]]:
        """Return an answer's sequence and its tokens; the last used answers come last."""
        if key not in self._known and not self._free:
            self.forget(next(iter(self._known)))
        known = self._known.pop(key, None) or (self._free.pop(), [])
        self._known[key] = known
        return known

    def _make_room(self, key: Hashable, wanted: int) -> None:
        """Drop the sequences of other answers, the least recently used first."""
        for other in [other for other in self._known if other != key]:
            taken = sum(len(cached) for name, (_, cached) in self._known.items() if name != key)
            if taken + wanted <= self._context.window:
                break
            self.forget(other)

    def _draft(
        self, sequence: int, cached: list[int], unread: Sequence[int], limit: int
    ) -> list[int]:
        guessed: list[int] = []
        while len(guessed) < limit:
            started = time.monotonic()
            token, chance = self._read(sequence, cached, unread)
            if len(unread) == 1:
                self._learn(time.monotonic() - started)
            if chance < _LIKELY or token >= self._target_size:
                break
            guessed.append(token)
            unread = [token]
        return guessed

    def _read(self, sequence: int, cached: list[int], tokens: Sequence[int]) -> tuple[int, float]:
        """Read tokens; return the likeliest next one and its probability."""
        for start in range(0, len(tokens), _BATCH):
            part = tokens[start : start + _BATCH]
            self._batch.clear()
            self._batch.add_part(part, len(cached), sequence)
            self._batch.want_output(self._batch.size - 1)
            self._context.decode(self._batch)
            cached += part
        logits = self._context.logits(self._batch.size - 1)
        token = int(logits.argmax())
        return token, float(1 / np.exp(logits - logits[token]).sum())

    def _learn(self, seconds: float) -> None:
        before = seconds if self._token_s is None else self._token_s
        self._token_s = before + _SMOOTHING * (seconds - before)


def _common(cached: Sequence[int], tokens: Sequence[int]) -> int:
    """Return how many tokens both begin with."""
    if cached == tokens[: len(cached)]:
        return len(cached)
    pairs = zip(cached, tokens, strict=False)
    return next(
        (place for place, (a, b) in enumerate(pairs) if a != b), min(len(cached), len(tokens))
    )


def _check(draft: Model, target: Model) -> None:
    if draft.is_recurrent:  # wrong guesses cannot be undone
        raise LoadError(FailureCode.UNSUPPORTED_ARCHITECTURE, draft.architecture)
    if not _same(draft.vocabulary, target.vocabulary):
        raise LoadError(FailureCode.LOAD_FAILED, "another vocabulary")


def _same(one: Vocabulary, other: Vocabulary) -> bool:
    """Return True if a token means the same in both."""
    ends = (lib.llama_vocab_type, lib.llama_vocab_bos, lib.llama_vocab_eos)
    return (
        all(ask(one.handle) == ask(other.handle) for ask in ends)
        and one.bos == other.bos
        and abs(one.size - other.size) <= _SIZE_TOLERANCE
        and all(one.text(token) == other.text(token) for token in range(min(one.size, other.size)))
    )


def _model_parameters() -> Any:
    parameters = lib.llama_model_default_params()
    if not lib.llama_supports_gpu_offload():
        parameters.n_gpu_layers = 0
    return parameters


def _context_parameters(window: int, threads: int, answers: int) -> Any:
    parameters = lib.llama_context_default_params()
    parameters.n_ctx = window
    parameters.n_batch = parameters.n_ubatch = _BATCH
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.n_seq_max = answers
    parameters.n_outputs_max = answers  # llama.cpp needs one for each sequence
    parameters.kv_unified = True
    parameters.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
    return parameters
