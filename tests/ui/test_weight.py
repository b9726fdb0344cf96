"""What the window's process must not carry: each of these costs megabytes and start-up time."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, linecache, sys
print(json.dumps({"modules": list(sys.modules), "sources": list(linecache.cache)}))
"""


def after(imports: str) -> dict[str, list[str]]:
    """Return the modules and the sources that a fresh process holds after these imports.

    This process has imported everything, and pytest PySide6 before us.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import {imports}{SCRIPT}"],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_the_window_is_shown_before_what_asks_the_engine_and_the_store_is_imported() -> None:
    late = {"sqlalchemy", "msgspec", "chatdesk.core.generation", "chatdesk.services.app"}
    assert late.isdisjoint(after("chatdesk.app")["modules"])


def test_the_window_imports_only_what_it_needs() -> None:
    found = after("chatdesk.app, chatdesk.server.switch, chatdesk.services.app")
    heavy = {"sqlalchemy.orm", "alembic", "PySide6.QtNetwork", "jinja2", "llama_cpp", "numpy"}
    heavy |= {"starlette", "uvicorn", "chatdesk.ui.settings.dialog", "chatdesk.ui.settings_page"}
    heavy |= {f"chatdesk.ui.{page}" for page in ("widgets.page", "models.page", "personalize.page")}
    assert heavy.isdisjoint(found["modules"])
    assert "sqlalchemy" in found["modules"]
    # PySide6 would have read the source of every module, and kept it (see `chatdesk.ui`).
    assert not any("sqlalchemy/" in name for name in found["sources"])
