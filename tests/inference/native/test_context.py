"""The KV cache and the abort flag, with the starter model."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.open_model import open_model
from chatdesk.inference.native import bindings as native
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch, Context, NoRoom
from chatdesk.inference.native.model import Aborted
from tests.tiny_models import tiny_model

TEXT = "The quick brown fox jumps over the lazy dog. " * 400


@pytest.fixture
def abort() -> AbortFlag:
    return AbortFlag()


@pytest.fixture
def context(starter_model: Path, abort: AbortFlag) -> Iterator[Context]:
    opened = open_model(starter_model, LoadOptions(threads=2), abort)
    yield opened.context
    opened.close()


@pytest.fixture
def tokens(context: Context) -> list[int]:
    return context.model.vocabulary.tokenize(TEXT, parse_special=False)


def read(context: Context, tokens: Sequence[int], sequence: int = 0) -> int:
    """Read the rest of `tokens` into a sequence; return the likeliest next one."""
    batch = Batch(context.batch)
    for start in range(context.length(sequence), len(tokens), context.batch):
        part = tokens[start : start + context.batch]
        batch.clear()
        batch.add_part(part, start, sequence)
        batch.want_output(len(part) - 1)
        context.decode(batch)
    return int(np.argmax(context.logits(batch.size - 1)))


def greedy(context: Context, prompt: Sequence[int], count: int, sequence: int = 0) -> list[int]:
    answer: list[int] = []
    for _ in range(count):
        answer.append(read(context, [*prompt, *answer], sequence))
    return answer


def test_a_shared_beginning_gives_the_same_answer(context: Context, tokens: list[int]) -> None:
    prompt = tokens[:200]
    fresh = greedy(context, prompt, 8)
    context.share(0, 3, 150)
    assert context.length(3) == 150
    assert greedy(context, prompt, 8, sequence=3) == fresh
    context.cut(0, 150)
    assert greedy(context, prompt, 8) == fresh
    context.drop(0)
    assert (context.length(0), context.length(3)) == (0, 207)


def test_a_state_comes_back_as_it_was(context: Context, tokens: list[int]) -> None:
    prompt = tokens[:200]
    read(context, prompt[:150])
    state = context.state(0)
    fresh = greedy(context, prompt, 8)
    context.clear()
    assert context.restore(5, state)
    assert context.length(5) == 150
    assert greedy(context, prompt, 8, sequence=5) == fresh


def test_a_closed_gap_moves_what_follows_to_its_place(context: Context, tokens: list[int]) -> None:
    assert context.can_shift
    read(context, tokens[:300])
    context.close_gap(0, 50, 200)
    assert context.length(0) == 150
    read(context, [*tokens[:50], *tokens[200:300], tokens[300]])
    assert context.length(0) == 151


def test_a_full_cache_is_reported_and_costs_nothing(starter_model: Path, abort: AbortFlag) -> None:
    opened = open_model(starter_model, LoadOptions(256, threads=2), abort)
    try:
        context = opened.context
        tokens = context.model.vocabulary.tokenize(TEXT, parse_special=False)[: context.window]
        read(context, tokens[:-1], 0)
        batch = Batch(2)
        for place in range(2):
            batch.add(tokens[place], place, 1, output=True)
        with pytest.raises(NoRoom):
            context.decode(batch)
        assert (context.length(0), context.length(1)) == (len(tokens) - 1, 0)
    finally:
        opened.close()


def test_an_abort_stops_reading_at_once_and_leaves_a_sound_cache(
    context: Context, abort: AbortFlag, tokens: list[int]
) -> None:
    assert len(tokens) > 4000
    fresh = greedy(context, tokens[:300], 12, sequence=1)
    set_at: list[float] = []

    def set_flag() -> None:
        set_at.append(time.monotonic())
        abort.set()

    read(context, tokens[:256])
    timer = threading.Timer(0.4, set_flag)
    timer.start()
    with pytest.raises(Aborted):
        read(context, tokens)
    delay = time.monotonic() - set_at[0]
    timer.join()
    assert delay < 1.0
    abort.clear()
    assert context.length(0) >= 256
    context.cut(0, 256)
    assert greedy(context, tokens[:300], 12) == fresh


def test_without_strlen_a_python_callback_aborts_as_well(
    starter_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_strlen_address", lambda: None)
    abort = AbortFlag()
    opened = open_model(starter_model, LoadOptions(512, threads=2), abort)
    try:
        abort.set()
        with pytest.raises(Aborted):
            read(opened.context, [1, 2, 3])
        abort.clear()
        read(opened.context, [1, 2, 3])
    finally:
        opened.close()


def test_an_abort_is_no_error_in_the_log_whatever_was_opened_since(
    tmp_path: Path, abort: AbortFlag, caplog: pytest.LogCaptureFixture
) -> None:
    path = tiny_model(tmp_path / "tiny.gguf")
    first = open_model(path, LoadOptions(512, threads=2), abort)
    second = open_model(path, LoadOptions(512, threads=2), AbortFlag())
    try:
        abort.set()
        with pytest.raises(Aborted):
            read(first.context, [1, 2, 3])
        read(second.context, [1, 2, 3])
    finally:
        first.close()
        second.close()
    assert not [record for record in caplog.records if record.name == "llama.cpp"]
