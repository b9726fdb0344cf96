"""A report on this machine and its problems, without private content."""

import platform
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chatdesk import __version__
from chatdesk.core.errors import EnvironmentProblem, StoreProblem
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths, is_frozen
from chatdesk.core.settings import Settings
from chatdesk.core.units import GB, memory_words, size_words
from chatdesk.library.hub.client import Hub
from chatdesk.library.hub.problems import HubProblem
from chatdesk.library.machine.hardware import Hardware, read_hardware
from chatdesk.library.models.header import read_header
from chatdesk.library.models.role import role_of
from chatdesk.library.models.starter import find_starter
from chatdesk.services.engine.engine import Engine
from chatdesk.services.hub.token import keyring_name
from chatdesk.services.system.installation import learning_problem
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore

ENOUGH_DISK_BYTES = GB


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    detail: str


def examine(paths: AppPaths, settings: Settings) -> tuple[Check, ...]:
    """Every check, in order; none of them raises."""
    hardware = read_hardware()
    checks: list[tuple[str, Callable[[], str]]] = [
        ("version", lambda: f"ChatDesk {__version__}, Python {platform.python_version()}"),
        ("installed", _installed),
        ("system", lambda: f"{platform.platform()}, {sys.platform}"),
        ("processor", lambda: _processor(hardware)),
        ("memory", lambda: _memory(hardware)),
        ("disk", lambda: _disk(paths)),
        ("database", lambda: _database(paths)),
        ("models", lambda: _models(paths)),
        ("models folder", lambda: _models_folder(paths, settings)),
        ("hub", lambda: _hub(settings)),
        ("keyring", lambda: keyring_name() or "none: a token is used until ChatDesk ends"),
        ("starter model", _starter),
        ("engine", _engine),
    ]
    return tuple(_check(name, look) for name, look in checks)


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, detail=look())
    except (EnvironmentProblem, OSError) as problem:
        # The report is for pasting: no user name in a path.
        return Check(name, ok=False, detail=str(problem).replace(str(Path.home()), "~"))


def _installed() -> str:
    """As what, and whether what personalization needs is there."""
    flavour = "chat" if learning_problem() else "full"
    return f"{'bundle' if is_frozen() else 'Python files'}, {flavour} flavour"


def _processor(hardware: Hardware) -> str:
    return f"{hardware.cpu}, {hardware.physical_cores} cores, {hardware.logical_cores} threads"


def _memory(hardware: Hardware) -> str:
    return f"{memory_words(hardware.available_bytes)} of {memory_words(hardware.total_bytes)} free"


def _disk(paths: AppPaths) -> str:
    free = shutil.disk_usage(paths.data).free
    if free < ENOUGH_DISK_BYTES:
        raise EnvironmentProblem(
            tr("Only {free} are free on the disk with your chats.", free=size_words(free)),
            tr("Free some space."),
        )
    return f"{size_words(free)} free"


def _database(paths: AppPaths) -> str:
    database = Database.open(paths.database)
    try:
        database.check()
    finally:
        database.close()
    return f"{size_words(paths.database.stat().st_size)}, sound"


def _models(paths: AppPaths) -> str:
    """What those on the list are for: their names are nobody's business."""
    try:
        database = Database.open(paths.database)
    except StoreProblem:  # the check of the database tells it
        return "unknown"
    try:
        roles = Counter(role_of(model.header).value for model in ModelStore(database).list())
    finally:
        database.close()
    return ", ".join(f"{count} {role}" for role, count in roles.most_common()) or "none listed yet"


def _models_folder(paths: AppPaths, settings: Settings) -> str:
    folder = Path(settings.downloads.folder or paths.models)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return f"{size_words(shutil.disk_usage(folder).free)} free"
    except OSError as problem:
        raise EnvironmentProblem(
            tr("The folder of new models cannot be written to: {reason}.", reason=problem.strerror),
            tr("Choose another one in the settings, under Downloads."),
        ) from problem


def _hub(settings: Settings) -> str:
    """Its host alone: an address may hold a password."""
    try:
        return str(urlsplit(Hub(settings.downloads.mirror, None).endpoint).hostname)
    except HubProblem:
        raise EnvironmentProblem(
            tr("The address of the hub in the settings is not valid."),
            tr("Correct it in the settings; it begins with https://."),
        ) from None


def _starter() -> str:
    starter = find_starter()
    if starter is None:
        raise EnvironmentProblem(
            tr("The starter model is missing."), tr("Install ChatDesk again, or add a GGUF file.")
        )
    header = read_header(starter)
    return f"{header.name} {header.quantization}, {size_words(header.bytes)}"


def _engine() -> str:
    engine = Engine(lambda fact: None)
    try:
        ready = engine.ready()
    finally:
        engine.close()
    devices = "; ".join(
        f"{each.name} ({each.kind}, {each.description}, {memory_words(each.free_bytes)} free)"
        for each in ready.devices
    )
    remote = "with" if ready.rpc else "without"
    return f"llama.cpp {ready.llama_cpp}, {remote} devices of other computers: {devices}"
