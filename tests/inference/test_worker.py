"""The engine from its parent's side: a child process and two pipes."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from chatdesk.core.chat import StopReason
from chatdesk.core.generation import (
    Cancelled,
    CountTokens,
    Failed,
    FailureCode,
    Finished,
    Generate,
    PromptMessage,
    PromptProgress,
    TextDelta,
    TokensCounted,
)
from chatdesk.core.loading import LoadModel, ModelLoaded, StepDown
from chatdesk.core.protocol import Cancel, Shutdown
from chatdesk.core.sampling import SamplingParams
from chatdesk.workers.codec import PROTOCOL_VERSION, Codec
from tests.inference.engine_process import COMMAND, EngineProcess, request, turns
from tests.tiny_models import (
    CHATML,
    not_a_model,
    tiny_model,
    truncated_model,
    unsupported_model,
)

LONG = "The quick brown fox jumps over the lazy dog. " * 400
STORY = "Write a very long story about a sailor and the sea."
ENDLESS: dict[str, Any] = {
    "temperature": 0.0,
    "repeat_penalty": 1.0,
}  # the starter model tends to repeat itself


@pytest.fixture
def tiny(engine: EngineProcess, tmp_path: Path) -> EngineProcess:
    """An engine whose answer is always the same few characters."""
    assert isinstance(
        engine.load(tiny_model(tmp_path / "t.gguf", answer="é世🙂".encode())), ModelLoaded
    )
    return engine


@pytest.fixture
def parrot(engine: EngineProcess, tmp_path: Path) -> EngineProcess:
    """An engine that answers "abc" again and again, in a window of 512 tokens."""
    assert isinstance(
        engine.load(tiny_model(tmp_path / "p.gguf", answer=b"abc", loop=True)), ModelLoaded
    )
    return engine


def test_it_introduces_itself_first(engine: EngineProcess) -> None:
    assert engine.ready.protocol == PROTOCOL_VERSION
    assert engine.ready.llama_cpp
    assert any(device.kind == "cpu" for device in engine.ready.devices)


def test_an_answer_streams_and_ends_with_its_cost(starter: EngineProcess) -> None:
    starter.ask("What is the capital of France?", temperature=0.0, max_tokens=40)
    pieces: list[str] = []
    while not isinstance(event := starter.next(), Finished):
        if isinstance(event, TextDelta):
            pieces.append(event.text)
    assert "Paris" in "".join(pieces)
    assert len(pieces) > 3
    stats = event.stats
    assert stats.prompt_tokens > 20
    assert 0 < stats.completion_tokens <= 40
    assert stats.ttft_s is not None
    assert stats.tokens_per_s is not None
    assert 0 < stats.ttft_s < stats.duration_s


def test_the_same_seed_says_the_same(starter: EngineProcess) -> None:
    def drawn(seed: int | None) -> tuple[str, int]:
        text, end = starter.answer(STORY, temperature=1.0, max_tokens=12, seed=seed)
        assert isinstance(end, Finished)
        return text, end.stats.seed

    drawn(7)  # from here on the prompt is in the cache
    drawn_text, drawn_seed = drawn(None)
    assert drawn(drawn_seed) == (drawn_text, drawn_seed)
    assert drawn(7) == drawn(7)
    assert drawn(7)[0] != drawn(8)[0]


def test_a_follow_up_reads_only_what_is_new(starter: EngineProcess) -> None:
    text, first = starter.answer("Name a fruit.", temperature=0.0, max_tokens=20)
    assert isinstance(first, Finished)
    _, second = starter.answer("Name a fruit.", text, "Another one?", max_tokens=2)
    assert isinstance(second, Finished)
    assert second.stats.cached_tokens >= first.stats.prompt_tokens


def test_a_title_does_not_cost_the_conversation_its_cache(starter: EngineProcess) -> None:
    text, first = starter.answer("Name a river.", temperature=0.0, max_tokens=20)
    _, title = starter.answer("A title for it", background=True, max_tokens=5)
    assert isinstance(first, Finished)
    assert isinstance(title, Finished)
    _, second = starter.answer("Name a river.", text, "Another one?", max_tokens=8)
    assert isinstance(second, Finished)
    assert second.stats.cached_tokens >= first.stats.prompt_tokens


def test_a_last_answer_is_continued(starter: EngineProcess) -> None:
    text, _ = starter.answer(
        "What is the capital of France?",
        "The capital of France is",
        temperature=0.0,
        max_tokens=3,
    )
    assert text.startswith(" Paris")


def test_a_special_token_is_a_stop_string(starter: EngineProcess) -> None:
    only_im_start = SamplingParams(temperature=0.0, max_tokens=6, logit_bias=((1, 100.0),))
    for stop, count, reason in ((("<|im_start|>",), 1, StopReason.END), ((), 6, StopReason.LENGTH)):
        starter.send(Generate("raw", (), replace(only_im_start, stop=stop), prompt="Hello"))
        text, end = starter.outcome("raw")
        assert isinstance(end, Finished)
        assert (text, end.stats.completion_tokens, end.reason) == ("", count, reason)


def test_stop_strings_end_an_answer_unseen(parrot: EngineProcess) -> None:
    text, end = parrot.answer("tea", temperature=0.0, repeat_penalty=1.0, stop=("ca",))
    assert text == "ab"
    assert isinstance(end, Finished)
    assert (end.reason, end.stopped_by) == (StopReason.END, "ca")


@pytest.mark.parametrize("eos", [0, 5])
@pytest.mark.parametrize("closing", ["<|im_end|>", "<|over|>"])  # llama.cpp knows the first
def test_an_answer_ends_where_the_template_closes_it_whatever_the_file_calls_its_end(
    closing: str, eos: int, engine: EngineProcess, tmp_path: Path
) -> None:
    special = ("<unk>", "<s>", closing, "<|im_start|>", "<other>", "<mark>")
    template = CHATML.replace("<|im_end|>", closing)
    path = tiny_model(tmp_path / "t.gguf", template, b"ab", special=special, eos=eos)
    assert isinstance(engine.load(path), ModelLoaded)
    text, end = engine.answer("tea", temperature=0.0, repeat_penalty=1.0, max_tokens=20)
    assert isinstance(end, Finished)
    assert (text, end.reason, end.stats.completion_tokens) == ("ab", StopReason.END, 3)


def test_characters_are_whole_though_each_token_is_a_byte(tiny: EngineProcess) -> None:
    tiny.ask("tea", temperature=0.0)
    pieces: list[str] = []
    while not isinstance(event := tiny.next(), Finished):
        if isinstance(event, TextDelta):
            pieces.append(event.text)
    assert "".join(pieces) == "é世🙂"  # what comes within a frame comes together
    assert pieces[0] == "é"
    assert event.reason is StopReason.END


def test_the_answer_ends_where_the_window_is_full(parrot: EngineProcess) -> None:
    text, end = parrot.answer("tea", temperature=0.0, repeat_penalty=1.0)
    assert isinstance(end, Finished)
    assert end.reason is StopReason.LENGTH
    assert end.stats.prompt_tokens + end.stats.completion_tokens in (512, 513)
    assert text.startswith("abcabc")
    text, end = parrot.answer("tea", temperature=0.0, repeat_penalty=1.0, max_tokens=4)
    assert (text, getattr(end, "reason", None)) == ("abca", StopReason.LENGTH)


def test_a_prompt_too_long_is_reported_with_the_numbers(parrot: EngineProcess) -> None:
    _, end = parrot.answer("tea " * 500)
    assert isinstance(end, Failed)
    assert end.code is FailureCode.PROMPT_TOO_LONG
    assert end.limit is not None
    assert end.limit < 512
    assert end.tokens is not None
    assert end.tokens > 1500
    parrot.send(CountTokens("count", turns("tea " * 500)))
    assert parrot.outcome("count")[1] == TokensCounted("count", end.tokens, 512)
    assert isinstance(parrot.answer("tea", max_tokens=2)[1], Finished)


def test_cancel_while_generating(starter: EngineProcess) -> None:
    asked = starter.ask(STORY, **ENDLESS)
    starter.wait_for(TextDelta)
    started = time.monotonic()
    starter.send(Cancel(asked))
    _, end = starter.outcome(asked)
    assert time.monotonic() - started < 1.0
    assert isinstance(end, Cancelled)
    assert end.stats is not None
    assert end.stats.completion_tokens > 0


def test_cancel_while_the_prompt_is_being_read(starter: EngineProcess) -> None:
    asked = starter.ask("First! " + LONG)
    progress = starter.wait_for(PromptProgress)
    while progress.done == progress.cached:
        progress = starter.wait_for(PromptProgress)
    assert progress.done < progress.total
    started = time.monotonic()
    starter.send(Cancel(asked))
    text, end = starter.outcome(asked)
    assert time.monotonic() - started < 1.0
    assert isinstance(end, Cancelled)
    assert end.stats is not None
    assert (text, end.stats.completion_tokens, end.stats.ttft_s) == ("", 0, None)
    assert isinstance(starter.answer("Hi", max_tokens=2)[1], Finished)


def test_cancel_before_its_turn(starter: EngineProcess) -> None:
    running = [f"run-{n}" for n in range(4)]
    for name in running:
        starter.send(request(name, STORY, **ENDLESS))
    waiting = starter.ask("Me too!")
    starter.wait_for(TextDelta)
    starter.send(Cancel(waiting))
    assert starter.outcome(waiting)[1] == Cancelled(waiting, None)
    starter.send(Cancel("nobody"))
    for asked in running:
        starter.send(Cancel(asked))
        assert isinstance(starter.outcome(asked)[1], Cancelled)


def test_tokens_are_counted_while_an_answer_runs(starter: EngineProcess) -> None:
    running = starter.ask(STORY, **ENDLESS)
    starter.wait_for(TextDelta)
    starter.send(CountTokens("count", turns("Hello there")))
    counted = starter.wait_for(TokensCounted)
    assert counted.context_window == 8192
    starter.send(Cancel(running))
    assert isinstance(starter.outcome(running)[1], Cancelled)
    _, end = starter.answer("Hello there", max_tokens=1)
    assert isinstance(end, Finished)
    assert end.stats.prompt_tokens == counted.tokens


def test_background_work_gives_way_and_goes_on_after(starter: EngineProcess) -> None:
    title = starter.ask(STORY, background=True, max_tokens=60, **ENDLESS)
    later = starter.ask("A second title", background=True, max_tokens=2)
    starter.wait_for(TextDelta)
    asked = [starter.ask("One", max_tokens=8), starter.ask("Two", max_tokens=8)]
    ends: list[str] = []
    while len(ends) < 4:
        event = starter.next()
        if isinstance(event, Finished):
            ends.append(event.request_id)
        assert not isinstance(event, Cancelled | Failed)
        if isinstance(event, TextDelta) and event.request_id in asked:
            assert later not in ends
            assert title not in ends
    assert set(ends[:2]) == set(asked)
    assert set(ends[2:]) == {title, later}


def test_garbage_is_reported_and_does_no_harm(starter: EngineProcess) -> None:
    garbage = [
        b"\n",
        b"garbage\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b'{"type":"Unknown"}\n',
        b'{"type":["Generate"]}\n',
        b'{"type":"Cancel"}\n',
        b'{"type":"Generate","request_id":"x","messages":"no","sampling":{}}\n',
        b'{"a":' + b"[" * 100_000 + b"\n",
        b"x" * (65 * 1024 * 1024) + b"\n",
    ]
    for line in garbage:
        starter.send_line(line)
        failed = starter.wait_for(Failed)
        assert (failed.request_id, failed.code) == ("", FailureCode.PROTOCOL)
    assert isinstance(starter.answer("Hi", max_tokens=2)[1], Finished)


def test_meaningless_requests_fail_alone(starter: EngineProcess) -> None:
    _, end = starter.answer("Hi", temperature=-3.0)
    assert isinstance(end, Failed)
    assert end.code is FailureCode.PARAMETER
    strange = request("role", "Hi")
    starter.send(type(strange)("role", (PromptMessage("<|im_start|>", "Hi"),), SamplingParams()))
    assert isinstance(starter.outcome("role")[1], Failed)
    assert isinstance(starter.answer("Hi", max_tokens=2)[1], Finished)


def test_without_a_model_it_says_so() -> None:
    with EngineProcess() as engine:
        _, end = engine.answer("Hi")
        assert isinstance(end, Failed)
        assert end.code is FailureCode.NOT_LOADED
        engine.send(CountTokens("count", turns("Hi")))
        end = engine.outcome("count")[1]
    assert isinstance(end, Failed)
    assert end.code is FailureCode.NOT_LOADED


def test_bad_files_fail_and_a_good_one_loads_after_them(
    engine: EngineProcess, tmp_path: Path
) -> None:
    for path, code in (
        (tmp_path / "none.gguf", FailureCode.NOT_FOUND),
        (not_a_model(tmp_path / "zip.gguf"), FailureCode.NOT_GGUF),
        (truncated_model(tmp_path / "cut.gguf"), FailureCode.TRUNCATED),
        (unsupported_model(tmp_path / "new.gguf"), FailureCode.UNSUPPORTED_ARCHITECTURE),
        (
            tiny_model(tmp_path / "gptj.gguf", architecture="gptj"),  # llama.cpp has only its name
            FailureCode.UNSUPPORTED_ARCHITECTURE,
        ),
    ):
        end = engine.load(path)
        assert isinstance(end, Failed)
        assert end.code is code
    assert isinstance(engine.load(tiny_model(tmp_path / "good.gguf")), ModelLoaded)


def test_another_model_takes_the_place_of_the_first(tiny: EngineProcess, tmp_path: Path) -> None:
    end = tiny.load(tiny_model(tmp_path / "other.gguf", answer=b"xyz", context_length=256))
    assert isinstance(end, ModelLoaded)
    assert end.context_window == 256
    assert tiny.answer("tea", temperature=0.0)[0] == "xyz"


def test_a_missing_and_a_hostile_template_are_noticed(
    engine: EngineProcess, tmp_path: Path
) -> None:
    end = engine.load(tiny_model(tmp_path / "none.gguf", template=None, answer=b"xyz"))
    assert isinstance(end, ModelLoaded)
    assert end.template_notice == "missing"
    assert engine.answer("tea\n", temperature=0.0)[0] == "xyz"  # the text goes on, with no turns
    hostile = "{{ ''.__class__.__mro__ }}"
    end = engine.load(tiny_model(tmp_path / "bad.gguf", template=hostile, answer=b"ok"))
    assert isinstance(end, ModelLoaded)
    assert end.template_notice == "broken"
    assert end.template_problem.startswith("line 1: SecurityError")
    assert engine.answer("tea", temperature=0.0)[0] == "ok"


def test_a_bug_is_logged_without_content_and_costs_one_request(tmp_path: Path) -> None:
    command = (
        "from chatdesk.inference.decoding import generation\n"
        "def broken(*_): raise KeyError('boom')\n"
        "generation.Generation.sample = broken\n" + COMMAND
    )
    with EngineProcess(command) as engine:
        engine.load(tiny_model(tmp_path / "t.gguf"))
        _, end = engine.answer("a secret")
        assert isinstance(end, Failed)
        assert end.code is FailureCode.INTERNAL
        engine.send(Shutdown())
        engine.process.wait(10)
    log = "".join(engine.errors)
    assert "Traceback" in log
    assert "boom" in log
    assert "secret" not in log


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_window_there_is_no_memory_for_becomes_a_smaller_one(tmp_path: Path) -> None:
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)); " + COMMAND
    )
    with EngineProcess(limited) as engine:
        path = tiny_model(tmp_path / "wide.gguf", context_length=1 << 21)
        end = engine.load(path, context_window=1 << 21)
        assert isinstance(end, ModelLoaded), end
        assert 2048 <= end.context_window < 1 << 21
        assert StepDown.SMALLER_CONTEXT in end.stepped_down


def test_what_others_print_does_not_reach_the_protocol(tmp_path: Path) -> None:
    noisy = (
        "import os\n"
        "from chatdesk.inference import worker\n"
        "load = worker.load\n"
        "def noisy(*a, **k):\n"
        "    print('noise'); os.write(1, b'native noise'); return load(*a, **k)\n"
        "worker.load = noisy\n" + COMMAND
    )
    with EngineProcess(noisy) as engine:
        assert isinstance(engine.load(tiny_model(tmp_path / "t.gguf")), ModelLoaded)


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("ending", ["shutdown", "end of stdin"])
def test_it_ends_on_request_or_if_left_alone(tmp_path: Path, busy: bool, ending: str) -> None:
    with EngineProcess() as parrot:
        parrot.load(tiny_model(tmp_path / "p.gguf", answer=b"abc", loop=True))
        if busy:
            for number in range(50):
                parrot.send(request(f"busy-{number}", "tea", **ENDLESS))
            parrot.wait_for(TextDelta)
        if ending == "shutdown":
            parrot.send(Shutdown())
        else:
            assert parrot.process.stdin is not None
            parrot.process.stdin.close()
        assert parrot.process.wait(5) == 0
        assert not [line for line in parrot.errors if "Traceback" in line]


PARENT = """
import subprocess, sys
command, *requests = sys.argv[1:]
child = subprocess.Popen(
    [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
for request in requests:
    child.stdin.write(request.encode())
    child.stdin.flush()
while b'"PromptProgress"' not in child.stdout.readline():
    pass
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_when_its_parent_is_killed_while_the_prompt_is_read(starter_model: Path) -> None:
    requests = [
        Codec.encode(each).decode()
        for each in (LoadModel("load", str(starter_model)), request("long", LONG))
    ]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, COMMAND, *requests],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        engine = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    started = time.monotonic()
    engine.wait(10)
    assert time.monotonic() - started < 2.0


@pytest.mark.parametrize("begun", ["xy", "xy ", "xy   "])
def test_a_blank_where_an_answer_goes_on_is_not_doubled(
    begun: str, engine: EngineProcess, tmp_path: Path
) -> None:
    path = tiny_model(tmp_path / "t.gguf", answer=b"xy bc")
    assert isinstance(engine.load(path), ModelLoaded)
    text, end = engine.answer("Hi", begun, temperature=0.0, repeat_penalty=1.0)
    assert isinstance(end, Finished)
    assert text == ("bc" if begun.endswith(" ") else " bc")
    _, plain = engine.answer("Hi", "xy", temperature=0.0, repeat_penalty=1.0)
    assert isinstance(plain, Finished)
    assert end.stats.prompt_tokens == plain.stats.prompt_tokens  # as the whole answer is read later
