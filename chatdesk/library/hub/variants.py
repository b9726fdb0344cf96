"""The model files of a repository, by quantization, as repositories name them."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from chatdesk.core.hub import HubFile, Variant
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit
from chatdesk.formats.gguf.parts import is_further_part, parts_of

BESIDES = ("mmproj", "imatrix")  # in names of GGUF files that are not chat models
MAX_PATH = 512
SENSIBLE_BITS = range(4, 9)  # fewer cost much quality, more have no noticeable gain
ENOUGH_TOKENS_PER_S = 8.0  # faster than most people read
HEADROOM = 0.8  # of the free memory, so that other programs keep running

_QUANTIZATION = re.compile(
    r"(?<![A-Za-z0-9])"
    r"((?:UD-)?I?Q\d(?:_(?:K|NL|XXS|XS|S|M|L|XL|XXL|\d))*|TQ\d_\d|MXFP4(?:_MOE)?|BF16|FP?16|FP?32)"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def is_safe_path(path: str) -> bool:
    """Return True if a path of a repository stays below it, on every system."""
    return (
        len(path) <= MAX_PATH
        and path.isprintable()
        and not set(path) & set('\\:*?"<>|')
        and all(part.strip(" .") for part in path.split("/"))
    )


def variants_of(files: Sequence[HubFile]) -> tuple[Variant, ...]:
    """Return the models among a repository's files, the smallest first.

    Parts of a split one are together and in order; a set with a part missing is left out.
    """
    by_path = {file.path: file for file in files if _is_model(file)}
    found = []
    for path in map(Path, by_path):
        parts = [part.as_posix() for part in parts_of(path)]
        if not is_further_part(path) and all(part in by_path for part in parts):
            whole = tuple(by_path[part] for part in parts)
            found.append(Variant(quantization_of(parts[0]), whole))
    return tuple(sorted(found, key=lambda variant: (variant.bytes, variant.files[0].path)))


def quantization_of(path: str) -> str:
    """Return the quantization in a file's or its folder's name; else the name without extension.

    The last one in the name counts: "Q8_0" in "DeepSeek-R1-Q8_0.gguf".
    """
    file = PurePosixPath(path)
    for name in (file.stem, file.parent.name):
        if named := _QUANTIZATION.findall(name):
            return str(named[-1]).upper().replace("FP16", "F16").replace("FP32", "F32")
    return file.stem


def recommended(
    variants: Sequence[Variant], estimates: Sequence[Estimate | None], memory_available: int
) -> int | None:
    """Return the recommended variant: the largest sensible quantization that runs well here.

    Models that fit on the GPU come first, then those that the CPU runs at a reading pace, then any
    that fit. None when there is none.
    """
    ranks = [
        (_rank(variant, estimate, memory_available), at)
        for at, (variant, estimate) in enumerate(zip(variants, estimates, strict=True))
        if estimate is not None and estimate.fit is not Fit.TOO_LARGE
    ]
    return max(ranks)[1] if ranks else None


def runs_well(estimate: Estimate, memory_available: int) -> bool:
    """Return True if the model fits on the GPU, or has enough memory and speed on the CPU."""
    if estimate.fit is Fit.GPU:
        return True
    is_fast = not estimate.tokens_per_s or estimate.tokens_per_s >= ENOUGH_TOKENS_PER_S
    has_room = estimate.memory_bytes <= HEADROOM * memory_available
    return estimate.fit is Fit.CPU and is_fast and has_room


def _rank(
    variant: Variant, estimate: Estimate, memory_available: int
) -> tuple[bool, bool, bool, int]:
    """Return the rank: larger is better. Among those that run badly, the smallest is."""
    well = runs_well(estimate, memory_available)
    bits = _bits(variant.quantization)
    size = variant.bytes if well and bits <= max(SENSIBLE_BITS) else -variant.bytes
    return well, bits in SENSIBLE_BITS, estimate.fit is Fit.GPU, size


def _bits(quantization: str) -> int:
    """Return the approximate bits of one weight; 0 where the name does not say."""
    digits = re.search(r"\d+", quantization) if _QUANTIZATION.fullmatch(quantization) else None
    return int(digits[0]) if digits else 0


def _is_model(file: HubFile) -> bool:
    name = PurePosixPath(file.path).name.lower()
    return name.endswith(".gguf") and not any(other in name for other in BESIDES)
