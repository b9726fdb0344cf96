"""Models of a hub as its widgets are given them, read from nowhere."""

from datetime import UTC, datetime

from chatdesk.core.downloads import Download, DownloadState
from chatdesk.core.hub import CatalogEntry, HubFile, HubModel, HubRepository, Variant
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FITS = Estimate(Fit.GPU, 8192, 3_000_000_000, 41.3)
SLOW = Estimate(Fit.CPU, 8192, 9_000_000_000, 2.34)
TOO_LARGE = Estimate(Fit.TOO_LARGE, 8192, 43 * 1024**3)

FOUND = HubModel("maker/Good-8B-GGUF", 1_234_567, 890, NOW, license="apache-2.0")
GATED = HubModel("maker/Shy-4B-GGUF", 1, 1, gated=True)
REPOSITORY = HubRepository(
    FOUND,
    "0" * 40,
    (
        Variant("Q4_K_M", (HubFile("Good-Q4_K_M.gguf", 5_000_000_000),)),
        Variant(
            "F16",
            tuple(HubFile(f"Good-F16-0000{n}-of-00003.gguf", 5_000_000_000) for n in (1, 2, 3)),
        ),
    ),
    "# Good\n<b>Plain</b>",
)


def entry(name: str, *purposes: str, parameters: int = 4_000_000_000) -> CatalogEntry:
    """A recommended model."""
    return CatalogEntry(
        name=name,
        repo=f"maker/{name}-GGUF",
        file=f"{name}-Q4_K_M.gguf",
        quantization="Q4_K_M",
        bytes=2_500_000_000,
        parameters=parameters,
        context_length=32768,
        kv_bytes_per_token=1000,
        vocabulary=150_000,
        license="Apache-2.0",
        purposes=purposes,
        summary={"en": "A good all-rounder.", "zh_CN": "全能的模型。"},
    )


def download(
    state: DownloadState,
    received: int = 2_100_000_000,
    *,
    id: str = "d",
    problem: str = "",
) -> Download:
    """A model of 5 GB that is being fetched."""
    files = (HubFile("Good-8B-Q4_K_M.gguf", 5_000_000_000),)
    path = "/models/Good-Q4_K_M.gguf" if state is DownloadState.DONE else ""
    return Download(
        id,
        "maker/Good-8B-GGUF",
        "0" * 40,
        "Good-8B-Q4_K_M",
        files,
        state,
        NOW,
        received,
        problem,
        path,
    )
