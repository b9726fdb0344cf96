"""GGUF models of other apps on this computer, to be used from their places.

The search runs only on request, and only in the default folders of these apps or in those that an
environment variable or a small file of their own names. Nothing is written or copied. The content
is untrusted: only files that really are models are reported.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from chatdesk.core.errors import ModelProblem
from chatdesk.core.model_files import FoundElsewhere
from chatdesk.formats.gguf.parts import is_further_part
from chatdesk.library.bounded_walk import files_below, read_small
from chatdesk.library.models.header import read_header
from chatdesk.library.other_apps.ollama import ollama_models

MOST_MODELS = 2000  # whose headers are read
LONGEST = 1000  # letters of a name or a path that another app states
PROJECTOR = "clip"  # the architecture of image encoders; they do not chat
_SHA256 = re.compile(r"[0-9a-f]{64}")
_YAML_LINE = re.compile(rb"^(model_path|name): *(.*?) *\r?$", re.MULTILINE)


class _Candidate(NamedTuple):
    app: str
    name: str
    path: Path
    sha256: str = ""


def found(home: Path, environ: Mapping[str, str], platform: str) -> tuple[FoundElsewhere, ...]:
    """Return models of other apps, each file once. `platform` is a value of `sys.platform`."""
    searches = (
        _lm_studio(home),
        _jan(home, environ, platform),
        _gpt4all(home, environ, platform),
        _ollama(home, environ, platform),
        _hub_cache(home, environ),
    )
    by_file: dict[str, _Candidate] = {}
    for candidate in islice((each for search in searches for each in search), MOST_MODELS):
        by_file.setdefault(os.path.realpath(candidate.path), candidate)
    models = (_as_model(candidate) for candidate in by_file.values())
    return tuple(each for each in models if each)


def _as_model(candidate: _Candidate) -> FoundElsewhere | None:
    """Return the model, if it is one to chat with."""
    try:
        header = read_header(candidate.path)
    except ModelProblem:
        return None
    if header.architecture == PROJECTOR:
        return None
    app, name, path, sha256 = candidate
    return FoundElsewhere(app, name, str(path), header.bytes, sha256)


def _lm_studio(home: Path) -> Iterator[_Candidate]:
    """LM Studio: models/PUBLISHER/MODEL/FILE (lmstudio.ai/docs, "Import models").

    Its home is ~/.cache/lm-studio or ~/.lmstudio, or the path in a pointer file (`findLMStudioHome`
    in lmstudio-ai/lmstudio.js).
    """
    pointer = read_small(home / ".lmstudio-home-pointer").decode("utf-8", "replace").strip()
    moved = [Path(pointer)] if pointer else []
    for folder in (*moved, home / ".lmstudio", home / ".cache" / "lm-studio"):
        yield from _files("LM Studio", folder / "models", 4)


def _jan(home: Path, environ: Mapping[str, str], platform: str) -> Iterator[_Candidate]:
    """Jan: llamacpp/models/ID/model.yml in its data folder names a file and the model.

    As in janhq/jan: `resolve_jan_data_folder` of src-tauri, and the llamacpp extension.
    """
    app_data = _data_folder(home, environ, platform, roaming=True) / "Jan"
    chosen = environ.get("JAN_DATA_FOLDER") or _stated(app_data / "settings.json", "data_folder")
    for data in dict.fromkeys((Path(chosen) if chosen else app_data / "data", app_data / "data")):
        models = data / "llamacpp" / "models"
        for file in files_below(models, 5):
            if file.name != "model.yml":
                continue
            stated = dict(_YAML_LINE.findall(read_small(file)))
            path = _unquoted(stated.get(b"model_path", b""))
            name = _unquoted(stated.get(b"name", b"")) or file.parent.relative_to(models).as_posix()
            if _is_sound(name) and _is_sound(path) and ".." not in Path(path).parts:
                yield _Candidate("Jan", name, data / path)  # which may be absolute


def _gpt4all(home: Path, environ: Mapping[str, str], platform: str) -> Iterator[_Candidate]:
    """GPT4All: the local data folder of Qt (`defaultLocalModelsPath` in nomic-ai/gpt4all).

    Its Python package has ~/.cache/gpt4all.
    """
    data = _data_folder(home, environ, platform, roaming=False)
    for folder in (data / "nomic.ai" / "GPT4All", home / ".cache" / "gpt4all"):
        yield from _files("GPT4All", folder, 1)


def _ollama(home: Path, environ: Mapping[str, str], platform: str) -> Iterator[_Candidate]:
    """Ollama: `envconfig.Models` in ollama/ollama; its service on Linux has another home."""
    stated = environ.get("OLLAMA_MODELS", "").strip("\"' ")
    folders = [Path(stated)] if stated else []
    folders.append(home / ".ollama" / "models")
    if platform == "linux":
        folders.append(Path("/usr/share/ollama/.ollama/models"))
    for folder in folders:
        for model in ollama_models(folder):
            yield _Candidate("Ollama", model.name, model.path, model.sha256)


def _hub_cache(home: Path, environ: Mapping[str, str]) -> Iterator[_Candidate]:
    """The hub's cache: models--OWNER--NAME/snapshots/COMMIT/FILE, links to blobs.

    The name of a large file's blob is its hash ("Hub Local Cache" in the hub's documentation).
    """
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    hub_home = Path(environ.get("HF_HOME") or cache / "huggingface")
    folder = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE") or hub_home / "hub"
    for candidate in _files("Hugging Face", Path(folder), 5):
        if candidate.path.relative_to(folder).parts[1:2] == ("snapshots",):
            blob = Path(os.path.realpath(candidate.path)).name
            yield candidate._replace(sha256=blob if _SHA256.fullmatch(blob) else "")


def _files(app: str, folder: Path, depth: int) -> Iterator[_Candidate]:
    """Yield the first files of models, with their own names."""
    for path in files_below(folder, depth):
        if path.suffix.lower() == ".gguf" and not is_further_part(path):
            yield _Candidate(app, path.stem, path)


def _data_folder(home: Path, environ: Mapping[str, str], platform: str, *, roaming: bool) -> Path:
    """Return the folder for apps' data of a user; Windows has a roaming one and a local one."""
    if platform == "darwin":
        return home / "Library" / "Application Support"
    if platform == "win32":
        variable, name = ("APPDATA", "Roaming") if roaming else ("LOCALAPPDATA", "Local")
        return Path(environ.get(variable) or home / "AppData" / name)
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")


def _stated(file: Path, key: str) -> str:
    """Return a value of an app's JSON settings; "" without a usable one."""
    try:
        value = json.loads(read_small(file))
    except (ValueError, RecursionError):
        return ""
    stated = value.get(key) if isinstance(value, dict) else None
    return stated if isinstance(stated, str) else ""


def _is_sound(text: str) -> bool:
    """Return True if it may be a name or a path."""
    return 0 < len(text) <= LONGEST and text.isprintable()


def _unquoted(value: bytes) -> str:
    """Return a plain or quoted scalar of YAML as text."""
    return value.decode("utf-8", "replace").strip("\"'")
