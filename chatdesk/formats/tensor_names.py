"""The names of a model's layers in transformers and PEFT, and in GGUF.

For the architectures whose adapters can be trained and imported. The tests compare the names with
gguf's own tables, which llama.cpp's converters use.
"""

import re

ARCHITECTURES = frozenset(("llama", "qwen2", "qwen3", "phi3", "gemma", "gemma2", "gemma3"))
PERMUTED = frozenset(("llama",))  # the rows of q and k are in llama.cpp's own order

LINEARS = {  # the linear layers of a block
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_NORMS = {
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_NORMS_AROUND = {  # of blocks with a norm before and one after each half
    **_NORMS,
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
BLOCK_LAYERS = frozenset((*LINEARS.values(), *_NORMS.values(), *_NORMS_AROUND.values()))
_OUTSIDE = {  # outside the blocks
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}
_IN_BLOCK = re.compile(r"model\.layers\.([0-9]+)\.(.+)")


def gguf_name(architecture: str, module: str) -> str | None:
    """Return GGUF's name of a module, without ".weight"; None for an unknown one."""
    block = _IN_BLOCK.fullmatch(module)
    if block is None:
        return _OUTSIDE.get(module)
    norms = _NORMS_AROUND if architecture in ("gemma2", "gemma3") else _NORMS
    name = {**LINEARS, **norms}.get(block[2])
    return name and f"blk.{block[1]}.{name}"
