"""The parameters of sampling, and presets of them.

A new sampler is one field of `SamplingParams` (range, slider, name for clients) and one line of the
chain in `inference/decoding/sampler.py`. The engine's checks, the server's bodies, the stored
settings and the sliders derive from the field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum, auto
from types import MappingProxyType
from typing import TypeVar

from chatdesk.core.i18n import tr

DRY_BREAKERS = ("\n", ":", '"', "*")  # llama.cpp's own
MAX_STOPS, LONGEST_STOP = 64, 500  # every token is searched for them
MAX_SEED = 2**32 - 2  # the one after it means "random" to llama.cpp
_Number = TypeVar("_Number", int, float)


class SamplerGroup(Enum):
    """The place of a slider."""

    TEMPERATURE = auto()
    USUAL = auto()
    FILTERS = auto()
    DYNAMIC_TEMPERATURE = auto()
    XTC = auto()
    DRY = auto()
    MIROSTAT = auto()
    PENALTIES = auto()


@dataclass(frozen=True, slots=True)
class Slider:
    """The slider of a parameter: a useful part of its range, in steps.

    `words` makes its name and a hint in the language of the moment. The slider is shown while the
    field `needs` is on; "" for always.
    """

    group: SamplerGroup
    low: float
    high: float
    step: float
    words: Callable[[], tuple[str, str]]
    needs: str = ""


@dataclass(frozen=True, slots=True)
class SamplerNumber:
    """A field of `SamplingParams` that is a number from `low` to `high`; clients call it `api`."""

    name: str
    kind: type[int] | type[float]
    low: float
    high: float
    slider: Slider | None
    api: str


def _number(
    default: _Number, low: float, high: float, slider: Slider | None = None, api: str = ""
) -> _Number:
    return field(default=default, metadata={"number": (type(default), low, high, slider, api)})


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """The parameters that choose the next token; the names are llama.cpp's.

    Off are: `temperature` 0 (greedy, whatever else is set), `dynatemp_range` 0, `top_k` 0, `top_p`
    1, `min_p` 0, `typical_p` 1, `top_n_sigma` 0, `xtc_probability` 0, `dry_multiplier` 0,
    `mirostat` 0, `repeat_penalty` 1, the other penalties 0. Penalties look back `repeat_last_n`
    tokens, DRY `dry_last_n` (-1 is the whole context). With `mirostat` 1 or 2 the filters (`top_k`
    to `xtc_probability`) and dynamic temperature are not used. `logit_bias` adds to the logits of
    tokens; -100 and less forbids one, because JSON has no infinity.

    `seed` None draws a new one; `max_tokens` None goes on to the end of the context window; `stop`
    strings end the answer and are not part of it.
    """

    temperature: float = _number(
        0.7, 0, 100,
        Slider(SamplerGroup.TEMPERATURE, 0, 2, 0.05,
               lambda: (tr("Temperature"), tr("0 always takes the likeliest word."))),
    )  # fmt: skip
    top_k: int = _number(
        40, 0, 2**31 - 1,
        Slider(SamplerGroup.USUAL, 0, 100, 1,
               lambda: (tr("Top-k"), tr("How many words are considered; 0 is all."))),
    )  # fmt: skip
    top_p: float = _number(
        0.95, 0, 1,
        Slider(SamplerGroup.USUAL, 0, 1, 0.01,
               lambda: (tr("Top-p"), tr("The share of likelihood considered; 1 is all."))),
    )  # fmt: skip
    min_p: float = _number(
        0.05, 0, 1,
        Slider(SamplerGroup.USUAL, 0, 0.5, 0.01,
               lambda: (tr("Min-p"), tr("Drops words much less likely than the best."))),
    )  # fmt: skip
    repeat_penalty: float = _number(
        1.1, 0.01, 100,
        Slider(SamplerGroup.USUAL, 1, 1.5, 0.01,
               lambda: (tr("Repetition penalty"), tr("1 is off; more avoids repeats."))),
    )  # fmt: skip
    repeat_last_n: int = _number(64, 0, 2**16)
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    dynatemp_range: float = _number(
        0.0, 0, 100,
        Slider(SamplerGroup.DYNAMIC_TEMPERATURE, 0, 2, 0.05,
               lambda: (tr("Range"),
                        tr("How far the temperature moves with the model's certainty; 0 is off."))),
    )  # fmt: skip
    dynatemp_exponent: float = _number(
        1.0, 0, 10,
        Slider(SamplerGroup.DYNAMIC_TEMPERATURE, 0.1, 5, 0.1,
               lambda: (tr("Exponent"), tr("How certainty is turned into temperature.")),
               needs="dynatemp_range"),
    )  # fmt: skip
    typical_p: float = _number(
        1.0, 0, 1,
        Slider(SamplerGroup.FILTERS, 0, 1, 0.01,
               lambda: (tr("Typical"), tr("Prefers words of typical surprise; 1 is off."))),
    )  # fmt: skip
    top_n_sigma: float = _number(
        0.0, 0, 100,
        Slider(SamplerGroup.FILTERS, 0, 5, 0.1,
               lambda: (tr("Top-n-sigma"),
                        tr("Drops words more than this many standard deviations below the "
"best; 0 is off."))),
    )  # fmt: skip
    xtc_probability: float = _number(
        0.0, 0, 1,
        Slider(SamplerGroup.XTC, 0, 1, 0.01,
               lambda: (tr("Probability"),
                        tr("How often the likeliest words are left out, for variety; 0 is off."))),
    )  # fmt: skip
    xtc_threshold: float = _number(
        0.1, 0, 1,
        Slider(SamplerGroup.XTC, 0, 0.5, 0.01,
               lambda: (tr("Threshold"), tr("Only words likelier than this are left out.")),
               needs="xtc_probability"),
    )  # fmt: skip
    dry_multiplier: float = _number(
        0.0, 0, 100,
        Slider(SamplerGroup.DRY, 0, 5, 0.05,
               lambda: (tr("Strength"), tr("Avoids repeating whole phrases; 0 is off."))),
    )  # fmt: skip
    dry_base: float = _number(
        1.75, 1, 10,
        Slider(SamplerGroup.DRY, 1, 4, 0.05,
               lambda: (tr("Growth"), tr("How fast the penalty grows with the phrase.")),
               needs="dry_multiplier"),
    )  # fmt: skip
    dry_allowed_length: int = _number(
        2, 0, 2**16,
        Slider(SamplerGroup.DRY, 1, 20, 1,
               lambda: (tr("Allowed length"),
                        tr("Phrases of up to this many tokens may be repeated.")),
               needs="dry_multiplier"),
    )  # fmt: skip
    dry_last_n: int = _number(-1, -1, 2**20, api="dry_penalty_last_n")
    dry_breakers: tuple[str, ...] = DRY_BREAKERS
    mirostat: int = _number(0, 0, 2)
    mirostat_tau: float = _number(
        5.0, 0, 100,
        Slider(SamplerGroup.MIROSTAT, 0, 10, 0.1,
               lambda: (tr("Surprise"), tr("How surprising the words may be.")),
               needs="mirostat"),
    )  # fmt: skip
    mirostat_eta: float = _number(
        0.1, 0, 1,
        Slider(SamplerGroup.MIROSTAT, 0, 1, 0.01,
               lambda: (tr("Learning rate"), tr("How fast it adapts.")),
               needs="mirostat"),
    )  # fmt: skip
    frequency_penalty: float = _number(
        0.0, -2, 2,
        Slider(SamplerGroup.PENALTIES, -2, 2, 0.05,
               lambda: (tr("Frequency"), tr("More for words that came often; 0 is off."))),
    )  # fmt: skip
    presence_penalty: float = _number(
        0.0, -2, 2,
        Slider(SamplerGroup.PENALTIES, -2, 2, 0.05,
               lambda: (tr("Presence"), tr("The same for every word that came; 0 is off."))),
    )  # fmt: skip
    logit_bias: tuple[tuple[int, float], ...] = ()


NUMBERS = tuple(
    SamplerNumber(each.name, kind, low, high, slider, api or each.name)
    for each in fields(SamplingParams)
    if "number" in each.metadata
    for kind, low, high, slider, api in (each.metadata["number"],)
)
"""The parameters that are numbers, in the order of the fields."""

PRESETS: Mapping[str, SamplingParams] = MappingProxyType(
    {
        "balanced": SamplingParams(),
        "precise": SamplingParams(temperature=0.2, top_k=20, top_p=0.9, min_p=0.1),
        "creative": SamplingParams(
            temperature=1.0, top_k=0, top_p=1.0, min_p=0.05, xtc_probability=0.2, xtc_threshold=0.1
        ),
        "repeatable": SamplingParams(temperature=0.0, repeat_penalty=1.0),
    }
)
"""Named starting points. The first is the default; "repeatable" takes the likeliest token."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A starting point that a person has named."""

    name: str = ""
    sampling: SamplingParams = field(default_factory=SamplingParams)
