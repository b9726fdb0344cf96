"""The file of the settings, and what older versions wrote into it."""

import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.coercion import coerced, unknown
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import write_json
from chatdesk.core.i18n import tr
from chatdesk.core.sampling import Preset
from chatdesk.core.settings import Settings

_FLAT_KEYS = {  # of versions whose settings had no sections: the section and field of today
    "language": ("general", "language"),
    "theme": ("general", "theme"),
    "enter_sends": ("general", "enter_sends"),
    "look_for_updates": ("general", "look_for_updates"),
    "system_prompt": ("chat", "system_prompt"),
    "sampling": ("chat", "sampling"),
    "model": ("models", "chosen"),
    "context_window": ("models", "context_window"),
    "parallel": ("models", "parallel"),
    "unload_after_min": ("models", "unload_after_min"),
    "model_options": ("models", "options"),
    "keep_sessions": ("sessions", "keep"),
    "sessions_limit_bytes": ("sessions", "limit_bytes"),
    "remote_devices": ("devices", "remote"),
    "server_on": ("server", "on"),
    "server_port": ("server", "port"),
    "server_key": ("server", "key"),
    "learn_from": ("learning", "learn_from"),
    "learn_on_battery": ("learning", "on_battery"),
    "learn_when_hot": ("learning", "when_hot"),
    "learn_when_idle": ("learning", "when_idle"),
    "tensorboard": ("learning", "tensorboard"),
    "hub_endpoint": ("downloads", "mirror"),
    "downloads_at_once": ("downloads", "at_once"),
    "download_limit_bytes": ("downloads", "limit_bytes"),
    "models_folder": ("downloads", "folder"),
}


def read_settings(path: Path) -> Settings:
    """The settings of a file; the defaults where it says nothing usable."""
    return coerced(Settings, _sections(path))


def save_settings(settings: Settings, path: Path) -> None:
    """Replace the file in one step; keys of other versions stay. Raises `EnvironmentProblem`."""
    try:
        write_json(path, _over(_sections(path), settings), durable=True)
    except OSError as problem:
        raise EnvironmentProblem(
            tr("The settings could not be saved: {reason}.", reason=problem.strerror),
            tr("They apply until ChatDesk is closed."),
        ) from problem


def _sections(path: Path) -> dict[str, Any]:
    """The content of a file, by sections; empty if there is none or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    sections = {key: value for key, value in found.items() if key not in _FLAT_KEYS}
    for key in found.keys() & _FLAT_KEYS.keys():
        section, name = _FLAT_KEYS[key]
        if isinstance(into := sections.setdefault(section, {}), dict):
            into.setdefault(name, found[key])
    return sections


def _over(found: object, value: Any) -> dict[str, Any]:
    """The fields of a dataclass, and what was found beside them in its place."""
    before = found if isinstance(found, dict) else {}
    written = unknown(type(value), before)
    for name in (field.name for field in fields(value)):
        own = getattr(value, name)
        written[name] = _over(before.get(name), own) if is_dataclass(own) else _plain(own)
    return written


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, tuple):
        return [asdict(each) if isinstance(each, Preset) else each for each in value]
    return value
