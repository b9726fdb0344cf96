"""Reads the C library version that Linux programs and libraries need. Standard library only."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path

SECTION = struct.Struct("<IIQQQQIIQQ")  # Elf64_Shdr of the System V ABI
NEED = struct.Struct("<HHIII")  # Elf64_Verneed of the Linux Standard Base: one per library
VERSION = struct.Struct("<IHHII")  # Elf64_Vernaux: one per version of it
SHT_GNU_VERNEED = 0x6FFFFFFE
RELATIVE_RELOCATIONS = "GLIBC_ABI_DT_RELR"  # a feature with its own name, since glibc 2.36


def oldest_glibc(folder: Path) -> tuple[int, int]:
    """Return the oldest glibc that runs every ELF file below `folder`; (0, 0) without any."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return max((_glibc(name) for path in files for name in needed_versions(path)), default=(0, 0))


def needed_versions(path: Path) -> list[str]:
    """Return the symbol versions that a file needs, like `GLIBC_2.34`; none without 64-bit ELF.

    Raises `ValueError` when an ELF file is cut off.
    """
    with path.open("rb") as file:
        if file.read(6) != b"\x7fELF\x02\x01":  # 64 bits, little-endian
            return []
        file.seek(0)
        data = file.read()
    try:
        return list(_versions(data))
    except (struct.error, ValueError):
        raise ValueError(f"{path} is cut off or damaged.") from None


def _versions(data: bytes) -> Iterator[str]:
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [SECTION.unpack_from(data, table + i * size) for i in range(count)]
    for _, kind, _, _, start, _, link, libraries, _, _ in sections:
        if kind != SHT_GNU_VERNEED:
            continue
        names, need = sections[link][4], start
        for _ in range(libraries):
            _, versions, _, first, following = NEED.unpack_from(data, need)
            at = need + first
            for _ in range(versions):
                _, _, _, name, step = VERSION.unpack_from(data, at)
                yield data[names + name : data.index(b"\0", names + name)].decode("ascii")
                at += step
            need += following


def _glibc(version: str) -> tuple[int, int]:
    if version == RELATIVE_RELOCATIONS:
        return 2, 36
    number = re.match(r"GLIBC_(\d+)\.(\d+)", version)
    return (int(number[1]), int(number[2])) if number else (0, 0)
