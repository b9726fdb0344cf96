"""Tiny GGUF files that llama.cpp really loads (or really refuses), made in milliseconds."""

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

EMBEDDING = 320
VOCABULARY = ("<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<mark>")
_FIRST_BYTE = len(VOCABULARY)
END = 2
_LETTERS = "etaoinshrdlu"
_FIRST_LETTER = _FIRST_BYTE + 256
SIZE = _FIRST_LETTER + len(_LETTERS) + 1  # and a space
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_token(value: int) -> int:
    """The token of one byte."""
    return _FIRST_BYTE + value


def tiny_model(
    path: Path,
    template: str | None = CHATML,
    answer: bytes = b"",
    context_length: int = 512,
    architecture: str = "llama",
    loop: bool = False,
    name: str = "Tiny",
    special: Sequence[str] = VOCABULARY,
    space_prefix: bool = False,
    eos: int = END,
) -> Path:
    """A llama of one layer whose next token depends on the last one only.

    After the newline that opens the assistant's turn it says `answer` byte by byte and then token
    2, which is its end unless `eos` is another; with `loop` it begins again instead. No byte may
    stand twice in the answer.
    """
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name(name)
    _write_hyperparameters(writer, context_length)
    write_vocabulary(writer, template, special, space_prefix, eos)
    _write_tensors(writer, [byte_token(value) for value in answer], loop)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_hyperparameters(writer: gguf.GGUFWriter, context_length: int) -> None:
    writer.add_context_length(context_length)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_rope_dimension_count(EMBEDDING // 4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(SIZE)


def write_vocabulary(
    writer: gguf.GGUFWriter,
    template: str | None,
    special: Sequence[str],
    space_prefix: bool,
    eos: int = END,
) -> None:
    """A vocabulary of bytes and some letters, `SIZE` tokens in all."""
    kind = gguf.TokenType
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*special, *(f"<0x{value:02X}>" for value in range(256)), *_LETTERS, "▁"])
    writer.add_token_scores([0.0] * _FIRST_LETTER + [-1.0] * (len(_LETTERS) + 1))
    writer.add_token_types(
        [kind.UNKNOWN, *[kind.CONTROL] * 4, kind.USER_DEFINED]
        + [kind.BYTE] * 256
        + [kind.NORMAL] * (len(_LETTERS) + 1)
    )
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(eos)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(space_prefix)
    if template is not None:
        writer.add_chat_template(template)


def _write_tensors(writer: gguf.GGUFWriter, answer: Sequence[int], loop: bool) -> None:
    def zeros(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.zeros(shape, dtype=np.float32)

    one_hot = zeros(SIZE, EMBEDDING)
    one_hot[np.arange(SIZE), np.arange(SIZE)] = 1
    follows = zeros(SIZE, EMBEDDING)
    chain = [byte_token(ord("\n")), *answer]
    for before, after in zip(chain, [*answer, chain[1] if loop else END], strict=True):
        follows[after, before] = 10
    writer.add_tensor("token_embd.weight", one_hot)
    writer.add_tensor("output.weight", follows)
    writer.add_tensor("output_norm.weight", np.ones(EMBEDDING, dtype=np.float32))
    for norm in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{norm}.weight", np.ones(EMBEDDING, dtype=np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{name}.weight", zeros(EMBEDDING, EMBEDDING))
    writer.add_tensor("blk.0.ffn_gate.weight", zeros(32, EMBEDDING))
    writer.add_tensor("blk.0.ffn_up.weight", zeros(32, EMBEDDING))
    writer.add_tensor("blk.0.ffn_down.weight", zeros(EMBEDDING, 32))


def tiny_embedder(path: Path, pooling: int | None = 1, *, marks_ends: bool = True) -> Path:
    """A BERT of one layer and some words; its vectors are of 32 numbers."""
    writer = gguf.GGUFWriter(str(path), "bert")
    writer.add_name("Tiny BERT")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(48)
    writer.add_block_count(1)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(1e-6)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(pooling))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁tea", "▁milk", "▁sea", "▁the", "s"]
    writer.add_tokenizer_model("bert")
    writer.add_token_list(words)
    kind = gguf.TokenType
    writer.add_token_types([kind.CONTROL] * 5 + [kind.NORMAL] * (len(words) - 5))
    writer.add_token_type_count(2)
    writer.add_unk_token_id(1)
    if marks_ends:  # otherwise llama.cpp takes ids that this vocabulary has not
        writer.add_bos_token_id(2)
        writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_uint32("tokenizer.ggml.cls_token_id", 2)
    writer.add_mask_token_id(4)
    source = np.random.default_rng(3)
    shapes = {
        "token_embd.weight": (len(words), 32),
        "position_embd.weight": (64, 32),
        "token_types.weight": (2, 32),
        "blk.0.ffn_up.weight": (48, 32),
        "blk.0.ffn_up.bias": (48,),
        "blk.0.ffn_down.weight": (32, 48),
        "blk.0.ffn_down.bias": (32,),
    }
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        shapes |= {f"blk.0.{name}.weight": (32, 32), f"blk.0.{name}.bias": (32,)}
    for name in ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"):
        shapes |= {f"{name}.weight": (32,), f"{name}.bias": (32,)}
    for name, shape in shapes.items():
        writer.add_tensor(name, source.normal(0, 0.5, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def unsupported_model(path: Path) -> Path:
    """A well-formed GGUF file of an architecture nobody knows."""
    return tiny_model(path, architecture="notyetinvented")


def truncated_model(path: Path, keep: float = 0.6) -> Path:
    """A model file of which only the first part arrived."""
    tiny_model(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def not_a_model(path: Path) -> Path:
    """A file that only has the name of a model."""
    path.write_bytes(b"PK\x03\x04 this is something else" * 100)
    return path
