"""Where the bundle starts: `chatdesk` as from Python, for the window, the commands and children."""

import os
import sys

from chatdesk.__main__ import main

# PyInstaller lets every library be found in the bundle first. That is meant for this process,
# not for the browser or file manager it opens.
if before := os.environ.pop("LD_LIBRARY_PATH_ORIG", ""):
    os.environ["LD_LIBRARY_PATH"] = before
else:
    os.environ.pop("LD_LIBRARY_PATH", None)
# Our own children are to set it again for themselves, not to believe that they have it already.
os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

sys.exit(main())
