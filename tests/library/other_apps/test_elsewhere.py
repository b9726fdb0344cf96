import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from chatdesk.core.model_files import FoundElsewhere
from chatdesk.library.other_apps.elsewhere import found
from tests.tiny_models import not_a_model, tiny_model, truncated_model

DIGEST = "ab" * 32
MODEL_LAYER = "application/vnd.ollama.image.model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def put(tiny: Path, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tiny, path)
    return path


def on_linux(home: Path, environ: Mapping[str, str] | None = None) -> tuple[FoundElsewhere, ...]:
    return found(home, environ or {}, "linux")


def manifest(folder: Path, *name: str, content: object) -> Path:
    file = folder.joinpath("manifests", "registry.example", *name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


def layers(digest: str) -> dict[str, object]:
    template = {"mediaType": "application/vnd.ollama.image.template", "digest": f"sha256:{DIGEST}"}
    return {"layers": [template, {"mediaType": MODEL_LAYER, "digest": digest, "size": 1}]}


def test_nothing_is_found_on_a_new_computer(home: Path) -> None:
    for platform in ("linux", "darwin", "win32"):
        assert found(home, {}, platform) == ()


def test_lm_studio(home: Path, tiny: Path, tmp_path: Path) -> None:
    old = put(tiny, home / ".cache" / "lm-studio" / "models" / "ann" / "a" / "a.gguf")
    new = put(tiny, home / ".lmstudio" / "models" / "bob" / "b" / "b.gguf")
    moved = put(tiny, tmp_path / "disk" / "models" / "eve" / "c" / "c.gguf")
    (home / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'disk'}\n")
    models = on_linux(home)
    assert {each.path for each in models} == {str(old), str(new), str(moved)}
    assert {(each.app, each.bytes) for each in models} == {("LM Studio", tiny.stat().st_size)}
    assert {each.name for each in models} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("linux", ".local/share/nomic.ai/GPT4All"),
        ("darwin", "Library/Application Support/nomic.ai/GPT4All"),
        ("win32", "AppData/Local/nomic.ai/GPT4All"),
        ("linux", ".cache/gpt4all"),
    ],
)
def test_gpt4all(home: Path, tiny: Path, platform: str, folder: str) -> None:
    path = put(tiny, home / folder / "orca.gguf")
    (model,) = found(home, {}, platform)
    assert (model.app, model.name, model.path) == ("GPT4All", "orca", str(path))


def test_jan_names_its_models_in_files(home: Path, tiny: Path, tmp_path: Path) -> None:
    data = tmp_path / "jan"
    (home / ".local" / "share" / "Jan").mkdir(parents=True)
    settings = home / ".local" / "share" / "Jan" / "settings.json"
    settings.write_text(json.dumps({"data_folder": str(data)}))
    folder = data / "llamacpp" / "models" / "qwen" / "small"
    own = put(tiny, folder / "model.gguf")
    (folder / "model.yml").write_text(
        "model_path: llamacpp/models/qwen/small/model.gguf\nname: 'Qwen, small'\nsize_bytes: 1\n"
    )
    imported = put(tiny, tmp_path / "mine.gguf")
    (data / "llamacpp" / "models" / "mine").mkdir()
    (data / "llamacpp" / "models" / "mine" / "model.yml").write_text(f"model_path: {imported}\n")
    models = {each.name: each.path for each in on_linux(home)}
    assert models == {"Qwen, small": str(own), "mine": str(imported)}
    settings.write_text("[")
    assert on_linux(home) == ()
    assert len(on_linux(home, {"JAN_DATA_FOLDER": str(data)})) == 2


def test_ollama_keeps_nameless_blobs(home: Path, tiny: Path) -> None:
    folder = home / ".ollama" / "models"
    blob = put(tiny, folder / "blobs" / f"sha256-{DIGEST}")
    manifest(folder, "library", "tiny", "1b", content=layers(f"sha256:{DIGEST}"))
    (model,) = on_linux(home)
    assert model == FoundElsewhere("Ollama", "tiny:1b", str(blob), tiny.stat().st_size, DIGEST)
    other = home / "other"
    put(tiny, other / "blobs" / f"sha256-{'cd' * 32}")
    manifest(other, "ann", "big", "latest", content=layers(f"sha256:{'cd' * 32}"))
    names = [each.name for each in on_linux(home, {"OLLAMA_MODELS": str(other)})]
    assert names == ["ann/big:latest", "tiny:1b"]


def test_a_list_of_manifests_of_ollama(home: Path, tiny: Path) -> None:
    folder = home / ".ollama" / "models"
    put(tiny, folder / "blobs" / f"sha256-{DIGEST}")
    child = folder / "blobs" / f"sha256-{'ef' * 32}"
    child.write_text(json.dumps(layers(f"sha256:{DIGEST}")))
    listed = {"manifests": [{"digest": f"sha256:{'ef' * 32}", "runner": "llamacpp"}]}
    file = manifest(folder, "library", "tiny", "1b", content=listed)
    file.parents[3].rename(folder / "manifests-v2")
    assert [each.name for each in on_linux(home)] == ["tiny:1b"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_the_hub_cache_links_to_blobs(home: Path, tiny: Path, tmp_path: Path) -> None:
    hub = home / ".cache" / "huggingface" / "hub"
    repo = hub / "models--ann--tiny-GGUF"
    put(tiny, repo / "blobs" / DIGEST)
    for commit in ("c1", "c2"):
        (repo / "snapshots" / commit).mkdir(parents=True)
        (repo / "snapshots" / commit / "tiny.gguf").symlink_to(Path("../../blobs") / DIGEST)
    (model,) = on_linux(home)
    assert (model.app, model.name, model.sha256) == ("Hugging Face", "tiny", DIGEST)
    assert model.path == str(repo / "snapshots" / "c1" / "tiny.gguf")
    moved = tmp_path / "elsewhere" / "hub"
    moved.parent.mkdir()
    hub.rename(moved)
    for environ in ({"HF_HOME": str(moved.parent)}, {"HF_HUB_CACHE": str(moved)}):
        assert len(on_linux(home, environ)) == 1


def test_what_is_no_model_to_chat_with_is_left_out(home: Path) -> None:
    folder = home / ".lmstudio" / "models"
    folder.mkdir(parents=True)
    not_a_model(folder / "zip.gguf")
    truncated_model(folder / "cut.gguf")
    tiny_model(folder / "mmproj.gguf", architecture="clip")
    tiny_model(folder / "part-00002-of-00002.gguf")
    (folder / "folder.gguf").mkdir()
    assert on_linux(home) == ()


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"layers": 7},
        {"layers": [7, {"mediaType": MODEL_LAYER}]},
        layers("sha256:../../../secret"),
        layers("../../../secret.gguf"),
        layers(f"sha256:{'AB' * 40}"),
        {"layers": [{"mediaType": MODEL_LAYER, "digest": f"sha256:{DIGEST}"}], "x": "y" * 2**20},
        {"manifests": [[], {"digest": 7}, {"digest": "sha256:../x"}]},
    ],
)
def test_hostile_manifests_lead_nowhere(home: Path, tiny: Path, content: object) -> None:
    folder = home / ".ollama" / "models"
    put(tiny, folder / "blobs" / f"sha256-{DIGEST}")
    put(tiny, home / "secret.gguf")
    put(tiny, home / "secret")
    manifest(folder, "library", "tiny", "1b", content=content)
    assert on_linux(home) == ()


def test_hostile_files_of_jan_lead_nowhere(home: Path, tiny: Path) -> None:
    data = home / ".local" / "share" / "Jan" / "data"
    put(tiny, home / ".local" / "share" / "Jan" / "secret.gguf")
    models = data / "llamacpp" / "models"
    for name, text in {
        "up": b"model_path: ../secret.gguf\n",
        "nul": b"model_path: a\0b\n",
        "huge": b"#" * 2**21 + b"\nmodel_path: x\n",
        "bytes": b"\xff\xfe",
        "long": b"model_path: " + b"x" * 5000 + b"\n",
    }.items():
        (models / name).mkdir(parents=True)
        (models / name / "model.yml").write_bytes(text)
    assert on_linux(home) == ()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_circles_and_pipes_end(home: Path, tiny: Path) -> None:
    folder = home / ".lmstudio" / "models" / "ann"
    put(tiny, folder / "a" / "a.gguf")
    (folder / "a" / "again").symlink_to(folder)
    os.mkfifo(folder / "pipe.gguf")
    (home / ".ollama" / "models" / "manifests" / "h" / "n" / "m").mkdir(parents=True)
    os.mkfifo(home / ".ollama" / "models" / "manifests" / "h" / "n" / "m" / "t")
    os.mkfifo(home / ".lmstudio-home-pointer")
    assert len(on_linux(home)) == 1
