"""Downloads over a real database and a stand-in hub, as the app has them."""

import queue
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.hub import Variant
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.library.hub.client import Hub
from chatdesk.services.facts import Fact
from chatdesk.services.hub.downloads import DownloadService
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore
from tests.stand_in_hub import StandInHub

REPO, FILE = "owner/tiny", "tiny.Q4_0.gguf"
CONTENT = random.Random(5).randbytes(1_000_000)
PARTS = {f"big-0000{n}-of-00003.gguf": random.Random(n).randbytes(200_000) for n in (1, 2, 3)}
TIMEOUT_S = 30.0


class Home:
    """The downloads of one app. `done` are the models that were taken up."""

    def __init__(self, folder: Path, hub: StandInHub) -> None:
        self.paths = AppPaths.under(folder)
        self.paths.make()
        self.hub = hub
        self.settings = Settings()
        self.facts: queue.Queue[Fact] = queue.Queue()
        self.done: list[tuple[Path, str, str]] = []
        self.token: str | None = None
        self.endpoint = hub.endpoint
        self.answer_s = 10.0
        self._database = Database.open(self.paths.database)
        self.store = DownloadStore(self._database)
        self.service = self.begin()

    def begin(self) -> DownloadService:
        """As at each start of the app."""
        return DownloadService(
            self.store,
            lambda: self.paths.models,
            self._hub,
            lambda: self.settings,
            self.facts.put,
            lambda *told: self.done.append(told),
        )

    def _hub(self) -> Hub:
        return Hub(self.endpoint, self.token, self.answer_s)

    def restart(self) -> None:
        """Close the app and start it again."""
        self.service.close()
        self.service = self.begin()
        self.service.resume_unfinished()

    def close(self) -> None:
        self.service.close()
        self._database.close()

    def choose(self, **settings: int) -> None:
        self.settings = self.settings.edited("downloads", **settings)

    def variant(self, repo: str = REPO) -> tuple[str, str, Variant]:
        """What `start` takes."""
        found = Hub(self.hub.endpoint, self.token).repository(repo)
        return repo, found.revision, found.variants[0]

    def start(self, repo: str = REPO) -> Download:
        return self.service.start(*self.variant(repo))

    def ended(self, download: Download) -> Download:
        ended = self.service.wait(download.id, TIMEOUT_S)
        assert ended.state in (DownloadState.DONE, DownloadState.FAILED, DownloadState.PAUSED)
        return ended

    def until_received(self, download: Download, count: int) -> None:
        """Wait until that many bytes are there."""
        while True:
            fact = self.facts.get(timeout=TIMEOUT_S)
            if (
                isinstance(fact, DownloadProgressed)
                and fact.download_id == download.id
                and fact.received >= count
            ):
                return

    def files(self) -> list[str]:
        """The names of everything in the models folder that is no folder."""
        found = self.paths.models.rglob("*")
        return sorted(file.name for file in found if file.is_file())


@contextmanager
def at_home(folder: Path, hub: StandInHub) -> Iterator[Home]:
    home = Home(folder, hub)
    yield home
    home.close()
