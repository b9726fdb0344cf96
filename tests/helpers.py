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
    with _set(services, "max_page_count=1", "max_page_count=1000000"):
        yield


@contextmanager
def not_writable(services: App) -> Iterator[None]:
    """SQLite itself refuses to write, on every connection."""
    with _set(services, "query_only=ON", "query_only=OFF"):
        yield


@contextmanager
def _set(services: App, meanwhile: str, afterwards: str) -> Iterator[None]:
    engine = services._database._engine

    def setting(pragma: str) -> Callable[..., None]:
        return lambda connection, *_: connection.execute(f"PRAGMA {pragma}")

    bad, good = setting(meanwhile), setting(afterwards)
    event.listen(engine, "checkout", bad)
    try:
        yield
    finally:
        event.remove(engine, "checkout", bad)
        event.listen(engine, "checkout", good)
