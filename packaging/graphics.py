"""Graphics cards on Linux: llama.cpp's Vulkan module, a package beside the chat flavour.

Without a graphics card nobody needs its 29 MB; with one it is added to a bundle of the same
version, and the engine uses it where there is a driver. It is built when `CMAKE_ARGS` has
-DGGML_VULKAN=ON.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from pathlib import Path

import linux

from dev import say

NAME = "ChatDesk-Graphics"
MODULE = Path("_internal", "llama_cpp", "lib", "libggml-vulkan.so")


def split_off(folder: Path, dist: Path) -> None:
    """Move the module, if it was built, out of the bundle `folder` into its own."""
    add_on = dist / NAME
    shutil.rmtree(add_on, ignore_errors=True)
    if (folder / MODULE).exists():
        (add_on / MODULE).parent.mkdir(parents=True)
        (folder / MODULE).rename(add_on / MODULE)


def make(dist: Path, version: str) -> list[Path]:
    """Package the module that was split off, if any; return the files. Raises `SetupError`."""
    add_on = dist / NAME
    if not add_on.is_dir():
        return []
    say("Packing the module for graphics cards")
    name = f"{NAME}-{version}-linux-{platform.machine()}.tar.zst"
    with tempfile.TemporaryDirectory(dir=dist) as scratch:
        tree = Path(scratch, "tree")
        linux.put_bundle(add_on, tree)
        depends = [f"chatdesk (= {version})", "libvulkan1"]
        package = linux.pack_deb(tree, "graphics", NAME.lower(), version, depends, dist)
        return [linux.archive(add_on, ".", dist / name), package]
