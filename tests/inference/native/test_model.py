"""Loading real files, good and bad."""

from pathlib import Path

import pytest

from chatdesk.core.generation import FailureCode
from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.open_model import open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.model import Aborted
from tests.tiny_models import (
    not_a_model,
    tiny_model,
    truncated_model,
    unsupported_model,
)


def failure(path: Path) -> LoadError:
    with pytest.raises(LoadError) as caught:
        open_model(path, LoadOptions(2048), AbortFlag()).close()
    return caught.value


def test_a_model_states_what_it_is(tmp_path: Path) -> None:
    fractions: list[float] = []
    path = tiny_model(tmp_path / "tiny.gguf")
    opened = open_model(path, LoadOptions(100_000), AbortFlag(), fractions.append)
    try:
        model, context = opened.model, opened.context
        assert model.architecture == "llama"
        assert model.metadata("general.name") == "Tiny"
        assert model.metadata("no.such.key") is None
        assert context.window == model.trained_context == 512
        assert (model.layers, opened.gpu_layers) == (1, 0)
        assert context.flash_attention
        assert opened.device
        assert fractions[-1] == 1
    finally:
        opened.close()


def test_bad_files_are_distinguished(tmp_path: Path) -> None:
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


def test_an_aborted_load_is_no_failure(tmp_path: Path) -> None:
    abort = AbortFlag()
    abort.set()
    with pytest.raises(Aborted):
        open_model(tiny_model(tmp_path / "tiny.gguf"), LoadOptions(512), abort)
