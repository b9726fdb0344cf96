"""Every package that the code imports is declared in pyproject.toml, and the other way round."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"chatdesk", "tests", "benchmarks", "dev"} | {
    path.stem for path in ROOT.glob("packaging/*.py")
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def normalized(name: str) -> str:
    """A distribution's name as PEP 503 compares it, without extras and versions."""
    found = re.match(r"[\w.-]+", name)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared(*groups: Iterable[str]) -> set[str]:
    return {normalized(name) for group in groups for name in group}


def imported(folder: str) -> set[str]:
    """The distributions that a folder's modules import; a module without one is named itself."""
    modules: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    known = {"llama_cpp": ["llama-cpp-python"], **packages_distributions()}  # it may be missing
    others = modules - OURS - sys.stdlib_module_names
    return {normalized(known.get(module, [module])[0]) for module in others}


def test_the_app_imports_what_is_declared_for_it_and_nothing_else() -> None:
    assert imported("chatdesk") == declared(PROJECT["dependencies"], EXTRAS["personalize"])


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "packaging"])
def test_what_is_beside_the_app_imports_only_what_is_declared(folder: str) -> None:
    assert imported(folder) <= declared(PROJECT["dependencies"], *EXTRAS.values())
