"""One loaded model and everything that is asked of it, on the thread that computes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.generation import (
    Cancelled,
    Embed,
    EngineEvent,
    Failed,
    ForgetSession,
    Generate,
    RestoreSession,
    Score,
    SessionForgotten,
    SessionRestored,
)
from chatdesk.core.loading import LoadModel, LoadOptions, LoadProgress, ModelLoaded
from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.decoding.failures import failed
from chatdesk.inference.decoding.generation import Generation
from chatdesk.inference.decoding.preparer import Prepared, Preparer
from chatdesk.inference.decoding.sampler import Sampler
from chatdesk.inference.decoding.scheduler import Batching
from chatdesk.inference.decoding.sequences import Sequences
from chatdesk.inference.decoding.tasks import Embedding, Scoring, Task
from chatdesk.inference.loading.open_model import Opened, open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import State
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.lora import AdapterKey, Adapters
from chatdesk.inference.native.model import Aborted
from chatdesk.inference.open_requests import Requests
from chatdesk.inference.prompt.template import ChatTemplate
from chatdesk.inference.sessions.keeper import Keeper
from chatdesk.inference.speculation.draft_model import DraftModel
from chatdesk.inference.speculation.guess import Guess
from chatdesk.inference.speculation.speculation import StepCosts

Found = tuple[Sequence[int], State]  # a conversation's tokens and their KV state, from disk


@dataclass(frozen=True, slots=True)
class Answerable:
    """A prepared answer beside what is kept of its conversation."""

    prepared: Prepared
    found: Found | None

    @property
    def request_id(self) -> str:
        """Its request's id."""
        return self.prepared.request.request_id


@dataclass(frozen=True, slots=True)
class Restored:
    """A conversation's state, read from disk for `RestoreSession`."""

    request: RestoreSession
    adapters: AdapterKey
    found: Found | None

    @property
    def request_id(self) -> str:
        """Its request's id."""
        return self.request.request_id


class LoadedModel:
    """A model with its context, and the answers and tasks on it.

    `preparer`, `keeper.find` and `knows` may be used from other threads.
    """

    def __init__(
        self,
        opened: Opened,
        options: LoadOptions,
        *,
        abort: AbortFlag,
        requests: Requests,
        send: Callable[[EngineEvent], None],
    ) -> None:
        self.opened = opened
        self._options = options
        self._requests = requests
        self._send = send
        model, context = opened.model, opened.context
        vocabulary = model.vocabulary
        self.template = ChatTemplate(
            model.metadata("tokenizer.chat_template"), vocabulary.bos_text, vocabulary.eos_text
        )
        self._adapters = Adapters(model)
        self.preparer = Preparer(self.template, vocabulary, self._adapters, context.window)
        self.keeper = Keeper(context, opened.kv_type)
        self._sequences = Sequences(context, self.keeper.keep)
        self._costs = StepCosts()
        self._draft_model, self._draft_notice = _draft_model(opened, options, abort)
        self._tasks: list[Task] = []
        self._task_id: str | None = None
        self.batching = Batching(
            context,
            self._sequences,
            self._adapters,
            self._costs,
            parallel=options.parallel,
            abort=abort,
            requests=requests,
            refit=self._refit,
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compute."""
        return self.batching.is_empty and not self._tasks

    def step(self) -> None:
        """Compute one step of the answers, and one of the first task if it may."""
        self.batching.step()
        if not self._tasks:
            return
        task = min(self._tasks, key=lambda each: each.background)
        if task.background and not self.batching.is_empty:
            return
        if not self._requests.end_cancelled(task.request_id):
            self._task_id = task.request_id
            try:
                event = task.step()
            except Aborted:
                return
            except Exception as problem:
                event = failed(task.request_id, problem)
            finally:
                self._task_id = None
            if event is None:
                return
            self._requests.end(event)
        self._tasks.remove(task)
        task.close()

    def is_computing(self, request_id: str) -> bool:
        """Whether a request is in the step being computed. May be asked from any thread."""
        return request_id in self.batching.computing or request_id == self._task_id

    @property
    def is_in_background(self) -> bool:
        """Whether what is being computed now can wait. May be asked from any thread."""
        if self.batching.computing:
            return not self.batching.in_foreground
        return self._task_id is not None

    # Preparing, on a thread of its own

    def prepare(self, request: Generate) -> Answerable:
        """Make an answer ready to begin. Raises as `Preparer.prepare`."""
        prepared = self.preparer.prepare(request)
        session = request.session
        if session is None or self.knows(session):
            return Answerable(prepared, None)
        found = self.keeper.find(session, prepared.adapters, prepared.tokens)
        return Answerable(prepared, found)

    def read_session(self, request: RestoreSession) -> Restored:
        """Read what is kept of a conversation. Raises `AdapterError`."""
        key = self._adapters.identify(request.adapters)
        known = self.knows(request.session)
        return Restored(request, key, None if known else self.keeper.find(request.session, key))

    # What may be asked

    def begin(self, work: "Answerable | Restored | Score | Embed | ForgetSession") -> None:
        """Take up work. Raises what makes it impossible."""
        match work:
            case Answerable():
                self._answer(work)
            case Restored():
                self._restore(work)
            case Score():
                self._score(work)
            case Embed():
                sequences, adapters = self._sequences, self._adapters
                self._tasks.append(Embedding(work, self.opened.context, sequences, adapters))
            case ForgetSession():
                self.keeper.forget(work.session, self._sequences)
                self._requests.end(SessionForgotten(work.request_id))

    def _answer(self, work: Answerable) -> None:
        prepared = work.prepared
        self._adapters.load(prepared.adapters)
        generation = self._generation(prepared)
        if work.found and prepared.request.session:
            self._bring_back(work.found, prepared.adapters, prepared.request.session)
        self.batching.add(generation)

    def _generation(self, prepared: Prepared) -> Generation:
        model = self.opened.model
        request = prepared.request
        sampler = Sampler(request.sampling, model, prepared.tokens, prepared.grammar)
        guess = None
        if request.speculate and self._may_guess(request.sampling):
            guess = Guess(request.request_id, self._costs, self._draft_model)
        return Generation(
            prepared,
            sampler=sampler,
            adapters=prepared.adapters,
            vocabulary=model.vocabulary,
            guess=guess,
            send=self._send,
        )

    def _may_guess(self, params: SamplingParams) -> bool:
        """Whether guessing ahead changes nothing that is chosen.

        Where several rows are computed otherwise than one, their logits differ in the first
        decimals. That is within what sampling leaves open; a greedy answer would turn at a near
        tie, so it is guessed only where rows are computed alike.
        """
        opened = self.opened
        rows_alike = opened.kv_type != "f16" and opened.gpu_layers == 0
        return not opened.context.is_recurrent and (rows_alike or params.temperature > 0)

    def _score(self, request: Score) -> None:
        key = self._adapters.identify(request.adapters)
        self._adapters.load(key)
        context, sequences = self.opened.context, self._sequences
        task = Scoring(request, key, context, sequences, self._adapters, self._send)
        self._tasks.append(task)

    def _restore(self, restored: Restored) -> None:
        request = restored.request
        if restored.found and not self.knows(request.session):
            self._bring_back(restored.found, restored.adapters, request.session)
        tokens = self._sequences.session_tokens(request.session)
        self._requests.end(SessionRestored(request.request_id, tokens))

    def knows(self, session: str) -> bool:
        """Whether a conversation is in the cache."""
        return self._sequences.session_tokens(session) > 0

    def _bring_back(self, found: Found, adapters: AdapterKey, session: str) -> None:
        if live := self._sequences.bring_back(*found, adapters, session):
            self._sequences.release(live)

    def keep_idle(self) -> float | None:
        """Keep an idle conversation on disk; seconds until the next one is due, if any is."""
        return self.keeper.keep_idle(self._sequences)

    def _refit(self, generation: Generation) -> bool:
        """Let the oldest turns leave a full context, so that the answer goes on."""
        live = generation.live
        request = generation.prepared.request
        if live is None or request.prompt is not None:
            return False
        answered = len(generation.answer_tokens)
        try:
            view = self.preparer.view(request.messages, answered)
        except Exception:  # a template that refuses what is left: the answer ends here
            return False
        if len(view.tokens) + answered >= len(generation.known):
            return False
        generation.has_new_prompt(view.tokens, view.view_start)
        self._sequences.move_to(live, generation.known)
        return True

    # Its beginning and end

    def loaded(self, request: LoadModel, started: float) -> ModelLoaded:
        """What is told of it."""
        opened = self.opened
        model, context = opened.model, opened.context
        return ModelLoaded(
            request_id=request.request_id,
            name=model.metadata("general.name") or Path(request.path).stem,
            architecture=model.architecture,
            parameters=model.parameters,
            bytes=model.bytes,
            context_window=context.window,
            trained_context=model.trained_context,
            layers=model.layers,
            gpu_layers=opened.gpu_layers,
            device=opened.device,
            threads=opened.threads,
            flash_attention=context.flash_attention,
            template_notice=self.template.notice,
            seconds=time.monotonic() - started,
            parallel=self._options.parallel,
            batch=context.batch,
            kv_type=opened.kv_type,
            placements=opened.placements,
            stepped_down=opened.stepped_down,
            threads_measured=opened.threads_measured,
            reasons=self.preparer.reasons,
            draft_notice=self._draft_notice,
        )

    def finish(self) -> None:
        """Compute what is still asked for, and keep on disk what is worth it."""
        while not self.is_empty:
            self.step()  # what is cancelled ends here
        self.keeper.keep_all(self._sequences)

    def close(self) -> None:
        """Finish, and give the memory back. No other thread may use it any more."""
        self.finish()
        if self._draft_model:
            self._draft_model.close()
        self.opened.close()


def _draft_model(
    opened: Opened, options: LoadOptions, abort: AbortFlag
) -> tuple[DraftModel | None, str]:
    """The model that drafts for this one, or why there is none although one is wished for."""
    if options.draft is None:
        return None, ""
    try:
        model = DraftModel(
            Path(options.draft),
            opened.model,
            window=opened.context.window,
            threads=opened.threads,
            answers=options.parallel,
            abort=abort,
        )
    except LoadError as problem:
        return None, problem.detail
    return model, ""


def load(
    request: LoadModel,
    *,
    abort: AbortFlag,
    requests: Requests,
    send: Callable[[EngineEvent], None],
) -> LoadedModel | None:
    """Load a model and tell how it went; None when it could not be."""
    started = time.monotonic()
    abort.clear()
    request_id = request.request_id

    def progress(fraction: float) -> None:
        send(LoadProgress(request_id, fraction))

    try:
        opened = open_model(Path(request.path), request.options, abort, progress)
        options = request.options
        loaded = LoadedModel(opened, options, abort=abort, requests=requests, send=send)
    except Aborted:
        requests.end(Cancelled(request_id, None))
        return None
    except LoadError as problem:
        requests.end(Failed(request_id, problem.code, problem.detail))
        return None
    requests.end(loaded.loaded(request, started))
    return loaded
