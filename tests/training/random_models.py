"""Small models of random numbers, of every architecture that can be trained."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.tiny_models import CHATML, SIZE, VOCABULARY, write_vocabulary

HEADS, KV_HEADS, HEAD = 4, 2, 32
WIDTH, FEED_FORWARD = HEADS * HEAD, 192
WINDOW = 8  # tokens, of the models with sliding attention

_LAYERS = {"gemma3": 6}  # of which the last one is not sliding
_GEMMAS = ("gemma", "gemma2", "gemma3")


def random_model(
    path: Path, architecture: str = "llama", *, scaled_rope: bool = False, tied: bool = False
) -> Path:
    """Write a model whose next token depends on all before it; `scaled_rope` as in Llama 3.1."""
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name("Random")
    _write_hyperparameters(writer, architecture)
    write_vocabulary(writer, CHATML, VOCABULARY, space_prefix=False)
    source = np.random.default_rng(7)
    shapes = _shapes(architecture)
    if scaled_rope:
        shapes["rope_freqs.weight"] = (HEAD // 2,)
    if not tied and architecture not in _GEMMAS:
        shapes["output.weight"] = (SIZE, WIDTH)
    for name, shape in shapes.items():
        if len(shape) == 1:
            numbers = source.uniform(0.7, 1.6, shape)
        else:
            numbers = source.normal(0, 1.4 / np.sqrt(shape[1]), shape)
        writer.add_tensor(name, numbers.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_hyperparameters(writer: gguf.GGUFWriter, architecture: str) -> None:
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(_LAYERS.get(architecture, 2))
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(5000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(SIZE)
    if architecture in ("gemma2", "gemma3"):
        writer.add_sliding_window(WINDOW)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(5.0)
        writer.add_final_logit_softcapping(4.0)
    if architecture == "gemma3":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(8.0)


def _shapes(architecture: str) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (SIZE, WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    block = _block(architecture)
    for layer in range(_LAYERS.get(architecture, 2)):
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    return shapes


def _block(architecture: str) -> dict[str, tuple[int, ...]]:
    q, kv = HEADS * HEAD, KV_HEADS * HEAD
    block: dict[str, Any] = {
        "attn_norm.weight": (WIDTH,),
        "ffn_norm.weight": (WIDTH,),
        "attn_output.weight": (WIDTH, q),
        "ffn_down.weight": (WIDTH, FEED_FORWARD),
    }
    if architecture == "phi3":
        return {
            **block,
            "attn_qkv.weight": (q + 2 * kv, WIDTH),
            "ffn_up.weight": (2 * FEED_FORWARD, WIDTH),
        }
    block |= {f"ffn_{name}.weight": (FEED_FORWARD, WIDTH) for name in ("gate", "up")}
    for name, rows in (("q", q), ("k", kv), ("v", kv)):
        block[f"attn_{name}.weight"] = (rows, WIDTH)
        if architecture == "qwen2":
            block[f"attn_{name}.bias"] = (rows,)
    if architecture in ("qwen3", "gemma3"):
        block |= {"attn_q_norm.weight": (HEAD,), "attn_k_norm.weight": (HEAD,)}
    if architecture in ("gemma2", "gemma3"):
        block |= {"post_attention_norm.weight": (WIDTH,), "post_ffw_norm.weight": (WIDTH,)}
    return block
