"""Scores continuations and embeds texts: work in steps, between those of the answers."""

from collections.abc import Callable

import numpy as np
from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import (
    Embed,
    Embedded,
    PromptProgress,
    Score,
    Scored,
)
from chatdesk.core.protocol import Event, Terminal
from chatdesk.inference.decoding.logprobs import logprob_of
from chatdesk.inference.decoding.sequences import Sequences
from chatdesk.inference.decoding.text_reader import Text, TextReader
from chatdesk.inference.native.context import Context
from chatdesk.inference.native.lora import AdapterKey, Adapters
from chatdesk.inference.prompt.context_view import TooLong


class Scoring:
    """The log-probability of every token of some continuations. Raises `TooLong` for a long one."""

    def __init__(
        self,
        request: Score,
        key: AdapterKey,
        context: Context,
        sequences: Sequences,
        adapters: Adapters,
        send: Callable[[Event], None],
    ) -> None:
        self.request_id = request.request_id
        self.background = True
        longest = max((len(s.prompt) + len(s.continuation) for s in request.sequences), default=0)
        if longest > context.window:
            raise TooLong(longest, context.window)
        _check_tokens(request, context.model.vocabulary.size)
        self._request = request
        self._key = key
        self._context = context
        self._adapters = adapters
        self._send = send
        self._reader = TextReader(context, sequences, key)
        self._next = 0
        self._done = 0
        self._logprobs = [[0.0] * len(each.continuation) for each in request.sequences]

    def step(self) -> Terminal | None:
        """Compute a batch; the answer when it was the last."""
        self._adapters.apply(self._context, self._key)
        self._reader.step(self._following, self._take_row, self._finish)
        total = len(self._request.sequences)
        if self._done < total:
            self._send(PromptProgress(self.request_id, self._done, total, 0))
            return None
        return Scored(self.request_id, tuple(map(tuple, self._logprobs)))

    def _following(self) -> Text | None:
        while self._next < len(self._request.sequences):
            index = self._next
            self._next += 1
            sequence = self._request.sequences[index]
            if sequence.continuation:
                # The last token's own logits predict the token after it, which nobody asked for.
                tokens = (*sequence.prompt, *sequence.continuation)[:-1]
                return index, tokens, len(sequence.prompt) - 1
            self._done += 1
        return None

    def _take_row(self, index: int, position: int, row: int) -> None:
        sequence = self._request.sequences[index]
        place = position + 1 - len(sequence.prompt)
        token = sequence.continuation[place]
        self._logprobs[index][place] = logprob_of(self._context.logits(row), token)

    def _finish(self, _index: int) -> None:
        self._done += 1

    def close(self) -> None:
        """Free what it uses."""
        self._reader.close()


def _check_tokens(request: Score, size: int) -> None:
    for sequence in request.sequences:
        if not sequence.prompt:
            raise ValueError("a sequence without a prompt")
        for tokens in (sequence.prompt, sequence.continuation):
            if tokens and not 0 <= min(tokens) <= max(tokens) < size:
                raise ValueError("a token id that is not in the vocabulary")


class Embedding:
    """Vectors of texts: the mean of the last layer over a text's tokens, at length 1.

    Raises `TooLong` for a text that does not fit the context window, `ValueError` for an empty one.
    """

    def __init__(
        self,
        request: Embed,
        context: Context,
        sequences: Sequences,
        adapters: Adapters,
    ) -> None:
        self.request_id = request.request_id
        self.background = False
        vocabulary = context.model.vocabulary
        begin = [] if vocabulary.bos is None else [vocabulary.bos]
        self._texts = [
            [*begin, *vocabulary.tokenize(text, parse_special=False)] for text in request.texts
        ]
        longest = max(map(len, self._texts), default=0)
        if longest > context.window:
            raise TooLong(longest, context.window)
        if not all(self._texts):
            raise ValueError("an empty text")
        self._context = context
        self._adapters = adapters
        self._reader = TextReader(context, sequences, ())
        width = int(lib.llama_model_n_embd(context.model.handle))
        self._sums = np.zeros((len(self._texts), width), dtype=np.float64)
        self._next = 0
        self._done = 0

    def step(self) -> Terminal | None:
        """Compute a batch; return the answer when it was the last."""
        if self._texts:
            self._adapters.apply(self._context, ())
            lib.llama_set_embeddings(self._context.handle, True)
            try:
                self._reader.step(self._following, self._take_row, self._finish)
            finally:
                lib.llama_set_embeddings(self._context.handle, False)
        if self._done < len(self._texts):
            return None
        lengths = np.linalg.norm(self._sums, axis=1, keepdims=True)
        vectors = self._sums / np.where(lengths == 0, 1, lengths)
        read = sum(map(len, self._texts))
        return Embedded(self.request_id, tuple(map(tuple, vectors.tolist())), read)

    def _following(self) -> Text | None:
        if self._next == len(self._texts):
            return None
        index = self._next
        self._next += 1
        return index, self._texts[index], 0

    def _take_row(self, index: int, position: int, row: int) -> None:
        if position == 0:
            self._sums[index] = 0  # it may have been put back and read once more
        pointer = lib.llama_get_embeddings_ith(self._context.handle, row)
        self._sums[index] += np.ctypeslib.as_array(pointer, (self._sums.shape[1],))

    def _finish(self, _index: int) -> None:
        self._done += 1

    def close(self) -> None:
        """Free its sequences."""
        self._reader.close()
