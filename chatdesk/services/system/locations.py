"""The folders of this user's files: `CHATDESK_HOME` if set, else those of platformdirs."""

import errno
import logging
import logging.handlers
import os
import threading
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

import platformdirs

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import PRIVATE
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths

_log = logging.getLogger(__name__)

HOME_VARIABLE = "CHATDESK_HOME"
LOG_BYTES = 1024 * 1024
LOG_FILES = 3
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the quota, the size of a file


def find_paths() -> AppPaths:
    """Create the app's folders and return them. Raises `EnvironmentProblem` when that fails."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        paths = AppPaths.under(Path(os.path.expanduser(home)).absolute())  # noqa: PTH111 - never raises
    else:
        found = platformdirs.PlatformDirs("ChatDesk", appauthor=False)
        paths = AppPaths(
            data=found.user_data_path,
            config=found.user_config_path,
            cache=found.user_cache_path,
            logs=found.user_log_path,
            models=found.user_data_path / "models",
        )
    try:
        paths.make()
    except OSError as problem:
        raise folder_problem(problem.filename, problem) from problem
    return paths


def folder_problem(folder: Path | str, problem: OSError) -> EnvironmentProblem:
    """Return the problem of a folder of ours that cannot be made or written to."""
    what = tr(
        "The folder {folder} cannot be used: {reason}.", folder=folder, reason=problem.strerror
    )
    if problem.errno in FULL:
        return EnvironmentProblem(what, tr("Free some space, then try again."))
    todo = tr("Make it writable, or set {variable} to another folder.", variable=HOME_VARIABLE)
    return EnvironmentProblem(what, todo)


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """Names of models and folders are in a log: other users cannot read it."""

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        with suppress(OSError):
            Path(self.baseFilename).chmod(PRIVATE)
        return stream


def start_logging(paths: AppPaths, name: str) -> Path:
    """Log to `<name>.log` in the log folder, rotated; return it. Chats' content is never logged.

    A bug that ends a thread is logged too.
    """
    logging.raiseExceptions = False  # a full disk must not print a traceback for every line
    file = paths.logs / f"{name}.log"
    try:
        handler: logging.Handler = _PrivateLog(
            file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
        )
    except OSError:
        handler = logging.NullHandler()  # a log that cannot be written must not stop the app
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("chatdesk")
    root.setLevel(logging.INFO)
    root.propagate = False
    root.addHandler(handler)
    threading.excepthook = _log_bug
    return file


def _log_bug(bug: threading.ExceptHookArgs) -> None:
    if bug.exc_value:
        _log.critical("a bug in a thread", exc_info=bug.exc_value)
