"""Devices of other computers, through llama.cpp's RPC backend.

The functions are declared in `ggml-rpc.h`. llama.cpp ends the process when the other computer does
not answer correctly, so this module checks that first.
"""

import ctypes
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chatdesk.core.generation import FailureCode
from chatdesk.inference.native.bindings import ggml
from chatdesk.inference.native.devices import NativeDevice, native_device
from chatdesk.inference.native.load_errors import LoadError

_PATIENCE_S = 3.0
_PROTOCOL = (7, 0)  # RPC_PROTO_MAJOR_VERSION and _MINOR_; a test asks the real server
# RPC_CMD_HELLO with its 24 bytes of connection options: none. See ggml-rpc.cpp.
_HELLO = struct.pack("<BQ24x", 14, 24)
_ANSWER = struct.Struct("<QBBBx24x")  # its size, and the server's version


def remote_devices(address: str) -> tuple[NativeDevice, ...]:
    """Return the devices that the computer at "host:port" lends. Raises `LoadError`."""
    check_answers(address)
    try:
        add = ggml("ggml_backend_rpc_add_server", ctypes.c_void_p, ctypes.c_char_p)
    except AttributeError:
        raise _problem("this llama.cpp cannot use other computers") from None
    # The devices are not registered with ggml: its list would then query a computer that has gone.
    server = add(address.encode())
    if not server:
        raise _problem(f"{address} lends nothing")
    count = ggml("ggml_backend_reg_dev_count", ctypes.c_size_t, ctypes.c_void_p)(server)
    get = ggml("ggml_backend_reg_dev_get", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    return tuple(native_device(get(server, index), address) for index in range(count))


def check_answers(address: str) -> None:
    """Shake hands with a computer that lends its devices. Raises `LoadError`."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise _problem(f"“{address}” is not an address like 192.168.1.20:50052")
    try:
        # llama.cpp knows IPv4 only.
        connection = socket.create_connection((socket.gethostbyname(host), int(port)), _PATIENCE_S)
    except (OSError, UnicodeError):  # UnicodeError: an impossible host name
        raise _problem(f"{address} does not answer") from None
    with connection, connection.makefile("rb") as incoming:
        try:
            connection.sendall(_HELLO)
            answer = incoming.read(_ANSWER.size)
        except TimeoutError:  # llama.cpp serves one at a time
            raise _problem(f"{address} is busy with another computer") from None
        except OSError:
            answer = b""
    if len(answer) != _ANSWER.size:
        raise _problem(f"{address} is no computer that lends its devices")
    _, major, minor, _ = _ANSWER.unpack(answer)
    if major != _PROTOCOL[0] or minor > _PROTOCOL[1]:
        raise _problem(f"{address} runs another version of ChatDesk")


@contextmanager
def connected(devices: Sequence[NativeDevice]) -> Iterator[None]:
    """Keep the connections open; llama.cpp closes them as soon as nothing of ours uses them.

    Another client could then connect first, and we would wait for it.
    """
    init = ggml("ggml_backend_dev_init", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
    free = ggml("ggml_backend_free", None, ctypes.c_void_p)
    backends = [init(device.handle, None) for device in devices if device.address]
    try:
        yield
    finally:
        for backend in backends:
            free(backend)


def _problem(reason: str) -> LoadError:
    return LoadError(FailureCode.DEVICE, reason)
