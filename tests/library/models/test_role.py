"""What a model is for, from its header alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.errors import NotForChats
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import Fit, ModelHeader, ModelRole
from chatdesk.library.machine.fit import estimate
from chatdesk.library.models.header import read_header
from chatdesk.library.models.role import check_answers, role_of
from tests.gguf_files import Value, raw
from tests.tiny_models import tiny_model


def header(architecture: str, *, template: bool = False, pooling: int = 0) -> ModelHeader:
    """A header of that architecture."""
    made = ModelHeader("Some", architecture, 10**6, "Q4_0", 10**6, 512, 2, 8, template)
    return replace(made, pooling=pooling)


@pytest.mark.parametrize(
    ("of", "role"),
    [
        (header("llama", template=True), ModelRole.CHAT),
        (header("gpt-oss", template=True), ModelRole.CHAT),
        (header("gemma3"), ModelRole.BASE),
        (header("gpt2"), ModelRole.BASE),
        (header("bert"), ModelRole.EMBEDDER),
        (
            header("qwen3", template=True, pooling=3),
            ModelRole.EMBEDDER,
        ),  # its template says nothing
        (header("bert", pooling=4), ModelRole.OTHER),  # ranks
        (header("clip"), ModelRole.PROJECTOR),
        (header("t5"), ModelRole.OTHER),
        (header("gptj"), ModelRole.UNSUPPORTED),
        (header("notyetinvented", template=True), ModelRole.UNSUPPORTED),
        (header("LLAMA", template=True), ModelRole.UNSUPPORTED),
    ],
    ids=str,
)
def test_role(of: ModelHeader, role: ModelRole) -> None:
    assert role_of(of) is role
    assert (estimate(of, LoadOptions(512), [], 1 << 34, 0).fit is Fit.UNSUPPORTED) is (
        role in (ModelRole.OTHER, ModelRole.UNSUPPORTED)
    )
    if role.answers:
        check_answers(of)
    else:
        with pytest.raises(NotForChats, match=r"Some Q4_0 is .*Choose another model"):
            check_answers(of)


def test_only_what_llama_cpp_cannot_run_is_said_to_be_so() -> None:
    for of, word in ((header("bert"), "for embeddings"), (header("clip"), "a projector")):
        with pytest.raises(NotForChats, match=word) as caught:
            check_answers(of)
        assert "llama.cpp" not in str(caught.value)
    with pytest.raises(NotForChats, match=r"“gptj”, which this version of llama\.cpp cannot run"):
        check_answers(header("gptj"))


def test_it_is_read_from_the_file(tmp_path: Path) -> None:
    assert role_of(read_header(tiny_model(tmp_path / "chat.gguf"))) is ModelRole.CHAT
    assert role_of(read_header(tiny_model(tmp_path / "base.gguf", template=None))) is ModelRole.BASE
    pooled: dict[str, Value] = {"general.architecture": "qwen3", "qwen3.pooling_type": 3}
    (tmp_path / "pooled.gguf").write_bytes(raw(pooled))
    assert role_of(read_header(tmp_path / "pooled.gguf")) is ModelRole.EMBEDDER
    eyes = {"general.architecture": "clip", "general.type": "mmproj"}
    (tmp_path / "eyes.gguf").write_bytes(raw(eyes))
    assert role_of(read_header(tmp_path / "eyes.gguf")) is ModelRole.PROJECTOR
