"""Sampling parameters in a body: the client's where it sends some, else the user's own."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import msgspec

from chatdesk.core.i18n import tr
from chatdesk.core.sampling import MAX_STOPS, NUMBERS, SamplingParams
from chatdesk.server.bodies.reading import Whole
from chatdesk.server.errors import bad_request

# llama-server's clients send any negative number for “off”.
_OFF_BELOW_ZERO = frozenset(
    {"top_k", "min_p", "top_n_sigma", "xtc_probability", "dynatemp_range", "dry_multiplier"}
)
_WIDEST_PENALTY = next(int(each.high) for each in NUMBERS if each.name == "repeat_last_n")

if TYPE_CHECKING:

    class Sampling(msgspec.Struct, kw_only=True):
        """The numbers of `SamplingParams`, under the names that clients use."""

else:
    Sampling = msgspec.defstruct(
        "Sampling",
        [
            (
                each.name,
                (Whole if each.kind is int else float) | None,
                msgspec.field(default=None, name=each.api),
            )
            for each in NUMBERS
        ],
        kw_only=True,
    )


class SamplingBody(Sampling, kw_only=True):
    """All fields of a body that sampling depends on."""

    stop: str | list[str] | None = None
    seed: Whole | None = None
    max_tokens: Whole | None = None
    logit_bias: dict[int, float] | None = None
    dry_breakers: tuple[str, ...] | None = msgspec.field(default=None, name="dry_sequence_breakers")

    @property
    def least_tokens(self) -> int:
        """How many tokens must be asked for at least."""
        return 1

    def sampling(self, defaults: SamplingParams, max_tokens: int | None = None) -> SamplingParams:
        """Return `defaults` with what the client sends in their place. Raises `ApiError`."""
        names = (field.name for field in fields(defaults))
        given = {name: value for name in names if (value := getattr(self, name, None)) is not None}
        if max_tokens is not None:
            given["max_tokens"] = max_tokens
        if self.stop is not None:
            given["stop"] = stops(self.stop)
        if self.logit_bias is not None:
            given["logit_bias"] = tuple(self.logit_bias.items())
        if given.get("max_tokens") == 0 and self.least_tokens:
            raise bad_request(tr("max_tokens must be at least 1."), "max_tokens")
        return replace(defaults, **_as_llama_server_means(given))


def _as_llama_server_means(given: Mapping[str, Any]) -> dict[str, Any]:
    meant = {
        name: int(value) if isinstance(value, Whole) else value for name, value in given.items()
    }
    for name in ("max_tokens", "seed"):
        if meant.get(name) == -1:  # “no limit” and “any”
            meant[name] = None
    for name in _OFF_BELOW_ZERO & meant.keys():
        meant[name] = max(meant[name], type(meant[name])(0))
    if meant.get("repeat_last_n") == -1:  # the whole context
        meant["repeat_last_n"] = _WIDEST_PENALTY
    return meant


def stops(stop: str | list[str]) -> tuple[str, ...]:
    """Return the strings that end an answer. Raises `ApiError` for too many."""
    found = tuple(filter(None, [stop] if isinstance(stop, str) else stop))
    if len(found) > MAX_STOPS:
        raise bad_request(tr("At most {n} texts at a time.", n=MAX_STOPS), "stop")
    return found
