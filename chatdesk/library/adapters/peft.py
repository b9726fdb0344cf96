"""LoRA adapters in PEFT's format, converted to the GGUF files that llama.cpp loads.

The result is that of llama.cpp's `convert_lora_to_gguf.py`, for the architectures that can be
trained here, too.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chatdesk.core.errors import AdapterProblem, ModelProblem
from chatdesk.core.i18n import tr
from chatdesk.formats.gguf.adapter_writer import NewTensor, write_adapter
from chatdesk.formats.gguf.file import opened
from chatdesk.formats.gguf.model import OUTPUT
from chatdesk.formats.safetensors import StoredTensor, read_safetensors, read_weights
from chatdesk.formats.tensor_names import ARCHITECTURES, LINEARS, PERMUTED
from chatdesk.library.adapters.format import Write
from chatdesk.library.adapters.gguf import AdapterBase, check_shapes, read_base
from chatdesk.library.adapters.peft_config import damaged, read_config, unsupported

if TYPE_CHECKING:
    from numpy import float16
    from numpy.typing import NDArray

WEIGHTS = "adapter_model.safetensors"
MAX_RANK = 4096  # limits a tensor's memory; an adapter has some tens
_RANK_AXIS = {"A": 0, "B": 1}
_HEADS = {  # the metadata with their number; the first that is present counts
    "attn_q": ("attention.head_count",),
    "attn_k": ("attention.head_count_kv", "attention.head_count"),
}
_NAME = re.compile(
    r"((?:(?:base_model|model|language_model)\.)*(?:layers\.([0-9]+)\.([\w.]+)|lm_head))"
    r"\.lora_([AB])(?:\.default)?\.weight"
)


class PeftAdapters:
    """The format of PEFT: weights and a configuration beside them, or their folder."""

    ending = ".safetensors"

    def recognizes(self, path: Path) -> bool:
        """Say whether it is a folder or a file of weights, by its name."""
        return path.is_dir() or path.suffix.lower() == self.ending

    def name_of(self, path: Path) -> str:
        """Return the name of the folder, where the weights have the name that all have."""
        weights = _weights(path)
        return weights.parent.resolve().name if weights.name == WEIGHTS else weights.stem

    def fitted(self, path: Path, model: Path) -> Write:
        """Check that an adapter fits a model; it is converted. Raises `AdapterProblem`."""
        return PeftAdapter(_weights(path), model).write


def _weights(path: Path) -> Path:
    return path / WEIGHTS if path.is_dir() else path


class _Pair(NamedTuple):
    """A (rank, inputs) and B (outputs, rank) of a module; `heads` where rows are permuted."""

    module: str
    a: StoredTensor
    b: StoredTensor
    heads: int

    @property
    def rank(self) -> int:
        return self.a.shape[0]


class PeftAdapter:
    """An adapter that fits a model, as far as its header shows."""

    def __init__(self, path: Path, model: Path) -> None:
        """Read the header. Raises `AdapterProblem`."""
        self._path = path
        base = read_base(model)
        self._architecture = str(base.metadata.get("general.architecture"))
        if self._architecture not in ARCHITECTURES:
            raise _unsupported_model(self._architecture)
        stored = _read_stored(path)
        self._config = read_config(path)
        self._pairs = _pairs(path, stored, base)
        # llama.cpp knows one alpha; with the largest, none of the weights becomes larger.
        self._alpha = max(self._alpha_of(pair) for pair in self._pairs.values())

    def write(self, place: Path) -> None:
        """Write it in GGUF. Raises `OSError`, and `AdapterProblem` for non-finite weights."""
        tensors = []
        for name, pair in self._pairs.items():
            read_a, read_b = partial(self._numbers, pair.a), partial(self._b, pair)
            tensors.append(NewTensor(f"{name}.lora_a", pair.a.shape, read_a))
            tensors.append(NewTensor(f"{name}.lora_b", pair.b.shape, read_b))
        write_adapter(place, self._architecture, self._alpha, tensors)

    def _alpha_of(self, pair: _Pair) -> float:
        return self._config.alpha(pair.module, pair.rank)

    def _b(self, pair: _Pair) -> "NDArray[float16]":
        """Return B in llama.cpp's order: `LlamaModel.permute` of its `convert_hf_to_gguf.py`."""
        numbers = self._numbers(pair.b, self._alpha_of(pair) / self._alpha)
        if not pair.heads:
            return numbers
        halves = numbers.reshape(pair.heads, 2, -1, pair.rank)
        return halves.swapaxes(1, 2).reshape(pair.b.shape)

    def _numbers(self, tensor: StoredTensor, factor: float = 1.0) -> "NDArray[float16]":
        import numpy as np  # only on demand: the window must stay light

        numbers = read_weights(self._path, tensor)
        if numbers is None or (abs(numbers) > np.finfo(np.float16).max).any():
            raise damaged(self._path.name)
        return (numbers * np.float32(factor)).astype(np.float16)


def _read_stored(path: Path) -> Mapping[str, StoredTensor]:
    try:
        with opened(path) as reader:
            return read_safetensors(reader)
    except ModelProblem as problem:
        raise AdapterProblem(problem.what, tr("Get the file again, or choose another.")) from None


def _pairs(
    path: Path, stored: Mapping[str, StoredTensor], base: AdapterBase
) -> Mapping[str, _Pair]:
    """Return A and B by the names of the model's tensors in GGUF."""
    halves: dict[str, dict[str, StoredTensor]] = {}
    modules: dict[str, str] = {}
    for name, tensor in stored.items():
        module, target, half = _place(path, name, base)
        found = halves.setdefault(target, {})
        rank = tensor.shape[_RANK_AXIS[half]] if len(tensor.shape) == 2 else 0
        if half in found or not 0 < rank <= MAX_RANK:
            raise damaged(path.name)
        found[half] = tensor
        modules[target] = module
    if not halves or any(len(found) < 2 for found in halves.values()):
        raise damaged(path.name)
    shapes = {name: (two["A"].shape[::-1], two["B"].shape[::-1]) for name, two in halves.items()}
    check_shapes(path, shapes, base)
    return {
        name: _Pair(modules[name], two["A"], two["B"], _heads(name, two["B"].shape[0], base))
        for name, two in halves.items()
    }


def _place(path: Path, name: str, base: AdapterBase) -> tuple[str, str, str]:
    """Return a tensor's module, the model's tensor that it changes, and if it is A or B."""
    parts = _NAME.fullmatch(name)
    if not parts:
        raise unsupported(path, name)
    module, layer, linear, half = parts.groups()
    if layer is None and OUTPUT in base.shapes:  # otherwise it shares the embedding's weights
        return module, OUTPUT, half
    if linear not in LINEARS:
        raise unsupported(path, name)
    return module, f"blk.{layer}.{LINEARS[linear]}.weight", half


def _heads(target: str, rows: int, base: AdapterBase) -> int:
    """Return the heads whose rows llama.cpp permutes; 0 where it does not."""
    architecture, kind = base.metadata.get("general.architecture"), target.split(".")[-2]
    if architecture not in PERMUTED or kind not in _HEADS:
        return 0
    keys = [f"{architecture}.{key}" for key in _HEADS[kind]]
    heads = next((base.metadata[key] for key in keys if key in base.metadata), None)
    if not isinstance(heads, int) or heads < 1 or rows % (2 * heads):
        raise _unsupported_model(str(architecture))
    return heads


def _unsupported_model(architecture: str) -> AdapterProblem:
    return AdapterProblem(
        tr("PEFT's adapters cannot be imported for “{name}” models.", name=architecture),
        tr("Convert it with llama.cpp's convert_lora_to_gguf.py, and import that file."),
    )
