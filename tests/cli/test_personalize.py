"""`chatdesk personalize` as a script meets it, with the real engine and real adapter files."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_main import TIMEOUT_S, Cli, one_line
from tests.lora_files import lora_adapter
from tests.peft_files import peft_adapter, two_halves
from tests.tiny_models import not_a_model, tiny_model

ADAPTER_KEYS = {
    "id", "state", "model", "examples", "heldout_examples", "base", "adapter", "verdict",
    "reasons", "tokens", "tokens_per_s", "seconds", "peak_bytes", "path",
}  # fmt: skip
GREEDY = ("--temporary", "--temperature", "0", "--max-tokens", "6")


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    return Cli(tmp_path_factory.mktemp("home"))


@pytest.fixture
def strong(tmp_path: Path) -> Path:
    return lora_adapter(tmp_path / "strong.gguf", strength=60)


@pytest.fixture
def ida(cli: Cli, strong: Path) -> Iterator[str]:
    """The id of an adapter that was taken up."""
    adapter_id = cli.json("personalize", "import", str(strong), "--name", "Ida")["id"]
    yield adapter_id
    cli.run("personalize", "delete", adapter_id)


def answer(cli: Cli, *options: str) -> tuple[str, str | None]:
    result = cli.json("ask", "Tell me of the sea.", *GREEDY, *options)
    return result["text"], result["adapter"]


def test_an_adapter_from_elsewhere_to_its_end(cli: Cli, ida: str, tmp_path: Path) -> None:
    shown = cli.json("personalize", "show", "Ida")
    assert set(shown) >= ADAPTER_KEYS
    assert (shown["id"], shown["state"], shown["active"]) == (ida, "imported", False)
    assert Path(shown["path"]).stat().st_size == (tmp_path / "strong.gguf").stat().st_size
    plain, nobody = answer(cli)
    assert nobody is None
    activated = cli.json("personalize", "activate", ida[:6])
    assert activated == {"model": shown["model"], "adapter": ida, "name": "Ida"}
    changed, who = answer(cli)
    assert (changed != plain, who) == (True, ida)
    assert answer(cli, "--adapter", "none") == (plain, None)
    listed = cli.json("personalize", "list")
    assert [(each["id"], each["active"]) for each in listed] == [(ida, True)]
    assert "Ida" in cli.run("personalize", "list")[1]
    back = cli.json("personalize", "rollback")
    assert back == {"model": shown["model"], "adapter": None, "name": None}
    assert "nothing to go back" in cli.problem("personalize", "rollback")
    assert answer(cli, "--adapter", "Ida") == (changed, ida)
    assert cli.json("personalize", "delete", "Ida") == {"id": ida, "deleted": True}
    assert cli.json("personalize", "list") == []
    assert not Path(shown["path"]).exists()


def test_a_file_is_asked_by_its_path(cli: Cli, strong: Path, tmp_path: Path) -> None:
    plain, _ = answer(cli)
    changed, name = answer(cli, "--adapter", str(strong))
    assert (changed != plain, name) == (True, "strong.gguf")
    idle = lora_adapter(tmp_path / "idle.gguf", strength=0)
    assert answer(cli, "--adapter", str(idle)) == (plain, "idle.gguf")
    hello = ("ask", "hello", "--adapter")
    assert "not there" in cli.problem(*hello, str(tmp_path / "missing.gguf"))
    assert "another model" in cli.problem(
        *hello, str(strong), "--model", str(tiny_model(tmp_path / "tiny.gguf"))
    )


def test_in_a_saved_chat_it_answers_once(cli: Cli, ida: str) -> None:
    first = cli.json("ask", "Hi.", "--adapter", "Ida", "--max-tokens", "4")
    home = first["conversation"]
    second = cli.json("ask", "And?", "--conversation", home, "--max-tokens", "4")
    assert (first["adapter"], second["adapter"]) == (ida, None)
    told = cli.json("conversations", "show", home)["messages"]
    assert [each["answer"]["adapter_id"] for each in told if "answer" in each] == [ida, None]


def test_without_its_file_the_model_answers_and_says_so(cli: Cli, ida: str) -> None:
    cli.json("personalize", "activate", ida)
    Path(cli.json("personalize", "show", ida)["path"]).unlink()
    for temporary in ((), ("--temporary",)):
        code, out, err = cli.run("ask", "Hi.", "--max-tokens", "4", "--json", *temporary)
        assert (code, json.loads(out)["adapter"]) == (0, None)
        assert "missing" in one_line(err)
    assert "missing" in cli.problem("ask", "Hi.", "--adapter", "Ida")
    assert "missing" in cli.problem("personalize", "activate", "Ida")


def test_out_again_as_a_file(cli: Cli, ida: str, strong: Path, tmp_path: Path) -> None:
    place = tmp_path / "out.gguf"
    assert cli.json("personalize", "export", "Ida", str(place)) == {
        "id": ida,
        "files": [str(place)],
    }
    assert place.read_bytes() == strong.read_bytes()
    assert "GGUF file only" in cli.problem("personalize", "export", "Ida", str(tmp_path / "peft"))


def test_one_of_peft_speaks_as_its_gguf_does(cli: Cli, tmp_path: Path) -> None:
    tensors = {name: each * 30 for name, each in two_halves(rank=8).items()}
    weights = peft_adapter(tmp_path / "Ada", tensors)
    shown = cli.json("personalize", "import", str(weights.parent))
    assert (shown["name"], shown["state"]) == ("Ada", "imported")
    plain, _ = answer(cli)
    changed, who = answer(cli, "--adapter", "Ada")
    assert (changed != plain, who) == (True, shown["id"])
    assert answer(cli, "--adapter", shown["path"])[0] == changed
    cli.run("personalize", "delete", "Ada")


def test_what_cannot_be_taken_up_or_found(cli: Cli, strong: Path, tmp_path: Path) -> None:
    take_up = ("personalize", "import")
    assert "not a GGUF file" in cli.problem(*take_up, str(not_a_model(tmp_path / "zip.gguf")))
    tiny = str(tiny_model(tmp_path / "tiny.gguf"))
    assert "not a LoRA adapter" in cli.problem(*take_up, tiny)
    assert "another model" in cli.problem(*take_up, str(strong), "--model", tiny)
    peft = peft_adapter(tmp_path / "peft", use_dora=True)
    assert "uses “use_dora”" in cli.problem(*take_up, str(peft))
    assert "not there" in cli.problem(*take_up, str(tmp_path))  # a folder of something else
    strong.write_bytes(strong.read_bytes()[:-1])
    assert "cut short" in cli.problem(*take_up, str(strong))
    for action in ("show", "activate", "delete"):
        assert "0000ffff" in cli.problem("personalize", action, "0000ffff")


def test_the_preview_of_a_file(cli: Cli, tmp_path: Path) -> None:
    shown = cli.json("personalize", "preview", "--dataset", str(dataset(tmp_path)))
    assert shown["chosen"] == len(shown["examples"]) == 40
    first = shown["examples"][0]
    assert first["why"] == "file"
    assert first["turns"] == [{"role": "user", "content": "What is the name of boat 0?"}]
    assert first["target"] == "Boat 0 is called Esmeralda 0."
    assert 0 < first["target_tokens"] < first["tokens"]
    assert shown["tokens"] == sum(each["tokens"] for each in shown["examples"])
    code, out, err = cli.run("personalize", "preview", "--dataset", str(dataset(tmp_path)))
    assert (code, err) == (0, "")
    assert "-> Boat 39 is called Esmeralda 39." in out
    assert "40 of 40 examples" in out


def test_a_chat_that_is_named_is_learned_from_as_a_whole(cli: Cli) -> None:
    greedy = ("--temperature", "0", "--max-tokens", "20")
    home = cli.json("ask", "Name a colour.", *greedy)["conversation"]
    assert cli.json("personalize", "preview")["examples"] == []  # nothing was rated
    shown = cli.json("personalize", "preview", "--conversation", home[:8])
    (example,) = shown["examples"]
    assert [source["conversation"] for source in example["sources"]] == [home]
    assert shown["problem"]  # one is too few
    cli.json("conversations", "delete", home)
    assert "in the trash" in cli.problem("personalize", "preview", "--conversation", home)


def test_nothing_is_learned_that_nobody_agreed_to(cli: Cli, tmp_path: Path) -> None:
    train = ("personalize", "train", "--dataset", str(dataset(tmp_path)))
    assert "--yes" in cli.problem(*train)
    screen, terminal = pytest.importorskip("pty").openpty()  # Windows has none
    process = cli.start("-m", "chatdesk", *train, stdin=terminal)
    os.write(screen, b"n\n")
    out, err = process.communicate(timeout=TIMEOUT_S)
    os.close(screen)
    os.close(terminal)
    assert (process.returncode, out) == (1, b"")
    assert b"40 of 40 examples" in err
    assert b"Nothing was learned." in err
    assert cli.json("personalize", "list") == []


def test_too_little_is_said_before_training(cli: Cli, tmp_path: Path) -> None:
    few = dataset(tmp_path, 2)
    assert cli.problem("personalize", "train", "--yes", "--dataset", str(few))
    assert cli.json("personalize", "list") == []


def test_ctrl_c_keeps_the_run_and_says_how_it_goes_on(cli: Cli, tmp_path: Path) -> None:
    train = ("personalize", "train", "--yes", "--dataset", str(dataset(tmp_path)))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in `Cli.streaming`
    process = cli.start("-m", "chatdesk", *train, own_group=True)
    signal.signal(signal.SIGINT, before)
    try:
        end = time.monotonic() + TIMEOUT_S
        while not (runs := cli.json("personalize", "list")):
            assert time.monotonic() < end
        assert runs[0]["state"] == "preparing"
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out) == (130, b"")
    assert f"personalize resume {runs[0]['id']}" in one_line(err.decode())
    assert cli.json("personalize", "list")[0]["state"] == "interrupted"
    assert "not promoted" in cli.problem("personalize", "activate", runs[0]["id"])
    cli.json("personalize", "delete", runs[0]["id"])
    assert list((cli.home / "data" / "adapters").iterdir()) == []


def test_without_the_extra_one_sentence_says_how_to_get_it(cli: Cli, tmp_path: Path) -> None:
    code = """
import sys
from chatdesk.cli import main as cli
from chatdesk.services.system import installation
installation.NEEDED = ("no_such_package",)
sys.exit(cli.main(sys.argv[1:]))
"""
    train = ("personalize", "train", "--yes", "--dataset", str(dataset(tmp_path)))
    process = cli.start("-c", code, *train)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (1, b"")
    assert "no_such_package" in one_line(err.decode())


def dataset(folder: Path, examples: int = 40) -> Path:
    """A file of chats about boats."""
    lines: list[dict[str, Any]] = [
        {
            "messages": [
                {"role": "user", "content": f"What is the name of boat {number}?"},
                {"role": "assistant", "content": f"Boat {number} is called Esmeralda {number}."},
            ]
        }
        for number in range(examples)
    ]
    path = folder / f"boats {examples}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


def test_what_cannot_be_trained_is_refused_before_anything_is_computed(
    cli: Cli, tmp_path: Path
) -> None:
    turns = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ida of Wyk."}]
    lines = [json.dumps({"messages": turns})] * 20
    dataset = tmp_path / "chats.jsonl"
    dataset.write_text("\n".join(lines), "utf-8")
    model = tiny_model(tmp_path / "two.gguf", architecture="gpt2")
    for command in (("train", "--yes"), ("preview",)):
        told = cli.problem(
            "personalize", *command, "--model", str(model), "--dataset", str(dataset)
        )
        assert "“gpt2” cannot be trained here" in told
    assert not list((cli.home / "cache").rglob("figures/*.json"))
    assert not list((cli.home / "data" / "adapters").rglob("*.json"))
