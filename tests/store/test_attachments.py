import io
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chatdesk.core.chat import now
from chatdesk.core.errors import NotFound
from chatdesk.store.attachments import AttachmentFiles


class Broken(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise ValueError("cut off")
        return super().read(10)


def test_the_same_content_is_kept_once_and_private(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path / "files")
    first = files.add(io.BytesIO(b"a picture"))
    assert first == files.add(io.BytesIO(b"a picture"))
    assert files.read(first[0]) == b"a picture" and first[1] == 9
    (path,) = [each for each in (tmp_path / "files").rglob("*") if each.is_file()]
    assert path == files.path(first[0])
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_changed_or_missing_file_is_not_given_out(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path)
    name, _ = files.add(io.BytesIO(b"a picture"))
    path = files.path(name)
    assert path
    path.write_bytes(b"another one")
    for asked in (name, "0" * 64, "../secret"):
        with pytest.raises(NotFound):
            files.read(asked)


def test_nothing_is_left_of_a_file_that_broke_off(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cut off"):
        AttachmentFiles(tmp_path).add(Broken(b"x" * 100))
    assert not list(tmp_path.iterdir())


def test_what_nobody_names_goes_after_its_time(tmp_path: Path) -> None:
    files = AttachmentFiles(tmp_path)
    named, orphan, young = (files.add(io.BytesIO(each))[0] for each in (b"1", b"2", b"3"))
    long_ago = time.time() - 40 * 86_400
    for name in (named, orphan):
        path = files.path(name)
        assert path
        os.utime(path, (long_ago, long_ago))
    (tmp_path / ".0.part").touch()
    os.utime(tmp_path / ".0.part", (long_ago, long_ago))
    assert files.tidy({named}, now() - timedelta(days=30)) == 1
    assert [bool(files.path(name)) for name in (named, orphan, young)] == [True, False, True]
    assert not (tmp_path / ".0.part").exists()
    assert files.tidy(set(), datetime(2000, 1, 1, tzinfo=UTC)) == 0
