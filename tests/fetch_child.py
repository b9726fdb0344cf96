"""A process that fetches a model as the app does.

`python -m tests.fetch_child HOME MODELS HUB REPO`

It goes on with what an earlier one left, or begins, and says how the download ended.
"""

import sys
from pathlib import Path

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.library.hub.client import Hub
from chatdesk.services.facts import Fact
from chatdesk.services.hub.downloads import DownloadService
from chatdesk.services.hub.facts import DownloadProgressed
from chatdesk.store.database import Database
from chatdesk.store.downloads import DownloadStore


def tell(fact: Fact) -> None:
    if isinstance(fact, DownloadProgressed):
        print(fact.received, flush=True)


def main(home: Path, models: Path, endpoint: str, repo: str) -> None:
    paths, hub = AppPaths.under(home), Hub(endpoint, None)
    paths.make()
    store = DownloadStore(Database.open(paths.database))
    service = DownloadService(store, lambda: models, lambda: hub, Settings, tell, lambda *_: None)
    service.resume_unfinished()
    if not store.list():
        found = hub.repository(repo)
        service.start(repo, found.revision, found.variants[0])
    (download,) = service.list()
    ended = service.wait(download.id)
    print(ended.state.value, ended.problem, flush=True)
    service.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
