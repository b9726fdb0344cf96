"""The placement of layers on devices, and what to give up when memory is insufficient.

Pure arithmetic. llama.cpp gives the first layers to the processor and the rest to the devices in
their order; the output layer goes with the last layer. Bytes throughout.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from chatdesk.core.loading import KV_TYPES

Layers = tuple[int, ...]
"""The number of layers on each device, in llama.cpp's order."""

REDUCED_WINDOW = 2048
"""The smallest context window, in tokens, that is tried to save memory."""

_MOST_RESERVED = 1024**3
_BISECTIONS = 12  # the fullest device is then within a 4,000th of the best
_KV_SIZES = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}  # bytes a value; ggml-common.h's blocks


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes that a model file states.

    `layers` are the weights of each, `output` those of the output layer, `total` all of them. When
    it `is_tied` the output layer is the input layer, and on a device a copy of it. `embedding` is
    the width of a token's vector, `trained_context` in tokens.
    """

    layers: Layers
    output: int
    total: int
    is_tied: bool
    embedding: int
    trained_context: int


@dataclass(frozen=True, slots=True)
class Needs:
    """The memory that computing needs besides the weights.

    The KV cache of one layer, and a compute buffer on each device and on the processor.
    """

    kv_layer: int
    compute: tuple[int, ...]
    cpu_compute: int


def reserve(total_bytes: int) -> int:
    """Return the part of a device's memory to leave free: for driver, screen and other programs."""
    return min(_MOST_RESERVED, total_bytes // 10)


def kv_share(kv_type: str, wished: str) -> float:
    """Return the size of a KV cache of this type, as a share of one of the requested type."""
    return _KV_SIZES[kv_type] / _KV_SIZES[wished]


def most_kv_layer(sizes: Sizes, window: int, kv_type: str) -> int:
    """Return an upper bound of a layer's KV cache: keys and values of embedding width, twice."""
    return int(4 * sizes.embedding * window * _KV_SIZES[kv_type])


def place(sizes: Sizes, needs: Needs, rooms: Sequence[int], *, on_all: bool = False) -> Layers:
    """Place as many layers as fit on devices with so much `room` each.

    The fewest devices that hold the model, from the last one on, or all of them if `on_all`; among
    those, each is filled to about the same degree.
    """
    rooms = [room - taken for room, taken in zip(rooms, needs.compute, strict=True)]
    placed: Layers = ()
    for start in [0] if on_all else range(len(rooms) - 1, -1, -1):
        placed = _level([0] * start + rooms[start:], sizes, needs.kv_layer)
        if sum(placed) == len(sizes.layers):
            break
    return placed


def _level(rooms: Sequence[int], sizes: Sizes, kv_layer: int) -> Layers:
    """Return the layers that fit; if all do, with the smallest sufficient share of every room."""
    count = len(sizes.layers)
    placed = _fill(rooms, sizes, kv_layer)
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS if sum(placed) == count else 0):
        middle = (low + high) / 2
        lower = _fill([int(room * middle) for room in rooms], sizes, kv_layer)
        if sum(lower) == count:
            placed, high = lower, middle
        else:
            low = middle
    return placed


def _fill(rooms: Sequence[int], sizes: Sizes, kv_layer: int) -> Layers:
    """Fill one device after the other, the last one and the last layers first."""
    left = list(sizes.layers)
    placed = [0] * len(rooms)
    output = sizes.output
    for index in reversed(range(len(rooms))):
        room = rooms[index] - output
        while left and room >= left[-1] + kv_layer:
            room -= left.pop() + kv_layer
            placed[index] += 1
            output = 0
    return tuple(placed)


def taken(sizes: Sizes, needs: Needs, placed: Layers) -> tuple[int, ...]:
    """Return the memory used on each device: weights, KV cache and compute buffer."""
    ends = list(accumulate(placed, initial=len(sizes.layers) - sum(placed)))
    last = max((index for index, layers in enumerate(placed) if layers), default=-1)
    return tuple(
        sum(sizes.layers[ends[index] : ends[index + 1]])
        + layers * needs.kv_layer
        + (needs.compute[index] if layers else 0)
        + (sizes.output if index == last else 0)
        for index, layers in enumerate(placed)
    )


def cpu_weights(sizes: Sizes, placed: Layers) -> int:
    """Return the weights that stay with the processor."""
    gone = sum(sizes.layers[len(sizes.layers) - sum(placed) :])
    return sizes.total - gone - (sizes.output if sum(placed) and not sizes.is_tied else 0)


def by_shares(shares: Sequence[float], layers: int) -> Layers:
    """Split `layers` by these shares, or evenly when they are all zero."""
    if not any(shares):
        shares = [1.0] * len(shares)
    ends = [round(layers * end / sum(shares)) for end in accumulate(shares)]
    return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))


def native_split(placed: Layers) -> list[float]:
    """Return llama.cpp's `tensor_split` for these layers; it counts the output as a layer."""
    last = max((index for index, layers in enumerate(placed) if layers), default=-1)
    return [float(layers + (index == last)) for index, layers in enumerate(placed)]


def fewer(placed: Layers) -> list[Layers]:
    """Return the layers as placed, and then fewer and fewer of them down to none."""
    total = sum(placed)
    counts = dict.fromkeys([total, total * 3 // 4, total // 2, total // 4, 0])
    return [by_shares(placed, count) if count else (0,) * len(placed) for count in counts]


def smaller(window: int, kv_type: str) -> Iterator[tuple[int, str]]:
    """Yield context windows and KV types after the requested ones, each needing less memory."""
    while window > REDUCED_WINDOW:
        window = max(REDUCED_WINDOW, window // 2)
        yield window, kv_type
    for smaller_type in KV_TYPES[KV_TYPES.index(kv_type) + 1 :]:
        yield window, smaller_type
