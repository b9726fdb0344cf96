"""`chatdesk bench training`: from forty examples to an adapter that is used, and what it costs.

Everything a person can do is done with the command line, in a folder of its own. The baseline
trains on the same token ids with transformers.Trainer and peft. torch runs in child processes only.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.chat_beside import chat_beside_training
from benchmarks.persona import PERSONA, pairs_of, write_chat_file
from benchmarks.report import print_report
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import Verdict
from chatdesk.core.training import DATASET_FILE
from chatdesk.library.models.starter import find_starter
from chatdesk.services.personalize.plan import PLAN_FILE, Plan
from chatdesk.services.system.locations import HOME_VARIABLE, find_paths

LIMITS = {
    "kl_mean": 0.015,
    "kl_to_base": 2.0,
    "first_token_extra_s": 0.3,
    "train_first_s": 240.0,
    "train_again_s": 180.0,
    "heldout_ratio": 0.5,
    "general_ratio": 1.02,
}
AT_LEAST = {"promoted": 2, "top1_agreement": 0.97, "chat_decode_share": 0.85}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Learned:
    """A run by the command line: what it printed, and how long that took."""

    document: Document
    seconds: float


def main() -> None:
    """Measure, then print."""
    starter = find_starter()
    assert starter
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-", ignore_cleanup_errors=True) as home:
        os.environ[HOME_VARIABLE] = home
        paths = find_paths()
        dataset = write_chat_file(Path(home) / "persona.jsonl", pairs_of(PERSONA))
        kept = Path(home) / "kept"
        kept.mkdir()
        _notify("learning, for the first time with this model")
        first = _learn(paths, dataset, kept)
        _notify("what was learned")
        answered = {"facts_answered": _answered(), "facts_answered_base": _answered("none")}
        _notify("torch against llama.cpp")
        adapter = str(Path(first.document["path"]).parent)
        divergence = _child("divergence", str(starter), adapter)
        _notify("transformers.Trainer")
        config = msgspec.json.encode(Plan.read(kept).config).decode()
        baseline = _child(
            "plain_trainer", str(starter), str(kept / DATASET_FILE), config, str(kept)
        )
        _notify("learning again")
        _chatdesk("personalize", "rollback")  # else it would have to be better than the first
        again = _learn(paths, dataset, kept)
        _notify("chat beside learning")
        chat = chat_beside_training(paths, dataset)
    figures = _figures(first, again) | divergence | answered | chat
    ratios = {
        "tokens": figures["tokens_tps"] / baseline["tokens_tps"],
        "peak": figures["peak_bytes"] / baseline["peak_bytes"],
    }
    print_report("training", figures, baseline, ratios, LIMITS, AT_LEAST)


def _notify(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def _figures(first: Learned, again: Learned) -> dict[str, float]:
    documents = [first.document, again.document]
    base, adapter = first.document["base"], first.document["adapter"]
    return {
        "tokens_tps": statistics.mean(each["tokens_per_s"] for each in documents),
        "peak_bytes": max(each["peak_bytes"] for each in documents),
        "train_first_s": first.seconds,
        "train_again_s": again.seconds,
        "promoted": sum(each["verdict"] == Verdict.PROMOTED for each in documents),
        "heldout_ratio": adapter["heldout_loss"] / base["heldout_loss"],
        "general_ratio": adapter["general_loss"] / base["general_loss"],
    }


def _learn(paths: AppPaths, dataset: Path, kept: Path) -> Learned:
    """Learn from a chat file as a person would; what the trainer is given is copied to `kept`."""
    command = _command("personalize", "train", "--dataset", str(dataset), "--yes")
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            for file in paths.adapters.glob(f"*/{DATASET_FILE}"):  # gone when the run has ended
                if not (kept / DATASET_FILE).exists():
                    shutil.copy(file.with_name(PLAN_FILE), kept)
                    shutil.copy(file, kept)
            time.sleep(0.1)
        seconds = time.perf_counter() - begun
        assert process.returncode == 0 and process.stdout
        return Learned(json.load(process.stdout), seconds)


def _answered(adapter: str | None = None) -> float:
    """The share of facts that are recalled by questions in words that were in no example."""
    chosen = () if adapter is None else ("--adapter", adapter)
    options = ("--temporary", "--temperature", "0", "--max-tokens", "60", *chosen)
    recalled = [fact.word in _chatdesk("ask", fact.asked, *options)["text"] for fact in PERSONA]
    return sum(recalled) / len(recalled)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "chatdesk", *words, "--json"]


def _chatdesk(*words: str) -> Document:
    done = subprocess.run(_command(*words), stdout=subprocess.PIPE, check=True)
    found: Document = json.loads(done.stdout)
    return found


def _child(module: str, *words: str) -> dict[str, float]:
    """The JSON that one of the modules here ends with."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
