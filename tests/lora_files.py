"""LoRA adapters in GGUF for the starter model, made of random numbers."""

from pathlib import Path

import gguf
import numpy as np

EMBEDDING, FEED_FORWARD = 576, 1536  # of the starter model


def lora_adapter(
    path: Path,
    seed: int = 1,
    strength: float = 1.0,
    embedding: int = EMBEDDING,
    architecture: str = "llama",
) -> Path:
    """A rank-4 adapter on the down projection of three layers; `strength` 0 changes nothing."""
    source = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for layer in (3, 12, 21):
        name = f"blk.{layer}.ffn_down.weight"
        a = source.normal(0, 0.05, (4, FEED_FORWARD)).astype(np.float32)
        b = source.normal(0, 0.05 * strength, (embedding, 4)).astype(np.float32)
        writer.add_tensor(f"{name}.lora_a", a)
        writer.add_tensor(f"{name}.lora_b", b)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
