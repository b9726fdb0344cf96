"""The process that lends this computer's devices to llama.cpp on other computers.

llama.cpp's server never returns, so it has its own process. It ends with its stdin, that is, with
its parent. stdout belongs to llama.cpp, which logs to it.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Sequence

from chatdesk.inference.native.bindings import ggml, start_backends
from chatdesk.inference.native.devices import local_devices
from chatdesk.inference.native.thread_count import useful_threads
from chatdesk.workers.channel import lines

FAILURE = 1


def main(arguments: Sequence[str]) -> int:
    """Serve at the host and port, with the thread count (0 chooses it), given as `arguments`.

    Returns only when that is impossible; stderr then has the reason.
    """
    host, port, threads = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to handle
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # a crash need not wait for a debugger
    start_backends()
    present = local_devices()
    gpus = [each for each in present if each.device.kind in ("gpu", "igpu")]
    lent = gpus or [each for each in present if each.device.kind == "cpu"]
    handles = (ctypes.c_void_p * len(lent))(*(each.handle for each in lent))
    size, text = ctypes.c_size_t, ctypes.c_char_p
    try:
        serve = ggml("ggml_backend_rpc_start_server", None, text, text, size, size, type(handles))
    except AttributeError:
        sys.stderr.write("this llama.cpp cannot lend devices\n")
        return FAILURE
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    serve(f"{host}:{port}".encode(), None, int(threads) or useful_threads(), len(lent), handles)
    return FAILURE


def _end_with_stdin() -> None:
    for _ in lines(0):
        pass
    os._exit(0)  # the main thread never returns from llama.cpp
