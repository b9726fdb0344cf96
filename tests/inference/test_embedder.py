"""Embedders: vectors as their file says they are made, alone and many together."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chatdesk.core.generation import (
    CountTokens,
    Embed,
    Embedded,
    Failed,
    FailureCode,
    KeepSessions,
    SessionsKept,
)
from chatdesk.core.loading import ModelLoaded
from tests.inference.engine_process import EngineProcess, turns
from tests.tiny_models import tiny_embedder, tiny_model

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    with EngineProcess() as process:
        yield process


def embedded(engine: EngineProcess, *texts: str) -> Embedded:
    engine.send(Embed("embed", texts))
    _, end = engine.outcome("embed")
    assert isinstance(end, Embedded), end
    return end


def test_vectors_do_not_depend_on_their_neighbours(engine: EngineProcess, tmp_path: Path) -> None:
    loaded = engine.load(tiny_embedder(tmp_path / "bert.gguf"))
    assert isinstance(loaded, ModelLoaded)
    assert (loaded.name, loaded.context_window) == ("Tiny BERT", 64)
    texts = ["the tea", "milk", "the sea the sea", "tea milk sea teas"] * 40
    found = embedded(engine, *texts)
    assert found.tokens == 40 * (4 + 3 + 6 + 7)  # with [CLS] and [SEP] around each
    vectors = np.array(found.vectors)
    assert vectors.shape == (160, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    for text, vector in zip(texts[:4], vectors[:4], strict=True):
        (alone,) = embedded(engine, text).vectors
        assert np.allclose(alone, vector, atol=1e-4)
    assert np.allclose(vectors[:4], vectors[-4:], atol=1e-4)
    assert not np.allclose(vectors[0], vectors[1], atol=0.05)


def test_the_pooling_is_that_of_the_file(engine: EngineProcess, tmp_path: Path) -> None:
    found = []
    for pooling in (1, 2, 3, None):
        engine.load(tiny_embedder(tmp_path / f"{pooling}.gguf", pooling))
        found.append(embedded(engine, "the tea").vectors[0])
    mean, first, last, usual = map(np.array, found)
    assert np.allclose(mean, usual, atol=1e-4)
    assert not np.allclose(mean, first, atol=0.01)
    assert not np.allclose(first, last, atol=0.01)


def test_a_file_that_would_end_the_engine_is_refused(engine: EngineProcess, tmp_path: Path) -> None:
    end = engine.load(tiny_embedder(tmp_path / "bad.gguf", marks_ends=False))
    assert isinstance(end, Failed)
    assert (end.code, end.detail) == (
        FailureCode.LOAD_FAILED,
        "the file does not say how a text begins.",
    )


def test_what_an_embedder_cannot_do_is_told(engine: EngineProcess, tmp_path: Path) -> None:
    engine.load(tiny_embedder(tmp_path / "bert.gguf"))
    for text, code in (("tea " * 63, FailureCode.PROMPT_TOO_LONG), ("", FailureCode.PARAMETER)):
        engine.send(Embed("embed", (text,)))
        end = engine.outcome("embed")[1]
        assert isinstance(end, Failed)
        assert end.code is code
    end = engine.answer("tea")[1]
    assert isinstance(end, Failed)
    assert (end.code, end.detail) == (FailureCode.UNSUPPORTED_ARCHITECTURE, "bert")
    engine.send(CountTokens("count", turns("tea")))
    assert isinstance(engine.outcome("count")[1], Failed)
    engine.send(KeepSessions("keep", str(tmp_path), "x", 1000))
    assert engine.outcome("keep")[1] == SessionsKept("keep", 0, 0)
    assert embedded(engine).vectors == ()
    engine.load(tiny_model(tmp_path / "chat.gguf", answer=b"abc"))
    assert engine.answer("tea", temperature=0.0)[0] == "abc"
