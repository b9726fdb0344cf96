"""`chatdesk bench sessions`: a long conversation, opened again after a restart.

The baseline reads the same 4,000 tokens anew, in an engine process that was just started.
"""

import statistics
import tempfile
from pathlib import Path

from benchmarks.engine import _unread_text
from benchmarks.engine_client import Call, EngineClient
from benchmarks.report import print_report
from chatdesk.core.generation import PromptMessage
from chatdesk.library.models.starter import find_starter

ROUNDS = 3
WORDS = 3900  # about 4,000 tokens
LIMITS = {"restore_ttft_s": 0.3}
AT_LEAST = {"restore_speedup": 30.0}


def main() -> None:
    """Measure, then print."""
    starter = find_starter()
    assert starter
    rounds = [_round(str(starter), number) for number in range(ROUNDS)]
    figures = {
        name: statistics.median(each[name] for each in rounds)
        for name in rounds[0]
        if name != "reprocess_ttft_s"
    }
    baseline = {"reprocess_ttft_s": statistics.median(r["reprocess_ttft_s"] for r in rounds)}
    ratios = {
        "restore_speedup": statistics.median(
            r["reprocess_ttft_s"] / r["restore_ttft_s"] for r in rounds
        )
    }
    print_report("sessions", figures, baseline, ratios, LIMITS, AT_LEAST)


def _round(path: str, number: int) -> dict[str, float]:
    text = _unread_text(1000 + number, WORDS)
    conversation = [PromptMessage("user", f"{text}\n\nSay yes.")]
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-") as folder:
        first = EngineClient(path)
        first.keep_sessions(folder)
        anew = _ask(first, conversation)
        conversation += [PromptMessage("assistant", anew.text), PromptMessage("user", "And now?")]
        follow_up = _ask(first, conversation)
        first.close()
        state_bytes = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        conversation += [
            PromptMessage("assistant", follow_up.text),
            PromptMessage("user", "And then?"),
        ]
        second = EngineClient(path)
        second.keep_sessions(folder)
        restored = _ask(second, conversation)
        second.close()
    return {
        "reprocess_ttft_s": anew.ttft_s,
        "prompt_tokens": anew.stats.prompt_tokens,
        "followup_ttft_s": follow_up.ttft_s,
        "followup_new_tokens": follow_up.stats.prompt_tokens - follow_up.stats.cached_tokens,
        "restore_ttft_s": restored.ttft_s,
        "restore_new_tokens": restored.stats.prompt_tokens - restored.stats.cached_tokens,
        "state_bytes": state_bytes,
    }


def _ask(engine: EngineClient, conversation: list[PromptMessage]) -> Call:
    call = engine.ask(messages=tuple(conversation), session="bench", max_tokens=16, seed=1)
    return call.wait()


if __name__ == "__main__":
    main()
