import struct
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import pytest

from chatdesk.core.errors import AdapterProblem
from chatdesk.library.adapters.gguf import check_adapter
from tests.gguf_files import write_model
from tests.lora_files import EMBEDDING, FEED_FORWARD, lora_adapter
from tests.tiny_models import SIZE, not_a_model, tiny_model
from tests.training.random_models import WIDTH, random_model

DOWN = "blk.3.ffn_down.weight"
ROWS = {f"{DOWN}.lora_a": (4, FEED_FORWARD), f"{DOWN}.lora_b": (EMBEDDING, 4)}


def adapter(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]] = ROWS,
    kind: str = "lora",
    alpha: float | str = 4.0,
    dtype: type[np.generic] = np.float32,
) -> Path:
    """Write an adapter for the starter model with the given defects."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", kind)
    if isinstance(alpha, str):
        writer.add_string("adapter.lora.alpha", alpha)
    else:
        writer.add_float32("adapter.lora.alpha", alpha)
    for name, shape in shapes.items():
        writer.add_tensor(name, np.zeros(shape, dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def problem(path: Path, model: Path) -> str:
    with pytest.raises(AdapterProblem) as caught:
        check_adapter(path, model)
    assert path.name in caught.value.what
    assert caught.value.todo
    return caught.value.what


def test_an_adapter_of_this_model_passes(tmp_path: Path, starter_model: Path) -> None:
    # must not raise
    check_adapter(lora_adapter(tmp_path / "good.gguf"), starter_model)
    check_adapter(adapter(tmp_path / "half.gguf", dtype=np.float16), starter_model)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(
    tmp_path: Path, starter_model: Path, dtype: type[np.generic], bad: float
) -> None:
    path = adapter(tmp_path / "bad.gguf", dtype=dtype)
    data = bytearray(path.read_bytes())
    value = np.array([bad], dtype).tobytes()
    data[-64 : -64 + len(value)] = value
    path.write_bytes(data)
    assert "damaged" in problem(path, starter_model)


def test_tensors_that_lie_over_each_other_are_refused(tmp_path: Path, starter_model: Path) -> None:
    path = lora_adapter(tmp_path / "bad.gguf")
    data = bytearray(path.read_bytes())
    at = data.index(b"blk.12.ffn_down.weight.lora_a") + len("blk.12.ffn_down.weight.lora_a")
    offset = at + 4 + 2 * 8 + 4  # behind the count of dimensions, both of them, and the type
    assert struct.unpack_from("<Q", data, offset)[0] > 0
    struct.pack_into("<Q", data, offset, 0)
    path.write_bytes(data)
    assert "damaged" in problem(path, starter_model)


def test_one_of_the_embedding_is_stored_the_other_way_round(tmp_path: Path) -> None:
    model, name = random_model(tmp_path / "model.gguf"), "token_embd.weight"
    rows = {f"{name}.lora_a": (SIZE, 4), f"{name}.lora_b": (WIDTH, 4)}
    path = adapter(tmp_path / "embedding.gguf", rows)
    check_adapter(path, model)
    tied = random_model(tmp_path / "tied.gguf", tied=True)  # it would end llama.cpp
    assert "changes the embedding" in problem(path, tied)
    usual = {f"{name}.lora_a": (4, WIDTH), f"{name}.lora_b": (SIZE, 4)}
    assert "another model" in problem(adapter(tmp_path / "usual.gguf", usual), model)


def test_a_model_in_parts_has_the_tensors_of_all(tmp_path: Path) -> None:
    first = write_model(tmp_path / "model.gguf", part_tensors=1)
    query = "blk.0.attn_q.weight"  # of the last part
    rows = {f"{query}.lora_a": (4, 32), f"{query}.lora_b": (4, 4)}
    check_adapter(adapter(tmp_path / "good.gguf", rows), first)  # must not raise


def test_one_of_another_model_is_reported(tmp_path: Path, starter_model: Path) -> None:
    others = [
        lora_adapter(tmp_path / "wide.gguf", embedding=512),
        lora_adapter(tmp_path / "qwen.gguf", architecture="qwen2"),
        adapter(tmp_path / "deep.gguf", {name.replace("3", "99"): ROWS[name] for name in ROWS}),
        adapter(tmp_path / "ranks.gguf", ROWS | {f"{DOWN}.lora_b": (EMBEDDING, 8)}),
    ]
    for path in others:
        assert "another model" in problem(path, starter_model)
    good = lora_adapter(tmp_path / "good.gguf")
    assert "another model" in problem(good, tiny_model(tmp_path / "tiny.gguf"))


def test_what_is_no_adapter_is_reported(tmp_path: Path, starter_model: Path) -> None:
    assert "not a LoRA adapter" in problem(tiny_model(tmp_path / "model.gguf"), starter_model)
    control = adapter(tmp_path / "control.gguf", kind="control_vector")
    assert "not a LoRA adapter" in problem(control, starter_model)
    assert "not a GGUF file" in problem(not_a_model(tmp_path / "zip.gguf"), starter_model)
    assert "not there" in problem(tmp_path / "missing.gguf", starter_model)
    assert "not a file" in problem(tmp_path, starter_model)


def test_what_would_end_llama_cpp_is_refused(tmp_path: Path, starter_model: Path) -> None:
    half = {f"{DOWN}.lora_a": ROWS[f"{DOWN}.lora_a"]}
    bad = [
        adapter(tmp_path / "empty.gguf", {}),
        adapter(tmp_path / "half.gguf", half),
        adapter(tmp_path / "text.gguf", alpha="4"),
        adapter(tmp_path / "nan.gguf", alpha=float("nan")),
        adapter(tmp_path / "whole.gguf", dtype=np.int32),
    ]
    for path in bad:
        assert "damaged" in problem(path, starter_model)
    data = adapter(tmp_path / "double.gguf").read_bytes()
    key = b"adapter.lora.alpha" + struct.pack("<I", 6)
    (tmp_path / "double.gguf").write_bytes(data.replace(key, key[:-4] + struct.pack("<I", 12)))
    assert "damaged" in problem(tmp_path / "double.gguf", starter_model)


@pytest.mark.parametrize("name", ["rope_freqs.weight", "output.weight", "blk.3.ffn_down.bias"])
def test_a_tensor_beside_a_and_b_is_named(tmp_path: Path, starter_model: Path, name: str) -> None:
    path = adapter(tmp_path / "more.gguf", ROWS | {name: (4,)})
    assert problem(path, starter_model).endswith(f"uses “{name}”, which cannot be imported.")


def test_one_cut_short_anywhere_is_refused(tmp_path: Path, starter_model: Path) -> None:
    good = lora_adapter(tmp_path / "good.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in (0, 3, 20, 60, 150, 400, len(good) // 2, len(good) - 1):
        cut.write_bytes(good[:length])
        problem(cut, starter_model)
