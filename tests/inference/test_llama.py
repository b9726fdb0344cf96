"""Loading, the KV cache and the abort flag, on real files."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.generation import FailureCode, SamplingParams
from chatdesk.inference import native
from chatdesk.inference.llama import Aborted, Model
from chatdesk.inference.loading import LoadError
from chatdesk.inference.native import AbortFlag, devices, useful_threads
from chatdesk.inference.sampling import Sampler
from tests.tiny_models import (
    not_a_model,
    tiny_model,
    truncated_model,
    unsupported_model,
)

TEXT = "The quick brown fox jumps over the lazy dog. " * 400


@pytest.fixture
def abort() -> AbortFlag:
    return AbortFlag()


@pytest.fixture
def starter(starter_model: Path, abort: AbortFlag) -> Iterator[Model]:
    model = Model(starter_model, 8192, abort=abort)
    yield model
    model.close()


def greedy(model: Model, prompt: list[int], count: int) -> list[int]:
    model.read(prompt[model.reuse(prompt) :])
    out = []
    with Sampler(SamplingParams(temperature=0), model.vocabulary.size, prompt) as sampler:
        for _ in range(count):
            out.append(sampler.sample(model.context))
            model.read_one(out[-1])
    return out


def failure(path: Path) -> LoadError:
    with pytest.raises(LoadError) as caught:
        Model(path, 2048).close()
    return caught.value


def test_there_is_a_cpu_with_memory_and_threads() -> None:
    cpus = [device for device in devices() if device.kind == "cpu"]
    assert cpus
    assert 0 < cpus[0].free_bytes <= cpus[0].total_bytes
    assert useful_threads() >= 1


def test_a_model_tells_what_it_is(tmp_path: Path) -> None:
    fractions: list[float] = []
    model = Model(tiny_model(tmp_path / "tiny.gguf"), 100_000, progress=fractions.append)
    try:
        assert model.architecture == "llama"
        assert model.metadata("general.name") == "Tiny"
        assert model.metadata("no.such.key") is None
        assert model.context_window == model.trained_context == 512
        assert (model.layers, model.gpu_layers) == (1, 0)
        assert model.threads == useful_threads()
        assert model.flash_attention
        assert model.device
        assert fractions[-1] == 1
    finally:
        model.close()


def test_bad_files_are_told_apart(tmp_path: Path) -> None:
    assert failure(tmp_path / "none.gguf").code is FailureCode.NOT_FOUND
    assert failure(tmp_path).code is FailureCode.LOAD_FAILED
    assert failure(not_a_model(tmp_path / "zip.gguf")).code is FailureCode.NOT_GGUF
    unsupported = failure(unsupported_model(tmp_path / "new.gguf"))
    assert unsupported.code is FailureCode.UNSUPPORTED_ARCHITECTURE
    assert unsupported.detail == "notyetinvented"
    for keep in (0.999, 0.5, 0.01, 0.001, 0.000002, 0):
        cut = failure(truncated_model(tmp_path / f"{keep}.gguf", keep))
        assert cut.code is FailureCode.TRUNCATED, keep


def test_a_file_without_its_tensors_fails_in_llama_cpps_words(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "odd.gguf")
    path.write_bytes(path.read_bytes().replace(b"blk.0.attn_q.weight", b"blk.0.attn_x.weight"))
    problem = failure(path)
    assert problem.code is FailureCode.LOAD_FAILED
    assert "attn_q" in problem.detail


def test_an_aborted_load_is_no_failure(tmp_path: Path, abort: AbortFlag) -> None:
    abort.set()
    with pytest.raises(Aborted):
        Model(tiny_model(tmp_path / "tiny.gguf"), 512, abort=abort)


def test_the_shared_beginning_is_read_once(starter: Model) -> None:
    prompt = starter.vocabulary.tokenize(TEXT[:900], parse_special=False)
    fresh = greedy(starter, prompt, 8)
    assert starter.reuse(prompt) == len(prompt) - 1  # one is left, for its logits
    assert greedy(starter, prompt, 8) == fresh
    other = [*prompt[:50], *starter.vocabulary.tokenize(" Meanwhile", parse_special=False)]
    assert starter.reuse(other) == 50


def test_an_abort_stops_reading_at_once_and_leaves_a_sound_cache(
    starter: Model, abort: AbortFlag, starter_model: Path
) -> None:
    prompt = starter.vocabulary.tokenize(TEXT, parse_special=False)
    assert len(prompt) > 4000
    set_at: list[float] = []

    def set_flag() -> None:
        set_at.append(time.monotonic())
        abort.set()

    starter.read(prompt[:256])
    timer = threading.Timer(0.4, set_flag)
    timer.start()
    with pytest.raises(Aborted):
        starter.read(prompt[256:])
    delay = time.monotonic() - set_at[0]
    timer.join()
    assert delay < 1.0
    abort.clear()
    short = prompt[:300]
    assert starter.reuse(short) >= 256
    fresh = Model(starter_model, 8192)
    try:
        assert greedy(starter, short, 12) == greedy(fresh, short, 12)
    finally:
        fresh.close()


def test_without_strlen_a_python_callback_aborts_as_well(
    starter_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_strlen_address", lambda: None)
    abort = AbortFlag()
    model = Model(starter_model, 512, abort=abort)
    try:
        abort.set()
        with pytest.raises(Aborted):
            model.read([1, 2, 3])
        abort.clear()
        model.read([1, 2, 3])
    finally:
        model.close()


def test_meaningless_parameters_are_refused() -> None:
    for params in (
        SamplingParams(temperature=-1),
        SamplingParams(temperature=float("nan")),
        SamplingParams(top_p=1.5),
        SamplingParams(repeat_penalty=0),
        SamplingParams(max_tokens=-1),
    ):
        with pytest.raises(ValueError, match="must be between"):
            Sampler(params, 100, [])
