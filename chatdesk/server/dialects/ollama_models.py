"""Models as Ollama's clients are told of them: /api/tags, /api/show and /api/ps."""

from datetime import UTC, datetime, timedelta

from chatdesk.core.loading import ModelLoaded
from chatdesk.core.models import ModelFile
from chatdesk.library.models.role import role_of
from chatdesk.server.wording.base import Document

_CPU = "CPU"
_FOR_EVER_S = 100 * 365 * 86400.0


def tag(model: ModelFile) -> Document:
    """Return a model as /api/tags lists it."""
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": moment_text(model.added),
        "size": model.header.bytes,
        "digest": model.sha256 or "",
        "details": _details(model),
    }


def running(model: ModelFile, loaded: ModelLoaded, left_s: float) -> Document:
    """Return a loaded model as /api/ps lists it; without a use it is unloaded in `left_s`."""
    sizes = {
        part.device: part.weight_bytes + part.kv_bytes + part.compute_bytes
        for part in loaded.placements
    }
    expires = datetime.now(UTC) + timedelta(seconds=min(left_s, _FOR_EVER_S))
    return {
        **tag(model),
        "size": sum(sizes.values()) or loaded.bytes,
        "size_vram": sum(size for device, size in sizes.items() if device != _CPU),
        "expires_at": moment_text(expires),
        "context_length": loaded.context_window,
    }


def shown(model: ModelFile, *, thinks: bool) -> Document:
    """Return what /api/show tells of a model, and if it `thinks` before it answers."""
    header = model.header
    answers = role_of(header).answers
    return {
        "modified_at": moment_text(model.added),
        "template": "",
        "details": _details(model),
        "model_info": {
            "general.architecture": header.architecture,
            "general.name": header.name,
            "general.parameter_count": header.parameters,
            f"{header.architecture}.context_length": header.context_length,
            f"{header.architecture}.embedding_length": header.width,
            f"{header.architecture}.block_count": header.layers,
        },
        "capabilities": [
            *(["completion"] if answers else []),
            "embedding",
            *(["thinking"] if thinks else []),
        ],
    }


def _details(model: ModelFile) -> Document:
    header = model.header
    return {
        "parent_model": "",
        "format": "gguf",
        "family": header.architecture,
        "families": [header.architecture],
        "parameter_size": f"{header.parameters / 1e9:.1f}B",
        "quantization_level": header.quantization,
    }


def moment_text(moment: datetime) -> str:
    """Return a moment as Ollama writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
