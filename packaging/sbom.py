"""The bill of materials of a bundle, as CycloneDX 1.6 (ECMA-424) in JSON. Standard library only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from origins import Part


def document(folder: Path, version: str, parts: Sequence[Part]) -> dict[str, Any]:
    """Return the bill of `folder`: the same for the same content.

    Its time is SOURCE_DATE_EPOCH (seconds) where that is set; it has no serial number, because that
    would have to be random.
    """
    app = {"type": "application", "bom-ref": "chatdesk", "name": "ChatDesk", "version": version}
    metadata: dict[str, Any] = {"component": app | licensed("Apache-2.0")}
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        metadata["timestamp"] = datetime.fromtimestamp(int(epoch), UTC).isoformat()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": [component(folder, part) for part in parts],
        "dependencies": [{"ref": "chatdesk", "dependsOn": [part.purl for part in parts]}],
    }


def component(folder: Path, part: Part) -> dict[str, Any]:
    """Return one part, with the hash of each file; Python code is in the program, without one."""
    found = {"type": "library", "bom-ref": part.purl, "name": part.name, "purl": part.purl}
    found |= {"version": part.version} if part.version else {}
    files = [
        {
            "type": "file",
            "name": path.relative_to(folder).as_posix(),
            "hashes": [{"alg": "SHA-256", "content": sha256(path)}],
        }
        for path in sorted(part.files)
    ]
    return found | licensed(part.licence) | ({"components": files} if files else {})


def licensed(expression: str) -> dict[str, Any]:
    """Return a component's licence as an expression, which may also be a single name."""
    return {"licenses": [{"expression": expression}]}


def sha256(path: Path) -> str:
    """Return a file's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
