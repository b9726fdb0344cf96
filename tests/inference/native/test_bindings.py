"""The ggml libraries that are opened, and the report of a build with code for any processor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_cpp import llama_cpp as lib

from chatdesk.inference.native import bindings as native
from chatdesk.inference.native.devices import devices

LOG = "load_backend: loaded CPU backend from /app/lib/libggml-cpu-haswell.so"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[bytes]]:
    """A build whose backends are modules, as `start_backends` sees it; collects what it loads."""
    loaded: list[bytes] = []

    def ggml(name: str, *_: Any) -> Any:
        return {
            "ggml_backend_dev_count": lambda: 0,
            "ggml_backend_load_all_from_path": loaded.append,
        }[name]

    monkeypatch.setattr(native, "ggml", ggml)
    monkeypatch.setattr(lib, "_base_path", tmp_path / "bücher 书")
    monkeypatch.setattr(native.native_log(), "lines", lambda: ["something else", LOG])
    native.start_backends.cache_clear()
    yield loaded
    native.start_backends.cache_clear()


def test_a_build_for_this_machine_is_started_as_it_is() -> None:
    assert native.start_backends() == ""
    assert [device.kind for device in devices()].count("cpu") == 1


def test_modules_are_loaded_from_where_they_are(modules: list[bytes], tmp_path: Path) -> None:
    assert native.start_backends() == "haswell"
    assert native.start_backends() == "haswell"
    assert modules == [str(tmp_path / "bücher 书").encode()]


def test_no_library_is_opened_that_another_computer_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("cpu-haswell", "cpu-zen4", "cuda", "vulkan", "base", "rpc"):
        (tmp_path / f"libggml-{name}.so").touch()
    for name in ("libggml.so", "libggml.so.0", "libllama.so", "ggml.lib"):
        (tmp_path / name).touch()
    monkeypatch.setattr(lib, "_base_path", tmp_path)
    names = [Path(library).name for library in native._ggml_libraries()]
    assert sorted(names) == ["libggml-base.so", "libggml-rpc.so", "libggml.so"]


def test_what_no_library_has_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="ggml_nonsense"):
        native.ggml("ggml_nonsense", None)
