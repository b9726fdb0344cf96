import ctypes
import os
import random
import struct
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from gguf.constants import LlamaFileType

from chatdesk.core.errors import ModelProblem
from chatdesk.core.models import ModelHeader
from chatdesk.formats.gguf.reader import WINDOW_BYTES
from chatdesk.formats.gguf.types import MIXTURES, TENSOR_TYPES
from chatdesk.library.models.header import read_header
from chatdesk.library.models.starter import find_starter
from tests.gguf_files import HEAD, Value, raw, tensor, text, write_model

LLAMA: dict[str, Value] = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.context_length": 512,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
}


def read(folder: Path, data: bytes, name: str = "some.gguf") -> ModelHeader:
    (folder / name).write_bytes(data)
    return read_header(folder / name)


def problem_of(folder: Path, data: bytes) -> str:
    with pytest.raises(ModelProblem) as caught:
        read(folder, data)
    assert caught.value.todo
    assert "some.gguf" in caught.value.what
    return caught.value.what


def test_starter() -> None:
    starter = find_starter()
    assert starter is not None
    assert read_header(starter) == ModelHeader(
        name="SmolLM2-135M-Instruct",
        architecture="llama",
        parameters=134_515_008,
        quantization="Q4_1",
        bytes=starter.stat().st_size,
        context_length=8192,
        layers=30,
        kv_bytes_per_token=30 * 3 * (64 + 64) * 2,
        has_chat_template=True,
        width=576,
        vocabulary=49_152,
        license="apache-2.0",
        decode_bytes=96_576_768,  # all of them: the embedding is the output too
        stored=134_515_008,
    )


def test_model_by_the_gguf_package(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny-f16.gguf")
    assert read_header(path) == ModelHeader(
        name="tiny",
        architecture="llama",
        parameters=16 * 32 + 32 + 4 * 32,
        quantization="F16",
        bytes=path.stat().st_size,
        context_length=2048,
        layers=2,
        kv_bytes_per_token=2 * 2 * (4 + 4) * 2,
        has_chat_template=True,
        width=32,
        vocabulary=16,
        license="mit",
        decode_bytes=2 * 16 * 32 + 4 * 32 + 4 * 18,
        stored=16 * 32 + 32 + 4 * 32,
    )


@pytest.mark.parametrize(
    ("label", "parameters"),
    [
        ("0.1M", 100_000),  # the output is the embedding again
        ("100K", 100_000),
        ("0.2M", 180_000),  # it is another matrix
        ("", 180_000),
        ("172K", 180_000),  # near enough to what is there
    ],
)
def test_an_embedding_that_is_there_twice_counts_once(
    tmp_path: Path, label: str, parameters: int
) -> None:
    table = [32, 2500]
    tensors = [
        tensor(table, kind=1, name="token_embd.weight"),
        tensor(table, kind=1, name="output.weight"),
        tensor([32, 625], kind=1, name="blk.0.ffn_up.weight"),
    ]
    data = raw(LLAMA | ({"general.size_label": label} if label else {}), tensors)
    header = read(tmp_path, data + bytes(400_000))
    assert (header.parameters, header.stored) == (parameters, 180_000)


def test_the_weights_are_those_beside_the_embeddings() -> None:
    starter = find_starter()
    assert starter is not None
    assert read_header(starter).weights == 134_515_008 - 576 * 49_152


def test_quantization_without_a_file_type_is_that_of_most_weights(tmp_path: Path) -> None:
    header = read_header(write_model(tmp_path / "tiny.gguf", file_type=None))
    assert header.quantization == "F16"


def test_quantization_guessed_by_llama_cpp(tmp_path: Path) -> None:
    data = raw(LLAMA | {"general.file_type": 1024 + 15})
    assert read(tmp_path, data).quantization == "Q4_K_M"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Qwen3-4B-Q8_0.gguf", "Qwen3-4B"),
        ("Qwen3-4B.q8_0.gguf", "Qwen3-4B"),
        ("Qwen3-4B.gguf", "Qwen3-4B"),
        ("ggml-model-Q8_0.gguf", "The Model"),
        ("Q8_0.gguf", "The Model"),
    ],
)
def test_name(tmp_path: Path, file: str, name: str) -> None:
    data = raw(LLAMA | {"general.file_type": 7, "general.name": "The Model"})
    assert read(tmp_path, data, file).name == name


def test_layers_with_their_own_heads(tmp_path: Path) -> None:
    more: dict[str, Value] = {
        "llama.attention.head_count_kv": [4, 0],  # the second is recurrent and has no cache
        "llama.attention.key_length": 10,
        "llama.attention.value_length": 6,
    }
    assert read(tmp_path, raw(LLAMA | more)).kv_bytes_per_token == 4 * (10 + 6) * 2


def test_model_without_attention(tmp_path: Path) -> None:
    header = read(tmp_path, raw({"general.architecture": "mamba", "mamba.block_count": 24}))
    assert (header.kv_bytes_per_token, header.context_length, header.layers) == (0, 0, 24)
    assert not header.has_chat_template


def test_metadata_may_come_in_any_order(tmp_path: Path) -> None:
    assert read(tmp_path, raw(dict(reversed(list(LLAMA.items()))))).layers == 2


def test_cut_at_every_byte(tmp_path: Path) -> None:
    data = write_model(tmp_path / "whole.gguf").read_bytes()
    whole = read(tmp_path, data)
    for length in range(len(data)):
        try:
            header = read(tmp_path, data[:length])
        except ModelProblem as problem:
            assert "some.gguf" in problem.what
        else:  # nothing but the padding after the last tensor may be missing
            assert len(data) - length < 32
            assert header.parameters == whole.parameters


def test_every_byte_replaced(tmp_path: Path) -> None:
    data = write_model(tmp_path / "whole.gguf", tokens=2).read_bytes()
    for at in range(data.index(b"output_norm.weight") + 80):
        for byte in (0, 0x7F, 0xFF):
            lie = bytearray(data)
            lie[at] = byte
            try:
                read(tmp_path, bytes(lie))
            except ModelProblem as problem:
                assert "some.gguf" in problem.what


def test_cut_short_says_how_much_there_is(tmp_path: Path) -> None:
    starter = find_starter()
    assert starter is not None
    with starter.open("rb") as file:
        beginning = file.read(40_000_000)
    assert "has 40 of 98 MB" in problem_of(tmp_path, beginning)


def test_cut_by_a_few_bytes_says_it_in_bytes(tmp_path: Path) -> None:
    whole = raw(LLAMA, [tensor([1024])])
    expected = -(-(len(whole) - 4096) // 32) * 32 + 4096
    assert f"has {expected - 1:,} of {expected:,} bytes" in problem_of(
        tmp_path, whole.ljust(expected, b"\0")[: expected - 1]
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "is not a GGUF file", id="empty"),
        pytest.param(b"GG", "is not a GGUF file", id="two bytes"),
        pytest.param(b"PK\x03\x04" + bytes(100), "is not a GGUF file", id="zip"),
        pytest.param(b"GGUF", "damaged or cut short", id="only the magic"),
        pytest.param(struct.pack(">4sIQQ", b"GGUF", 3, 1, 1), "big-endian", id="big-endian"),
        pytest.param(HEAD.pack(b"GGUF", 1, 1, 1), "version 1", id="version 1"),
        pytest.param(HEAD.pack(b"GGUF", 4, 1, 1), "version 4", id="version 4"),
        pytest.param(HEAD.pack(b"GGUF", 0, 1, 1), "version 0", id="version 0"),
        pytest.param(HEAD.pack(b"GGUF", 3, 2**60, 0), "damaged", id="2^60 tensors"),
        pytest.param(HEAD.pack(b"GGUF", 3, 1, 2**60), "damaged", id="2^60 entries"),
        pytest.param(HEAD.pack(b"GGUF", 3, 0, 0), "no model to chat with", id="nothing in it"),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + struct.pack("<Q", 2**32) + b"key",
            "damaged",
            id="a key of 4 GB",
        ),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IQ", 8, 2**32),
            "damaged",
            id="a string of 4 GB",
        ),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IIQ", 9, 8, 2**60),
            "damaged",
            id="2^60 strings",
        ),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IIQ", 9, 5, 2**60),
            "damaged",
            id="2^60 numbers",
        ),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IIQ", 9, 9, 2) + bytes(99),
            "damaged",
            id="arrays in an array",
        ),
        pytest.param(
            HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<I", 13) + bytes(99),
            "damaged",
            id="unknown type of value",
        ),
        pytest.param(raw(LLAMA, [tensor([2] * 5)]), "damaged", id="five dimensions"),
        pytest.param(raw(LLAMA, [tensor([])]), "damaged", id="no dimension"),
        pytest.param(raw(LLAMA, [tensor([2**62, 4])]), "damaged", id="2^64 weights"),
        pytest.param(raw(LLAMA, [tensor([2**60])]), "cut short", id="2^60 weights"),
        pytest.param(raw(LLAMA, [tensor([32], offset=2**64 - 1)]), "damaged", id="offset"),
        pytest.param(raw(LLAMA, [tensor([33], kind=2)]), "damaged", id="half a block"),
        pytest.param(raw(LLAMA, [tensor([32], kind=4)]), "unknown way", id="removed type"),
        pytest.param(raw({"a": 1}), "does not name its architecture", id="no architecture"),
        pytest.param(
            raw({"general.architecture": ""}), "not name its architecture", id="empty architecture"
        ),
        pytest.param(raw({"general.architecture": 7}), "damaged", id="architecture 7"),
        pytest.param(raw(LLAMA | {"general.type": "adapter"}), "no model to chat", id="adapter"),
        pytest.param(raw(LLAMA | {"split.count": 3}), "not named as the parts", id="split"),
        pytest.param(raw(LLAMA | {"split.count": "x"}), "damaged", id="x parts"),
        pytest.param(raw(LLAMA | {"general.alignment": 0}), "damaged", id="alignment 0"),
        pytest.param(raw(LLAMA | {"general.alignment": "x"}), "damaged", id="alignment x"),
        pytest.param(raw(LLAMA | {"llama.block_count": "x"}), "damaged", id="layers x"),
        pytest.param(raw(LLAMA | {"llama.block_count": 2**32 - 1}), "damaged", id="2^32 layers"),
        pytest.param(
            raw(LLAMA | {"llama.attention.head_count_kv": [3, -1]}), "damaged", id="-1 heads"
        ),
    ],
)
def test_refused(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in problem_of(tmp_path, data)


@pytest.mark.engine
def test_tensor_types_are_those_of_llama_cpp() -> None:
    import llama_cpp

    folder = Path(llama_cpp.__file__).parent / "lib"
    ggml = ctypes.CDLL(next(str(file) for file in folder.iterdir() if "ggml-base" in file.name))
    ggml.ggml_type_name.restype = ctypes.c_char_p
    ggml.ggml_blck_size.restype = ctypes.c_int64
    ggml.ggml_type_size.restype = ctypes.c_size_t
    theirs = {
        kind: (ggml.ggml_type_name(kind).decode().upper(), size, ggml.ggml_type_size(kind))
        for kind in range(llama_cpp.GGML_TYPE_COUNT)
        if (size := ggml.ggml_blck_size(kind))
    }
    assert theirs == TENSOR_TYPES


def test_mixtures_are_those_of_the_gguf_package() -> None:
    theirs = {
        int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_").removesuffix("_MOE")
        for kind in LlamaFileType
        if kind != LlamaFileType.GUESSED
    }
    assert theirs.items() <= MIXTURES.items()


@pytest.mark.parametrize(
    ("stated", "license"),
    [("apache-2.0", "apache-2.0"), ("a\nb", ""), ("m" * 900, "m" * 100), ("m" * 2000, ""), (7, "")],
)
def test_license(tmp_path: Path, stated: str | int, license: str) -> None:
    assert read(tmp_path, raw(LLAMA | {"general.license": stated})).license == license


def test_of_a_mixture_only_the_experts_in_use_are_read_to_decode(tmp_path: Path) -> None:
    experts: dict[str, Value] = {"llama.expert_count": 8, "llama.expert_used_count": 2}
    tensors = [
        tensor([32, 2], name="token_embd.weight"),
        tensor([32, 1, 8], name="blk.0.ffn_up_exps.weight"),
        tensor([32, 4], name="blk.0.ffn_up_shexp.weight"),
    ]
    header = read(tmp_path, raw(LLAMA | experts, tensors))
    assert header.decode_bytes == 4 * 32 * (2 + 8 // 4 + 4)
    with_output = [*tensors, tensor([32, 2], name="output.weight")]  # then a row of it is looked up
    assert read(tmp_path, raw(LLAMA | experts, with_output)).decode_bytes == header.decode_bytes


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelProblem, match=r"“gone\.gguf” is not there"):
        read_header(tmp_path / "gone.gguf")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelProblem, match="is not a file"):
        read_header(tmp_path)


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelProblem, match=r"cannot be read|is not there"):
        read_header(tmp_path / "file" / "some.gguf")


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits, no pipes with names")
class TestOnPosix:
    def test_no_access(self, tmp_path: Path) -> None:
        path = write_model(tmp_path / "some.gguf")
        path.chmod(0)
        user = os.geteuid()
        os.seteuid(user or 65534)  # root may read everything: be nobody for a moment
        try:
            with pytest.raises(ModelProblem, match="no permission to read"):
                read_header(path)
        finally:
            os.seteuid(user)

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "some.gguf")
        with pytest.raises(ModelProblem, match="is not a file"):
            read_header(tmp_path / "some.gguf")

    def test_name_that_is_no_text(self, tmp_path: Path) -> None:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.gguf"))
        with pytest.raises(ModelProblem, match="is not valid text") as caught:
            read_header(path)
        assert str(caught.value).isascii()


def peak_bytes_of_reading(path: Path) -> int:
    tracemalloc.start()
    try:
        read_header(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_vocabulary_is_stepped_over_quickly_and_in_little_memory(tmp_path: Path) -> None:
    path = write_model(tmp_path / "large.gguf", tokens=250_000)
    started = time.perf_counter()
    read_header(path)
    assert time.perf_counter() - started < 0.5  # 0.1 s in truth; the rest is for a busy machine
    assert peak_bytes_of_reading(path) < 5_000_000


def test_strings_of_all_lengths_are_stepped_over(tmp_path: Path) -> None:
    lengths = random.Random(1).choices(
        [0, 1, 7, 30, 63, 64, 255, 256, 5000], [9] * 6 + [1] * 3, k=50_000
    )
    words = b"".join(struct.pack("<Q", length) + bytes(length) for length in lengths)
    head = HEAD.pack(b"GGUF", 3, 1, 1 + len(LLAMA))
    array = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, len(lengths)) + words
    assert len(array) > 5 * WINDOW_BYTES
    header = read(tmp_path, head + array + raw(LLAMA)[HEAD.size :])
    assert replace(header, bytes=0) == replace(read(tmp_path, raw(LLAMA)), bytes=0)


def test_a_long_string_is_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "long.gguf"
    path.write_bytes(raw({**LLAMA, "tokenizer.chat_template": "x" * 20_000_000}))
    assert peak_bytes_of_reading(path) < 5_000_000
    assert read_header(path).has_chat_template


def test_a_hostile_list_of_empty_strings_ends_soon(tmp_path: Path) -> None:
    path = tmp_path / "some.gguf"
    head = HEAD.pack(b"GGUF", 3, 1, 1) + text("key") + struct.pack("<IIQ", 9, 8, 2**60)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(50_000_000_000)  # a hole: takes no space
    started = time.perf_counter()
    with pytest.raises(ModelProblem, match="damaged"):
        read_header(path)
    assert time.perf_counter() - started < 20
