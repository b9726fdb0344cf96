"""For those who publish ChatDesk: make the key pair of the update check, and sign its file.

    .venv/bin/python packaging/sign_update.py key PRIVATE.pem
    .venv/bin/python packaging/sign_update.py sign PRIVATE.pem update.json > update.signed

The first writes a new private key, readable by its owner alone, and prints the line for
`chatdesk/services/system/updates.py`. The second refuses what the app would refuse.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.library.hub.signed_file import MAX_SIGNED
from chatdesk.services.system.updates import PUBLIC_KEY, read_release


def make_key(private: Path) -> str:
    """Write a new private key to a new file; return the constant with its public key.

    Raises `OSError`.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return f'PUBLIC_KEY = bytes.fromhex("{key.public_key().public_bytes_raw().hex()}")'


def sign(private: Path, body: bytes, public_key: bytes = PUBLIC_KEY) -> bytes:
    """Return the signed file. Raises `EnvironmentProblem`, `OSError` and `ValueError`."""
    read_release(body)
    key = load_pem_private_key(private.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{private} is not an Ed25519 key")
    if key.public_key().public_bytes_raw() != public_key:
        raise ValueError(f"{private} does not belong to PUBLIC_KEY of services/system/updates.py")
    signed = base64.b64encode(key.sign(body)) + b"\n" + body
    if len(signed) > MAX_SIGNED:
        raise ValueError(f"signed, these are {len(signed)} bytes; at most {MAX_SIGNED} are read")
    return signed


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key").add_argument("private", type=Path)
    signing = commands.add_parser("sign")
    signing.add_argument("private", type=Path)
    signing.add_argument("json", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "key":
            print(make_key(options.private))
        else:
            sys.stdout.buffer.write(sign(options.private, options.json.read_bytes()))
    except (EnvironmentProblem, OSError, ValueError) as problem:
        print(f"sign_update.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
