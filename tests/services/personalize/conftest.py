from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.chat import now
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile
from chatdesk.library.models.header import read_header
from chatdesk.services.engine.engine import Engine


def model_file(path: Path) -> ModelFile:
    """A model as the store knows it."""
    return ModelFile(path.stem, str(path), read_header(path), path.stat().st_mtime_ns, None, now())


@pytest.fixture(scope="session")
def engine(starter_model: Path) -> Iterator[Engine]:
    """A real engine with the starter model."""
    engine = Engine(lambda fact: None)
    engine.load(model_file(starter_model), LoadOptions(2048))
    engine.wait_loaded()
    yield engine
    engine.close()
