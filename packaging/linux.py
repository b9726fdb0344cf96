"""The packages for Linux, made from PyInstaller's folder.

A `.tar.zst` of the folder, a `.deb`, and an AppImage where `appimagetool` is there; else the files
that it needs. Needs `zstd` and `objdump` (binutils). The same folder with the same
SOURCE_DATE_EPOCH (seconds) makes the same archives, to the byte.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

import icons
from elf import oldest_glibc

from dev import SetupError, debian_package, run, say

HERE = Path(__file__).resolve().parent / "linux"
DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# A window larger than 2^27 bytes would need an option for unpacking.
ZSTD = ["zstd", "-q", "-f", "-19", "--long=27", "-T0"]
GLIBC = re.compile(r"(lib(c|m|dl|rt|util|pthread)|ld-linux[\w-]*)\.so")
DATA = {  # data that libraries read and that may be inside: keyboards, compose sequences, fonts
    "libxkbcommon.so.0": "xkb-data",
    "libX11.so.6": "libx11-data",
    "libfontconfig.so.1": "fontconfig-config",
}


def make(folder: Path, dist: Path, version: str) -> list[Path]:
    """Package the bundle `folder` in `dist`, on the same disk; return the files.

    Raises `SetupError`.
    """
    for tool, source in (("zstd", "zstd"), ("objdump", "binutils")):
        if not shutil.which(tool):
            raise SetupError(f"There is no {tool}. Please install {source} (Debian calls it so).")
    name = f"{folder.name}-{version}-linux-{platform.machine()}"
    with tempfile.TemporaryDirectory(dir=dist) as scratch:
        say("Packing the folder (minutes)")
        tarball = archive(folder, folder.name, dist / f"{name}.tar.zst")
        say("Making the Debian package (minutes)")
        package = deb(folder, Path(scratch), dist, version)
        return [tarball, package, app_image(folder, Path(scratch), dist, name)]


def put_launcher(folder: Path) -> None:
    """Add `chatdesk` to the bundle `folder`: a launcher that knows the oldest supported system."""
    text = (HERE / "chatdesk.sh").read_text("utf-8")
    oldest = "{}.{}".format(*oldest_glibc(folder))
    text = text.replace("@machine@", platform.machine()).replace("@oldest@", oldest)
    launcher = folder / "chatdesk"
    launcher.write_text(text, "utf-8")
    launcher.chmod(0o755)


def archive(folder: Path, name: str, target: Path) -> Path:
    """Pack `folder` as `name` into `target`, a `.tar.zst`, with nothing of this machine in it."""
    time = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))

    def impersonal(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime = 0, 0, "root", "root", time
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    zstd = subprocess.Popen([*ZSTD, "-o", str(target)], stdin=subprocess.PIPE)
    # dpkg does not read the PAX format, Python's default. zstd prints its own errors.
    with (
        suppress(BrokenPipeError),
        zstd,
        tarfile.open(fileobj=zstd.stdin, mode="w|", format=tarfile.GNU_FORMAT) as tar,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            inside = f"{name}/{path.relative_to(folder).as_posix()}".removesuffix("/.")
            tar.add(path, inside, recursive=False, filter=impersonal)
    if zstd.returncode:
        raise SetupError(f"Packing {target.name} failed; see above why.")
    return target


def deb(folder: Path, scratch: Path, dist: Path, version: str) -> Path:
    """Make the Debian package; it has no scripts, the desktop's own triggers do the work."""
    tree, name = scratch / "tree", folder.name.lower()
    desktop_files(tree)
    put(HERE / "copyright", tree / f"usr/share/doc/{name}/copyright")
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/chatdesk").symlink_to("/opt/chatdesk/chatdesk")
    put_bundle(folder, tree)
    return pack_deb(tree, "chatdesk", name, version, dependencies(folder), dist)


def pack_deb(
    tree: Path, kind: str, name: str, version: str, depends: list[str], dist: Path
) -> Path:
    """Pack a root file system as a Debian package, described by `linux/KIND.control`.

    dpkg-deb would keep the times of older files, so this function writes the three members itself,
    beside `tree`.
    """
    scratch, meta = tree.parent, tree.with_name("meta")
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    architecture = DEBIAN_ARCHITECTURES.get(platform.machine(), platform.machine())
    fields = {
        "name": name,
        "version": version,
        "architecture": architecture,
        "kibibytes": sum(-(-path.stat().st_size // 1024) for path in files),
        "depends": ", ".join(depends),
    }
    meta.mkdir()
    control = (HERE / f"{kind}.control").read_text("utf-8").format_map(fields)
    (meta / "control").write_text(control, "utf-8")
    sums = [f"{md5(path)}  {path.relative_to(tree).as_posix()}\n" for path in files]
    (meta / "md5sums").write_text("".join(sums), "utf-8")
    (scratch / "debian-binary").write_text("2.0\n", "utf-8")
    members = [
        scratch / "debian-binary",
        archive(meta, ".", scratch / "control.tar.zst"),
        archive(tree, ".", scratch / "data.tar.zst"),
    ]
    target = dist / f"{name}_{version}_{architecture}.deb"
    write_ar(members, target)
    return target


def write_ar(members: list[Path], target: Path) -> None:
    """Write files into an `ar` archive; their names have at most 16 characters (see ar(5))."""
    with target.open("wb") as file:
        file.write(b"!<arch>\n")
        for member in members:
            size = member.stat().st_size
            header = f"{member.name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n"
            file.write(header.encode("ascii"))
            with member.open("rb") as content:
                shutil.copyfileobj(content, file)
            file.write(b"\n" * (size % 2))


def md5(path: Path) -> str:
    """Return the hash that `dpkg --verify` compares a file with."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def dependencies(folder: Path) -> list[str]:
    """Return the Debian packages of the libraries that the bundle links to and does not contain.

    The C library comes first, with the oldest version that has every function in use.
    """
    inside = [path for path in folder.rglob("*") if path.is_file()]
    command = ["objdump", "-p", *map(str, filter(is_elf, inside))]
    dump = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    names = {path.name for path in inside}
    outside = set(re.findall(r"NEEDED +(\S+)", dump)) - names
    packages = {debian_package(library) for library in outside if not GLIBC.match(library)}
    packages |= {DATA[library] for library in names & DATA.keys()}
    glibc = "libc6 (>= {}.{})".format(*oldest_glibc(folder))
    return [glibc, *sorted(packages)]


def is_elf(path: Path) -> bool:
    """True if a file is a program or a shared library."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def app_image(folder: Path, scratch: Path, dist: Path, name: str) -> Path:
    """Make the AppImage `name`, or a `.tar.zst` of its AppDir that only lacks the bundle."""
    tree = scratch / f"{folder.name}.AppDir"
    desktop_files(tree)
    put(HERE / "chatdesk.desktop", tree / "chatdesk.desktop")
    put(icons.png(256), tree / "chatdesk.png")
    (tree / ".DirIcon").symlink_to("chatdesk.png")
    (tree / "AppRun").symlink_to("opt/chatdesk/chatdesk")  # the bundle resolves links
    if not shutil.which("appimagetool"):
        say(f"There is no appimagetool: the pieces are left, without {folder.name} itself")
        return archive(tree, tree.name, dist / f"{name}.AppDir.tar.zst")
    put_bundle(folder, tree)
    target = dist / f"{name}.AppImage"
    command = ["appimagetool", "--no-appstream", str(tree), str(target)]
    run("Making the AppImage", command, ARCH=platform.machine())
    return target


def desktop_files(tree: Path) -> None:
    """Add the files that desktops read to a root: menu entry, icons, file type, metadata."""
    share = tree / "usr/share"
    put(HERE / "chatdesk.desktop", share / "applications/chatdesk.desktop")
    put(HERE / "mime.xml", share / "mime/packages/chatdesk.xml")
    put(HERE / "metainfo.xml", share / "metainfo/org.chatdesk.ChatDesk.metainfo.xml")
    hicolor = share / "icons/hicolor"
    put(icons.svg(), hicolor / "scalable/apps/chatdesk.svg")
    for size in icons.SIZES:
        put(icons.png(size), hicolor / f"{size}x{size}/apps/chatdesk.png")


def put_bundle(folder: Path, tree: Path) -> None:
    """Put the bundle in its place in a root; with links instead of copies, because it is large."""
    shutil.copytree(folder, tree / "opt/chatdesk", symlinks=True, copy_function=os.link)


def put(source: Path, target: Path) -> None:
    """Copy a file, and make its parent folders."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
