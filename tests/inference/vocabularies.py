"""Tokenizers of real files, without their weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from llama_cpp import llama_cpp as lib

from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.model import Model
from chatdesk.inference.native.vocabulary import Vocabulary


@contextmanager
def model_of(path: Path) -> Iterator[Model]:
    """A model with only its vocabulary and header loaded."""
    parameters = lib.llama_model_default_params()
    parameters.vocab_only = True
    model = Model(path, parameters, AbortFlag())
    try:
        yield model
    finally:
        model.close()


def words(vocabulary: Vocabulary, tokens: Sequence[int]) -> str:
    """Return the text of tokens, special ones included."""
    return b"".join(map(vocabulary.written, tokens)).decode()
