"""The bundle's entry point: `chatdesk` as from Python, for the window, commands and children."""

import os
import sys

from chatdesk.__main__ import main

# PyInstaller makes the loader find every library in the bundle first. That is for this process, not
# for the browser or file manager that it opens.
if before := os.environ.pop("LD_LIBRARY_PATH_ORIG", ""):
    os.environ["LD_LIBRARY_PATH"] = before
else:
    os.environ.pop("LD_LIBRARY_PATH", None)
# Our own children must set it again for themselves, and not assume that they have it already.
os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

sys.exit(main())
