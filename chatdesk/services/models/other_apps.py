"""Other apps that own a model's file."""

import os
import sys
from pathlib import Path

from chatdesk.core.models import ModelFile
from chatdesk.library.other_apps.elsewhere import found


def app_that_keeps(model: ModelFile) -> str:
    """Return the name of another app that owns this file, "" for none."""
    place = os.path.realpath(model.path)
    kept = found(Path.home(), os.environ, sys.platform)
    return next((each.app for each in kept if os.path.realpath(each.path) == place), "")
