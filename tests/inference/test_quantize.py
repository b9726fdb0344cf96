"""Quantization in a real engine process."""

import signal
from pathlib import Path

import gguf
import pytest

from chatdesk.core.generation import EngineEvent, Failed, FailureCode
from chatdesk.core.loading import ModelLoaded, Quantize, Quantized, QuantizeProgress
from chatdesk.library.models.header import read_header
from tests.inference.engine_process import COMMAND, EngineProcess
from tests.tiny_models import not_a_model, tiny_model, truncated_model, unsupported_model

FULL_DISK = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
{COMMAND}
"""  # no file may grow beyond it: a write fails as on a full disk


def quantized(
    engine: EngineProcess, source: Path, target: Path, kind: str
) -> tuple[list[float], EngineEvent]:
    """Return the reported fractions, and the terminal event."""
    engine.send(Quantize("q", str(source), str(target), kind, threads=2))
    fractions = []
    while isinstance(event := engine.next(), QuantizeProgress):
        fractions.append(event.fraction)
    return fractions, event


def test_the_starter_requantized_answers(
    engine: EngineProcess, starter_model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "smaller.gguf"
    fractions, end = quantized(engine, starter_model, target, "Q2_K")
    assert isinstance(end, Quantized), end
    assert end.bytes == target.stat().st_size < starter_model.stat().st_size
    assert end.seconds > 0
    assert fractions == sorted(fractions)
    assert len(fractions) > 200
    assert fractions[-1] == 1
    assert read_header(target).quantization == "Q2_K"
    assert isinstance(engine.load(target, 512), ModelLoaded)  # the engine still works after it
    text, _ = engine.answer("What is the capital of France?", temperature=0.0, max_tokens=30)
    assert text


def test_an_f16_model_to_q8_0(engine: EngineProcess, tmp_path: Path) -> None:
    source, target = tiny_model(tmp_path / "tiny.gguf", answer=b"abc"), tmp_path / "q8.gguf"
    _, end = quantized(engine, source, target, "Q8_0")
    assert isinstance(end, Quantized), end
    kinds = {each.name: each.tensor_type for each in gguf.GGUFReader(target).tensors}
    assert kinds["blk.0.attn_q.weight"] == gguf.GGMLQuantizationType.Q8_0
    assert isinstance(engine.load(target, 512), ModelLoaded)
    assert engine.answer("hello", temperature=0.0)[0] == "abc"


def test_what_cannot_be_quantized(engine: EngineProcess, tmp_path: Path) -> None:
    target = tmp_path / "out"
    for source, code in (
        (tmp_path / "missing.gguf", FailureCode.NOT_FOUND),
        (not_a_model(tmp_path / "zip.gguf"), FailureCode.NOT_GGUF),
        (truncated_model(tmp_path / "cut.gguf"), FailureCode.TRUNCATED),
        (unsupported_model(tmp_path / "strange.gguf"), FailureCode.UNSUPPORTED_ARCHITECTURE),
    ):
        _, end = quantized(engine, source, target, "Q8_0")
        assert isinstance(end, Failed), source
        assert end.code == code
    tiny = tiny_model(tmp_path / "tiny.gguf")
    _, end = quantized(engine, tiny, target, "Q99")
    assert end == Failed("q", FailureCode.PARAMETER, "no type Q99")
    _, end = quantized(engine, tiny, tmp_path / "no folder" / "out", "Q8_0")
    assert isinstance(end, Failed)
    assert end.code == FailureCode.NOT_WRITTEN


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="Windows limits no file's size")
def test_a_disk_that_fills(starter_model: Path, tmp_path: Path) -> None:
    with EngineProcess(FULL_DISK) as engine:
        _, end = quantized(engine, starter_model, tmp_path / "out", "Q2_K")
    assert isinstance(end, Failed)
    assert end.code == FailureCode.NOT_WRITTEN


def test_it_ends_with_its_parent(starter_model: Path, tmp_path: Path) -> None:
    with EngineProcess() as engine:
        engine.send(Quantize("q", str(starter_model), str(tmp_path / "out"), "Q2_K", threads=1))
        assert isinstance(engine.next(), QuantizeProgress)
        assert engine.process.stdin
        engine.process.stdin.close()
        assert engine.process.wait(60) == 0
