"""The reasons why a model file does not load, as a `FailureCode` and a detail."""

import re
from collections.abc import Sequence
from pathlib import Path

from chatdesk.core.generation import FailureCode

_MAGIC = b"GGUF"


class LoadError(Exception):
    """A model file that cannot be used; `detail` is data or llama.cpp's own words."""

    def __init__(self, code: FailureCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def check_file(path: Path) -> None:
    """Check a file without llama.cpp. Raises `LoadError`."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except FileNotFoundError:
        raise LoadError(FailureCode.NOT_FOUND, str(path)) from None
    except OSError as problem:
        raise LoadError(FailureCode.LOAD_FAILED, problem.strerror or str(problem)) from problem
    if len(magic) < len(_MAGIC) and _MAGIC.startswith(magic):
        raise LoadError(FailureCode.TRUNCATED, f"{len(magic)} bytes")
    if magic != _MAGIC:
        raise LoadError(FailureCode.NOT_GGUF, magic.hex())


_REASON = re.compile(r"error loading model: (.*)")
_SYMPTOMS = (
    (
        FailureCode.UNSUPPORTED_ARCHITECTURE,
        re.compile(r"un(?:known|supported) model architecture: '([^']*)'"),
    ),
    (FailureCode.TRUNCATED, re.compile(r"not within the file bounds|failed to read|end of file")),
    (
        FailureCode.OUT_OF_MEMORY,
        re.compile(r"out of memory|OutOfMemory|failed to allocate|unable to allocate|bad_alloc"),
    ),
    (FailureCode.PARAMETER, re.compile(r"cache type .* does not divide|requires flash_attn")),
)


def classify(
    lines: Sequence[str],
    errors: Sequence[str],
    or_else: FailureCode = FailureCode.LOAD_FAILED,
) -> LoadError:
    """Return the problem that llama.cpp's log of a failed load reports."""
    given = [found[1] for line in errors if (found := _REASON.search(line))]
    reason = (given or [*errors[-1:], "llama.cpp gave no reason"])[0]
    for code, symptom in _SYMPTOMS:
        for line in lines:
            if found := symptom.search(line):
                return LoadError(code, found[1] if found.groups() else reason)
    return LoadError(or_else, reason)
