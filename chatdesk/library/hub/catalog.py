"""The list of recommended models: the one in `assets/`, or a newer one from the network.

Its figures are derived from what is published for each model. `kv_bytes_per_token` is 2 (K and V) x
layers x KV heads x head dimension x 2 bytes (f16), of the model's `config.json`; a sliding window
is ignored, so it is an upper bound. `parameters`, `vocabulary` and `context_length` are the model's
own; `active_parameters` those its makers state for one token. `bytes` is the file's size, rounded
to ten million.
"""

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import write_json
from chatdesk.core.hub import CatalogEntry
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelHeader
from chatdesk.core.paths import assets_dir
from chatdesk.library.hub.client import is_repository
from chatdesk.library.hub.variants import is_safe_path

_log = logging.getLogger(__name__)

PURPOSES = ("chat", "code", "chinese", "small")
CATALOG_REPO = "chatdesk-app/catalog"
CATALOG_FILE = "catalog.json"
MAX_CATALOG = 1024**2  # bytes
MAX_ENTRIES = 500
MAX_TEXT = 300
MOST = 1 << 50


@dataclass(frozen=True, slots=True)
class Catalog:
    """Recommended models. `version` counts up; `day` is when it was made."""

    version: int
    day: date
    entries: tuple[CatalogEntry, ...]


def read_catalog(text: bytes) -> Catalog:
    """Read a list from JSON. Raises `EnvironmentProblem` when it is damaged or impossible."""
    try:
        if len(text) > MAX_CATALOG:
            raise ValueError(len(text))
        catalog = msgspec.json.decode(text, type=Catalog)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise _damaged() from None
    sound = all(map(_is_sound, catalog.entries)) and len(catalog.entries) <= MAX_ENTRIES
    if not sound or not catalog.entries or catalog.version < 1:
        raise _damaged()
    return catalog


def newest_catalog(kept: Path) -> Catalog:
    """Return the fetched list in `kept`, if it is newer than the one in the app."""
    built_in = read_catalog((assets_dir() / CATALOG_FILE).read_bytes())
    try:
        fetched = read_catalog(kept.read_bytes())
    except FileNotFoundError:
        return built_in
    except (OSError, EnvironmentProblem) as problem:
        _log.warning("the list of models that was fetched is not used: %s", problem)
        return built_in
    return max(built_in, fetched, key=lambda each: each.version)


def keep_catalog(catalog: Catalog, kept: Path) -> None:
    """Replace the list in `kept` in one step. Raises `EnvironmentProblem`."""
    try:
        write_json(kept, msgspec.to_builtins(catalog))
    except OSError as problem:
        raise EnvironmentProblem(
            tr("The list of models could not be saved: {reason}.", reason=problem.strerror),
            tr("Check the disk."),
        ) from problem


def header_of(entry: CatalogEntry) -> ModelHeader:
    """Return the header that the file will have, as far as an estimate needs it."""
    share = entry.active_parameters / entry.parameters if entry.active_parameters else 1.0
    return ModelHeader(
        name=entry.name,
        architecture="",
        parameters=entry.parameters,
        quantization=entry.quantization,
        bytes=entry.bytes,
        context_length=entry.context_length,
        layers=0,
        kv_bytes_per_token=entry.kv_bytes_per_token,
        has_chat_template=True,
        vocabulary=entry.vocabulary,
        license=entry.license,
        decode_bytes=int(entry.bytes * share),
    )


def _is_sound(entry: CatalogEntry) -> bool:
    texts = (entry.name, entry.quantization, entry.license, *entry.summary.values())
    numbers = (entry.bytes, entry.parameters, entry.context_length, entry.vocabulary)
    return (
        is_repository(entry.repo)
        and is_safe_path(entry.file)
        and entry.file.endswith(".gguf")
        and all(0 < number <= MOST for number in (*numbers, entry.kv_bytes_per_token))
        and 0 <= entry.active_parameters <= entry.parameters
        and all(0 < len(text) <= MAX_TEXT and text.isprintable() for text in texts)
        and set(entry.purposes) <= set(PURPOSES)
        and "en" in entry.summary
    )


def _damaged() -> EnvironmentProblem:
    return EnvironmentProblem(
        tr("The downloaded list of models is damaged."), tr("The one you have stays in use.")
    )
