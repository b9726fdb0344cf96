"""The settings a person makes, as a value with its file format.

A JSON object of the fields below. A missing file means the defaults; a field that is unknown or of
the wrong kind is left at its default rather than refusing to start, and the file is only rewritten
when the person changes something.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import KV_TYPES, ROPE_SCALINGS, LoadOptions
from chatdesk.core.personalization import LearnFrom
from chatdesk.core.sampling import SamplingParams

MIN_CONTEXT_WINDOW = 512
_T = TypeVar("_T")
_LEAST = {
    "context_window": MIN_CONTEXT_WINDOW,
    "parallel": 1,
    "unload_after_min": 0,
    "downloads_at_once": 1,
    "download_limit_bytes": 0,
}
_CHOICES = {
    "kv_type": KV_TYPES,
    "rope_scaling": ROPE_SCALINGS,
    "learn_from": tuple(LearnFrom),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the person chose. `context_window` in tokens; `model` a model's id or None.

    A model that was not used for `unload_after_min` minutes gives its memory back (0: never).
    `remote_devices` are addresses of other computers that run `chatdesk serve-device`.
    While `server_on`, other programs on this computer may ask the model at `server_port`; those
    that know `server_key`, unless it is empty.
    `model_options` are, by a model's id, the fields of `LoadOptions` that were set by hand.
    `learn_from` is a `LearnFrom`. Learning goes on also on battery with `learn_on_battery`, also
    when the processor is hot with `learn_when_hot`, and with `learn_when_idle` only while nobody
    uses the computer. `tensorboard` has each run write files for it.
    `hub_endpoint` is a mirror to use in place of the Hugging Face hub, "" for the hub itself;
    `downloads_at_once` models are fetched together, with at most `download_limit_bytes` per second
    (0: as fast as it goes), into `models_folder` ("" for the app's own).
    With `look_for_updates`, once a day a server is asked whether there is a newer version.
    """

    language: str = "system"
    theme: str = "system"  # or "light", "dark"
    enter_sends: bool = True
    model: str | None = None
    context_window: int = 8192
    parallel: int = 4
    unload_after_min: int = 30
    keep_sessions: bool = True
    sessions_limit_bytes: int = 2 * 1024**3
    remote_devices: tuple[str, ...] = ()
    server_on: bool = False
    server_port: int = 8089
    server_key: str = ""
    learn_from: str = "rated"
    learn_on_battery: bool = False
    learn_when_hot: bool = False
    learn_when_idle: bool = False
    tensorboard: bool = False
    hub_endpoint: str = ""
    downloads_at_once: int = 2
    download_limit_bytes: int = 0
    models_folder: str = ""
    look_for_updates: bool = False
    model_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    system_prompt: str = ""
    sampling: SamplingParams = field(default_factory=SamplingParams)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The settings of a file; the defaults where it says nothing usable."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            found = {}
        found = found if isinstance(found, dict) else {}
        options = found.get("model_options")
        return replace(
            cls(**_fitting(cls, found)),
            sampling=SamplingParams(**_fitting(SamplingParams, found.get("sampling"))),
            model_options={
                model: _fitting(LoadOptions, chosen)
                for model, chosen in (options if isinstance(options, dict) else {}).items()
            },
        )

    def load_options(self, model_id: str) -> LoadOptions:
        """What to load a model with: the general settings, and its own before them."""
        general = LoadOptions(self.context_window, self.parallel, remote=self.remote_devices)
        return replace(general, **self.model_options.get(model_id, {}))

    def with_load_options(self, model_id: str, options: LoadOptions) -> Self:
        """With what in `options` differs from the general settings as the model's own."""
        others = {key: value for key, value in self.model_options.items() if key != model_id}
        general = asdict(replace(self, model_options=others).load_options(model_id))
        own = {name: value for name, value in asdict(options).items() if value != general[name]}
        return replace(self, model_options={**others, **({model_id: own} if own else {})})

    def save(self, path: Path) -> None:
        """Replace the file in one step. Raises `EnvironmentProblem`."""
        try:
            write_json(path, asdict(self))
        except OSError as problem:
            raise EnvironmentProblem(
                tr("The settings could not be saved: {reason}.", reason=problem.strerror),
                tr("They apply until ChatDesk is closed."),
            ) from problem


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    write_bytes(path, text.encode("utf-8", "replace"))  # lone surrogates cannot be written


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: a crash leaves the old one or the new one, never half."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _fitting(kind: type, found: object) -> dict[str, Any]:
    """Those of the values that are found for a dataclass's fields that are what these take."""
    hints = get_type_hints(kind)
    fitting: dict[str, Any] = {}
    for name in (entry.name for entry in fields(kind)):
        if isinstance(found, dict) and name in found and name not in ("sampling", "model_options"):
            try:
                fitting[name] = _value(name, hints[name], found[name])
            except ValueError:
                continue  # the default stays
    return fitting


def _value(name: str, kind: Any, found: Any) -> Any:
    """What JSON says as a value of a field of this type. Raises `ValueError`."""
    inner = get_args(kind)
    if get_origin(kind) is UnionType:  # with None
        return None if found is None else _value(name, inner[0], found)
    if get_origin(kind) is tuple and isinstance(found, list):
        kinds = inner[:1] * len(found) if inner[-1] is ... else inner
        return tuple(_value(name, *each) for each in zip(kinds, found, strict=True))
    if type(found) in (int, float) and not abs(found) < _largest(name):  # also NaN
        raise ValueError(name)
    if kind is float and type(found) is int:
        return float(found)
    if type(found) is not kind or found not in _CHOICES.get(name, (found,)):
        raise ValueError(name)
    return max(found, _LEAST[name]) if name in _LEAST else found


def _largest(name: str) -> int:
    """What no number reaches that means anything: a seed is below 2**32, a disk may be larger."""
    return 2**50 if name.endswith("_bytes") else 2**32
