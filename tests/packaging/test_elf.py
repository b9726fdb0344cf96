"""The C library version that programs and libraries need."""

import importlib.util
import platform
import sys
from pathlib import Path

import pytest
from elf import oldest_glibc

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such files here")


def library() -> Path:
    """Return a library that was built on this machine, with its versions."""
    spec = importlib.util.find_spec("llama_cpp")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / "lib" / "libggml-base.so"


@pytest.mark.engine
@needs_linux
def test_a_library_that_runs_here_needs_no_newer_glibc(tmp_path: Path) -> None:
    (tmp_path / "library").write_bytes(library().read_bytes())
    (tmp_path / "words.txt").write_text("GLIBC_9.99", "utf-8")
    here = tuple(int(number) for number in platform.libc_ver()[1].split("."))
    assert (2, 2) < oldest_glibc(tmp_path) <= here


@pytest.mark.engine
@needs_linux
def test_the_newest_version_that_is_asked_for_counts(tmp_path: Path) -> None:
    needed = b"GLIBC_2.2.5" if platform.machine() == "x86_64" else b"GLIBC_2.17"
    data = library().read_bytes()
    assert needed in data
    newer = b"GLIBC_9.9".ljust(len(needed), b"\0")
    (tmp_path / "library").write_bytes(data.replace(needed, newer))
    assert oldest_glibc(tmp_path) == (9, 9)


@pytest.mark.engine
@needs_linux
def test_a_damaged_library_is_reported(tmp_path: Path) -> None:
    (tmp_path / "library").write_bytes(library().read_bytes()[:5000])
    with pytest.raises(ValueError, match="cut off or damaged"):
        oldest_glibc(tmp_path)


def test_no_program_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert oldest_glibc(tmp_path) == (0, 0)
