"""The measured thread counts of the engine, so that it measures a model once."""

import json
import logging
import os
from pathlib import Path

from chatdesk.core.files import write_json

_log = logging.getLogger(__name__)


class MeasuredThreads:
    """Thread counts by a model's id, in a JSON file for this machine; None keeps nothing."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def get(self, model_id: str) -> int | None:
        """Return the best thread count of this model; None if it was not measured."""
        return self._read().get(model_id)

    def put(self, model_id: str, threads: int) -> None:
        """Save a measurement."""
        if self._file is None:
            return
        found = {**self._read(), model_id: threads}
        try:
            write_json(self._file, {"cores": os.cpu_count(), "threads": found})
        except OSError as problem:
            _log.warning("a thread count was not remembered: %s", problem.strerror)

    def _read(self) -> dict[str, int]:
        """Return the values for this number of cores; the file may be from another computer."""
        try:
            found = json.loads(self._file.read_bytes()) if self._file else {}
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(found, dict) or found.get("cores") != os.cpu_count():
            return {}
        threads = found.get("threads")
        return {
            model: count
            for model, count in (threads if isinstance(threads, dict) else {}).items()
            if type(count) is int and 0 < count <= (os.cpu_count() or 1)
        }
