"""Makes a model file smaller, as llama.cpp's own quantize tool does."""

import ctypes
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llama_cpp import llama_cpp as lib

from chatdesk.core.generation import Failed, FailureCode
from chatdesk.core.loading import Quantize, Quantized, QuantizeProgress
from chatdesk.core.protocol import Event
from chatdesk.inference.native.bindings import native_log
from chatdesk.inference.native.load_errors import LoadError, check_file, classify

_TENSOR = re.compile(r"^\[ *(\d+)/ *(\d+)\]")  # the beginning of llama.cpp's line on each tensor
_NOT_WRITTEN = "iostream error"  # all that a C++ stream reports about a full disk


def quantize(request: Quantize, send: Callable[[Event], None]) -> Quantized | Failed:
    """Write the smaller file; return the terminal event. After a failure it is not a model."""
    started = time.monotonic()
    try:
        _write(request, lambda fraction: send(QuantizeProgress(request.request_id, fraction)))
    except LoadError as problem:
        return Failed(request.request_id, problem.code, problem.detail)
    size = Path(request.target).stat().st_size
    return Quantized(request.request_id, size, time.monotonic() - started)


def _write(request: Quantize, on_progress: Callable[[float], None]) -> None:
    """Write the file. Raises `LoadError`."""
    source = Path(request.path)
    check_file(source)
    parameters = lib.llama_model_quantize_default_params()
    parameters.ftype = _file_type(request.quantization)
    parameters.nthread = request.threads
    parameters.allow_requantize = True  # that is the user's choice
    with _heard(on_progress):
        refused = lib.llama_model_quantize(
            str(source).encode(), request.target.encode(), ctypes.byref(parameters)
        )
    if refused:
        log = native_log()
        if any(_NOT_WRITTEN in line for line in log.errors()):
            raise LoadError(FailureCode.NOT_WRITTEN, request.target)
        raise classify(log.lines(), log.errors(), FailureCode.NOT_QUANTIZED)


def _file_type(name: str) -> int:
    """Return the `enum llama_ftype` of a name. Raises `LoadError`."""
    number = getattr(lib, f"LLAMA_FTYPE_MOSTLY_{name}", None)
    if not isinstance(number, int):
        raise LoadError(FailureCode.PARAMETER, f"no type {name}")
    return number


@contextmanager
def _heard(on_progress: Callable[[float], None]) -> Iterator[None]:
    """Pass on the progress, which llama.cpp reports only in its log."""

    def on_line(line: str) -> None:
        if found := _TENSOR.match(line):
            on_progress(int(found[1]) / max(1, int(found[2])))

    log = native_log()
    log.clear()
    before, log.on_line = log.on_line, on_line
    try:
        yield
    finally:
        log.on_line = before
