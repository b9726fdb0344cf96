"""Untrusted names become files below the models folder, or nothing."""

from pathlib import Path

import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.library.download.place import file_place, repository_folder

FOLDER = Path("models")


def test_a_model_lies_in_the_folder_of_its_repository() -> None:
    folder = repository_folder(FOLDER, "owner/Tiny-GGUF")
    assert folder == FOLDER / "owner" / "Tiny-GGUF"
    assert file_place(folder, "tiny.Q4_K_M.gguf") == folder / "tiny.Q4_K_M.gguf"
    assert file_place(folder, "Q8_0/通义 千问.GGUF") == folder / "Q8_0" / "通义 千问.GGUF"
    assert file_place(folder, "console.gguf") == folder / "console.gguf"


HOSTILE = [
    "",
    "..",
    "../x.gguf",
    "a/../../x.gguf",
    "/etc/x.gguf",
    "//host/x.gguf",
    "C:/x.gguf",
    "a\\..\\x.gguf",
    ".hidden.gguf",
    "nul.gguf",
    "COM1.x.gguf",
    "lpt²/x.gguf",
    "x.gguf.",
    "a /x.gguf",
    "x\n.gguf",
    "x\0.gguf",
    "\udc80.gguf",
    "x?.gguf",
    "n" * 196 + ".gguf",
    "a/" * 9 + "x.gguf",
]


@pytest.mark.parametrize("path", [*HOSTILE, "x.exe", "gguf"])
def test_a_hostile_path_is_refused(path: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        file_place(FOLDER, path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("repo", ["", "..", "../..", "/owner/x", "owner/..x", "con/x", "o/x\\y"])
def test_a_hostile_repository_is_refused(repo: str) -> None:
    with pytest.raises(EnvironmentProblem):
        repository_folder(FOLDER, repo)
