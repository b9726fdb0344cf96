"""Made homes: what is in the app's folders when the window opens over them.

Models are small files that say they are large ones: their headers are in `HEADERS`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from unittest import mock

from chatdesk.core.chat import now
from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.hub import HubFile
from chatdesk.core.model_files import FoundElsewhere
from chatdesk.core.models import ModelHeader
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import AdapterState
from chatdesk.core.training import ADAPTER_FILE
from chatdesk.services.models.files import Stamp
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from chatdesk.store.models import ModelStore
from chatdesk.store.projects import ProjectStore
from tests.pictures.conversations import KINDS, RATED, add_chat, fillers
from tests.ui.learning_data import record, rejected_scorecard

GB = 10**9
STARTER = "smollm2-135m-instruct"
HEADERS = {
    STARTER: ModelHeader(
        "SmolLM2-135M-Instruct", "llama", 134_515_008, "Q4_K_M", 105_454_432, 8192, 30, 23_040,
        True, license="Apache-2.0",
    ),
    "qwen3": ModelHeader(
        "Qwen3-4B-Instruct-2507", "qwen3", 4_022_468_096, "Q4_K_M", 2_497_281_120, 262_144, 36,
        147_456, True, license="Apache-2.0",
    ),
    "long": ModelHeader(
        "A model with a name that is much longer than any row of a list has room for", "llama",
        8_030_261_248, "Q5_K_M", 5_732_987_008, 131_072, 32, 131_072, True,
    ),
    "large": ModelHeader(
        "Llama-3.3-70B-Instruct", "llama", 70_553_706_560, "F16", 141_117_921_280, 131_072, 80,
        327_680, True, license="llama3.3",
    ),
    "changed": ModelHeader(
        "Mistral-7B", "llama", 7_248_023_552, "Q4_0", 4_113_289_152, 32_768, 32, 131_072, True,
    ),
    "gone": ModelHeader(
        "On a disk that is away", "llama", 1 * GB, "Q8_0", 1 * GB, 8192, 16, 32_768, True,
    ),
    "twin": ModelHeader(
        "Qwen3-4B-Instruct-2507", "qwen3", 4_022_468_096, "Q4_K_M", 2_497_281_120, 262_144, 36,
        147_456, True, license="Apache-2.0",
    ),
}  # fmt: skip


ELSEWHERE = (
    FoundElsewhere("LM Studio", "gemma-3-4b-it", "/apps/lm-studio/gemma-3-4b-it.gguf", 3 * GB),
    FoundElsewhere("Ollama", "llama3.2:latest", "/apps/ollama/blobs/sha256-" + "0" * 64, 2 * GB),
)


@dataclass(frozen=True, slots=True)
class Home:
    """A made home. `fill` gets its folders before the window opens over them."""

    name: str
    fill: Callable[[AppPaths], None]
    has_starter: bool = True
    is_ready: bool = True  # a model comes to be loaded
    keeps_notices: bool = False  # what it says at once is what there is to see
    elsewhere: tuple[FoundElsewhere, ...] = ()  # models of other apps


def _nothing(_paths: AppPaths) -> None:
    """The home of the first start."""


def _lived_in(paths: AppPaths) -> None:
    """Many chats, models, downloads, and adapters one of which is in use."""
    database = Database.open(paths.database)
    chats = ConversationStore(database)
    for chat in (*fillers(60), *RATED, *KINDS):
        add_chat(chats, chat)
    _add_projects(ProjectStore(database), chats)
    _add_models(ModelStore(database), paths)
    _add_downloads(DownloadStore(database))
    database.close()


def _add_projects(projects: ProjectStore, chats: ConversationStore) -> None:
    ids = [each.id for each in reversed(chats.list())]
    for name, colour, inside in (
        ("Garden book", "green", ids[:12]),
        ("Thesis", "blue", ids[12:33]),
        ("A project with a name that is far too long for the sidebar", "", ids[33:34]),
    ):
        chats.set_project(inside, projects.create(name, colour).id)
    chats.set_on_top(ids[34:36], pinned=True)
    chats.set_archived(ids[36:40], archived=True)


def _taught(paths: AppPaths) -> None:
    """A few chats, and a history of learning; the adapters are those of the starter."""
    database = Database.open(paths.database)
    for chat in RATED:
        add_chat(ConversationStore(database), chat)
    models, adapters = ModelStore(database), AdapterStore(database)
    model = models.add(
        starter_file(paths), HEADERS[STARTER], starter_file(paths).stat().st_mtime_ns
    )
    for number, (state, active) in enumerate(
        (
            (AdapterState.PROMOTED, False),
            (AdapterState.REJECTED, False),
            (AdapterState.IMPORTED, False),
            (AdapterState.FAILED, False),
            (AdapterState.CANCELLED, False),
            (AdapterState.PROMOTED, True),
        )
    ):
        made = record(f"v{number}", model_id=model.id, model_name=model.header.name, state=state)
        if state is AdapterState.REJECTED:
            made = replace(made, scorecard=rejected_scorecard())
        elif state is not AdapterState.PROMOTED:
            made = replace(made, scorecard=None, error="The trainer ended: not enough memory.")
        moment = now() - timedelta(days=20 - 3 * number)
        made = replace(made, created=moment, ended=moment + timedelta(minutes=18))
        folder = paths.adapters / made.id
        folder.mkdir(parents=True)
        (folder / ADAPTER_FILE).touch()
        os.truncate(folder / ADAPTER_FILE, made.bytes)
        adapters.add(made)
        if active:
            adapters.activate(model.id, made.id)
    database.close()


def _damaged(paths: AppPaths) -> None:
    """A database that cannot be read."""
    paths.database.write_bytes(b"no database" * 1000)


FRESH = Home("fresh", _nothing)
LIVED_IN = Home("lived in", _lived_in, elsewhere=ELSEWHERE)
TAUGHT = Home("taught", _taught)
NO_MODEL = Home("no model", _nothing, has_starter=False, is_ready=False)
DAMAGED = Home("damaged", _damaged, is_ready=False, keeps_notices=True)
HOMES = (FRESH, LIVED_IN, TAUGHT, NO_MODEL, DAMAGED)


def starter_file(paths: AppPaths) -> Path:
    """The place of the starter, which is not in the folder of models."""
    return paths.data / f"{STARTER}.gguf"


def _add_models(store: ModelStore, paths: AppPaths) -> None:
    for stem in ("qwen3", "long", "large", "changed", "gone", "twin"):
        path = paths.models / f"{stem}.gguf"
        path.write_bytes(b"GGUF")
        mtime = path.stat().st_mtime_ns
        model = store.add(path, HEADERS[stem], mtime)
        if stem == "qwen3":
            store.note(
                model.id,
                lambda notes: replace(
                    notes, favourite=True, last_used=now() - timedelta(hours=2), tokens_per_s=41.3,
                    estimated_bytes=4 * GB, used_bytes=4 * GB, used_context=8192,
                    tags=("writing", "german"), repo="unsloth/Qwen3-4B-Instruct-2507-GGUF",
                ),
            )  # fmt: skip
        elif stem == "changed":
            os.utime(path, ns=(mtime, mtime + 10**9))
        elif stem == "gone":
            path.unlink()


def _add_downloads(store: DownloadStore) -> None:
    for number, (state, received) in enumerate(
        (
            (DownloadState.RUNNING, 2_100_000_000),
            (DownloadState.PAUSED, 900_000_000),
            (DownloadState.FAILED, 12_000_000),
            (DownloadState.CHECKING, 5_000_000_000),
            (DownloadState.DONE, 5_000_000_000),
        )
    ):
        name = f"Good-{number + 4}B-Q4_K_M"
        store.add(
            Download(
                id=f"d{number}",
                repo=f"maker/Good-{number + 4}B-GGUF",
                revision="0" * 40,
                name=name,
                files=(HubFile(f"{name}.gguf", 5_000_000_000),),
                state=state,
                added=now() - timedelta(minutes=number),
                received=received,
                problem="The hub cannot be reached. Check the connection, then try again."
                if state is DownloadState.FAILED
                else "",
                path=f"/models/{name}.gguf" if state is DownloadState.DONE else "",
                folder="/models",
            )
        )


@contextmanager
def standing_in(home: Home, paths: AppPaths) -> Iterator[None]:
    """Let the made home's files be what their headers say, wherever the app looks at them."""
    starter = starter_file(paths) if home.has_starter else None
    if starter:
        starter.write_bytes(b"GGUF")
    with ExitStack() as stack:
        for name, replacement in (
            ("chatdesk.services.models.service.find_starter", lambda: starter),
            ("chatdesk.services.models.service.found", lambda *_: home.elsewhere),
            ("chatdesk.services.models.intake.find_starter", lambda: starter),
            ("chatdesk.services.models.intake.read_header", lambda path: HEADERS[path.stem]),
            ("chatdesk.services.models.intake.stamp_of", _stamp_of),
            ("chatdesk.services.models.files.stamp_of", _stamp_of),
            ("chatdesk.services.models.hashes.sha256_of_model", lambda path, cancelled: "0" * 64),
            ("chatdesk.services.quantize.service.quantized_bytes", _quantized_bytes),
            ("chatdesk.services.adapters.service.check_adapter", lambda file, model: None),
            ("chatdesk.services.personalize.service.learning_problem", lambda: None),
        ):
            stack.enter_context(mock.patch(name, replacement))
        stack.enter_context(mock.patch.dict(os.environ, {"HOME": str(paths.data)}))
        yield


def _stamp_of(path: Path) -> Stamp:
    header = HEADERS.get(path.stem)
    status = path.stat()
    return Stamp(header.bytes if header else status.st_size, status.st_mtime_ns)


def _quantized_bytes(path: Path, kind: str) -> int:
    """About what is left of a model of two bytes a parameter."""
    bits = int("".join(each for each in kind if each.isdigit())[:1] or 4)
    return int(HEADERS[path.stem].parameters * (bits + 0.6) / 8)
