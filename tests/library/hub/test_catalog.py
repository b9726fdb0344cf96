"""The list of recommended models: the one in the app, and fetched ones."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.paths import assets_dir
from chatdesk.library.hub.catalog import (
    CATALOG_FILE,
    MAX_CATALOG,
    PURPOSES,
    header_of,
    keep_catalog,
    newest_catalog,
    read_catalog,
)
from chatdesk.library.hub.variants import quantization_of

BUILT_IN = (assets_dir() / CATALOG_FILE).read_bytes()


def changed(**values: Any) -> bytes:
    """Return the built-in list with one entry, with these values changed."""
    catalog = json.loads(BUILT_IN)
    return json.dumps(catalog | {"entries": [catalog["entries"][0] | values]}).encode()


def test_the_built_in_list_serves_every_purpose_and_size() -> None:
    entries = read_catalog(BUILT_IN).entries
    assert {purpose for entry in entries for purpose in entry.purposes} == set(PURPOSES)
    assert list(entries) == sorted(entries, key=lambda entry: entry.bytes)
    assert entries[0].bytes < 1e9
    assert 30e9 < entries[-1].bytes < 64e9
    for entry in entries:
        assert set(entry.summary) == {"en", "zh_CN"}
        assert quantization_of(entry.file) == entry.quantization
        bits = 8 * entry.bytes / entry.parameters
        assert bits == pytest.approx(8.5 if entry.quantization == "Q8_0" else 4.9, abs=1.0)
        assert entry.kv_bytes_per_token % 4096 == 0  # 2 x 2 bytes x layers x heads x dimension
    assert len({entry.repo for entry in entries}) == len(entries)


def test_a_header_reads_only_the_active_weights_of_a_mixture() -> None:
    entries = {entry.name: entry for entry in read_catalog(BUILT_IN).entries}
    mixture = header_of(entries["Qwen3 30B A3B"])
    assert 0.08 < mixture.decode_bytes / mixture.bytes < 0.15
    dense = header_of(entries["Qwen3 32B"])
    assert dense.decode_bytes == dense.bytes


def test_the_newer_list_is_used(tmp_path: Path) -> None:
    built_in, kept = read_catalog(BUILT_IN), tmp_path / "data" / CATALOG_FILE
    assert newest_catalog(kept) == built_in
    newer = replace(built_in, version=built_in.version + 1, entries=built_in.entries[:2])
    keep_catalog(newer, kept)
    assert newest_catalog(kept) == newer
    keep_catalog(replace(newer, version=built_in.version - 1 or 1), kept)
    assert newest_catalog(kept) == built_in
    kept.write_bytes(b"{damaged")
    assert newest_catalog(kept) == built_in


def test_a_list_that_cannot_be_saved_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem, match="could not be saved"):
        keep_catalog(read_catalog(BUILT_IN), tmp_path / "file" / CATALOG_FILE)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[" * 10_000,
        b'{"version": 1, "day": "2026-01-01", "entries": []}',
        b'{"version": 0, "day": "2026-01-01", "entries": []}',
        BUILT_IN[:-100],
        BUILT_IN + b" " * MAX_CATALOG,
        changed(repo="../../etc"),
        changed(file="../m.gguf"),
        changed(file="m.exe"),
        changed(bytes=-1),
        changed(bytes=1 << 62),
        changed(bytes="many"),
        changed(parameters=0),
        changed(active_parameters=10**15),
        changed(purposes=["spam"]),
        changed(summary={}),
        changed(summary={"en": "x" * 1000}),
        changed(name="two\nlines"),
    ],
    ids=lambda text: repr(text[-40:]),
)
def test_a_damaged_list_is_refused(text: bytes) -> None:
    with pytest.raises(EnvironmentProblem, match="is damaged"):
        read_catalog(text)


def test_a_sound_entry_is_taken() -> None:
    (entry,) = read_catalog(changed(name="Another")).entries
    assert entry.name == "Another"
    assert msgspec.to_builtins(entry)["name"] == asdict(entry)["name"]
