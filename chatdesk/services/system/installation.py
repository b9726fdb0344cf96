"""The parts of this installation: what training needs, and why it is missing."""

import importlib.util
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.paths import is_frozen

NEEDED = ("torch", "transformers", "peft")
# dev.py installs them in the background after the first start. Meanwhile it touches this file every
# two seconds.
IN_PROGRESS = Path(sys.prefix) / "chatdesk-learning"
_INTERRUPTED_S = 15.0


def learning_is_being_installed() -> bool:
    """Return True if another process installs the packages that training needs."""
    try:
        return abs(time.time() - IN_PROGRESS.stat().st_mtime) < _INTERRUPTED_S
    except OSError:
        return False


def learning_problem() -> EnvironmentProblem | None:
    """Return why nothing can be trained with this installation, or None."""
    if learning_is_being_installed():  # a package can be found long before it is complete
        return EnvironmentProblem(
            tr("What learning needs is being installed, in the background."),
            tr("You can chat meanwhile. Learning works when this is done, without a restart."),
        )
    if IN_PROGRESS.exists():
        return EnvironmentProblem(
            tr("The installation of what learning needs was interrupted."),
            tr("Close ChatDesk and start it with dev.py: then the installation goes on."),
        )
    importlib.invalidate_caches()  # it may have been installed since the last check
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    return learning_missing(absent) if absent else None


def learning_missing(packages: Sequence[str]) -> EnvironmentProblem:
    """Return the problem of an installation that lacks `packages` for training."""
    if is_frozen():
        return EnvironmentProblem(
            tr("Learning is not part of this ChatDesk: it is the small one of the two."),
            tr("Install ChatDesk-Full over it; chats, settings and models stay."),
        )
    return EnvironmentProblem(
        tr("Learning needs packages that are not installed: {names}.", names=", ".join(packages)),
        tr("Install ChatDesk with its extra “personalize”."),
    )
