"""Hashes of model files' content, and the duplicates among them."""

import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TypeVar

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.model_files import KeptModel, Presence
from chatdesk.core.models import ModelFile
from chatdesk.library.models.identity import sha256_of_model
from chatdesk.services.models.files import is_same
from chatdesk.store.models import ModelStore

_log = logging.getLogger(__name__)

_Item = TypeVar("_Item")


class Identities:
    """Knows the hashes of models, and computes the missing ones."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def known(self, model: ModelFile) -> str | None:
        """Return the hash of a model's content, if it is known and the file is still the same."""
        try:
            return self._store.get(model.id).sha256 if is_same(model) else None
        except EnvironmentProblem as problem:
            _log.warning("no hash of %s: %s", model.id, problem)
            return None

    def work_out(self, model: ModelFile, cancelled: Callable[[], bool]) -> str | None:
        """Return the hash of a model's content; if it is unknown, the whole file is read.

        None when `cancelled`, or when the file has changed.
        """
        if known := self.known(model):
            return known
        try:
            worked_out = sha256_of_model(Path(model.path), cancelled)
            if is_same(model):
                self._store.set_hash(model.id, worked_out)
        except (EnvironmentProblem, OSError) as problem:
            _log.warning("no hash of %s: %s", model.id, problem)
        except CancelledError:
            return None
        return self.known(model)

    def duplicates(
        self, models: Iterable[KeptModel], cancelled: Callable[[], bool]
    ) -> tuple[tuple[KeptModel, ...], ...]:
        """Return groups of identical models; only files of equal size are read.

        Empty when `cancelled`. Two names of one file are no duplicates: deleting one would free
        nothing, and with a link the content would be lost.
        """
        there = [each for each in models if each.presence is Presence.THERE]
        files = [group[0] for group in _grouped(there, lambda each: _file_of(each.model))]
        same_size = _grouped(files, lambda each: each.model.header.bytes)
        compared = [each for group in same_size if len(group) > 1 for each in group]
        hashes = {each.model.id: self.work_out(each.model, cancelled) for each in compared}
        if cancelled():
            return ()
        hashed = (each for each in compared if hashes[each.model.id])
        same_content = _grouped(hashed, lambda each: hashes[each.model.id])
        return tuple(tuple(group) for group in same_content if len(group) > 1)


def _file_of(model: ModelFile) -> Hashable:
    """Return a value that all names of one file share."""
    try:
        status = Path(model.path).stat()
    except OSError:  # it was deleted just now
        return model.path
    return (status.st_dev, status.st_ino)


def _grouped(items: Iterable[_Item], key: Callable[[_Item], Hashable]) -> list[list[_Item]]:
    groups = defaultdict[Hashable, list[_Item]](list)
    for item in items:
        groups[key(item)].append(item)
    return list(groups.values())
