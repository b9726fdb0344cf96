from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.personalize.gate.trial_bench import TrialBench


@pytest.fixture(scope="package")
def bench(starter_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialBench]:
    """The starter model's figures, measured once."""
    bench = TrialBench(starter_model, tmp_path_factory.mktemp("bench"))
    yield bench
    bench.engine.close()
