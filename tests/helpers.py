"""What several rooms' tests share."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event

from chatdesk.services.app import App

FAKE_ENGINE = (sys.executable, "-m", "tests.fake_engine")


@contextmanager
def disk_full(services: App) -> Iterator[None]:
    """SQLite itself refuses to grow the file, on every connection."""
    engine = services._database._engine

    def limit(pages: int) -> Callable[..., None]:
        return lambda connection, *_: connection.execute(f"PRAGMA max_page_count={pages}")

    full, roomy = limit(1), limit(1_000_000)
    event.listen(engine, "checkout", full)
    yield
    event.remove(engine, "checkout", full)
    event.listen(engine, "checkout", roomy)
