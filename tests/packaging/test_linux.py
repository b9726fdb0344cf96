"""The packages for Linux, made of a bundle of a few files."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

import icons
import linux
import pytest

from dev import SetupError

pytestmark = pytest.mark.skipif(
    not (shutil.which("zstd") and shutil.which("objdump")), reason="needs zstd and objdump"
)


@pytest.fixture(autouse=True)
def _at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def bundle(dist: Path) -> Path:
    """Write a small version of PyInstaller's folder: a program, a library, a link, a text."""
    folder = dist / "ChatDesk"
    inside = folder / "_internal"
    inside.mkdir(parents=True)
    shutil.copy(shutil.which("ls") or "", folder / "chatdesk")
    (inside / ("long-name-" * 12)).write_text("long", "utf-8")
    (inside / "一 file.txt").write_text("text", "utf-8")
    (inside / "link").symlink_to("一 file.txt")
    return folder


def unpacked(archive: bytes) -> tarfile.TarFile:
    """Return the members of a `.tar.zst`."""
    plain = subprocess.run(["zstd", "-dc"], input=archive, stdout=subprocess.PIPE, check=True)
    return tarfile.open(fileobj=io.BytesIO(plain.stdout))


def members(package: Path) -> dict[str, bytes]:
    """Return the files in an `ar` archive, by name."""
    data, at, found = package.read_bytes(), 8, {}
    assert data.startswith(b"!<arch>\n")
    while at < len(data):
        name, size = data[at : at + 16].decode().strip(), int(data[at + 48 : at + 58])
        assert data[at + 58 : at + 60] == b"`\n"
        found[name] = data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    return found


def test_the_same_bundle_makes_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for name, umask in (("one", 0o022), ("other", 0o077)):
        before = os.umask(umask)
        folder = bundle(tmp_path / name)
        os.umask(before)
        files = linux.make(folder, tmp_path / name, "1.2.3")
        assert {file.name for file in files} < {file.name for file in folder.parent.iterdir()}
        assert len(list(folder.parent.iterdir())) == 4  # nothing else remains
        hashes.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert hashes[0] == hashes[1]


def launched(folder: Path, glibc: str, machine: str, **environment: str) -> tuple[int, str, str]:
    """Start a bundle's program on such a system; return exit code, stdout and stderr."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    known = f"echo '{glibc}'" if glibc else "exit 1"
    for name, does in (("getconf", known), ("uname", f"echo {machine}")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [folder.parent / "link", "ask", "two words", ""],
        env={"PATH": f"{tools}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def launchable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle that needs glibc 2.36 and prints its arguments; a link leads to it."""
    folder = tmp_path / "Mit Leerzeichen" / "ChatDesk"
    program = folder / "_internal" / "chatdesk.bin"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(linux, "oldest_glibc", lambda _: (2, 36))
    linux.put_launcher(folder)
    (folder.parent / "link").symlink_to("ChatDesk/chatdesk")
    return folder


@pytest.mark.parametrize("glibc", ["glibc 2.36", "glibc 2.41", "glibc 2.100", "glibc 3.0"])
def test_a_system_that_is_new_enough_is_not_noticed(launchable: Path, glibc: str) -> None:
    assert launched(launchable, glibc, "x86_64") == (0, "ask|two words||", "")


@pytest.mark.parametrize(
    ("glibc", "machine", "message"),
    [
        ("glibc 2.35", "x86_64", "x86_64 with glibc 2.35."),
        ("glibc 2.9", "x86_64", "x86_64 with glibc 2.9."),
        ("", "x86_64", "x86_64 with no glibc."),
        ("glibc 2.41", "aarch64", "aarch64 with glibc 2.41."),
    ],
)
def test_a_system_that_is_too_old_is_reported_in_a_sentence(
    launchable: Path, glibc: str, machine: str, message: str
) -> None:
    code, printed, words = launched(launchable, glibc, machine)
    assert (code, printed, words.count("\n")) == (1, "", 1)
    assert words.startswith("chatdesk: This ChatDesk needs a Linux for x86_64 with glibc 2.36")
    assert f"here is one for {message} Update the system" in words
    assert "请更新系统" in launched(launchable, glibc, machine, LANG="zh_CN.UTF-8")[2]


def test_the_archive_unpacks_to_the_bundle(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    target = linux.archive(folder, "ChatDesk", tmp_path / "it.tar.zst")
    with unpacked(target.read_bytes()) as tar:
        assert {(entry.uid, entry.gid, entry.mtime) for entry in tar} == {(0, 0, 1700000000)}
        assert [entry.name for entry in tar] == sorted(entry.name for entry in tar)
        assert tar.getmember("ChatDesk/chatdesk").mode == 0o755
        tar.extractall(tmp_path / "out", filter="fully_trusted")
    assert (tmp_path / "out/ChatDesk/_internal/link").read_text("utf-8") == "text"
    assert not subprocess.call(["diff", "-r", folder, tmp_path / "out/ChatDesk"])


def test_the_debian_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux, "dependencies", lambda _: ["libc6 (>= 2.36)", "libx11-6"])
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    package = linux.deb(bundle(tmp_path), tmp_path / "scratch", tmp_path, "1.2.3")
    assert package.name == "chatdesk_1.2.3_arm64.deb"
    found = members(package)
    assert list(found) == ["debian-binary", "control.tar.zst", "data.tar.zst"]  # in this order
    assert found["debian-binary"] == b"2.0\n"
    with unpacked(found["control.tar.zst"]) as tar:
        text = {
            name: file.read().decode() for name in tar.getnames() if (file := tar.extractfile(name))
        }
    assert text.keys() == {"./control", "./md5sums"}  # no scripts that could touch a home
    fields = dict(line.split(": ", 1) for line in text["./control"].splitlines() if line[0] != " ")
    assert fields["Package"] == "chatdesk"
    assert (fields["Version"], fields["Architecture"]) == ("1.2.3", "arm64")
    assert fields["Depends"] == "libc6 (>= 2.36), libx11-6"
    with unpacked(found["data.tar.zst"]) as tar:
        tar.extractall(tmp_path / "root", filter="fully_trusted")
    root = tmp_path / "root"
    assert (root / "usr/bin/chatdesk").readlink() == Path("/opt/chatdesk/chatdesk")
    subprocess.run(["md5sum", "-c"], input=text["./md5sums"], text=True, cwd=root, check=True)
    assert 1024 * int(fields["Installed-Size"]) >= (root / "opt/chatdesk/chatdesk").stat().st_size


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg")
def test_dpkg_reads_the_package(tmp_path: Path) -> None:
    package = linux.deb(bundle(tmp_path), tmp_path / "scratch", tmp_path, "1.2.3")
    subprocess.check_call(["dpkg-deb", "-x", package, tmp_path / "root"])
    assert (tmp_path / "root/opt/chatdesk/_internal/一 file.txt").read_text("utf-8") == "text"
    field = ["dpkg-deb", "-f", str(package), "Conflicts"]
    assert subprocess.check_output(field, text=True) == "chatdesk-app\n"  # the other flavour's too


def test_what_is_inside_need_not_be_installed_but_its_data(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    needed = linux.dependencies(folder)
    assert needed[0].startswith("libc6 (>= 2.")
    assert "libselinux1" in needed  # of ls, in Debian and its like
    for library in ("libselinux.so.1", "libX11.so.6"):
        (folder / "_internal" / library).touch()
    assert set(needed) ^ set(linux.dependencies(folder)) == {"libselinux1", "libx11-data"}


def test_the_pieces_of_an_app_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bundle(tmp_path)
    (tmp_path / "zstd").symlink_to(shutil.which("zstd") or "")
    monkeypatch.setenv("PATH", str(tmp_path))
    target = linux.app_image(folder, tmp_path / "scratch", tmp_path, "ChatDesk-1")
    assert target.name == "ChatDesk-1.AppDir.tar.zst"
    with unpacked(target.read_bytes()) as tar:
        names = set(tar.getnames())
        assert tar.getmember("ChatDesk.AppDir/AppRun").linkname == "opt/chatdesk/chatdesk"
    assert {"ChatDesk.AppDir/chatdesk.desktop", "ChatDesk.AppDir/chatdesk.png"} < names


def test_an_app_image_with_its_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "appimagetool"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\ntest -x "$2/AppRun" && echo "$ARCH" > "$3"\n', "utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    target = linux.app_image(bundle(tmp_path), tmp_path / "scratch", tmp_path, "ChatDesk-1")
    assert target.name == "ChatDesk-1.AppImage"
    assert target.read_text("utf-8").strip() == os.uname().machine


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="install zstd"):
        linux.make(tmp_path, tmp_path, "1")


def test_a_full_disk_is_reported_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bundle(tmp_path)
    (folder / "large").write_bytes(bytes(2**20))
    (tmp_path / "zstd").write_text("#!/bin/sh\nexit 1\n", "utf-8")
    (tmp_path / "zstd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"Packing it\.tar\.zst failed"):
        linux.archive(folder, "ChatDesk", tmp_path / "it.tar.zst")


def test_desktop_entry_file_type_and_metadata_are_of_one_mind() -> None:
    entry = (linux.HERE / "chatdesk.desktop").read_text("utf-8")
    keys = dict(line.split("=", 1) for line in entry.splitlines() if "=" in line)
    kind = ET.parse(linux.HERE / "mime.xml").getroot()[0]
    metadata = ET.parse(linux.HERE / "metainfo.xml")
    assert keys["MimeType"] == f"{kind.get('type')};"
    assert metadata.findtext("provides/mediatype") == kind.get("type")
    assert metadata.findtext("launchable") == "chatdesk.desktop"
    assert keys["Exec"] == "chatdesk open %F"


def test_icons_are_there_in_every_size_and_container() -> None:
    for size in icons.SIZES:
        header = icons.png(size).read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert {int.from_bytes(header[at : at + 4]) for at in (16, 20)} == {size}
    windows, mac = icons.ico(), icons.icns()
    assert int.from_bytes(windows[4:6], "little") == 7
    for entry in range(6, 6 + 7 * 16, 16):
        length, offset = (int.from_bytes(windows[entry + at :][:4], "little") for at in (8, 12))
        side = int.from_bytes(windows[offset + 16 : offset + 20])
        assert windows[entry] == side % 256
        assert windows[offset : offset + length] == icons.png(side).read_bytes()
    assert (mac[:4], int.from_bytes(mac[4:8])) == (b"icns", len(mac))
