"""Shorter vectors, from the models that were trained to put the most into the first numbers."""

import math
from dataclasses import replace

from chatdesk.core.generation import Embedded
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader
from chatdesk.server.errors import bad_request

# Matryoshka models, as their makers' cards say; no GGUF header does.
_CAN_BE_SHORTER = (
    "embeddinggemma",
    "jina-embeddings-v3",
    "jina-embeddings-v4",
    "jina-embeddings-v5",
    "mxbai-embed-large",
    "nomic-embed-text-v1.5",
    "nomic-embed-text-v2",
    "qwen3-embedding",
    "snowflake-arctic-embed-l-v2",
    "snowflake-arctic-embed-m-v1.5",
    "snowflake-arctic-embed-m-v2",
)


def shortened(embedded: Embedded, dimensions: int | None, header: ModelHeader | None) -> Embedded:
    """Return vectors of so many numbers, of length 1. Raises `ApiError` where that is no vector."""
    if dimensions is None or not embedded.vectors:
        return embedded
    width = len(embedded.vectors[0])
    if dimensions == width:
        return embedded
    name = header.name if header else ""
    if not _can_be_shorter(name):
        message = tr(
            "“{name}” gives vectors of {n} numbers and no shorter ones.", name=name, n=width
        )
        raise bad_request(message, "dimensions")
    if not 1 <= dimensions < width:
        raise bad_request(tr("This must be from {low} to {high}.", low=1, high=width), "dimensions")
    return replace(embedded, vectors=tuple(_cut(each, dimensions) for each in embedded.vectors))


def _can_be_shorter(name: str) -> bool:
    return any(_letters(known) in _letters(name) for known in _CAN_BE_SHORTER)


def _letters(name: str) -> str:
    return name.lower().translate(str.maketrans("", "", " -_"))


def _cut(vector: tuple[float, ...], dimensions: int) -> tuple[float, ...]:
    first = vector[:dimensions]
    length = math.hypot(*first) or 1.0
    return tuple(value / length for value in first)
