"""Whether stored weights are numbers, told by their exponents: neither infinite nor NaN.

It is the byte with all or most of the exponent that is looked at, for all weights at once and
without numpy, which would stay in the window's memory (12 MB) for this alone.
"""

from collections.abc import Callable

_SINGLE = bytes(byte for byte in range(256) if byte & 0x7F == 0x7F)  # 7 of the 8 bits
_HALF = bytes(byte for byte in range(256) if byte & 0x7C == 0x7C)  # all 5 bits


def _halves_are_finite(high: bytes) -> bool:
    return len(high.translate(None, _HALF)) == len(high)


def _singles_are_finite(high: bytes, low: bytes) -> bool:
    if len(high.translate(None, _SINGLE)) == len(high):
        return True
    return not any(one in _SINGLE and other & 0x80 for one, other in zip(high, low, strict=True))


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "F32": lambda data: _singles_are_finite(data[3::4], data[2::4]),
    "BF16": lambda data: _singles_are_finite(data[1::2], data[0::2]),
    "F16": lambda data: _halves_are_finite(data[1::2]),
    "Q8_0": lambda data: _halves_are_finite(data[1::34]),  # the scale begins each block
}


def are_finite(data: bytes, packing: str) -> bool:
    """Return True if all weights of F32, BF16, F16 or Q8_0 are finite; `data` is little-endian."""
    return _CHECKS[packing](data)
