import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chatdesk.core.errors import ModelProblem
from chatdesk.formats.gguf.file import opened
from chatdesk.formats.safetensors import (
    MAX_HEADER_BYTES,
    StoredTensor,
    read_safetensors,
    read_weights,
)
from tests.peft_files import framed, safetensors

ONE = {"one": np.array([[1.5, -2.0, 0.25]], np.float32)}


def read(path: Path, content: bytes) -> dict[str, StoredTensor]:
    path.write_bytes(content)
    with opened(path) as reader:
        return dict(read_safetensors(reader))


@pytest.mark.parametrize(
    "stored",
    [
        ONE["one"],
        ONE["one"].astype(np.float16),
        (ONE["one"].view(np.uint32) >> 16).astype(np.uint16),  # BF16
    ],
)
def test_the_numbers_are_those_that_were_written(tmp_path: Path, stored: NDArray[Any]) -> None:
    path = tmp_path / "model.safetensors"
    tensors = read(path, safetensors({"zero": np.zeros(5, np.float16), "one": stored}))
    assert tensors["one"].shape == (1, 3)
    numbers = read_weights(path, tensors["one"])
    assert numbers is not None
    assert numbers.dtype == np.float32
    assert (numbers == ONE["one"]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_none(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "model.safetensors"
    tensors = read(path, safetensors({"one": np.array([1, bad], np.float16)}))
    assert read_weights(path, tensors["one"]) is None


def test_a_file_that_shrank_has_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = read(path, safetensors(ONE))
    path.write_bytes(path.read_bytes()[:-2])
    assert read_weights(path, tensors["one"]) is None


def entry(name: str, start: int, end: int, *shape: int) -> dict[str, Any]:
    return {name: {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}}


BROKEN = {
    "nothing": b"",
    "cut in the length": b"\x10\0\0",
    "a header behind the end": (1 << 62).to_bytes(8, "little") + b"{}",
    "a header too long": framed(b" " * (MAX_HEADER_BYTES + 1)),
    "no JSON": framed(b"PK\3\4 no model"),
    "no text": framed(b'{"\xff": 1}'),
    "a list": framed(b"[]"),
    "deep": framed(b'{"a":' * 100_000),
    "deep where it is not looked at": framed(b'{"__metadata__":{"x":' + b"[" * 100_000),
    "cut in the data": safetensors(ONE)[:-1],
    "more than is stated": safetensors(ONE) + b"\0",
    "too few bytes for the shape": safetensors(ONE, shape=(1, 4)),
    "a shape that is a product of zeroes and giants": safetensors(ONE, shape=(1 << 62,) * 8),
    "too many dimensions": safetensors(ONE, shape=(1,) * 100_000),
    "a negative length": safetensors(ONE, shape=(-1, -3)),
    "a length that is no whole number": safetensors(ONE, shape=(1, 3.5)),
    "a number of a thousand digits": safetensors(ONE, shape=(1, 10**1000)),
    "ends before it begins": safetensors(ONE, data_offsets=(12, 0)),
    "begins later": safetensors(ONE, data_offsets=(4, 16)),
    "three offsets": safetensors(ONE, data_offsets=(0, 6, 12)),
    "over each other": framed(
        json.dumps(entry("a", 0, 8, 2) | entry("b", 4, 12, 2)).encode(), bytes(12)
    ),
    "a gap": framed(json.dumps(entry("a", 0, 4, 1) | entry("b", 8, 12, 1)).encode(), bytes(12)),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_makes_no_sense_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelProblem, match=r"“bad.safetensors” is damaged"):
        read(tmp_path / "bad.safetensors", content)


@pytest.mark.parametrize("dtype", ["I32", "F8_E4M3", "", "f32"])
def test_other_numbers_are_named_so(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(ModelProblem, match="quantized in an unknown way"):
        read(tmp_path / "bad.safetensors", safetensors(ONE, dtype=dtype))
