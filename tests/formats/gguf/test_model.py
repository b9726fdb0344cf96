import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.errors import ModelProblem
from chatdesk.formats.gguf.parts import parts_of
from chatdesk.library.models.header import read_header
from tests.gguf_files import raw, write_model


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The first of three parts."""
    return write_model(tmp_path / "tiny-F16.gguf", part_tensors=1)


def test_all_parts_are_one_model(tmp_path: Path, first: Path) -> None:
    assert first.name == "tiny-F16-00001-of-00003.gguf"
    (tmp_path / "whole").mkdir()
    whole = read_header(write_model(tmp_path / "whole" / "tiny-F16.gguf"))
    size = sum(part.stat().st_size for part in parts_of(first))
    assert read_header(first) == replace(whole, bytes=size, parts=3)


def test_a_later_part_names_the_first(first: Path) -> None:
    with pytest.raises(ModelProblem, match="not the first part") as caught:
        read_header(parts_of(first)[2])
    assert first.name in caught.value.todo


def test_a_missing_part_is_named(first: Path) -> None:
    missing = parts_of(first)[1]
    missing.unlink()
    with pytest.raises(ModelProblem, match=f"“{missing.name}” is missing"):
        read_header(first)


def test_a_part_that_was_cut_short_is_named(first: Path) -> None:
    cut = parts_of(first)[2]
    cut.write_bytes(cut.read_bytes()[:-64])
    with pytest.raises(ModelProblem, match=f"“{cut.name}” is cut short"):
        read_header(first)


def test_parts_in_the_wrong_order(first: Path) -> None:
    _, second, third = parts_of(first)
    shutil.copy(second, third)
    with pytest.raises(ModelProblem, match=f"“{third.name}” is damaged"):
        read_header(first)


def test_another_model_as_a_part(first: Path) -> None:
    second = parts_of(first)[1]
    second.write_bytes(raw({"general.architecture": "llama"}))
    with pytest.raises(ModelProblem, match=f"“{second.name}” is damaged"):
        read_header(first)


@pytest.mark.parametrize("name", ["renamed.gguf", "tiny-00001-of-00002.gguf"])
def test_a_name_by_which_the_other_parts_cannot_be_found(first: Path, name: str) -> None:
    renamed = first.rename(first.with_name(name))
    with pytest.raises(ModelProblem, match="not named as the parts") as caught:
        read_header(renamed)
    assert caught.value.todo
