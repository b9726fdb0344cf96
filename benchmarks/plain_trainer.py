"""The baseline of learning: transformers.Trainer with peft, as their guides show it.

Same model file, rank, layers, learning rate, batch and token ids as a run of the app; in a process
of its own, so that its memory is its own.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
import torch
import transformers
from peft import LoraConfig, get_peft_model

from chatdesk.core.personalization import TrainingConfig
from chatdesk.core.training import Sequence, TrainingData

if sys.platform != "win32":
    import resource

EPOCHS = 2  # over the examples, each with as much replay as in a run
IGNORED = -100  # transformers' label of a token without a loss


def train(model: Path, dataset: Path, config: TrainingConfig, scratch: Path) -> dict[str, float]:
    """Train, and throw the adapter away; tokens per second and peak memory of the process."""
    transformers.set_seed(config.seed)
    data = msgspec.json.decode(dataset.read_bytes(), type=TrainingData)
    base = transformers.AutoModelForCausalLM.from_pretrained(
        model.parent, gguf_file=model.name, dtype=torch.float32
    )
    base.is_quantized = False  # its weights are numbers by now, which Trainer does not notice
    tokenizer = transformers.AutoTokenizer.from_pretrained(model.parent, gguf_file=model.name)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=int(config.alpha),
        lora_dropout=config.dropout,
        use_rslora=config.rslora,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    replay = data.replay[: round(len(data.train) * config.replay)]
    sequences = [example.chosen for example in (*data.train, *replay)]
    arguments = transformers.TrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=config.batch,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        weight_decay=config.weight_decay,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = transformers.Trainer(
        model=get_peft_model(base, lora),
        args=arguments,
        train_dataset=[_features(each) for each in sequences],
        data_collator=transformers.DataCollatorForSeq2Seq(tokenizer),
    )
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    tokens = EPOCHS * sum(len(each.tokens) for each in sequences)  # those that are no padding
    return {"tokens_tps": tokens / seconds, "peak_bytes": _peak_bytes()}


def _peak_bytes() -> int:
    """The most memory this process has had, as the app's trainer counts it."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _features(sequence: Sequence) -> dict[str, Any]:
    labels = [IGNORED] * len(sequence.tokens)
    for span in sequence.targets:
        labels[span.start : span.end] = sequence.tokens[span.start : span.end]
    return {"input_ids": list(sequence.tokens), "labels": labels}


if __name__ == "__main__":
    model, dataset, config, scratch = sys.argv[1:]
    settings = msgspec.json.decode(config, type=TrainingConfig)
    print(json.dumps(train(Path(model), Path(dataset), settings, Path(scratch))))
