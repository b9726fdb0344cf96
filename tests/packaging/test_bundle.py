"""The pure parts of packaging/bundle.py. `--check` proves that it makes a bundle."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The module, with a `dist/` of its own."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    module = importlib.import_module("bundle")
    monkeypatch.setattr(module, "DIST", tmp_path)
    monkeypatch.setattr(module, "BUILD", tmp_path / "build")
    return module


def test_sums_are_as_sha256sum_reads_them(bundle: Any, tmp_path: Path) -> None:
    packages = [tmp_path / "b.deb", tmp_path / "a.tar.zst"]
    for package in packages:
        package.touch()
    bundle.write_sums(packages)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    sums = (tmp_path / "SHA256SUMS").read_text("utf-8")
    assert sums == f"{empty}  a.tar.zst\n{empty}  b.deb\n"


def test_times_are_those_of_the_commit(bundle: Any) -> None:
    assert int(bundle.commit_time()) > 1_700_000_000


def test_without_git_the_time_is_asked_for(
    bundle: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundle, "ROOT", tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert bundle.main([]) == 1
    assert "Please set SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_a_wheel_that_is_there_is_not_built_again(
    bundle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build(step: str, command: list[str], **_: str) -> None:
        folder = Path(command[command.index("-w") + 1])
        folder.mkdir(parents=True)
        (folder / "llama.whl").touch()
        built.append(step)

    monkeypatch.setattr(bundle, "run", build)
    first = bundle.build_llama(sys.executable, "-DGGML_RPC=ON")
    assert bundle.build_llama(sys.executable, "-DGGML_RPC=ON") == first
    assert bundle.build_llama(sys.executable, "-DGGML_VULKAN=ON") != first
    assert len(built) == 2


def test_a_finished_venv_is_used_again(bundle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(bundle, "provide_system", lambda: None)
    monkeypatch.setattr(bundle, "build_llama", lambda *_: Path("llama.whl"))
    monkeypatch.setattr(bundle, "pip", lambda step, *_, **__: steps.append(step))

    def make(step: str, command: list[str]) -> None:
        Path(command[-1]).mkdir(parents=True)
        steps.append(step)

    monkeypatch.setattr(bundle, "run", make)
    python = bundle.make_venv("chat")
    assert len(steps) == 4
    assert bundle.make_venv("chat") == python
    assert len(steps) == 4
    assert bundle.make_venv("full") != python
    assert len(steps) == 8


def test_wrong_usage_needs_no_build() -> None:
    command = [sys.executable, str(ROOT / "dev.py"), "bundle", "--flavour", "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--flavour" in done.stderr
