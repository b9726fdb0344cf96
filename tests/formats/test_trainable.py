"""What cannot be trained is known from the header: nothing is computed for it."""

from pathlib import Path

import pytest

from chatdesk.formats.gguf.model import read_model
from chatdesk.formats.tensor_names import ARCHITECTURES
from chatdesk.formats.trainable import obstacle
from tests.gguf_files import Value, raw, tensor
from tests.tiny_models import tiny_model

LLAMA: dict[str, Value] = {
    "general.architecture": "llama",
    "llama.context_length": 64,
    "llama.block_count": 1,
    "llama.feed_forward_length": 64,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 2,
    "llama.attention.layer_norm_rms_epsilon": 1,
}


def found(path: Path) -> str:
    model = read_model(path)
    return obstacle(model.architecture, model.metadata, [each.name for each in model.tensors])


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_nothing_stands_against_a_known_one(tmp_path: Path, architecture: str) -> None:
    assert found(tiny_model(tmp_path / "m.gguf", architecture=architecture)) == ""


@pytest.mark.parametrize(
    ("more", "name", "words"),
    [
        ({"general.architecture": "gpt2"}, "token_embd.weight", "gpt2"),
        ({"llama.rope.scaling.type": "yarn"}, "token_embd.weight", "llama with yarn positions"),
        ({"llama.rope.scaling.type": "linear"}, "token_embd.weight", ""),
        ({"llama.rope.dimension_count": 16}, "token_embd.weight",
         "llama with positions in a part of each head"),
        ({}, "blk.0.ffn_gate_exps.weight", "llama with blk.0.ffn_gate_exps.weight"),
        ({}, "blk.0.attn_q.bias", "llama with blk.0.attn_q.bias"),
        ({}, "blk.0.attn_q.weight", ""),
        ({"llama.block_count": "many"}, "token_embd.weight", "llama without block_count"),
    ],
)  # fmt: skip
def test_what_stands_against_it(
    tmp_path: Path, more: dict[str, Value], name: str, words: str
) -> None:
    (tmp_path / "m.gguf").write_bytes(raw(LLAMA | more, [tensor([32], name=name)]))
    assert found(tmp_path / "m.gguf") == words
