"""What the window's process must not carry: each of these costs megabytes and start-up time."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import chatdesk.app, chatdesk.server.switch, chatdesk.services.app
import json, linecache, sys
print(json.dumps({"modules": list(sys.modules), "sources": list(linecache.cache)}))
"""


def test_the_window_imports_only_what_it_needs() -> None:
    # In a fresh process: this one has imported everything, and pytest PySide6 before us.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(done.stdout)
    heavy = {"sqlalchemy.orm", "alembic", "PySide6.QtNetwork", "jinja2", "llama_cpp", "numpy"}
    heavy |= {"starlette", "uvicorn", "chatdesk.ui.settings.dialog", "chatdesk.ui.settings_page"}
    heavy |= {f"chatdesk.ui.{page}" for page in ("widgets.page", "models.page", "personalize.page")}
    assert heavy.isdisjoint(found["modules"])
    assert "sqlalchemy" in found["modules"]
    # PySide6 would have read the source of every module, and kept it (see `chatdesk.ui`).
    assert not any("sqlalchemy/" in name for name in found["sources"])
