"""The command line as a script meets it: real processes, real model files, real signals."""

import argparse
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

import benchmarks.ui
import chatdesk.cli.main
from chatdesk import __version__
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from tests.tiny_models import not_a_model, tiny_model, truncated_model, unsupported_model

TIMEOUT_S = 60.0
LONG_ENOUGH_S = 0.6  # of streaming: some of it was saved by then
ASK_KEYS = {
    "text", "conversation", "message", "model", "adapter", "prompt_tokens", "cached_tokens",
    "completion_tokens", "ttft_s", "tokens_per_s", "stop_reason", "view_start",
    "notice",
}  # fmt: skip
MODEL_KEYS = {
    "id", "path", "name", "architecture", "parameters", "quantization", "bytes",
    "context_length", "fit", "role",
}  # fmt: skip
HELPS = (
    "", "open", "ask", "models", "models list", "models info", "models add", "models search",
    "models pull", "models remove", "models elsewhere", "models duplicates", "models catalog",
    "models quantize", "models perplexity", "conversations",
    "conversations list", "conversations show", "conversations search", "conversations import",
    "conversations export", "conversations delete",
    "conversations restore", "projects", "projects list", "projects create", "projects show",
    "projects set", "projects delete", "backup", "backup create", "backup list", "backup show",
    "backup restore",
    "personalize", "personalize preview", "personalize train", "personalize resume",
    "personalize list", "personalize show", "personalize activate", "personalize rollback",
    "personalize delete", "personalize export", "personalize import",
    "serve", "serve-device", "doctor", "bench",
)  # fmt: skip


class Cli:
    """The `chatdesk` command with its files in one folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environment = {"CHATDESK_HOME": str(home), "LC_ALL": "C.UTF-8"}
        # With buffers, as everybody has them: what fails at the last flush must be told as well.
        self._environment["PYTHONUNBUFFERED"] = ""

    def start(
        self,
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[str] = subprocess.PIPE,
        own_group: bool = False,
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | self._environment,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=own_group,
        )

    def run(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """The exit code, what came on stdout and what on stderr."""
        process = self.start("-m", "chatdesk", *arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin, TIMEOUT_S)
        return process.returncode, out.decode(), err.decode()

    def json(self, *arguments: str, stdin: bytes = b"") -> Any:
        """The one document of a command that must succeed."""
        code, out, err = self.run(*arguments, "--json", stdin=stdin)
        assert (code, err) == (0, "")
        return json.loads(out)

    def problem(self, *arguments: str, stdin: bytes = b"") -> str:
        """The one line of a command that must fail with something the person can mend."""
        code, out, err = self.run(*arguments, stdin=stdin)
        assert (code, out) == (1, "")
        return one_line(err)

    def last_answer(self) -> dict[str, Any]:
        """The newest message of the newest conversation."""
        newest = self.json("conversations", "list")[0]["id"]
        answer: dict[str, Any] = self.json("conversations", "show", newest)["messages"][-1]
        return answer

    @contextmanager
    def streaming(self, model: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """An `ask` in a group of its own that has streamed for a while and goes on."""
        question = ("-m", "chatdesk", "ask", "go", "--model", str(model))
        # A test run in the background may have been told to ignore it, and children inherit that.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = self.start(*question, own_group=True)
        signal.signal(signal.SIGINT, before)
        assert process.stdout
        assert process.stdout.read(3) == b"abc"
        end = time.monotonic() + LONG_ENOUGH_S
        while time.monotonic() < end:
            assert process.stdout.read(100)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def one_line(err: str) -> str:
    assert err.startswith("chatdesk: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Shared: no test may rely on what is in it, or break it."""
    return Cli(tmp_path_factory.mktemp("home"))


@pytest.fixture
def fresh(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf", answer=b"abc")


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory, cli: Cli) -> Path:
    """A model that says abcabcabc... for many seconds, and the settings that let it."""
    settings = cli.home / "config" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"context_window": 60000}', "utf-8")
    path = tmp_path_factory.mktemp("models") / "endless.gguf"
    return tiny_model(path, answer=b"abc", context_length=60_000, loop=True)


# ask


def test_ask_streams_the_answer_and_keeps_it(cli: Cli, tiny: Path) -> None:
    assert cli.run("ask", "hello", "--model", str(tiny)) == (0, "abc\n", "")
    assert cli.last_answer()["text"] == "abc"


def test_ask_with_the_starter_model_and_on_in_the_conversation(cli: Cli) -> None:
    # Greedy: a sampled answer is now and then shorter than the limit it is to run into.
    brief = ("--max-tokens", "6", "--temperature", "0")
    first = cli.json("ask", "Tell me about the sea.", *brief, "--system", "Be brief.")
    assert set(first) == ASK_KEYS
    assert first["text"]
    assert (first["completion_tokens"], first["stop_reason"]) == (6, "length")
    assert first["adapter"] is None
    conversation = first["conversation"]
    second = cli.json("ask", "Another.", *brief, "--conversation", conversation[:8])
    assert second["conversation"] == conversation
    assert second["prompt_tokens"] > first["prompt_tokens"] + 6
    assert second["cached_tokens"] >= 0
    shown = cli.json("conversations", "show", conversation)
    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"] * 2
    parents = [message["parent"] for message in shown["messages"]]
    assert parents == [None, *(message["id"] for message in shown["messages"][:-1])]
    assert shown["messages"][-1]["id"] == second["message"]


def test_a_pasted_document_is_not_forgotten_with_the_next_question(cli: Cli, tiny: Path) -> None:
    asked = ("--model", str(tiny), "--json", "--conversation")  # of 512 tokens, a byte is one
    code, out, err = cli.run("ask", "-", *asked, "new", stdin=b"A line of it.\n" * 27)
    assert (code, err) == (0, "")
    first = json.loads(out)
    code, out, err = cli.run("ask", "And?", *asked, first["conversation"])
    second = json.loads(out)
    assert (code, err, second["view_start"]) == (0, "", 0)
    assert second["prompt_tokens"] > first["prompt_tokens"] > 512 * 3 / 4
    code, out, err = cli.run("ask", "And what else is there?" * 3, *asked, first["conversation"])
    third = json.loads(out)
    code, out, err = cli.run("ask", "Go on", "--json", "--conversation", first["conversation"])
    assert json.loads(out)["model"] == first["model"]  # a chat keeps the model it was held with
    assert "no longer reads the beginning" in one_line(err)
    assert third["view_start"] == 0  # the document has lost its beginning only
    assert third["prompt_tokens"] < second["prompt_tokens"]
    for _ in range(3):
        code, out, err = cli.run("ask", "And so on? " * 12, *asked, first["conversation"])
    path = cli.json("conversations", "show", first["conversation"])["messages"]
    start = json.loads(out)["view_start"]
    assert 0 < start < len(path) - 2
    assert path[start]["role"] == "user"  # the first of a turn that is read


def test_ask_from_stdin_as_a_stream_of_lines_saving_nothing(cli: Cli, tiny: Path) -> None:
    before = cli.json("conversations", "list")
    code, out, err = cli.run(
        "ask", "-", "--json", "--stream", "--temporary", "--model", str(tiny),
        stdin="Grüß dich, 世界\n".encode(),
    )  # fmt: skip
    assert (code, err) == (0, "")
    *pieces, result = map(json.loads, out.splitlines())
    assert "".join(piece["text"] for piece in pieces) == "abc"
    assert set(result) == ASK_KEYS
    assert (result["text"], result["stop_reason"]) == ("abc", "end")
    assert result["conversation"] is None
    assert result["message"] is None
    assert cli.json("conversations", "list") == before


def test_a_seed_makes_an_answer_again(cli: Cli) -> None:
    question = ("ask", "Tell me something.", "--temporary", "--max-tokens", "10")
    hot = (*question, "--temperature", "2", "--adapter", "none")
    first, again = (cli.json(*hot, "--seed", "5")["text"] for _ in range(2))
    assert first == again


def test_bytes_that_are_no_text_in_a_question(cli: Cli, tiny: Path) -> None:
    stray = b"\xff\xfe".decode("utf-8", "surrogateescape")
    answer = cli.json("ask", f"a{stray}", "--system", stray, "--model", str(tiny))
    shown = cli.json("conversations", "show", answer["conversation"])
    assert "\ufffd" in shown["messages"][0]["text"]


def test_wrong_usage(fresh: Cli) -> None:
    code = """
import contextlib, io, json, sys
from chatdesk.cli.main import main
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main(["ask", "hello", *line])
        except SystemExit as end:
            assert end.code == 2
    print(json.dumps(err.getvalue()))
"""
    lines = (
        ["--max-tokens", "0"],
        ["--max-tokens", "many"],
        ["--max-tokens", "99999999999"],
        ["--temperature", "nan"],
        ["--temperature", "-1"],
        ["--temperature", "inf"],
        ["--seed", "4294967295"],
        ["--seed", "-1"],
        ["--temporary", "--conversation", "abcdef"],
        ["--system", "x", "--conversation", "abcdef"],
        ["--no-such-option"],
    )
    process = fresh.start("-c", code, json.dumps(lines))
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (0, b"")
    told = [json.loads(line) for line in out.splitlines()]
    assert len(told) == len(lines)
    for (option, *_), text in zip(lines, told, strict=True):
        assert text.startswith("usage: ")
        last = text.splitlines()[-1]
        assert option in last
        assert " _" not in last  # a function's name tells nobody anything


def test_an_empty_question_is_wrong_usage(cli: Cli) -> None:
    code, out, err = cli.run("ask", "-", stdin=b" \n")
    assert (code, out) == (2, "")
    assert err.startswith("usage: ")


def test_model_files_that_cannot_be_used(cli: Cli, tmp_path: Path) -> None:
    not_a_model(tmp_path / "zip.gguf")
    truncated_model(tmp_path / "cut.gguf")
    unsupported_model(tmp_path / "strange.gguf")
    for name, wrong in (
        ("zip", "not a GGUF file"),
        ("cut", "cut short"),
        ("strange", "notyetinvented"),
        ("missing", "not there"),
    ):
        told = cli.problem("ask", "hello", "--model", str(tmp_path / f"{name}.gguf"))
        assert name in told
        assert wrong in told
    assert "“nosuch”" in cli.problem("ask", "hello", "--json", "--model", "nosuch")


def test_what_ask_cannot_find(cli: Cli, tiny: Path) -> None:
    assert "no adapter mine" in cli.problem("ask", "hello", "--adapter", "mine")
    hello = ("ask", "hello", "--model", str(tiny))
    assert "0123abcd" in cli.problem(*hello, "--conversation", "0123abcd")
    assert "too short" in cli.problem(*hello, "--conversation", "")


def test_a_prompt_longer_than_the_context_window(cli: Cli, tiny: Path) -> None:
    before = cli.json("conversations", "list")
    for extra in ((), ("--temporary",)):
        told = cli.problem("ask", "-", "--model", str(tiny), *extra, stdin=b"e" * 3000)
        assert " 496." in told  # of 512, 16 are left for the answer
        assert " 3,0" in told
    assert cli.json("conversations", "list") == before


def test_ctrl_c_keeps_what_was_written(cli: Cli, endless: Path) -> None:
    with cli.streaming(endless) as process:
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (130, b"")
    assert out.endswith(b"\n")
    answer = cli.last_answer()
    assert answer["state"] == "stopped"
    assert answer["answer"]["stop_reason"] == "cancelled"
    assert len(answer["text"]) > len(out)


def test_a_killed_ask_leaves_what_was_written_and_no_process(cli: Cli, endless: Path) -> None:
    with cli.streaming(endless) as process:
        assert cli.last_answer()["state"] == "streaming"  # its writer lives
        children = psutil.Process(process.pid).children()
        process.kill()
        process.wait(TIMEOUT_S)
    assert len(children) == 1
    assert psutil.wait_procs(children, TIMEOUT_S)[1] == []
    answer = cli.last_answer()
    assert answer["state"] == "interrupted"
    assert answer["text"].startswith("abcabc")


def test_a_reader_that_leaves(cli: Cli, endless: Path) -> None:
    with cli.streaming(endless) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdout = None
        assert process.stderr.read() == b""
        assert process.wait(TIMEOUT_S) == 1
    assert cli.last_answer()["state"] == "interrupted"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
def test_output_to_a_full_disk(cli: Cli) -> None:
    with Path("/dev/full").open("w") as full:
        process = cli.start("-m", "chatdesk", "models", "list", stdout=full)
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1
    assert "No space left" in one_line(err.decode())


# models


def test_models(cli: Cli, tiny: Path) -> None:
    added = cli.json("models", "add", str(tiny))
    assert set(added) == MODEL_KEYS
    assert added["path"] == str(tiny)
    assert added["fit"] in {"gpu", "partial", "cpu", "too-large"}
    listed = cli.json("models", "list")
    assert added in listed
    assert any("smollm2" in model["id"] for model in listed)
    info = cli.json("models", "info", str(tiny))
    assert set(info) > MODEL_KEYS
    code, out, _ = cli.run("models", "info", added["id"])
    assert code == 0
    assert f"path: {tiny}\n" in out


def test_models_that_are_none(cli: Cli, tmp_path: Path) -> None:
    broken = not_a_model(tmp_path / "zip.gguf")
    assert "zip.gguf" in cli.problem("models", "add", str(broken))
    assert "not a file" in cli.problem("models", "info", str(tmp_path))
    assert "“nosuch”" in cli.problem("models", "info", "nosuch")
    assert "mine.gguf" in cli.problem("models", "add", "~nobody-here/mine.gguf")
    assert "“xx" in cli.problem("models", "info", "x" * 300)
    assert "zip" not in cli.run("models", "list")[1]


# conversations


def test_conversations(fresh: Cli, tiny: Path) -> None:
    assert fresh.json("conversations", "list") == []
    kept = fresh.json("ask", "  first\nquestion", "--model", str(tiny))["conversation"]
    newer = fresh.json("ask", "second", "--model", str(tiny))["conversation"]
    listed = fresh.json("conversations", "list")
    assert [entry["id"] for entry in listed] == [newer, kept]
    assert set(listed[0]) == {
        "id", "title", "created", "updated", "messages", "project", "pinned", "archived",
    }  # fmt: skip
    assert listed[1]["title"] in ("first question", "Abc")  # the model's, if that was in time
    assert listed[1]["messages"] == 2

    shown = fresh.json("conversations", "show", kept[:6])
    assert set(shown) == {"id", "title", "messages"}
    assert {"id", "parent", "role", "text", "active"} < set(shown["messages"][0])
    assert fresh.run("conversations", "show", kept)[1].splitlines()[-1] == "abc"

    assert fresh.json("conversations", "delete", kept[:6]) == {"id": kept, "deleted": True}
    assert [entry["id"] for entry in fresh.json("conversations", "list")] == [newer]
    assert "in the trash" in fresh.problem("ask", "more", "--conversation", kept)
    assert fresh.json("conversations", "restore", kept[:6]) == {"id": kept, "deleted": False}
    assert len(fresh.json("conversations", "list")) == 2


@pytest.mark.parametrize("action", ["show", "delete", "restore"])
def test_unknown_conversations(cli: Cli, action: str) -> None:
    assert "0000ffff" in cli.problem("conversations", action, "0000ffff")
    stray = b"\xff\xff\xff\xff".decode("utf-8", "surrogateescape")
    assert "no conversation" in cli.problem("conversations", action, stray)


def test_a_bundle_says_that_it_has_no_benches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chatdesk.cli.main, "__file__", str(tmp_path / "chatdesk" / "cli/main.py"))
    options = argparse.Namespace(name="ui", json=False, quick=False)
    with pytest.raises(EnvironmentProblem, match=r"dev\.py run -- bench ui"):
        chatdesk.cli.main._bench(options, AppPaths.under(tmp_path), Settings())


def test_a_bench_prints_its_document_alone_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmarks.ui, "main", lambda: print('a table\n{"bench": "ui"}'))
    for alone, printed in ((True, '{"bench": "ui"}\n'), (False, 'a table\n{"bench": "ui"}\n')):
        options = argparse.Namespace(name="ui", json=alone, quick=False)
        chatdesk.cli.main._bench(options, AppPaths.under(tmp_path), Settings())
        assert capsys.readouterr().out == printed


# doctor


def test_doctor(cli: Cli) -> None:
    report = cli.json("doctor")
    assert report["version"] == __version__
    checks = {check["name"]: check for check in report["checks"]}
    assert all(set(check) == {"name", "ok", "detail"} for check in report["checks"])
    assert all(check["ok"] for check in checks.values())
    assert {"database", "disk", "memory", "starter model", "engine"} < set(checks)
    assert re.match(
        r"llama\.cpp \S+, with devices of other computers: .*CPU \(cpu, .+ GB free\)",
        checks["engine"]["detail"],
    )


def test_doctor_with_a_broken_database(fresh: Cli) -> None:
    database = fresh.home / "data" / "chatdesk.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"no database " * 1000)
    code, out, err = fresh.run("doctor", "--json")
    assert (code, err) == (1, "")
    bad = [check["name"] for check in json.loads(out)["checks"] if not check["ok"]]
    assert bad == ["database"]
    assert database.read_bytes() == b"no database " * 1000


# The home


def test_homes_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "below", Path("/dev/null/home"), tmp_path / ("x" * 300)):
        assert home.name in Cli(home).problem("conversations", "list")
    (tmp_path / "home" / "data" / "chatdesk.db").mkdir(parents=True)
    assert "chatdesk.db" in Cli(tmp_path / "home").problem("conversations", "list")


def test_a_database_of_a_newer_version_is_refused_and_untouched(fresh: Cli) -> None:
    fresh.json("conversations", "list")
    database = fresh.home / "data" / "chatdesk.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = database.read_bytes()
    for command in (["conversations", "list"], ["models", "list"], ["ask", "hello"]):
        assert "newer version" in fresh.problem(*command)
    assert database.read_bytes() == before


def test_settings_that_are_damaged_stop_nothing(fresh: Cli) -> None:
    settings = fresh.home / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text("[" * 100_000, "utf-8")
    assert fresh.json("conversations", "list") == []


# The command itself


def test_a_bug_is_told_in_a_line_and_logged(fresh: Cli) -> None:
    code = """
import sys
from chatdesk.cli import main as cli
from chatdesk.cli.documents import conversations as reports
reports.list_conversations = lambda paths: 1 // 0
sys.exit(cli.main(["conversations", "list"]))
"""
    process = fresh.start("-c", code)
    out, err = process.communicate(timeout=TIMEOUT_S)
    log = fresh.home / "logs" / "commands.log"
    assert (process.returncode, out) == (1, b"")
    assert str(log) in one_line(err.decode())
    assert "Traceback" in log.read_text("utf-8")


def test_help_for_everything_and_no_qt_for_any_of_it(fresh: Cli, tiny: Path) -> None:
    code = """
import json, sys
from chatdesk.cli.main import main
for line in json.loads(sys.argv[1]):
    try:
        assert main(line) == 0, line
    except SystemExit as end:
        assert end.code == 0, line
    print("=====")
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"PySide6", "shiboken6", "llama_cpp"}, loaded
"""
    lines = [[*command.split(), "--help"] for command in HELPS]
    lines += [["--version"], ["conversations", "list"], ["models", "list"], ["doctor"]]
    lines += [["ask", "hello", "--model", str(tiny)]]
    process = fresh.start("-c", code, json.dumps(lines))
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (0, b"")
    pages = out.decode().split("=====\n")
    for command, page in zip(HELPS, pages, strict=False):
        assert page.startswith(f"usage: chatdesk {command}".strip())
    assert pages[len(HELPS)] == f"ChatDesk {__version__}\n"
