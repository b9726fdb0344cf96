"""Models of the library as the widgets are given them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chatdesk.core.model_files import Estimate, KeptModel, ModelNotes, Presence
from chatdesk.core.models import Fit, ModelFile, ModelHeader

GB = 10**9
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def kept(model_id: str = "q", name: str = "Qwen3 4B", **fields: Any) -> KeptModel:
    """A model that fits; `fields` are those of `KeptModel` or of its notes, its header or file."""
    header = ModelHeader(
        name, "qwen3", 4 * GB, "Q4_K_M", 5 * GB // 2, 32768, 36, 10, True, license="Apache-2.0"
    )
    file = ModelFile(model_id, f"/models/{model_id}.gguf", header, 0, None, NOW)
    made = KeptModel(file, Presence.THERE, Estimate(Fit.GPU, 8192, 3 * GB, 38.0))
    for field, value in fields.items():
        if hasattr(made, field):
            made = replace(made, **{field: value})
        elif field in ModelNotes.__slots__:
            made = replace(made, notes=replace(made.notes, **{field: value}))
        else:
            changed = replace(made.model.header, **{field: value})
            made = replace(made, model=replace(made.model, header=changed))
    return made
