"""Engines that many tests share: starting one takes longer than most of what is asked of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.loading import ModelLoaded
from tests.inference.engine_process import EngineProcess


@pytest.fixture(scope="package")
def starter(starter_model: Path) -> Iterator[EngineProcess]:
    """An engine with the starter model, for tests that leave it idle."""
    with EngineProcess() as process:
        assert isinstance(process.load(starter_model), ModelLoaded)
        yield process


@pytest.fixture(scope="package")
def engine() -> Iterator[EngineProcess]:
    """An engine for tests that load a model of their own, and leave it idle."""
    with EngineProcess() as process:
        yield process
