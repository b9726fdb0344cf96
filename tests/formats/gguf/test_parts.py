from pathlib import Path

import pytest

from chatdesk.formats.gguf.parts import is_further_part, parts_of


def test_the_parts_of_a_split_model() -> None:
    names = [f"/m/big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    for name in names:
        assert [str(part) for part in parts_of(Path(name))] == [str(Path(each)) for each in names]
    assert [is_further_part(Path(name)) for name in names] == [False, True, True]


@pytest.mark.parametrize(
    "name",
    [
        "big.gguf",
        "big-00000-of-00003.gguf",
        "big-00004-of-00003.gguf",
        "big-00001-of-99999.gguf",
        "big-1-of-3.gguf",
        "big-00001-of-00003.gguf.part",
    ],
)
def test_other_names_are_of_one_file(name: str) -> None:
    assert parts_of(Path(name)) == (Path(name),)
    assert not is_further_part(Path(name))
