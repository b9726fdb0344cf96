"""Functions that llama-cpp-python leaves out: ggml's, the log, and a flag that aborts computing."""

import atexit
import ctypes
import functools
import logging
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llama_cpp import llama_cpp as lib

_INFO, _WARNING, _ERROR, _CONTINUED = 2, 3, 4, 5  # enum ggml_log_level; below is debugging
_KEPT_LOG_LINES = 300

log = logging.getLogger("llama.cpp")


class AbortFlag:
    """A flag, set from any thread, that makes a running `llama_decode` return at its next node.

    A Python callback would take the interpreter's lock at every graph node. libc's `strlen` over
    two bytes does the same natively: the length of "" is false, that of "\\1" is true.
    """

    def __init__(self) -> None:
        self._text = (ctypes.c_ubyte * 2)(0, 0)
        strlen = _strlen_address()
        self.callback: Any = (
            lib.ggml_abort_callback(strlen)
            if strlen
            else lib.ggml_abort_callback(lambda _: self.is_set())
        )

    @property
    def address(self) -> int:
        """The argument of the abort callback."""
        return ctypes.addressof(self._text)

    def set(self) -> None:
        """Abort the current computation, and further ones until `clear`."""
        self._text[0] = 1

    def clear(self) -> None:
        """Let computations run again."""
        self._text[0] = 0

    def is_set(self) -> bool:
        """Return True if computations must stop."""
        return bool(self._text[0])


def _strlen_address() -> int | None:
    try:
        libc = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
        return ctypes.cast(libc.strlen, ctypes.c_void_p).value
    except (OSError, AttributeError):
        return None


class NativeLog:
    """Takes over llama.cpp's log: warnings and errors go to `logging`, the last lines are kept.

    Within `silent_if`, less goes to `logging`. `on_line` gets every line, or piece of one.
    """

    def __init__(self) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=_KEPT_LOG_LINES)
        self._level = _INFO
        self._is_silent: Callable[[], bool] = lambda: False
        self.on_line: Callable[[str], None] = lambda line: None
        self._callback = lib.llama_log_callback(self._receive)
        lib.llama_log_set(self._callback, None)
        # The libraries outlive the interpreter and may still log: not into a dead callback.
        atexit.register(lib.llama_log_set, lib.llama_log_callback(), None)

    def clear(self) -> None:
        """Drop the lines so far."""
        self._lines.clear()

    def lines(self) -> list[str]:
        """Return the last lines, oldest first, without debugging output."""
        return [line for _, line in self._lines]

    def errors(self) -> list[str]:
        """Return the last lines that llama.cpp logs as errors, oldest first."""
        return [line for level, line in self._lines if level == _ERROR]

    @contextmanager
    def silent_if(self, is_silent: Callable[[], bool]) -> Iterator[None]:
        """Inside, keep from `logging` what llama.cpp says while `is_silent()`."""
        outside, self._is_silent = self._is_silent, is_silent
        try:
            yield
        finally:
            self._is_silent = outside

    def _receive(self, level: int, text: bytes, _user_data: Any) -> None:
        if level != _CONTINUED:
            self._level = level
        if self._level < _INFO or level == _CONTINUED:
            return
        line = text.decode("utf-8", "replace").rstrip()
        self._lines.append((level, line))
        self.on_line(line)
        if level >= _WARNING and not self._is_silent():
            log.log(logging.ERROR if level == _ERROR else logging.WARNING, "%s", line)


@functools.cache
def native_log() -> NativeLog:
    """Return the one log of this process. Never freed: a freed callback is a segmentation fault."""
    return NativeLog()


@functools.cache
def start_backends() -> str:
    """Initialize llama.cpp; return its code for this processor ("haswell"), if it has several.

    A build for any computer has its backends as modules. ggml looks for them only beside the
    executable, so it gets their folder here: it takes the best CPU module, and leaves out those
    that cannot be loaded here, such as CUDA's without a driver.
    """
    native = native_log()
    if not ggml("ggml_backend_dev_count", ctypes.c_size_t)():
        load = ggml("ggml_backend_load_all_from_path", None, ctypes.c_char_p)
        load(os.fsencode(lib._base_path))
    lib.llama_backend_init()
    # ggml does not keep the name, but logs the file.
    found = re.search(r"loaded CPU backend from .*ggml-cpu-(\w+)\.", "\n".join(native.lines()))
    return found[1] if found else ""


@functools.cache
def ggml(name: str, result: Any, *arguments: Any) -> Any:
    """Return a function by its ctypes from the ggml libraries, which are beside libllama.

    Raises `AttributeError` when the build has no such function.
    """
    for library in (lib._lib, *map(ctypes.CDLL, _ggml_libraries())):
        # A separate prototype: other code may use the shared function object.
        if hasattr(library, name):
            return ctypes.CFUNCTYPE(result, *arguments)((name, library))
    raise AttributeError(f"{name} is in no library of {lib._base_path.name}")


def _ggml_libraries() -> list[str]:
    """Return the libraries that every computer can load: no CPU variants, none with a driver."""
    return [
        str(file)
        for file in sorted(lib._base_path.iterdir())
        if file.stem.removeprefix("lib") in ("ggml", "ggml-base", "ggml-rpc")
        and file.suffix in (".so", ".dylib", ".dll")
    ]
