"""The baseline: a bare loop over libllama, with nothing between it and the caller."""

import ctypes
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the engine process has it

import numpy as np
from llama_cpp import llama_cpp as lib

from chatdesk.core.sampling import SamplingParams

_quiet = lib.llama_log_callback(lambda level, text, data: None)  # referenced for good


class BareLoop:
    """Decodes and samples with llama.cpp's C functions alone, in this process.

    Its settings are those of the engine: window, batch, threads, flash attention, one KV cache for
    all sequences, and the default sampler chain.
    """

    def __init__(self, path: str, window: int, batch: int, threads: int) -> None:
        lib.llama_log_set(_quiet, None)
        lib.llama_backend_init()
        self._model: Any = lib.llama_model_load_from_file(
            os.fsencode(path), lib.llama_model_default_params()
        )
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = window
        parameters.n_batch = parameters.n_ubatch = batch
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.n_seq_max = 16
        parameters.kv_unified = True
        self._context: Any = lib.llama_init_from_model(self._model, parameters)
        self._memory: Any = lib.llama_get_memory(self._context)
        self._vocab: Any = lib.llama_model_get_vocab(self._model)
        self._piece = ctypes.create_string_buffer(256)
        self._batch = batch

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text."""
        data = text.encode()
        tokens = (ctypes.c_int32 * (len(data) + 2))()
        count = lib.llama_tokenize(self._vocab, data, len(data), tokens, len(tokens), False, True)
        return list(tokens[:count])

    def read(self, tokens: list[int]) -> float:
        """Read a prompt into sequence 0 and sample once; seconds."""
        lib.llama_memory_clear(self._memory, False)
        chain = self._chain(SamplingParams(), 0)
        started = time.perf_counter()
        for start in range(0, len(tokens), self._batch):
            part = tokens[start : start + self._batch]
            native = (ctypes.c_int32 * len(part))(*part)
            assert lib.llama_decode(self._context, lib.llama_batch_get_one(native, len(part))) == 0
        lib.llama_sampler_sample(chain, self._context, -1)
        seconds = time.perf_counter() - started
        lib.llama_sampler_free(chain)
        return seconds

    def decode(self, prompts: list[list[int]], count: int, params: SamplingParams) -> float:
        """Answer all prompts side by side with `count` tokens each; tokens per second."""
        lib.llama_memory_clear(self._memory, False)
        batch = lib.llama_batch_init(512, 0, 1)
        chains = [self._chain(params, n) for n in range(len(prompts))]
        last, position = [], []
        for sequence, tokens in enumerate(prompts):
            self._fill(batch, [(t, p, sequence) for p, t in enumerate(tokens)])
            assert lib.llama_decode(self._context, batch) == 0
            last.append(lib.llama_sampler_sample(chains[sequence], self._context, -1))
            position.append(len(tokens))
        started = time.perf_counter()
        for _ in range(count - 1):
            entries = [(last[s], position[s], s) for s in range(len(prompts))]
            self._fill(batch, entries, outputs=True)
            assert lib.llama_decode(self._context, batch) == 0
            for sequence, chain in enumerate(chains):
                token = lib.llama_sampler_sample(chain, self._context, sequence)
                lib.llama_token_to_piece(self._vocab, token, self._piece, 256, 0, False)
                last[sequence] = token
                position[sequence] += 1
        seconds = time.perf_counter() - started
        for chain in chains:
            lib.llama_sampler_free(chain)
        lib.llama_batch_free(batch)
        return (count - 1) * len(prompts) / seconds

    def adapt(self, adapter: Path | None) -> None:
        """Compute with a LoRA adapter from now on, or with the model as it is."""
        handles = (lib.llama_adapter_lora_p_ctypes * 1)()
        if adapter:
            handles[0] = lib.llama_adapter_lora_init(self._model, os.fsencode(adapter))
        scales, count = (ctypes.c_float * 1)(1.0), 1 if adapter else 0
        assert lib.llama_set_adapters_lora(self._context, handles, count, scales) == 0

    def logits(self, tokens: list[int]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """The logits after each token of a text that fits a batch, as [token, vocabulary]."""
        lib.llama_memory_clear(self._memory, False)
        batch = lib.llama_batch_init(len(tokens), 0, 1)
        self._fill(batch, [(t, p, 0) for p, t in enumerate(tokens)], outputs=True)
        assert lib.llama_decode(self._context, batch) == 0
        lib.llama_batch_free(batch)
        shape = (len(tokens), lib.llama_vocab_n_tokens(self._vocab))
        return np.ctypeslib.as_array(lib.llama_get_logits(self._context), shape).copy()

    @staticmethod
    def _fill(batch: Any, entries: list[tuple[int, int, int]], outputs: bool = False) -> None:
        for row, (token, position, sequence) in enumerate(entries):
            batch.token[row] = token
            batch.pos[row] = position
            batch.n_seq_id[row] = 1
            batch.seq_id[row][0] = sequence
            batch.logits[row] = outputs or row == len(entries) - 1
        batch.n_tokens = len(entries)

    def _chain(self, params: SamplingParams, seed: int) -> Any:
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        size = lib.llama_vocab_n_tokens(self._vocab)
        bias = (lib.llama_logit_bias * max(1, len(params.logit_bias)))()
        for place, (token, value) in enumerate(params.logit_bias):
            bias[place].token, bias[place].bias = token, value
        for sampler in (
            lib.llama_sampler_init_logit_bias(size, len(params.logit_bias), bias),
            lib.llama_sampler_init_penalties(
                size, params.repeat_last_n, params.repeat_penalty, 0.0, 0.0
            ),
            lib.llama_sampler_init_top_k(params.top_k),
            lib.llama_sampler_init_top_p(params.top_p, 1),
            lib.llama_sampler_init_min_p(params.min_p, 1),
            lib.llama_sampler_init_temp(params.temperature),
            lib.llama_sampler_init_dist(seed),
        ):
            lib.llama_sampler_chain_add(chain, sampler)
        return chain
