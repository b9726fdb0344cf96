"""A stand-in hub with a few repositories to be found."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.gguf_files import write_model
from tests.hub_content import HubFile
from tests.stand_in_hub import StandInHub

CARD = "# Qwen3 4B\n\n" + "A small model that thinks before it answers. " * 12
SIZES = {"Q4_K_M": 2_500_000_000, "Q5_K_M": 2_900_000_000, "Q8_0": 4_300_000_000, "BF16": 8 * 10**9}


class _LargeFile(HubFile):
    """A file with a beginning, and nothing but zeros after it."""

    def read(self, start: int, end: int, chunk: int) -> Iterator[bytes]:
        assert isinstance(self.content, bytes)
        for at in range(start, end, chunk):
            until = min(at + chunk, end)
            yield self.content[at:until].ljust(until - at, b"\0")


@contextmanager
def filled_hub() -> Iterator[StandInHub]:
    """The hub while it is entered; its files say that they are large."""
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(Path(folder, "model.gguf")).read_bytes()
    with StandInHub() as hub:
        for repo, gated, downloads in (
            ("maker/Qwen3-4B-GGUF", False, 1_234_567),
            ("maker/Shy-Qwen-GGUF", True, 890),
            ("a-maker-with-a-long-name/Qwen3-4B-that-has-a-very-long-name-GGUF", False, 12),
        ):
            files = {f"Qwen3-4B-{kind}.gguf": b"" for kind in SIZES}
            date = datetime(2026, 3, 1, tzinfo=UTC)
            likes = downloads // 900
            hub.add(
                repo, files, card=CARD, gated=gated, downloads=downloads, likes=likes, updated=date
            )
            kept = hub._repositories[repo].files
            for kind, size in SIZES.items():
                kept[f"Qwen3-4B-{kind}.gguf"] = _LargeFile(model, size, "0" * 64, True)
        yield hub
