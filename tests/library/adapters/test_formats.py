from pathlib import Path

import pytest

from chatdesk.library.adapters.formats import FORMATS, format_of
from chatdesk.library.adapters.gguf import GgufAdapters
from chatdesk.library.adapters.peft import PeftAdapters
from tests.peft_files import peft_adapter


@pytest.mark.parametrize("of_folder", [False, True])
def test_peft_is_found_by_its_folder_or_by_its_file(tmp_path: Path, of_folder: bool) -> None:
    weights = peft_adapter(tmp_path / "Pirate.v2")
    path = weights.parent if of_folder else weights
    assert isinstance(format_of(path), PeftAdapters)
    assert format_of(path).name_of(path) == "Pirate.v2"


def test_weights_with_a_name_of_their_own_give_it_to_the_adapter(tmp_path: Path) -> None:
    weights = tmp_path / "parrot.SafeTensors"
    assert isinstance(format_of(weights), PeftAdapters)
    assert format_of(weights).name_of(weights) == "parrot"


@pytest.mark.parametrize("name", ["adapter.gguf", "adapter.GGUF", "adapter.bin", "adapter"])
def test_every_other_file_is_read_as_gguf(tmp_path: Path, name: str) -> None:
    assert isinstance(format_of(tmp_path / name), GgufAdapters)
    assert format_of(tmp_path / name).name_of(tmp_path / name) == "adapter"


def test_every_ending_finds_its_format() -> None:
    assert [format_of(Path(f"x{each.ending}")) for each in FORMATS] == list(FORMATS)
