"""GGUF files for the tests: small whole ones, and raw bytes that lie."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter

Value = str | int | bool | Sequence[int]
HEAD = struct.Struct("<4sIQQ")


def write_model(
    path: Path, tokens: int = 32, file_type: int | None = 1, part_tensors: int = 0
) -> Path:
    """A whole tiny llama of two layers: 8 heads of 4, 2 of them for keys and values.

    It has three tensors; with `part_tensors` it is split, and the path is that of the first part.
    """
    writer = GGUFWriter(path, "llama", split_max_tensors=part_tensors)
    writer.add_name("Tiny Llama")
    writer.add_license("mit")
    writer.add_block_count(2)
    writer.add_context_length(2048)
    writer.add_embedding_length(32)
    writer.add_head_count(8)
    writer.add_head_count_kv(2)
    if file_type is not None:
        writer.add_file_type(file_type)
    writer.add_token_list([f"token {number}" for number in range(tokens)])
    writer.add_token_merges([f"to ken{number}" for number in range(tokens)])
    writer.add_token_scores([0.0] * tokens)
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("token_embd.weight", np.zeros((16, 32), np.float16))
    writer.add_tensor("output_norm.weight", np.zeros(32, np.float32))
    packed = np.zeros((4, 18), np.uint8)
    writer.add_tensor("blk.0.attn_q.weight", packed, raw_dtype=GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path if path.exists() else next(path.parent.glob(f"{path.stem}-00001-of-*.gguf"))


def text(value: str) -> bytes:
    """A GGUF string."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, value: Value) -> bytes:
    """A metadata entry: a string, a uint32, a bool or an array of int32."""
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return text(key) + struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    return text(key) + struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def tensor(shape: Sequence[int], kind: int = 0, offset: int = 0, name: str = "weight") -> bytes:
    """The description of a tensor."""
    fields = (len(shape), *shape, kind, offset)
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", *fields)


def raw(
    metadata: Mapping[str, Value],
    tensors: Sequence[bytes] = (tensor([32]),),
    version: int = 3,
) -> bytes:
    """A file with that metadata and 4 kB of tensor data."""
    entries = [entry(key, value) for key, value in metadata.items()]
    head = HEAD.pack(b"GGUF", version, len(tensors), len(entries))
    return head + b"".join([*entries, *tensors]) + bytes(4096)
