"""Making a model smaller: written by an engine process of its own, then measured beside it."""

import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.files import PUBLIC, whole_file
from chatdesk.core.generation import Failed
from chatdesk.core.i18n import tr
from chatdesk.core.loading import Quantize, Quantized
from chatdesk.core.models import ModelFile
from chatdesk.core.quantizing import Comparison, Quantizing, QuantizingState
from chatdesk.core.settings import Settings
from chatdesk.core.units import size_words
from chatdesk.library.machine.hardware import read_hardware
from chatdesk.library.models.quantized_size import MIXTURES, quantized_bytes
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.requests import ask_all
from chatdesk.services.engine.thread_counts import MeasuredThreads
from chatdesk.services.facts import Publish
from chatdesk.services.models.service import ModelService
from chatdesk.services.quantize.facts import QuantizingChanged

_log = logging.getLogger(__name__)

WRITING_SHARE = 0.4  # of the time that all of it takes, about, when it is compared
WORTHWHILE = 0.97  # of the original's size: what saves less is not offered
EXACT = ("F32", "F16", "BF16", "Q8_0")  # from these nothing noticeable is lost twice
KNOWN_SHARE, KNOWN_S = 0.02, 1.0  # of a step, before which its time left is a guess
PARTIAL = ".quantizing"  # ends the name of a file that is being written; no scan takes it up


class _Stopped(Exception):
    """The person does not want it any more."""


class QuantizingService:
    """Makes one model smaller at a time, on a thread of its own.

    New files come into `folder()`. `command` starts the engine process; tests give another.
    """

    def __init__(
        self,
        models: ModelService,
        *,
        folder: Callable[[], Path],
        settings: Callable[[], Settings],
        publish: Publish,
        threads: MeasuredThreads | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._models = models
        self._folder = folder
        self._settings = settings
        self._publish = publish
        self._threads = threads
        self._command = command
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._engine: Engine | None = None
        self._ended = threading.Event()  # a thread whose join was interrupted cannot be joined
        self._ended.set()
        self._progress: Quantizing | None = None

    @property
    def progress(self) -> Quantizing | None:
        """The current or the last quantization; None before the first."""
        return self._progress

    def types(self) -> tuple[str, ...]:
        """llama.cpp's names of what a model can be made to, from the most exact to the smallest."""
        return tuple(MIXTURES)

    def smaller_types(self, model: ModelFile) -> tuple[str, ...]:
        """Those types that make this model noticeably smaller. Raises `ModelProblem`."""
        most = model.header.bytes * WORTHWHILE
        return tuple(kind for kind in MIXTURES if self.expected_bytes(model, kind) <= most)

    def expected_bytes(self, model: ModelFile, quantization: str) -> int:
        """The size it would have, within some percent. Raises `ModelProblem`."""
        return quantized_bytes(Path(model.path), quantization)

    def loses_twice(self, model: ModelFile) -> bool:
        """Return True if the model is quantized already, so that one made from f16 is better."""
        return model.header.quantization not in EXACT

    def start(self, model: ModelFile, quantization: str, *, comparing: bool = True) -> None:
        """Begin to make a model smaller, and to compare both; facts report the progress.

        Raises `EnvironmentProblem` for a type that is none, and while another one is being made.
        """
        if quantization not in MIXTURES:
            kinds = ", ".join(MIXTURES)
            what = tr("A model cannot be made smaller as {type}.", type=quantization)
            raise EnvironmentProblem(what, tr("Choose one of these: {types}.", types=kinds))
        with self._lock:
            if self._progress and self._progress.is_running:
                raise EnvironmentProblem(
                    tr("A model is being made smaller already."),
                    tr("Wait for its end, or stop it."),
                )
            self._cancelled.clear()
            self._ended.clear()
            self._progress = Quantizing(
                model, quantization, QuantizingState.WRITING, comparing=comparing
            )
        self._publish(QuantizingChanged(self._progress))
        work = threading.Thread(
            target=self._work, args=(comparing,), name="quantizing", daemon=True
        )
        work.start()

    def cancel(self) -> None:
        """Stop it. What is half written is removed; a smaller model that is whole stays."""
        self._cancelled.set()
        with self._lock:
            engine = self._engine
        if engine:
            engine.close()  # llama.cpp stops for nothing else

    def wait(self) -> Quantizing | None:
        """Wait for the end and return the result; None when nothing was ever begun."""
        self._ended.wait()
        return self._progress

    def close(self) -> None:
        """Stop it and wait until it has ended."""
        self.cancel()
        self.wait()

    # On the thread

    def _work(self, comparing: bool) -> None:
        try:
            self._go_through(comparing)
            self._report(state=QuantizingState.DONE, fraction=1.0)
        except _Stopped:
            self._report(state=QuantizingState.CANCELLED)
        except EnvironmentProblem as problem:
            if self._cancelled.is_set():  # the engine was ended under the request
                self._report(state=QuantizingState.CANCELLED)
            else:
                self._report(state=QuantizingState.FAILED, problem=str(problem))
        except Exception:
            _log.exception("a bug in quantizing")
            what = tr("The model could not be made smaller because of a bug in ChatDesk.")
            bug = EnvironmentProblem(what, tr("Details are in the log."))
            self._report(state=QuantizingState.FAILED, problem=str(bug))
        finally:
            self._ended.set()

    def _go_through(self, comparing: bool) -> None:
        assert self._progress
        model, quantization = self._progress.model, self._progress.type
        share = WRITING_SHARE if comparing else 1.0
        result = self._models.add(self._write(model, quantization, share))
        if not comparing:
            self._report(result=result)
            return
        self._report(
            result=result, state=QuantizingState.COMPARING, fraction=share, seconds_left=0.0
        )
        self._report(comparison=self._compare(model, result))

    def _write(self, model: ModelFile, quantization: str, share: float) -> Path:
        """The new file, which is whole."""
        target = self._folder() / f"{_file_name(model.header.name)}-{quantization}.gguf"
        partial = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}")
        try:
            self._check(model, quantization, target)
            _sweep(target.parent)
            with whole_file(target, durable=True, mode=PUBLIC, partial=partial):
                self._ask_engine(model, quantization, partial, share)
        except OSError as problem:
            what = tr(
                "“{file}” cannot be written: {reason}.", file=target.name, reason=problem.strerror
            )
            todo = tr("Check the folder of the models.")
            raise EnvironmentProblem(what, todo) from problem
        return target

    def _check(self, model: ModelFile, quantization: str, target: Path) -> None:
        """Raises `EnvironmentProblem` and `OSError`."""
        expected = self.expected_bytes(model, quantization)
        if expected > model.header.bytes * WORTHWHILE:
            name, kind = model.header.name, quantization
            what = tr("As {type}, {model} would not be smaller than it is.", type=kind, model=name)
            raise EnvironmentProblem(what, tr("Choose a smaller type."))
        if target.exists():
            what = tr("“{file}” is there already.", file=target.name)
            raise EnvironmentProblem(what, tr("Use it, or delete it first."))
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if free < expected:
            missing = size_words(expected - free)
            what = tr("There is not enough room on the disk: {size} are missing.", size=missing)
            raise EnvironmentProblem(what, tr("Make room on the disk, then try again."))

    def _ask_engine(self, model: ModelFile, quantization: str, partial: Path, share: float) -> None:
        on_progress = self._part(0.0, share)
        threads = self._settings().load_options(model.id).threads or read_hardware().physical_cores
        with self._own_engine() as engine:
            engine.ready()
            request = Quantize(engine.new_id(), model.path, str(partial), quantization, threads)
            (answer,) = ask_all(engine, [request], Quantized, on_progress)
        if isinstance(answer, Failed):
            raise engine_problem(answer, model.header.name)

    def _compare(self, model: ModelFile, result: ModelFile) -> Comparison:
        on_progress = self._part(WRITING_SHARE, 1.0)
        options = self._settings().load_options(model.id)
        with self._own_engine() as engine:
            from chatdesk.services.quantize.compare import compare  # only when it is wanted

            return compare(engine, self._models, model, result, options, on_progress)

    @contextmanager
    def _own_engine(self) -> Iterator[Engine]:
        """An engine that `cancel` ends. Raises `_Stopped` when that has come before."""
        engine = Engine(lambda fact: None, self._command, threads=self._threads)
        with self._lock:
            self._engine = engine
        try:
            self._go_on()
            yield engine
        finally:
            engine.close()

    def _part(self, begin: float, end: float) -> Callable[[float], None]:
        """Return a listener for how far a step is, 0 to 1. It raises `_Stopped`."""
        started: float | None = None

        def on_share(share: float) -> None:
            nonlocal started
            self._go_on()
            moment = time.monotonic()
            started = moment if started is None else started
            took = moment - started
            known = share > KNOWN_SHARE and took > KNOWN_S
            left = took * (1 - share) / share if known else 0.0
            self._report(fraction=begin + (end - begin) * share, seconds_left=left)

        return on_share

    def _go_on(self) -> None:
        """Raises `_Stopped` when the person does not want it any more."""
        if self._cancelled.is_set():
            raise _Stopped

    def _report(self, **changes: object) -> None:
        assert self._progress
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
        self._publish(QuantizingChanged(self._progress))


def _file_name(name: str) -> str:
    """A model's name, which may come out of its file, as a part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", name)[:80].strip(".-") or "model"


def _sweep(folder: Path) -> None:
    """Remove what processes that are gone left half written."""
    for file in folder.glob(f".*{PARTIAL}"):
        process_id = file.name.removesuffix(PARTIAL).rpartition(".")[2]
        if not (process_id.isdecimal() and psutil.pid_exists(int(process_id))):
            file.unlink(missing_ok=True)
