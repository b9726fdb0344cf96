"""The list compared with the built library, which loads a file of each architecture."""

import re
from pathlib import Path

import llama_cpp
from llama_cpp import llama_cpp as lib

from chatdesk.inference.native.bindings import native_log
from chatdesk.library.models.architectures import CHAT, EMBED, OTHER, PROJECT
from tests.gguf_files import raw


def is_known(architecture: str, path: Path) -> bool:
    """Return True if llama.cpp does not refuse the file for its architecture."""
    path.write_bytes(raw({"general.architecture": architecture}))
    log = native_log()
    log.clear()
    parameters = lib.llama_model_default_params()
    assert not lib.llama_model_load_from_file(bytes(path), parameters)
    refused = re.compile("un(known|supported) model architecture")  # the latter has only the name
    return not any(refused.search(line) for line in log.lines())


def words_of_the_library() -> set[str]:
    folder = Path(llama_cpp.__file__).parent / "lib"
    file = next(
        file for file in folder.iterdir() if re.match(r"(lib)?llama\.(so|dylib|dll)", file.name)
    )
    words = re.findall(rb"(?<![!-~])[a-z][a-z0-9_.-]{1,31}(?=\0)", file.read_bytes())
    return {word.decode() for word in words}


def test_they_are_those_of_llama_cpp(tmp_path: Path) -> None:
    lib.llama_backend_init()
    listed = CHAT | EMBED | OTHER | PROJECT
    known = {
        word for word in listed | words_of_the_library() if is_known(word, tmp_path / "some.gguf")
    }
    assert known == listed
