"""The script of those who publish: what it signs the app takes, and nothing else is signed."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.library.hub.signed_file import open_signed
from tests.signed_server import release

SCRIPT = Path(__file__).parents[1] / "packaging" / "sign_update.py"
MODULE = runpy.run_path(str(SCRIPT))


def script(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, check=False)


def test_a_new_key_signs_what_the_app_takes(tmp_path: Path) -> None:
    private, body = tmp_path / "private.pem", release("1.0.0")
    made = script("key", str(private))
    public = bytes.fromhex(made.stdout.decode().split('"')[1])
    if sys.platform != "win32":
        assert private.stat().st_mode & 0o777 == 0o600
    assert open_signed(MODULE["sign"](private, body, public), public) == body
    before = private.read_bytes()
    assert script("key", str(private)).returncode == 1  # it is not overwritten
    assert private.read_bytes() == before


def test_what_the_app_would_refuse_is_not_signed(tmp_path: Path) -> None:
    private, update = tmp_path / "private.pem", tmp_path / "update.json"
    public = bytes.fromhex(MODULE["make_key"](private).split('"')[1])
    update.write_bytes(release("1.0.0"))
    done = script("sign", str(private), str(update))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"does not belong to PUBLIC_KEY" in done.stderr
    with pytest.raises(EnvironmentProblem):
        MODULE["sign"](private, b"{}", public)
    notes = {f"x{n}": "x" * 600 for n in range(8)}
    with pytest.raises(ValueError, match="at most 4096"):
        MODULE["sign"](private, release("1.0.0", notes={"en": "x", **notes}), public)
    update.write_text("no key")
    with pytest.raises(ValueError):
        MODULE["sign"](update, release("1.0.0"), public)
