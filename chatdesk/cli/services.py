"""The services of one command."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.services.app import App, build
from chatdesk.services.facts import Publish


@contextmanager
def open_services(
    paths: AppPaths, settings: Settings, publish: Publish = lambda fact: None
) -> Iterator[App]:
    """The services, closed at the end. Raises `StoreProblem`."""
    with closing(build(paths, publish, lambda: settings)) as services:
        yield services
