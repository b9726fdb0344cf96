from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.settings import Settings
from tests.server.conftest import TIMEOUT_S, Served
from tests.tiny_models import tiny_model


def tiny_served(folder: Path) -> Served:
    """The API over the real engine, with a model that answers within milliseconds."""
    served = Served(folder / "home", None, None, Settings())
    model = tiny_model(folder / "tiny.gguf", answer=b"yes, tea")
    served.services.load_model(served.services.models.add(model))
    served.services.engine.wait_loaded(TIMEOUT_S)
    return served


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = tiny_served(tmp_path_factory.mktemp("tiny"))
    yield served
    served.close()
