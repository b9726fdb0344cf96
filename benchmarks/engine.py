"""`chatdesk bench engine`: the engine process against a bare loop over libllama, in one run.

Rounds alternate between the two, so that a busy moment of the machine hits both; ratios are the
medians of the rounds' own ratios.
"""

import itertools
import random
import statistics
import sys
import time

import psutil
from llguidance import LLTokenizer

from benchmarks.bare_loop import BareLoop
from benchmarks.engine_client import Call, EngineClient
from benchmarks.report import print_report
from benchmarks.schemas import measured, suite
from chatdesk.core.generation import Cancelled, PromptMessage
from chatdesk.core.protocol import Cancel
from chatdesk.core.sampling import SamplingParams
from chatdesk.library.models.starter import find_starter

ROUNDS = 9
LONG_ROUNDS = 5  # of what takes seconds
DECODE_TOKENS = 160
PROMPT_TOKENS = 1000
LONG_PROMPT_TOKENS = 4000
REQUESTS, CANCELLED = 1000, 500
LIMITS = {"longest_gap_ms": 250.0, "lost_requests": 0, "rss_growth_bytes": 8e6, "schemas_wrong": 0}
AT_LEAST = {
    "decode": 0.98,
    "prefill": 0.97,
    **{f"parallel_{n}": 0.95 for n in (2, 3, 4)},
    "lookup": 1.3,
    "free": 0.97,
    "code": 0.97,
    "schemas_accepted": 0.64,
}
STORIES = (
    "Once upon a time there was a small dragon who lived beside a lake. Every morning",
    "The old lighthouse keeper had not spoken to anyone for a year. One stormy night",
    "In the city of glass towers, a girl found a key that opened no door. She decided",
    "Far out at sea the captain saw a light that was on no map. He turned the ship",
)
TEXT = (
    "The garden behind the house was never planned. It began with a single apple tree that the "
    "previous owner had left behind, and for several years nobody touched anything else. Then, one "
    "spring, my grandmother decided that the ground was too good to waste. She marked out four "
    "beds with string, asked the neighbour for a barrow of manure, and planted beans, carrots, "
    "onions and a row of sweet peas along the fence. The first summer was dry. The carrots stayed "
    "as thin as pencils, and the onions gave up before July, but the beans climbed over everything "
    "and fed the whole street until September. In the second year she dug a small pond, because "
    "she had read that frogs eat slugs. The frogs came within a month, and so did the herons."
)
TASKS = {  # what is asked, and the longest answer
    "lookup": (f"Rewrite this text with small changes:\n\n{TEXT}", 220),
    "free": ("Tell me a story about two children who find a map in an old library.", 220),
    "code": ("Write a Python class for a bank account with deposit, withdraw and history.", 220),
}


def main() -> None:
    """Measure, then print."""
    starter = find_starter()
    assert starter
    engine = EngineClient(str(starter))
    loaded = engine.loaded
    bare = BareLoop(str(starter), loaded.context_window, loaded.batch, loaded.threads)
    never_end = ((2, -100.0), (0, -100.0))  # the starter's tokens that end an answer
    figures: dict[str, float] = {}
    baseline: dict[str, float] = {}
    ratios: dict[str, float] = {}
    params = SamplingParams(seed=1, logit_bias=never_end)
    for count in (1, 2, 3, 4):
        _notify(f"{count} at once")
        name = "decode" if count == 1 else f"parallel_{count}"
        prompts = STORIES[:count]
        tokens = [bare.tokenize(prompt) for prompt in prompts]
        pairs = [
            (
                _decode(engine, prompts, never_end),
                bare.decode(tokens, DECODE_TOKENS, params),
            )
            for _ in range(ROUNDS)
        ]
        _sum_up(name, pairs, figures, baseline, ratios)
    _notify("prefill")
    prefill = [_prefill(engine, bare, n) for n in range(LONG_ROUNDS)]
    _sum_up("prefill", prefill, figures, baseline, ratios)
    _notify("a long prompt beside three answers")
    figures["longest_gap_ms"] = _longest_gap_ms(engine, bare, never_end)
    for name, (question, limit) in TASKS.items():
        _notify(name)
        pairs = [_task(engine, question, limit) for _ in range(LONG_ROUNDS)]
        _sum_up(name, pairs, figures, baseline, ratios)
    _notify("many requests")
    figures |= _endurance(engine)
    engine.close()
    figures |= _schemas()
    print_report("engine", figures, baseline, ratios, LIMITS, AT_LEAST)


def _schemas() -> dict[str, float]:
    """The share of the official schemas that answers can be kept to, and how well."""
    found = measured(suite(), LLTokenizer("byte"))
    return {
        "schemas_accepted": found.accepted / found.schemas,
        "schemas_valid_kept": found.valid_kept / found.valid,
        "schemas_wrong": float(len(found.wrong)),
    }


def _notify(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def _sum_up(
    name: str,
    pairs: list[tuple[float, float]],
    figures: dict[str, float],
    baseline: dict[str, float],
    ratios: dict[str, float],
) -> None:
    figures[f"{name}_tps"] = statistics.median(ours for ours, _ in pairs)
    baseline[f"{name}_tps"] = statistics.median(bare for _, bare in pairs)
    ratios[name] = statistics.median(ours / bare for ours, bare in pairs)


def _decode(
    engine: EngineClient, prompts: tuple[str, ...], bias: tuple[tuple[int, float], ...]
) -> float:
    """Tokens per second of all answers together, from when all of them run to the first end."""
    calls = [
        engine.ask(prompt, seed=1, max_tokens=DECODE_TOKENS, logit_bias=bias) for prompt in prompts
    ]
    for call in calls:
        call.wait()
    begin = max(call.moments[0] for call in calls)
    end = min(call.ended for call in calls)
    # One piece of text is one token, but for characters of several tokens, which are rare here.
    share = sum(call.stats.completion_tokens / len(call.moments) for call in calls) / len(calls)
    pieces = sum(sum(begin < moment <= end for moment in call.moments) for call in calls)
    return pieces * share / (end - begin)


def _unread_text(seed: int, words: int) -> str:
    """A text that is in no cache: random words."""
    source = random.Random(seed)
    vocabulary = TEXT.replace(",", "").replace(".", "").split()
    return " ".join(source.choice(vocabulary) for _ in range(words))


def _prefill(engine: EngineClient, bare: BareLoop, number: int) -> tuple[float, float]:
    text = _unread_text(number, PROMPT_TOKENS)
    tokens = bare.tokenize(text)[:PROMPT_TOKENS]
    call = engine.ask(text, max_tokens=1, seed=1).wait()
    ours = call.stats.prompt_tokens - call.stats.cached_tokens
    return ours / call.ttft_s, len(tokens) / bare.read(tokens)


def _longest_gap_ms(
    engine: EngineClient, bare: BareLoop, bias: tuple[tuple[int, float], ...]
) -> float:
    """The longest wait between two pieces of three answers while a long prompt is read."""
    text = _unread_text(99, LONG_PROMPT_TOKENS)
    assert len(bare.tokenize(text)) >= LONG_PROMPT_TOKENS
    calls = [engine.ask(prompt, max_tokens=1200, seed=1, logit_bias=bias) for prompt in STORIES[:3]]
    while not all(call.moments for call in calls):
        time.sleep(0.01)
    long = engine.ask(text, max_tokens=1, seed=1).wait()
    for call in calls:
        engine.send(Cancel(_id_of(engine, call)))
        call.wait()
    return 1000 * max(_gap(call.moments, long.started, long.moments[0]) for call in calls)


def _id_of(engine: EngineClient, call: Call) -> str:
    return next(request_id for request_id, known in engine.calls.items() if known is call)


def _gap(moments: list[float], begin: float, end: float) -> float:
    during = [moment for moment in moments if begin <= moment <= end]
    return max(after - before for before, after in itertools.pairwise(during))


def _task(engine: EngineClient, question: str, limit: int) -> tuple[float, float]:
    """Tokens per second with and without guessing ahead.

    Sampled, if coldly: greedy answers are not guessed at with the default KV cache.
    """
    messages = (PromptMessage("user", question),)
    calls = [
        engine.ask(
            messages=messages,
            speculate=speculate,
            temperature=0.2,
            repeat_penalty=1.0,
            seed=1,
            max_tokens=limit,
        ).wait()
        for speculate in (True, False)
    ]
    fast, plain = (call.stats.tokens_per_s or 0.0 for call in calls)
    return fast, plain


def _endurance(engine: EngineClient) -> dict[str, float]:
    """Many requests in a row, and many cancelled at random moments: nothing grows or is lost."""
    source = random.Random(5)
    process = psutil.Process(engine.pid)
    before = set(engine.calls)
    for number in range(REQUESTS):
        engine.ask(f"Number {number} is", max_tokens=3).wait()
        if number == REQUESTS // 5:  # after every buffer has its size
            settled = process.memory_info().rss
    cancelled = 0
    for number in range(CANCELLED):
        call = engine.ask(_unread_text(number, source.choice((5, 200))), max_tokens=200)
        time.sleep(source.random() * 0.08)
        engine.send(Cancel(_id_of(engine, call)))
        if source.random() < 0.7:  # some overlap with the next one
            call.wait()
    calls = [call for request_id, call in engine.calls.items() if request_id not in before]
    for call in calls:
        call.wait()
        cancelled += isinstance(call.outcome, Cancelled)
    four = [engine.ask(prompt, max_tokens=8, seed=1) for prompt in STORIES]  # no slot is lost
    answered = sum(bool(call.wait().text) for call in four)
    return {
        "requests": float(len(calls)),
        "cancelled_requests": float(cancelled),
        "lost_requests": float(sum(call.ends != 1 for call in calls) + 4 - answered),
        "rss_growth_bytes": float(process.memory_info().rss - settled),
    }


if __name__ == "__main__":
    main()
