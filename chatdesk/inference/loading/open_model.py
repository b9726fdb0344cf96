"""Opens a model as planned, or with less where memory is insufficient after all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.generation import FailureCode
from chatdesk.core.loading import LoadOptions, Placement, StepDown
from chatdesk.inference.loading.buffer_log import placements, read_buffers
from chatdesk.inference.loading.device_choice import choose_devices
from chatdesk.inference.loading.loader import Loader
from chatdesk.inference.loading.parameters import check_options
from chatdesk.inference.loading.placement import Layers, fewer, smaller
from chatdesk.inference.loading.planner import Planner
from chatdesk.inference.loading.tensor_sizes import read_sizes
from chatdesk.inference.native.bindings import AbortFlag, native_log, start_backends
from chatdesk.inference.native.context import Context
from chatdesk.inference.native.devices import local_devices
from chatdesk.inference.native.load_errors import LoadError, classify
from chatdesk.inference.native.model import Model
from chatdesk.inference.native.rpc_devices import connected
from chatdesk.inference.native.thread_count import candidates, fastest, use_threads, useful_threads

_Step = tuple[int, str]
"""A context window in tokens, and a KV type."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is ready to compute, with its actual settings.

    `gpu_layers` counts whole layers on all GPUs; the output layer goes with the last one.
    """

    model: Model
    context: Context
    threads: int
    threads_measured: bool
    gpu_layers: int
    kv_type: str
    device: str
    placements: tuple[Placement, ...]
    stepped_down: tuple[StepDown, ...]

    def close(self) -> None:
        """Free the memory."""
        self.context.close()
        self.model.close()


def open_model(
    path: Path,
    options: LoadOptions,
    abort: AbortFlag,
    progress: Callable[[float], None] = lambda _: None,
) -> Opened:
    """Load a model and make its context. Raises `LoadError`, and `Aborted`.

    As much of it as fits goes to the GPUs, by llama.cpp's own calculation. Where that was too much
    after all, less is tried until it fits; `stepped_down` lists what was given up.
    """
    start_backends()
    check_options(options)
    sizes = read_sizes(path)
    devices = choose_devices(options, local_devices())
    with connected(devices):
        return _Opening(Loader(path, options, sizes, devices, abort, progress)).open()


class _Opening:
    """A series of attempts to run a model."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._planner = Planner(loader)
        self._wish: _Step = (self._planner.window, loader.options.kv_type)

    def open(self) -> Opened:
        planned = self._planner.layers()
        problem = LoadError(FailureCode.OUT_OF_MEMORY, "")
        for placed, steps in self._attempts(planned):
            try:
                return self._attempt(planned, placed, steps)
            except LoadError as refused:
                if refused.code is not FailureCode.OUT_OF_MEMORY:
                    raise
                problem = refused
        raise problem

    def _attempts(self, planned: Layers) -> Iterator[tuple[Layers, list[_Step]]]:
        """Yield fewer layers on GPUs; then smaller contexts and caches, without and with GPUs."""
        less = list(smaller(*self._wish))
        *more_layers, fewest = fewer(planned)
        for placed in more_layers:
            yield placed, [self._wish]
        yield fewest, [self._wish, *less]
        if more_layers and less:
            yield planned, less

    def _attempt(self, planned: Layers, placed: Layers, steps: Sequence[_Step]) -> Opened:
        """Load once, and make the largest of these contexts that fits into memory."""
        fitting = [step for step in steps if self._planner.fits_here(placed, *step)]
        problem = LoadError(FailureCode.OUT_OF_MEMORY, "the memory of this computer")
        if not fitting:
            raise problem
        model = self._loader.model(placed)
        try:
            for step in fitting:
                try:
                    context = self._loader.context(model, placed, *step)
                except LoadError as refused:
                    if refused.code is FailureCode.OUT_OF_MEMORY:
                        problem = refused
                    elif step[1] == self._wish[1]:
                        raise  # another KV type may be impossible for the model
                else:
                    return self._opened(model, context, planned, placed, step)
            raise problem
        except BaseException:
            model.close()
            raise

    def _opened(
        self, model: Model, context: Context, planned: Layers, placed: Layers, step: _Step
    ) -> Opened:
        lines = [*model.buffers, *native_log().lines()]
        try:
            _warm_up(context)
            threads, measured = self._threads(context, placed)
        except BaseException:
            context.close()
            raise
        parts = self._placements(lines, placed)
        given_up = {
            StepDown.FEWER_LAYERS: placed != planned,
            StepDown.SMALLER_CONTEXT: step[0] < self._wish[0],
            StepDown.QUANTIZED_KV: step[1] != self._wish[1],
        }
        return Opened(
            model=model,
            context=context,
            threads=threads,
            threads_measured=measured,
            gpu_layers=min(sum(placed), model.layers),
            kv_type=step[1],
            device=", ".join(part.description for part in parts if part.layers),
            placements=parts,
            stepped_down=tuple(step for step, is_so in given_up.items() if is_so),
        )

    def _placements(self, lines: Sequence[str], placed: Layers) -> tuple[Placement, ...]:
        devices = self._loader.devices
        cpu = next(each.device for each in local_devices() if each.device.kind == "cpu")
        buffers = read_buffers(lines, devices)
        return placements(buffers, self._loader.sizes, placed, devices, cpu.description)

    def _threads(self, context: Context, placed: Layers) -> tuple[int, bool]:
        """Return the thread count, and True if it was measured."""
        given, counts = self._loader.options.threads, candidates()
        all_on_gpus = sum(placed) == len(self._loader.sizes.layers)
        if given or all_on_gpus or len(counts) == 1:
            return given or useful_threads(), False
        measured = fastest(context, counts)
        threads = measured or useful_threads()
        use_threads(context, threads)
        return threads, measured is not None


def _warm_up(context: Context) -> None:
    """Raise `LoadError` when a device can hold the model but not compute it."""
    log = native_log()
    log.clear()
    try:
        context.warm_up()
    except RuntimeError as problem:
        raise classify(log.lines(), log.errors()) from problem
