"""PEFT's `adapter_config.json`: the strength of a LoRA adapter; unknown settings are refused.

The settings are those of `LoraConfig` (peft, `tuners/lora/config.py`).
"""

import re
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Annotated, Any

import msgspec

from chatdesk.core.errors import AdapterProblem
from chatdesk.core.i18n import tr
from chatdesk.library.bounded_walk import read_small

CONFIG = "adapter_config.json"

_READ = ("peft_type", "lora_alpha", "use_rslora", "alpha_pattern", "init_lora_weights")
_OF_TRAINING = """
    auto_mapping base_model_name_or_path corda_config ensure_weight_tying eva_config exclude_modules
    inference_mode layers_pattern layers_to_transform loftq_config lora_dropout lora_ga_config
    megatron_config megatron_core peft_version qalora_group_size r rank_pattern revision
    runtime_config target_modules task_type
"""  # or visible in the tensors, too
# Every other setting is refused: an adapter that is almost understood is worse than none.
_UNDERSTOOD = frozenset((*_READ, *_OF_TRAINING.split()))
_BASE_KEPT = (None, True, False, "gaussian", "orthogonal", "eva")  # others change the base, too
_UNSET: tuple[object, ...] = (None, False, "none", [], {})
_LITERAL = re.compile(r"[\w.]+")
_MAX_SHOWN = 100

_Alpha = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class PeftConfig(msgspec.Struct, frozen=True):
    """The strength of an adapter; `alpha_pattern` has it for ends of modules' names."""

    lora_alpha: _Alpha
    use_rslora: bool | None = False
    alpha_pattern: dict[str, _Alpha] | None = None

    def alpha(self, module: str, rank: int) -> float:
        """Return the alpha of a module for llama.cpp, which multiplies by alpha / rank.

        Rank-stabilized LoRA multiplies by alpha / sqrt(rank).
        """
        stated = (
            alpha
            for end, alpha in (self.alpha_pattern or {}).items()
            if f".{module}".endswith(f".{end}")
        )
        alpha = next(stated, self.lora_alpha)
        return alpha * sqrt(rank) if self.use_rslora else alpha


def read_config(weights: Path) -> PeftConfig:
    """Read the configuration beside an adapter's weights. Raises `AdapterProblem`."""
    content = read_small(weights.with_name(CONFIG))
    if not content:
        raise AdapterProblem(
            tr("There is no “{config}” beside “{file}”.", config=CONFIG, file=weights.name),
            tr("Put it there: it says how strong the adapter is."),
        )
    try:
        stated = msgspec.json.decode(content, type=dict[str, Any])
        if stated.get("peft_type") != "LORA":
            what = tr("“{file}” is not a LoRA adapter.", file=weights.name)
            raise AdapterProblem(what, tr("Choose another file."))
        config = msgspec.convert(stated, PeftConfig)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise damaged(CONFIG) from None
    if setting := _not_understood(stated):
        raise unsupported(weights, setting)
    return config


def _not_understood(stated: Mapping[str, Any]) -> str | None:
    """Return a setting that makes an adapter something else than W + BA · alpha / rank."""
    if stated.get("init_lora_weights") not in _BASE_KEPT:
        return "init_lora_weights"
    if not all(map(_LITERAL.fullmatch, stated.get("alpha_pattern") or {})):
        return "alpha_pattern"  # it may be any regular expression
    others = stated.keys() - _UNDERSTOOD
    return next((each for each in sorted(others) if stated[each] not in _UNSET), None)


def damaged(file: str) -> AdapterProblem:
    """Return the error for an invalid file of that name."""
    return AdapterProblem(
        tr("“{file}” is damaged or cut short.", file=file),
        tr("Get the file again, or choose another."),
    )


def unsupported(weights: Path, what: str) -> AdapterProblem:
    """Return the error for a setting or a tensor that has no counterpart."""
    shown = what if what.isprintable() else ascii(what)
    name = shown[:_MAX_SHOWN]
    return AdapterProblem(
        tr("“{file}” uses “{what}”, which cannot be imported.", file=weights.name, what=name),
        tr("Choose an adapter made of plain LoRA layers."),
    )
