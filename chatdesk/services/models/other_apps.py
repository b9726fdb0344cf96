"""Which other app a model's file belongs to."""

import os
import sys
from pathlib import Path

from chatdesk.core.models import ModelFile
from chatdesk.library.elsewhere import found


def app_that_keeps(model: ModelFile) -> str:
    """The name of another app that keeps this very file, "" for none."""
    place = os.path.realpath(model.path)
    kept = found(Path.home(), os.environ, sys.platform)
    return next((each.app for each in kept if os.path.realpath(each.path) == place), "")
