"""`chatdesk models` as a script meets it: real files, a hub on loopback, real signals."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.downloads import DownloadState
from chatdesk.core.paths import AppPaths
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from tests.cli.test_main import MODEL_KEYS, TIMEOUT_S, Cli, one_line
from tests.gguf_files import raw
from tests.stand_in_hub import Fault, StandInHub
from tests.tiny_models import tiny_model, unsupported_model

REPO = "someone/tiny-GGUF"
FILE = "tiny-F16.gguf"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Other apps' folders and the trash are looked for here, not where the tests run."""
    home = tmp_path / "user"
    home.mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("XDG_DATA_HOME", "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return home


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StandInHub]:
    file = tiny_model(tmp_path / FILE, answer=b"abc")
    with StandInHub() as hub:
        hub.add(REPO, {FILE: file, "tiny-Q9_9.gguf": b"GGUF nonsense"}, downloads=7)
        hub.add("someone/other-GGUF", {"other.gguf": b"GGUF nonsense"}, downloads=9)
        yield hub


@pytest.fixture
def cli(tmp_path: Path, hub: StandInHub) -> Cli:
    home = tmp_path / "home"
    settings = home / "config" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"hub_endpoint": hub.endpoint}), "utf-8")
    return Cli(home)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "mine.gguf", answer=b"abc")


def download_states(cli: Cli) -> list[DownloadState]:
    """Of the downloads on the list."""
    database = Database.open(AppPaths.under(cli.home).database)
    try:
        return [each.state for each in DownloadStore(database).list()]
    finally:
        database.close()


def test_search_look_and_pull(cli: Cli, hub: StandInHub) -> None:
    found = cli.json("models", "search", "someone")
    assert [each["repo"] for each in found] == ["someone/other-GGUF", REPO]
    assert [each["repo"] for each in cli.json("models", "search", "tiny", "gguf")] == [REPO]
    info = cli.json("models", "info", REPO)
    assert info["repo"] == REPO
    assert info["revision"] == hub.revision_of(REPO)
    variants = {each["quantization"]: each for each in info["variants"]}
    assert variants["F16"]["files"] == [FILE]
    assert variants["F16"]["fit"] in {"gpu", "partial", "cpu", "too-large"}
    pulled = cli.json("models", "pull", f"{REPO}:{FILE}")
    assert set(pulled) == MODEL_KEYS
    assert pulled["id"] in {each["id"] for each in cli.json("models", "list")}
    assert Path(pulled["path"]).is_relative_to(cli.home / "models")
    assert cli.run("ask", "hello", "--model", pulled["id"])[1] == "abc\n"
    sent = hub.bytes_sent(FILE)
    assert cli.json("models", "pull", f"{REPO}:f16") == pulled
    assert hub.bytes_sent(FILE) < sent + Path(pulled["path"]).stat().st_size / 2


def test_what_the_hub_does_not_have(cli: Cli, hub: StandInHub) -> None:
    assert "nothing.gguf" in cli.problem("models", "pull", f"{REPO}:nothing.gguf")
    assert cli.problem("models", "info", "nobody/nothing")
    assert cli.problem("models", "pull", "no repository")
    hub.fault(Fault(status=503))
    assert cli.problem("models", "search", "tiny")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_pauses_what_was_begun(cli: Cli, hub: StandInHub) -> None:
    hub.fault(Fault(bytes_per_s=400_000), FILE)
    pull = ("models", "pull", f"{REPO}:{FILE}")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in `Cli.streaming`
    process = cli.start("-m", "chatdesk", *pull, own_group=True)
    signal.signal(signal.SIGINT, before)
    try:
        end = time.monotonic() + TIMEOUT_S
        while hub.bytes_sent(FILE) < 600_000:
            assert time.monotonic() < end
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (130, b"", b"")
    assert not list((cli.home / "models").rglob("*.gguf"))
    assert download_states(cli) == [DownloadState.PAUSED]  # so that the window leaves it so
    hub.heal()
    size = cli.json(*pull)["bytes"]
    assert hub.bytes_sent(FILE) < 1.6 * size  # the header, all of it once, and what was in the pipe


def test_removed_for_good_or_off_the_list(cli: Cli, tiny: Path) -> None:
    added = cli.json("models", "add", str(tiny))["id"]
    forgotten = cli.json("models", "remove", added, "--forget")
    assert forgotten == {"id": added, "path": str(tiny), "freed_bytes": 0}
    assert tiny.exists()
    assert added not in {each["id"] for each in cli.json("models", "list")}
    added = cli.json("models", "add", str(tiny))["id"]
    size = tiny.stat().st_size
    assert cli.json("models", "remove", added)["freed_bytes"] == size
    assert not tiny.exists()
    starter = next(each for each in cli.json("models", "list") if "smollm2" in each["id"])
    assert "starter" in cli.problem("models", "remove", starter["id"])
    assert Path(starter["path"]).exists()


def test_a_model_whose_file_is_missing_is_listed_and_can_be_removed(cli: Cli, tiny: Path) -> None:
    added = cli.json("models", "add", str(tiny))["id"]
    for change, told in (
        (lambda: tiny.write_bytes(b"another"), "file changed"),
        (tiny.unlink, "file missing"),
    ):
        change()
        (line,) = [line for line in cli.run("models", "list")[1].splitlines() if added in line]
        assert line.endswith(f"  {told}")
        assert added not in {each["id"] for each in cli.json("models", "list")}
    removed = cli.json("models", "remove", added)
    assert removed == {"id": added, "path": str(tiny), "freed_bytes": 0}
    assert added not in cli.run("models", "list")[1]


def test_the_same_file_twice(cli: Cli, tiny: Path, tmp_path: Path) -> None:
    other = tmp_path / "copy.gguf"
    shutil.copy(tiny, other)
    ids = {cli.json("models", "add", str(path))["id"] for path in (tiny, other)}
    (group,) = cli.json("models", "duplicates")
    assert {each["id"] for each in group} == ids


def test_what_other_apps_keep(cli: Cli, own_home: Path) -> None:
    folder = own_home / ".lmstudio" / "models" / "someone" / "tiny"
    folder.mkdir(parents=True)
    file = tiny_model(folder / "tiny.gguf")
    (found,) = cli.json("models", "elsewhere")
    assert (found["app"], found["path"]) == ("LM Studio", str(file))
    assert "tiny" not in {each["id"] for each in cli.json("models", "list")}
    (added,) = cli.json("models", "elsewhere", "--add")
    assert added["id"] in {each["id"] for each in cli.json("models", "list")}
    assert cli.json("models", "elsewhere") == []


def test_the_catalog(cli: Cli, hub: StandInHub) -> None:
    entries = cli.json("models", "catalog")
    assert {"name", "repo", "file", "bytes", "fit", "summary"} <= set(entries[0])
    assert hub.requests == []
    assert cli.problem("models", "catalog", "--update")  # this hub has none
    assert len(hub.requests) == 1


def test_quantize(cli: Cli, tiny: Path) -> None:
    made = cli.json("models", "quantize", str(tiny), "q8_0")
    assert Path(made["path"]) == cli.home / "models" / "mine-Q8_0.gguf"
    assert made["comparison"] is None
    assert made["bytes"] < made["original_bytes"] == tiny.stat().st_size
    assert made["id"] in {each["id"] for each in cli.json("models", "list")}
    assert "there already" in cli.problem("models", "quantize", str(tiny), "Q8_0")
    assert "Q8_0, Q6_K" in cli.problem("models", "quantize", str(tiny), "Q9_9")
    # one line: that it is quantized already is not told before the type is looked at
    assert "Q8_0, Q6_K" in cli.problem("models", "quantize", "smollm2-135m-instruct-q4_1", "X")
    code, out, err = cli.run("models", "quantize", made["id"], "Q4_0", "--compare")
    assert (code, err) == (0, "")
    assert "original: " in out
    assert "perplexity" in out


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_while_quantizing_leaves_nothing(cli: Cli) -> None:
    starter = next(each for each in cli.json("models", "list") if "smollm2" in each["id"])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    quantize = ("-m", "chatdesk", "models", "quantize", starter["id"], "Q2_K")
    process = cli.start(*quantize, own_group=True)
    signal.signal(signal.SIGINT, before)
    folder = cli.home / "models"
    try:
        end = time.monotonic() + TIMEOUT_S
        while not list(folder.iterdir()):
            assert time.monotonic() < end
            assert process.poll() is None, process.communicate()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, b"")
    assert "Q4_1" in one_line(err.decode())  # the notice that it is quantized already
    assert list(folder.iterdir()) == []


def test_what_each_model_is_for(cli: Cli, hub: StandInHub, tmp_path: Path) -> None:
    embedder = tmp_path / "embedder.gguf"
    embedder.write_bytes(raw({"general.architecture": "bert", "bert.pooling_type": 1}))
    base = tiny_model(tmp_path / "base.gguf", template=None, answer=b"xyz")
    strange = unsupported_model(tmp_path / "strange.gguf")
    for path, role, fit in (
        (embedder, "embedder", "cpu"),
        (base, "base", "cpu"),
        (strange, "unsupported", "unsupported"),
    ):
        added = cli.json("models", "add", str(path))
        assert (added["role"], added["fit"]) == (role, fit)
        assert cli.json("models", "info", added["id"])["role"] == added["role"]
    found = {each["id"]: (each["role"], each["fit"]) for each in cli.json("models", "list")}
    assert found["strange"] == ("unsupported", "unsupported")
    code, out, _ = cli.run("models", "list")
    lines = {line.split("  ")[0]: line.split("  ")[3:] for line in out.splitlines()}
    assert code == 0
    assert lines["embedder"][-1] == "embedder"
    assert lines["base"][-1] == "base"
    assert lines["strange"] == ["unsupported", "unsupported"]
    hub.add("roles/nomic-GGUF", {"n.gguf": b"GGUF"}, architecture="nomic-bert")
    (searched,) = cli.json("models", "search", "roles/nomic")
    assert searched["role"] == "embedder"
    assert "  embedder" in cli.run("models", "search", "roles/nomic")[1]
    for model, words in (("embedder", "is for embeddings"), ("strange", "llama.cpp cannot run")):
        assert words in cli.problem("ask", "hello", "--model", model)
    assert "llama.cpp cannot run" in cli.problem("serve", "--port", "0", "--model", "strange")


def test_a_base_model_continues_a_text_and_says_so(cli: Cli, tmp_path: Path) -> None:
    base = str(tiny_model(tmp_path / "base.gguf", template=None, answer=b"xyz"))
    ask = ("ask", "-", "--temperature", "0", "--model", base)
    code, out, err = cli.run(*ask, stdin=b"tea\n")
    assert (code, out) == (0, "xyz\n")
    assert "Tiny is a base model: it continues a text." in one_line(err)
    code, out, err = cli.run(*ask, "--json", stdin=b"tea\n")
    told = json.loads(out)
    assert (told["text"], told["notice"]) == ("xyz", err.removeprefix("chatdesk: ").strip())
    silent = str(tiny_model(tmp_path / "silent.gguf", template=None))
    code, out, err = cli.run(*ask[:-1], silent, stdin=b"tea\n")
    assert (code, out.strip()) == (0, "")
    assert "without a word" in err
