"""Plans the placement of a model before any of it is loaded."""

import psutil

from chatdesk.inference.loading.device_choice import room
from chatdesk.inference.loading.loader import Loader
from chatdesk.inference.loading.parameters import wished_window
from chatdesk.inference.loading.placement import (
    Layers,
    Needs,
    by_shares,
    cpu_weights,
    kv_share,
    most_kv_layer,
    place,
    reserve,
    taken,
)

_TRIALS = 3  # of a placement by simulation; the second one is nearly always right


class Planner:
    """Finds the placement of the layers, and the limits of this computer's memory.

    `window` is the context window to try first, in tokens.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._options = loader.options
        self._sizes = loader.sizes
        self._known: dict[Layers, Needs] = {}
        self.window = wished_window(loader.options, loader.sizes)

    def layers(self) -> Layers:
        """Return the layers for each device: as requested, or as many as fit."""
        options, devices, count = self._options, self._loader.devices, len(self._sizes.layers)
        if not devices or options.gpu_layers == 0:
            return (0,) * len(devices)
        if options.gpu_layers is not None or options.tensor_split:
            wanted = count if options.gpu_layers is None else min(options.gpu_layers, count)
            free = [float(each.device.free_bytes) for each in devices]
            return by_shares(options.tensor_split or free, wanted)
        rooms = [room(each.device) for each in devices]
        on_all = bool(options.devices)
        needs = Needs(kv_layer=0, compute=(0,) * len(devices), cpu_compute=0)
        placed = place(self._sizes, needs, rooms, on_all=on_all)
        for _ in range(_TRIALS):
            needs = self._needs(placed)
            used = taken(self._sizes, needs, placed)
            if all(use <= space for use, space in zip(used, rooms, strict=True)):
                break
            placed = place(self._sizes, needs, rooms, on_all=on_all)
        return placed

    def fits_here(self, placed: Layers, window: int, kv_type: str) -> bool:
        """Return True if the processor's part fits into this computer's memory."""
        sizes, options = self._sizes, self._options
        memory = psutil.virtual_memory()
        space = memory.available - reserve(memory.total)
        weights = cpu_weights(sizes, placed)
        if options.mmap and not options.mlock and weights > space:
            weights = 0  # read from disk again and again: slow, and no smaller context helps
        layers = len(sizes.layers) - sum(placed)
        if weights + layers * most_kv_layer(sizes, window, kv_type) <= space // 2:
            return True  # so much is left that there is no need to be exact
        needs = self._needs(placed)
        share = kv_share(kv_type, options.kv_type) * window / self.window
        return weights + int(layers * needs.kv_layer * share) + needs.cpu_compute <= space

    def _needs(self, placed: Layers) -> Needs:
        if placed not in self._known:
            wished = self._options.kv_type
            self._known[placed] = self._loader.needs(placed, self.window, wished)
        return self._known[placed]
