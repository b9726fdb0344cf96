"""The difference between training and chat: torch in float32 and llama.cpp on the same tokens.

The torch side owes nothing to the app: transformers dequantizes the GGUF file and peft reads the
adapter's PEFT folder; the other side reads the adapter's GGUF file.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.bare_loop import BareLoop
from benchmarks.persona import PERSONA
from chatdesk.core.paths import assets_dir
from chatdesk.core.training import ADAPTER_FILE, PEFT_FOLDER

LONGEST, LONG_ENOUGH = 512, 400  # tokens of a chat
LEAST_TOKENS = 2000  # that a mean is taken over


@dataclass
class Comparison:
    """Two models' next-token distributions at many positions."""

    divergences: list[torch.Tensor] = field(default_factory=list)
    agreements: list[torch.Tensor] = field(default_factory=list)

    def add(self, ours: torch.Tensor, theirs: torch.Tensor) -> None:
        """Take logits of both, as [token, vocabulary]."""
        p, q = (logits.log_softmax(-1) for logits in (ours, theirs))
        self.divergences.append((p.exp() * (p - q)).sum(-1))  # Kullback and Leibler 1951, nats
        self.agreements.append((p.argmax(-1) == q.argmax(-1)).float())

    @property
    def divergence(self) -> float:
        """The mean of KL(torch || llama.cpp)."""
        return float(torch.cat(self.divergences).mean())

    @property
    def agreement(self) -> float:
        """The share of positions where both think the same token likeliest."""
        return float(torch.cat(self.agreements).mean())


def compare(model: Path, adapter: Path) -> dict[str, float]:
    """The figures of a model's file and the folder of an adapter made for it."""
    options: dict[str, Any] = {"gguf_file": model.name}
    tokenizer = AutoTokenizer.from_pretrained(model.parent, **options)
    base = AutoModelForCausalLM.from_pretrained(model.parent, dtype=torch.float32, **options)
    trained = PeftModel.from_pretrained(base, adapter / PEFT_FOLDER).eval()
    native = BareLoop(str(model), LONGEST, LONGEST, psutil.cpu_count(logical=False) or 1)
    texts = list(_texts(tokenizer))
    assert sum(map(len, texts)) >= LEAST_TOKENS
    with torch.inference_mode():
        with trained.disable_adapter():
            without = _comparison(trained, native, texts)
        native.adapt(adapter / ADAPTER_FILE)
        adapted = _comparison(trained, native, texts)
    return {
        "kl_mean": adapted.divergence,
        "kl_base_mean": without.divergence,
        "kl_to_base": adapted.divergence / without.divergence,
        "top1_agreement": adapted.agreement,
        "kl_tokens": sum(map(len, texts)),
    }


def _comparison(model: Any, native: BareLoop, texts: list[list[int]]) -> Comparison:
    found = Comparison()
    for tokens in texts:
        ours = model(torch.tensor([tokens])).logits[0]
        found.add(ours, torch.from_numpy(native.logits(tokens)))
    return found


def _texts(tokenizer: Any) -> Iterator[list[int]]:
    """Chats as token ids: what the persona was not asked, and a third of the general set."""
    pairs = [(fact.asked, fact.answer) for fact in PERSONA]
    general = assets_dir() / "personalization" / "general.jsonl"
    items = [json.loads(line) for line in general.read_text("utf-8").splitlines()]
    pairs += [(item["prompt"], item["answer"]) for item in items[::3]]  # all languages and kinds
    turns: list[dict[str, str]] = []
    tokens: list[int] = []
    for question, answer in pairs:
        turns.append({"role": "user", "content": question})
        turns.append({"role": "assistant", "content": answer})
        text = tokenizer.apply_chat_template(turns, tokenize=False)
        tokens = tokenizer.encode(text, add_special_tokens=False)
        if len(tokens) > LONG_ENOUGH:
            yield tokens[:LONGEST]
            turns.clear()
    if turns:
        yield tokens[:LONGEST]


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]), Path(sys.argv[2]))))
