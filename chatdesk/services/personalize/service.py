"""Personalization: what would be learned, and the runs that learn it, one at a time."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from chatdesk.core.chat import new_id, now
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    Example,
    LearnFrom,
    Preview,
    TrainingConfig,
)
from chatdesk.core.settings import Settings
from chatdesk.core.training import ADAPTER_FILE
from chatdesk.library.machine.hardware import available_memory
from chatdesk.library.models.header import read_header
from chatdesk.services.adapters.facts import AdaptersChanged
from chatdesk.services.engine.engine import Engine
from chatdesk.services.facts import Publish
from chatdesk.services.models.service import ModelService
from chatdesk.services.personalize.examples import preview as previews
from chatdesk.services.personalize.examples.candidates import candidates
from chatdesk.services.personalize.examples.chat_files import read_chat_file
from chatdesk.services.personalize.examples.rendering import Renderer
from chatdesk.services.personalize.examples.splits import split
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.services.personalize.plan import Plan, secrets_of, taught
from chatdesk.services.personalize.run.defaults import filled, fitting
from chatdesk.services.personalize.run.finishing import finishing_config
from chatdesk.services.personalize.trainable import check_trainable
from chatdesk.services.system.installation import learning_problem
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore

if TYPE_CHECKING:  # imported with the first run: most starts do without it
    from chatdesk.services.personalize.run.run import Run, RunTools

_log = logging.getLogger(__name__)

_CLOSING_S = 3.0
_GATE_S = 60.0  # about what the gate takes beside the training, until a run has shown it
_ROOM = 0.85  # of the free memory may be taken by the trainer


class PersonalizeService:
    """Previews, and runs. Every method may raise `EnvironmentProblem`, and may take long."""

    def __init__(
        self,
        paths: AppPaths,
        *,
        engine: Engine,
        models: ModelService,
        conversations: ConversationStore,
        store: AdapterStore,
        settings: Callable[[], Settings],
        publish: Publish,
        trainer_command: Sequence[str] | None = None,
    ) -> None:
        self._folder = paths.adapters
        self._engine = engine
        self._models = models
        self._conversations = conversations
        self._store = store
        self._settings = settings
        self._publish = publish
        self._figures = paths.figures
        self._trainer_command = trainer_command
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._closed = False

    # What would be learned

    def missing(self) -> str:
        """Why nothing can be trained with this installation, as a sentence; "" when it can."""
        return str(learning_problem() or "")

    def obstacle(self, model: ModelFile) -> str:
        """Why this model cannot be trained, as a sentence; "" when it can."""
        try:
            check_trainable(model)
        except EnvironmentProblem as problem:
            return problem.sentence
        return ""

    @property
    def least(self) -> int:
        """How many examples it takes to learn."""
        return previews.LEAST_EXAMPLES

    def ready(self) -> int:
        """How many examples there are, without those that are doubtful; `least` is enough."""
        learn_from = self._settings().learning.learn_from
        everything = learn_from is LearnFrom.EVERYTHING
        found: list[Example] = []
        for conversation in self._conversations.learnable(everything):
            found += candidates(conversation, learn_from)
            if previews.count(found) >= self.least:
                return self.least
        return previews.count(found)

    def preview(
        self,
        model: ModelFile,
        learn_from: LearnFrom | None = None,
        conversations: Iterable[str] | None = None,
        files: Iterable[Path] = (),
        longest: int | None = None,
    ) -> Preview:
        """Everything that would be learned from these conversations (None: all) and chat files.

        The engine, which counts the tokens, must have the model or be about to. A model that
        cannot be trained is refused.
        """
        check_trainable(model)
        learn_from = learn_from or self._settings().learning.learn_from
        wanted = None if conversations is None else set(conversations)
        everything = learn_from is LearnFrom.EVERYTHING
        examples: list[Example] = []
        for conversation in self._conversations.learnable(everything):
            if wanted is None or conversation.id in wanted:
                examples += candidates(conversation, learn_from)
        for file in files:
            examples += read_chat_file(file)
        longest = longest or TrainingConfig().longest
        return previews.make(examples, self._renderer(), longest, model.id)

    def choose(self, preview: Preview, example_ids: Collection[str], chosen: bool) -> Preview:
        """Have an example learned, or not."""
        return previews.choose(preview, example_ids, chosen)

    def mask(self, preview: Preview, value: str, masked: bool) -> Preview:
        """Have a secret masked wherever it stands, or learned as it is."""
        return previews.mask(preview, value, masked, self._renderer())

    def estimate(self, preview: Preview, config: TrainingConfig | None = None) -> float:
        """About how many seconds learning takes; 0 while no run has shown how fast it goes."""
        model = self._models.get(preview.model_id)
        speeds = [
            record.tokens_per_s
            for record in self._store.list(model.id)
            if record.tokens_per_s and record.state is not AdapterState.IMPORTED
        ]
        if not speeds or not preview.chosen:
            return 0.0
        chosen = filled(config or TrainingConfig(), len(preview.chosen), model.header.weights)
        tokens = sum(each.tokens for each in preview.chosen)
        trainings = (chosen, finishing_config(chosen))
        read = sum(tokens * (1 + each.replay) * each.epochs for each in trainings)
        return read / speeds[0] + _GATE_S

    # Runs

    @property
    def progress(self) -> LearningProgress | None:
        """The progress of the current run."""
        run = self._run
        return run.progress if run else None

    def start(
        self, preview: Preview, config: TrainingConfig | None = None, name: str = ""
    ) -> AdapterRecord:
        """Begin to learn what is chosen in a preview."""
        if sentence := preview.problem or self.missing():
            raise EnvironmentProblem(sentence)
        model = self._models.get(preview.model_id)
        check_trainable(model)
        identity = self._models.identify(model)
        header = read_header(Path(model.path))
        config = filled(config or TrainingConfig(), len(preview.chosen), header.weights)
        config = replace(config, longest=preview.longest)
        config = fitting(config, header, int(available_memory() * _ROOM))
        self._check_free()
        sides = split(preview.chosen)
        record = AdapterRecord(
            id=new_id(),
            name=name or tr("My voice v{n}", n=len(self._store.list(model.id)) + 1),
            model_id=model.id,
            model_name=header.name,
            model_sha256=identity,
            state=AdapterState.PREPARING,
            created=now(),
            config=config,
            examples=len(sides.train) + len(sides.validation),
            heldout=len(sides.heldout),
        )
        folder = self._file(record.id).parent
        renderer = self._renderer()
        train, validation, heldout = (
            taught(side, renderer.render(side, preview.longest))
            for side in (sides.train, sides.validation, sides.heldout)
        )
        self._make(folder)
        Plan(
            config,
            tuple(each.example for each in train),
            tuple(each.example for each in validation),
            heldout,
            secrets_of(preview.chosen),
            train + validation,
        ).write(folder)
        sources = {source: None for each in preview.chosen for source in each.sources}
        self._store.add(record, tuple(sources))
        self._go(record, model)
        return record

    def pause(self, adapter_id: str) -> None:
        """Pause the run."""
        if run := self._of(adapter_id):
            run.pause(True)

    def resume(self, adapter_id: str) -> None:
        """Resume a run that is paused, was interrupted, or has failed."""
        if run := self._of(adapter_id):
            run.pause(False)
            return
        record = self._store.get(adapter_id)
        if record.state not in (AdapterState.INTERRUPTED, AdapterState.FAILED):
            raise EnvironmentProblem(tr("This run has ended."))
        self._check_free()
        model = self._models.get(record.model_id)
        if self._models.identify(model) != record.model_sha256:
            raise EnvironmentProblem(
                tr(
                    "The file of {model} has changed since this run began.", model=record.model_name
                ),
                tr("Start again with the model as it is now."),
            )
        if record.scorecard is None:
            Plan.read(self._file(adapter_id).parent)
        self._go(self._store.begin(adapter_id), model)

    def resume_interrupted(self) -> None:
        """Take up the run that the end of the app interrupted, if there is one."""
        interrupted = [r for r in self._store.list() if r.state is AdapterState.INTERRUPTED]
        if interrupted and not self._run and not self.missing():
            try:
                self.resume(interrupted[0].id)
            except EnvironmentProblem as problem:
                _log.warning("a run cannot go on: %s", problem)

    def cancel(self, adapter_id: str) -> None:
        """End a run for good."""
        if run := self._of(adapter_id):
            run.cancel()

    def wait(
        self, adapter_id: str, on_progress: Callable[[LearningProgress], None]
    ) -> AdapterRecord:
        """Wait for a run's end; what became of it, also where the disk did not take that."""
        waited = None
        while run := self._of(adapter_id):
            on_progress(run.progress)
            run.wait(1.0)
            waited = run
        found = self._store.get(adapter_id)
        end = waited.record if waited else found
        return replace(found, state=end.state, error=end.error)

    def on_withdrawn(self, conversation_id: str) -> None:
        """A conversation is not to be learned from any more: end the run that has its words."""
        run = self._run
        if run and any(
            source.conversation_id == conversation_id
            for source in self._store.sources(run.record.id)
        ):
            run.cancel()
            run.wait(_CLOSING_S)

    def close(self) -> None:
        """Stop the run; it resumes with the next start."""
        with self._lock:
            self._closed = True
            run = self._run
        if run:
            run.close(_CLOSING_S)

    # Inside

    def _renderer(self) -> Renderer:
        return Renderer(self._engine)

    def _file(self, adapter_id: str) -> Path:
        return self._folder / adapter_id / ADAPTER_FILE

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as problem:
            raise EnvironmentProblem(
                tr("The folder of adapters cannot be written: {reason}.", reason=problem.strerror),
                tr("Make room on the disk, then try again."),
            ) from problem

    def _check_free(self) -> None:
        if self._run:
            raise EnvironmentProblem(
                tr("ChatDesk is learning already."), tr("Wait for its end, or cancel it.")
            )

    @cached_property
    def _tools(self) -> "RunTools":
        from chatdesk.services.personalize.gate.gate import Gate
        from chatdesk.services.personalize.run.run import RunTools

        gate = Gate(self._engine, self._figures, lambda record: self._file(record.id))
        return RunTools(
            self._engine, self._store, self._settings, self._publish, gate, self._trainer_command
        )

    def _go(self, record: AdapterRecord, model: ModelFile) -> None:
        from chatdesk.services.personalize.run.run import Run

        folder = self._file(record.id).parent
        with self._lock:
            if self._closed:
                return
            self._run = Run(record, model, folder, self._tools, self._on_ended)
            self._run.start()
        self._publish(AdaptersChanged())

    def _on_ended(self) -> None:
        self._run = None

    def _of(self, adapter_id: str) -> "Run | None":
        run = self._run
        return run if run and run.record.id == adapter_id else None
