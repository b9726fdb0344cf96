import gzip
import stat
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.imported import Unreadable
from chatdesk.exchange.conversations import files as reading
from chatdesk.exchange.conversations.files import open_files
from chatdesk.exchange.conversations.formats import format_of
from tests.exchange.conversations.reading import read, written, zipped
from tests.exchange.conversations.test_chatgpt import PLAIN, chat


def test_a_file_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    for name, text in (("a.json", "{}"), ("b.txt", "hello"), ("c.json", ""), ("d.csv", "a,b")):
        with closing(open_files(written(tmp_path, text, name))) as files:
            with pytest.raises(EnvironmentProblem, match=name):
                format_of(files)


def test_a_missing_file_and_an_archive_that_was_cut_off(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"gone\.zip"):
        open_files(tmp_path / "gone.zip")
    whole = zipped(tmp_path / "e.zip", {"conversations.json": [chat(PLAIN)]}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EnvironmentProblem, match="cut off"):
        open_files(tmp_path / "cut.zip")


def test_a_damaged_member_is_a_line_of_the_report(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("conversations-000.json", written(tmp_path, [chat(PLAIN)]).read_bytes())
        archive.writestr("conversations-001.json", written(tmp_path, [chat(PLAIN)]).read_bytes())
    data = bytearray(path.read_bytes())
    place = data.rfind(b"And then?")
    data[place : place + 3] = b"Xnd"
    path.write_bytes(data)
    found = read(path)
    assert len(found.chats) >= 1
    assert [each.where for each in found.unread] == ["conversations-001.json"]


def test_a_bomb_stops_after_what_an_export_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_ALWAYS_BYTES", 1 << 16)
    bomb = b'[{"mapping": {}, "x": "' + b" " * (1 << 24) + b'"}]'
    found = read(zipped(tmp_path / "e.zip", {"conversations.json": bomb}))
    assert not found.chats
    assert "200 times" in found.unread[0].reason
    packed = tmp_path / "e.json.gz"
    packed.write_bytes(gzip.compress(bomb))
    with closing(open_files(packed)) as files, files.open(files.names[0]) as stream:
        with pytest.raises(Unreadable, match="200 times"):
            while stream.read(1 << 20):
                pass


def test_names_that_lead_out_and_links_lead_nowhere(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("conversations-001.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "e.zip", {"../../conversations-000.json": [chat(PLAIN)]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    found = read(path)
    assert len(found.chats) == 1 and not found.unread
    assert sorted(each.name for each in tmp_path.iterdir()) == ["e.zip"]


@pytest.mark.posix
def test_links_in_folders_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path / "export", [chat(PLAIN)], "conversations.json")
    secret = written(tmp_path, [chat(PLAIN)], "conversations-9.json")
    (tmp_path / "export" / "conversations-9.json").symlink_to(secret)
    (tmp_path / "export" / "round").symlink_to(tmp_path)
    assert len(read(tmp_path / "export").chats) == 1


def test_an_archive_with_a_password_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "e.zip", {"conversations.json": [chat(PLAIN)]})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + offset] |= 1
    path.write_bytes(data)
    with closing(open_files(path)) as files:
        with pytest.raises(Unreadable, match="password"):
            files.open("conversations.json")
