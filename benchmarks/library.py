"""`chatdesk bench library`: how soon a model is judged, and whether nothing is fetched in vain.

A stand-in hub on loopback serves a model that is fetched by `chatdesk models pull`, which is killed
again and again. The baseline reads the same headers with gguf's own reader.
"""

import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import psutil

from benchmarks.report import print_report
from chatdesk.cli.ask import AskRequest, ask
from chatdesk.core.loading import LoadOptions
from chatdesk.core.settings import Settings
from chatdesk.library.models.header import read_header
from chatdesk.library.models.starter import find_starter
from chatdesk.services.app import build
from chatdesk.services.system.locations import HOME_VARIABLE, find_paths
from tests.stand_in_hub import Fault, StandInHub

REPO, FILE = "bench/model-GGUF", "model-F16.gguf"
FETCHED_BYTES = 300_000_000
BYTES_PER_S = 30_000_000
KILLS = 20
MANY_TOKENS = 250_000
SCANNED = 500
READS = 7
CONTEXTS = (2048, 8192)
KV_TYPES = ("f16", "q8_0")
LIMITS = {
    "header_ms": 30.0,
    "header_250k_ms": 150.0,
    "header_250k_bytes": 20e6,
    "scan_500_s": 3.0,
    "scan_500_again_s": 0.2,
    "refetched_share": 0.05,
    "memory_estimate_error": 0.1,
}
AT_LEAST = {"hash_right": 1.0}


def main() -> None:
    """Measure, then print."""
    starter = find_starter()
    assert starter
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-", ignore_cleanup_errors=True) as home:
        os.environ[HOME_VARIABLE] = home
        folder = Path(home) / "made"
        folder.mkdir()
        large = _model(folder / "large.gguf", MANY_TOKENS, 1_000_000)
        figures = {
            "header_ms": _milliseconds(lambda: read_header(starter)),
            "header_250k_ms": _milliseconds(lambda: read_header(large)),
            "header_250k_bytes": _peak_bytes(large),
        }
        baseline = {
            "header_ms": _milliseconds(lambda: gguf.GGUFReader(starter)),
            "header_250k_ms": _milliseconds(lambda: gguf.GGUFReader(large)),
        }
        large.unlink()
        _notify("a scan of many files")
        figures |= _scan(folder)
        _notify("a download that is killed")
        figures |= _download(folder)
        _notify("memory")
        figures |= _memory(starter)
    ratios = {name.removesuffix("_ms"): figures[name] / baseline[name] for name in baseline}
    print_report("library", figures, baseline, ratios, LIMITS, AT_LEAST)


def _notify(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def _milliseconds(read: Callable[[], object]) -> float:
    def once() -> float:
        begun = time.perf_counter()
        read()
        return 1000 * (time.perf_counter() - begun)

    return statistics.median(once() for _ in range(READS))


def _peak_bytes(path: Path) -> float:
    """The most memory that reading a header holds."""
    tracemalloc.start()
    read_header(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _model(path: Path, tokens: int, tensor_bytes: int, seed: int = 0) -> Path:
    """A GGUF file with a vocabulary and random weights; its header is what counts here."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(256)
    writer.add_block_count(1)
    writer.add_feed_forward_length(256)
    writer.add_head_count(4)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token{number}" for number in range(tokens)])
    writer.add_token_types([1] * tokens)
    writer.add_token_merges([f"tok en{number}" for number in range(tokens)])
    rows = tensor_bytes // (2 * 256)
    weights = np.random.default_rng(seed).integers(0, 1 << 15, (rows, 256), np.uint16)
    writer.add_tensor("token_embd.weight", weights.view(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _scan(folder: Path) -> dict[str, float]:
    """A models folder with many files: taken up, and looked through again."""
    paths = find_paths()
    paths.make()
    one = _model(folder / "one.gguf", 32_000, 1_000_000)
    for number in range(SCANNED):
        shutil.copy(one, paths.models / f"model-{number:03}.gguf")
    services = build(paths, lambda fact: None, Settings)
    try:
        cold, again = (_seconds(services.models.refresh) for _ in range(2))
    finally:
        services.close()
    for file in paths.models.iterdir():
        file.unlink()
    return {"scan_500_s": cold, "scan_500_again_s": again}


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _download(folder: Path) -> dict[str, float]:
    """Fetch a model while the process that does it is killed."""
    file = _model(folder / FILE, 1000, FETCHED_BYTES, seed=1)
    expected = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
    source = random.Random(1)
    with StandInHub() as hub:
        os.environ["HF_ENDPOINT"] = hub.endpoint
        hub.add(REPO, {FILE: file})
        hub.fault(Fault(bytes_per_s=BYTES_PER_S), FILE)
        for _ in range(KILLS):
            sent = hub.bytes_sent(FILE)
            with _pull() as process:
                while hub.bytes_sent(FILE) == sent and process.poll() is None:
                    time.sleep(0.01)
                time.sleep(source.uniform(0.1, 0.6))
                assert process.poll() is None, "it ended before it was killed"
                psutil.Process(process.pid).kill()
        hub.heal()
        with _pull() as process:
            printed, _ = process.communicate()
        refetched = (hub.bytes_sent(FILE) - file.stat().st_size) / file.stat().st_size
    fetched = Path(json.loads(printed)["path"])
    right = hashlib.file_digest(fetched.open("rb"), "sha256").hexdigest() == expected
    fetched.unlink()
    return {"kills": KILLS, "refetched_share": refetched, "hash_right": float(right)}


def _pull() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "chatdesk", "models", "pull", f"{REPO}:{FILE}", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _memory(starter: Path) -> dict[str, float]:
    """The largest share by which the estimate missed what the engine really used."""
    errors = []
    for window in CONTEXTS:
        for kv_type in KV_TYPES:
            estimated, used = _one_load(starter, LoadOptions(window, kv_type=kv_type))
            errors.append(abs(estimated - used) / used)
            _notify(f"{window} tokens, {kv_type}: {estimated:,} bytes predicted, {used:,} used")
    return {"memory_estimate_error": max(errors)}


def _one_load(starter: Path, options: LoadOptions) -> tuple[int, int]:
    """Return the predicted and the used bytes of a load, as the Models page shows them."""
    paths = find_paths()
    services = build(paths, lambda fact: None, Settings)
    model = services.models.add(starter)
    services.close()
    settings = Settings().edited("models", chosen=model.id).with_load_options(model.id, options)
    ask(paths, settings, AskRequest("Tell me a story.", max_tokens=64), lambda text: None)
    services = build(paths, lambda fact: None, lambda: settings)
    notes = services.models.notes.of(model.id)
    services.close()
    assert notes.used_context == options.context_window
    return notes.estimated_bytes, notes.used_bytes


if __name__ == "__main__":
    main()
