"""Writes settings and window state for ever: `python -m tests.faults.writing_child FOLDER`.

Each time they hold the next number; to be killed.
"""

import itertools
import sys
from dataclasses import replace
from pathlib import Path

from chatdesk.core.settings import Settings
from chatdesk.core.settings_file import save_settings
from chatdesk.ui.window_state import WindowState


def main() -> None:
    folder, settings = Path(sys.argv[1]), Settings()
    for number in itertools.count(1024):
        save_settings(settings.edited("server", port=number % 60_000), folder / "settings.json")
        draft = f"draft {number} " + "word " * 500
        replace(WindowState(), drafts={"": draft}).write(folder / "window.json")
        if number == 1024:
            print("writing", flush=True)


if __name__ == "__main__":
    main()
