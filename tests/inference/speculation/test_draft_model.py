"""A second model that drafts for the first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.generation import FailureCode
from chatdesk.core.loading import LoadOptions
from chatdesk.inference.loading.open_model import Opened, open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.speculation.draft_model import DraftModel
from tests.tiny_models import not_a_model, tiny_model

TEXT = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,"


@pytest.fixture(scope="module")
def opened(starter_model: Path) -> Iterator[Opened]:
    opened = open_model(starter_model, LoadOptions(context_window=512), AbortFlag())
    yield opened
    opened.close()


@pytest.fixture
def draft(starter_model: Path, opened: Opened) -> Iterator[DraftModel]:
    draft = load(starter_model, opened)
    yield draft
    draft.close()


def load(path: Path, opened: Opened, window: int = 256) -> DraftModel:
    return DraftModel(
        path, opened.model, window=window, threads=opened.threads, answers=2, abort=AbortFlag()
    )


def greedy(opened: Opened, tokens: list[int], count: int) -> list[int]:
    """Return the model's answer, one row at a time."""
    context, batch = opened.context, Batch(opened.context.batch)
    context.clear()
    batch.add_part(tokens[:-1], 0, 0)
    context.decode(batch)
    said = [tokens[-1]]
    for place in range(len(tokens) - 1, len(tokens) - 1 + count):
        batch.clear()
        batch.add(said[-1], place, 0, output=True)
        context.decode(batch)
        said.append(int(context.logits(0).argmax()))
    return said[1:]


def test_the_model_itself_drafts_what_it_says(opened: Opened, draft: DraftModel) -> None:
    tokens = opened.model.vocabulary.tokenize(TEXT, False)
    said = greedy(opened, tokens, 40)
    known, drafted = list(tokens), 0
    while len(known) < len(tokens) + 30:
        guessed = draft.propose("a", known, 6)
        at = len(known) - len(tokens)
        assert guessed == said[at : at + len(guessed)]
        drafted += len(guessed)
        known += said[at : at + len(guessed) + 1]
    assert drafted >= 20
    assert draft.token_s > 0


def test_a_refused_draft_is_forgotten(opened: Opened, draft: DraftModel) -> None:
    tokens = opened.model.vocabulary.tokenize(TEXT, False)
    other = opened.model.vocabulary.tokenize(" and then the", False)
    first = draft.propose("a", tokens, 6)
    draft.propose("a", tokens + other, 6)
    draft.propose("b", other, 3)
    draft.propose("c", other, 3)  # one more answer than there are sequences
    assert draft.propose("a", tokens, 6) == first
    draft.forget("a")
    draft.forget("nobody")
    assert draft.propose("a", tokens, 6) == first


def test_no_draft_beyond_the_window(opened: Opened, draft: DraftModel) -> None:
    tokens = opened.model.vocabulary.tokenize(TEXT, False)
    assert draft.propose("a", tokens * 20, 6) == []
    full = (tokens * 20)[: 256 - 8]
    draft.propose("a", full, 6)
    assert draft.propose("b", tokens, 6)  # "a" gives way


def test_another_vocabulary_is_refused(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as refused:
        load(tiny_model(tmp_path / "tiny.gguf"), opened)
    assert refused.value.detail == "another vocabulary"


def test_a_file_that_is_no_model_is_refused(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(LoadError) as refused:
        load(not_a_model(tmp_path / "not.gguf"), opened)
    assert refused.value.code is FailureCode.NOT_GGUF
