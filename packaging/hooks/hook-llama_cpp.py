"""Gives PyInstaller llama.cpp's libraries, which are loaded by name at run time.

The wheel holds most of them three times (links become copies), and the CPU's modules in another
folder. This hook takes libllama, which is opened by its plain name, and the files that exist only
once: ggml's modules. PyInstaller follows the links of these to the other libraries.
"""

import re
from pathlib import Path

from PyInstaller.utils.hooks import get_module_file_attribute

PACKAGE = Path(get_module_file_attribute("llama_cpp")).parent
FOUND = {
    file.name: file
    for folder in (PACKAGE.parent / "bin", PACKAGE / "lib")
    if folder.is_dir()
    for file in sorted(folder.iterdir())
}


def is_opened(name: str) -> bool:
    """True if a library is opened by exactly this name."""
    stem, suffix = Path(name).stem, Path(name).suffix
    if suffix not in (".so", ".dylib", ".dll") or not re.match(r"(lib)?(ggml|llama$)", stem):
        return False
    numbered = re.compile(re.escape(stem) + r"(\.so)?\.\d")
    return stem.endswith("llama") or not any(map(numbered.match, FOUND))


binaries = [(str(file), "llama_cpp/lib") for name, file in FOUND.items() if is_opened(name)]
excludedimports = ["llama_cpp.server"]
