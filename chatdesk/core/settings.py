"""The settings a person makes, as a value with its file format.

A JSON object of the fields below. A missing file means the defaults; a field that is unknown or of
the wrong kind is left at its default rather than refusing to start, and the file is only rewritten
when the person changes something.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import SamplingParams
from chatdesk.core.i18n import tr

MIN_CONTEXT_WINDOW = 512
_T = TypeVar("_T")
_LARGEST = 2**32  # beside a seed, every number is far smaller
_OPTIONAL = {"model": str, "seed": int, "max_tokens": int}  # fields that are None by default


@dataclass(frozen=True, slots=True)
class Settings:
    """What the person chose. `context_window` in tokens; `model` a model's id or None."""

    language: str = "system"
    theme: str = "system"  # or "light", "dark"
    enter_sends: bool = True
    model: str | None = None
    context_window: int = 8192
    system_prompt: str = ""
    sampling: SamplingParams = field(default_factory=SamplingParams)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The settings of a file; the defaults where it says nothing usable."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            found = {}
        settings = _adopt(cls(), found if isinstance(found, dict) else {})
        if isinstance(sampling := found.get("sampling") if isinstance(found, dict) else None, dict):
            settings = replace(settings, sampling=_adopt(settings.sampling, sampling))
        return replace(settings, context_window=max(MIN_CONTEXT_WINDOW, settings.context_window))

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
    """Write a JSON file atomically: a crash leaves the old one or the new one, never half."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    text = json.dumps(value, indent=1, ensure_ascii=False)
    try:
        partial.write_text(text, encoding="utf-8", errors="replace")  # of lone surrogates
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _adopt(defaults: _T, found: dict[str, Any]) -> _T:
    """`defaults` with those of `found`'s values that have the kind the field has."""
    fitting: dict[str, Any] = {}
    for entry in fields(defaults):  # type: ignore[arg-type]
        if entry.name not in found:
            continue
        value = found[entry.name]
        default = getattr(defaults, entry.name)
        if isinstance(default, tuple) and isinstance(value, list):
            fitting[entry.name] = tuple(str(item) for item in value)
        elif type(value) in (int, float) and not abs(value) < _LARGEST:
            continue  # also NaN
        elif isinstance(default, float) and type(value) in (int, float):
            fitting[entry.name] = float(value)
        elif type(value) in (_OPTIONAL.get(entry.name), type(default)):
            fitting[entry.name] = value
    return replace(defaults, **fitting)  # type: ignore[type-var]
