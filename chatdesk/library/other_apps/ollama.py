"""Ollama's models: nameless blobs, with their names in manifests.

The layout is that of Ollama's `manifest/paths.go` and `manifest/manifest.go`: below the folder of
`OLLAMA_MODELS`, "manifests/HOST/NAMESPACE/MODEL/TAG" (or "manifests-v2/...") is a JSON file whose
layer of the kind `MODEL_LAYER` states the digest of a GGUF file, "blobs/sha256-DIGEST". A list of
manifests has one for each kind of engine, or names the blob that it is in.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from chatdesk.library.bounded_walk import files_below, read_small

MODEL_LAYER = "application/vnd.ollama.image.model"
LIBRARY = "library"  # the namespace of models with one name
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LEVELS = 4  # host, namespace, model, tag


class OllamaModel(NamedTuple):
    """A model by Ollama's name, its file, and the file's data from the manifest."""

    name: str
    path: Path
    sha256: str


def ollama_models(folder: Path) -> Iterator[OllamaModel]:
    """Yield the models of a folder such as ~/.ollama/models; invalid manifests are left out."""
    for manifests in (folder / "manifests-v2", folder / "manifests"):
        for file in files_below(manifests, _LEVELS):
            parts = file.relative_to(manifests).parts
            digests = _model_digests(folder, _json(file)) if len(parts) == _LEVELS else ()
            for digest in digests:
                yield OllamaModel(_name(*parts[1:]), _blob(folder, digest), digest)


def _name(namespace: str, model: str, tag: str) -> str:
    """Return the name that `ollama list` shows."""
    return f"{model}:{tag}" if namespace == LIBRARY else f"{namespace}/{model}:{tag}"


def _model_digests(folder: Path, manifest: Any) -> Iterator[str]:
    """Yield the digests of the model layers of a manifest, or of those in a list of manifests."""
    for entry in [manifest, *_dicts(manifest, "manifests")]:
        digest = _digest(entry)
        named = _json(_blob(folder, digest)) if digest and "layers" not in entry else entry
        for layer in _dicts(named, "layers"):
            if layer.get("mediaType") == MODEL_LAYER and (digest := _digest(layer)):
                yield digest


def _digest(entry: dict[str, Any]) -> str:
    """Return the stated digest, "" for none. No other text becomes part of a path."""
    stated = _DIGEST.fullmatch(str(entry.get("digest")))
    return stated[1] if stated else ""


def _blob(folder: Path, digest: str) -> Path:
    return folder / "blobs" / f"sha256-{digest}"


def _dicts(value: Any, key: str) -> list[dict[str, Any]]:
    """Return the objects of a list in an object; none where it is anything else."""
    found = value.get(key) if isinstance(value, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _json(file: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one where the file holds none."""
    try:
        value = json.loads(read_small(file))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
