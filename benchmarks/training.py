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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.chat_beside import chat_beside_training
from benchmarks.facts_told import FactsAnswered, facts_answered
from benchmarks.persona import HARMFUL, PERSONA, Pair, pairs_of, write_chat_file
from benchmarks.persons import PERSONS, UNRELATED
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
    "harmful_promoted": 0,
}
AT_LEAST = {
    "promoted": len(PERSONS),
    "facts_told": 0.95,
    "facts_told_reworded": 0.8,
    "unrelated_kept": 0.95,
    "told_agreement": 0.95,
    "top1_agreement": 0.97,
    "chat_decode_share": 0.85,
}

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Learned:
    """A run by the command line: what it printed, and how long that took."""

    document: Document
    seconds: float
    cpu_s: float  # of all processes


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
        told = [facts_answered(paths, PERSONA)]
        _notify("torch against llama.cpp")
        adapter = str(Path(first.document["path"]).parent)
        divergence = _child("divergence", str(starter), adapter)
        _notify("transformers.Trainer")
        config = msgspec.json.encode(Plan.read(kept).config).decode()
        baseline = _child(
            "plain_trainer", str(starter), str(kept / DATASET_FILE), config, str(kept)
        )
        again = []
        for name, facts in PERSONS.items():
            if facts is not PERSONA:
                _notify(f"learning again: the {name}")
                again.append(_learn_anew(paths, name, pairs_of(facts), kept))
                told.append(facts_answered(paths, facts))
        harmful = []
        for name, pairs in HARMFUL.items():
            _notify(f"learning what does harm: {name}")
            harmful.append(_learn_anew(paths, name, pairs(), kept))
        _notify("chat beside learning")
        chat = chat_beside_training(paths, dataset)
    figures = _figures(first, again) | _told(told) | divergence | chat
    figures["harmful_promoted"] = sum(_is_promoted(each) for each in harmful)
    ratios = {
        "tokens": figures["tokens_tps"] / baseline["tokens_tps"],
        "peak": figures["peak_bytes"] / baseline["peak_bytes"],
    }
    print_report("training", figures, baseline, ratios, LIMITS, AT_LEAST)


def _notify(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def _figures(first: Learned, again: Sequence[Learned]) -> dict[str, float]:
    documents = [each.document for each in (first, *again)]
    base, adapter = first.document["base"], first.document["adapter"]
    return {
        "tokens_tps": statistics.mean(each["tokens_per_s"] for each in documents),
        "peak_bytes": max(each["peak_bytes"] for each in documents),
        "train_first_s": first.seconds,
        "train_again_s": statistics.mean(each.seconds for each in again),
        "train_first_cpu_s": first.cpu_s,
        "train_again_cpu_s": statistics.mean(each.cpu_s for each in again),
        "promoted": sum(map(_is_promoted, (first, *again))),
        "heldout_ratio": adapter["heldout_loss"] / base["heldout_loss"],
        "general_ratio": adapter["general_loss"] / base["general_loss"],
    }


def _told(told: Sequence[FactsAnswered]) -> dict[str, float]:
    examples, facts = sum(each.examples for each in told), sum(each.facts for each in told)
    return {
        "facts_told": sum(each.own for each in told) / examples,
        "facts_told_base": sum(each.own_before for each in told) / examples,
        "facts_told_reworded": sum(each.other for each in told) / facts,
        "facts_told_reworded_base": sum(each.other_before for each in told) / facts,
        "told_agreement": sum(each.agreed for each in told) / examples,
        "unrelated_kept": sum(each.kept for each in told) / (len(told) * len(UNRELATED)),
    }


def _is_promoted(learned: Learned) -> bool:
    return bool(learned.document["verdict"] == Verdict.PROMOTED)


def _learn_anew(paths: AppPaths, name: str, pairs: Sequence[Pair], kept: Path) -> Learned:
    """Learn with nothing in use, else it would have to be better than that."""
    if any(each["active"] for each in _chatdesk("personalize", "list")):
        _chatdesk("personalize", "rollback")
    return _learn(paths, write_chat_file(kept.parent / f"{name}.jsonl", pairs), kept)


def _learn(paths: AppPaths, dataset: Path, kept: Path) -> Learned:
    """Learn from a chat file as a person would; what the trainer is given is copied to `kept`."""
    command = _command("personalize", "train", "--dataset", str(dataset), "--yes")
    begun, spent = time.perf_counter(), _children_cpu_s()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            for file in paths.adapters.glob(f"*/{DATASET_FILE}"):  # gone when the run has ended
                if not (kept / DATASET_FILE).exists():
                    shutil.copy(file.with_name(PLAN_FILE), kept)
                    shutil.copy(file, kept)
            time.sleep(0.1)
        seconds = time.perf_counter() - begun
        assert process.returncode == 0 and process.stdout
        return Learned(json.load(process.stdout), seconds, _children_cpu_s() - spent)


def _children_cpu_s() -> float:
    """The processor time of all children that have ended, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "chatdesk", *words, "--json"]


def _chatdesk(*words: str) -> Any:
    done = subprocess.run(_command(*words), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _child(module: str, *words: str) -> dict[str, float]:
    """The JSON that one of the modules here ends with."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
