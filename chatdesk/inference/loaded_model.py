"""One loaded model and the requests to it, on the computing thread."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from chatdesk.core.generation import (
    Cancelled,
    CountTokens,
    Embed,
    Failed,
    ForgetSession,
    Generate,
    KeepSessions,
    ModelRequest,
    RenderMessages,
    RestoreSession,
    Score,
    SessionForgotten,
    SessionRestored,
    SessionsKept,
    TokenizeText,
)
from chatdesk.core.loading import LoadModel, LoadOptions, LoadProgress, ModelLoaded
from chatdesk.core.protocol import Event, Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.decoding.echo import Echo
from chatdesk.inference.decoding.failures import failed
from chatdesk.inference.decoding.generation import Generation
from chatdesk.inference.decoding.grammar import Constraints
from chatdesk.inference.decoding.preparer import Prepared, Preparer
from chatdesk.inference.decoding.sampler import Sampler
from chatdesk.inference.decoding.scheduler import Scheduler
from chatdesk.inference.decoding.sequences import Sequences
from chatdesk.inference.decoding.tasks import Embedding, Scoring
from chatdesk.inference.embedder import LoadedEmbedder, is_embedder
from chatdesk.inference.loading.open_model import Opened, open_model
from chatdesk.inference.loading.report import report
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import State
from chatdesk.inference.native.load_errors import LoadError
from chatdesk.inference.native.lora import AdapterKey, Adapters
from chatdesk.inference.native.model import Aborted
from chatdesk.inference.open_requests import Requests
from chatdesk.inference.prompt.template import ChatTemplate
from chatdesk.inference.sessions.files import SessionFiles
from chatdesk.inference.sessions.keeper import Keeper
from chatdesk.inference.speculation.draft_model import DraftModel
from chatdesk.inference.speculation.guess import Guess
from chatdesk.inference.speculation.speculation import StepCosts

Found = tuple[Sequence[int], State]  # a conversation's tokens and their KV state, from disk


Work = Callable[[], None]
"""The part of a request that runs between two steps, on the computing thread."""
Task = Scoring | Embedding | Echo
"""Work in steps of its own, between those of the answers."""


class LoadedModel:
    """A model with its context, and the answers and tasks on it.

    `prepare` runs on another thread than the rest.
    """

    def __init__(
        self,
        opened: Opened,
        options: LoadOptions,
        *,
        abort: AbortFlag,
        requests: Requests,
        send: Callable[[Event], None],
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
        self.preparer = Preparer(
            self.template, vocabulary, self._adapters, Constraints(vocabulary), context.window
        )
        self.keeper = Keeper(context, opened.kv_type)
        self._sequences = Sequences(context, self.keeper.keep)
        self._costs = StepCosts()
        self._draft_model, self._draft_notice = _draft_model(opened, options, abort)
        self._tasks: list[Task] = []
        self._task_id: str | None = None
        self.batching = Scheduler(
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
        """True if there is nothing to compute."""
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
                outcome = task.step()
                if outcome and not isinstance(outcome, Terminal):
                    outcome()
            except Aborted:
                return
            except Exception as problem:
                outcome = failed(task.request_id, problem)
            finally:
                self._task_id = None
            if outcome is None:
                return
            if isinstance(outcome, Terminal):
                self._requests.end(outcome)
        self._tasks.remove(task)
        task.close()

    def is_computing(self, request_id: str) -> bool:
        """Return True if a request is in the step being computed. Any thread may call."""
        return request_id in self.batching.computing or request_id == self._task_id

    @property
    def is_in_background(self) -> bool:
        """True if the current computation can wait. Any thread may ask."""
        if self.batching.computing:
            return not self.batching.in_foreground
        return self._task_id is not None

    # Requests

    def prepare(self, request: ModelRequest) -> Terminal | Work:
        """Return the answer to a request, or the rest of its work. Raises what prevents it.

        Slow parts other than computation run here, on a separate thread.
        """
        match request:
            case Generate():
                return self._prepare_answer(request)
            case CountTokens():
                return self.preparer.count(request)
            case RenderMessages():
                return self.preparer.render(request)
            case TokenizeText():
                return self.preparer.tokenize(request)
            case Score():
                return lambda: self._score(request)
            case Embed():
                return lambda: self._embed(request)
            case KeepSessions():
                return self._keep_sessions(request)
            case RestoreSession():
                return self._prepare_restoring(request)
            case ForgetSession():
                return lambda: self._forget(request)

    def _prepare_answer(self, request: Generate) -> Work:
        prepared = self.preparer.prepare(request)
        found = self._find(request.session, prepared.adapters, prepared.tokens)
        return lambda: self._answer(prepared, found)

    def _prepare_restoring(self, request: RestoreSession) -> Work:
        key = self._adapters.identify(request.adapters)
        found = self._find(request.session, key)
        return lambda: self._restore(request, key, found)

    def _find(
        self, session: str | None, key: AdapterKey, tokens: Sequence[int] | None = None
    ) -> Found | None:
        """Return the saved state of a conversation that is not in the cache."""
        if session is None or self._knows(session):
            return None
        return self.keeper.find(session, key, tokens)

    def _keep_sessions(self, request: KeepSessions) -> SessionsKept:
        if not request.folder:
            self.keeper.use(None)
            return SessionsKept(request.request_id, 0, 0)
        files = SessionFiles(Path(request.folder), request.model_identity, request.limit_bytes)
        self.keeper.use(files)
        return SessionsKept(request.request_id, *files.usage())

    # Work

    def _answer(self, prepared: Prepared, found: Found | None) -> None:
        self._adapters.load(prepared.adapters)
        if prepared.request.echo:
            self._tasks.append(self._echo(prepared))
            return
        generation = self._generation(prepared)
        if found and prepared.request.session:
            self._bring_back(found, prepared.adapters, prepared.request.session)
        self.batching.add(generation)

    def _generation(self, prepared: Prepared) -> Generation:
        model = self.opened.model
        request = prepared.request
        sampler = Sampler(request.sampling, model, prepared.tokens, prepared.constraint)
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

    def _echo(self, prepared: Prepared) -> Echo:
        def answer() -> None:
            self.batching.add(self._generation(prepared))

        context, sequences = self.opened.context, self._sequences
        return Echo(prepared, context, sequences, self._adapters, self._send, answer)

    def _may_guess(self, params: SamplingParams) -> bool:
        """Return True if guesses do not change the sampled tokens.

        Where several rows are computed differently from one, their logits differ in the first
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

    def _embed(self, request: Embed) -> None:
        context, sequences = self.opened.context, self._sequences
        self._tasks.append(Embedding(request, context, sequences, self._adapters))

    def _restore(self, request: RestoreSession, key: AdapterKey, found: Found | None) -> None:
        if found and not self._knows(request.session):
            self._bring_back(found, key, request.session)
        tokens = self._sequences.session_tokens(request.session)
        self._requests.end(SessionRestored(request.request_id, tokens))

    def _forget(self, request: ForgetSession) -> None:
        self.keeper.forget(request.session, self._sequences)
        self._requests.end(SessionForgotten(request.request_id))

    def _knows(self, session: str) -> bool:
        """Return True if a conversation is in the cache. Any thread may call."""
        return self._sequences.session_tokens(session) > 0

    def _bring_back(self, found: Found, adapters: AdapterKey, session: str) -> None:
        if live := self._sequences.bring_back(*found, adapters, session):
            self._sequences.release(live)

    def keep_idle(self) -> float | None:
        """Keep an idle conversation on disk; return the seconds until the next is due, if any."""
        return self.keeper.keep_idle(self._sequences)

    def _refit(self, generation: Generation) -> bool:
        """Remove the oldest turns from a full context, so that the answer continues."""
        live = generation.live
        request = generation.prepared.request
        if live is None or request.prompt is not None:
            return False
        answered = len(generation.answer_tokens)
        try:
            view = self.preparer.view(request.messages, answered, thinks=request.thinks)
        except Exception:  # the template refuses the rest: the answer ends here
            return False
        if len(view.tokens) + answered >= len(generation.known):
            return False
        generation.has_new_prompt(view)
        self._sequences.move_to(live, generation.known)
        return True

    # Load and close

    def loaded(self, request: LoadModel, started: float) -> ModelLoaded:
        """Return the report of the load."""
        opened = self.opened
        model, context = opened.model, opened.context
        loaded = report(request, started, model, window=context.window, threads=opened.threads)
        return replace(
            loaded,
            gpu_layers=opened.gpu_layers,
            device=opened.device,
            flash_attention=context.flash_attention,
            template_notice=self.template.notice,
            template_problem=self.template.problem,
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
        """Finish all requests, and keep on disk what is worth it."""
        while not self.is_empty:
            self.step()  # cancelled requests end here
        self.keeper.keep_all(self._sequences)

    def close(self) -> None:
        """Finish, and free the memory. No other thread may use it any more."""
        self.finish()
        if self._draft_model:
            self._draft_model.close()
        self.opened.close()


def _draft_model(
    opened: Opened, options: LoadOptions, abort: AbortFlag
) -> tuple[DraftModel | None, str]:
    """Return the draft model for this one, or why a requested one is missing."""
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
    send: Callable[[Event], None],
) -> LoadedModel | LoadedEmbedder | None:
    """Load a model and report the result; None when it failed."""
    started = time.monotonic()
    abort.clear()
    request_id = request.request_id

    def progress(fraction: float) -> None:
        send(LoadProgress(request_id, fraction))

    path, options = Path(request.path), request.options
    loaded: LoadedModel | LoadedEmbedder
    try:
        if is_embedder(path):
            loaded = LoadedEmbedder(path, options, abort, requests, progress)
        else:
            opened = open_model(path, options, abort, progress)
            loaded = LoadedModel(opened, options, abort=abort, requests=requests, send=send)
    except Aborted:
        requests.end(Cancelled(request_id, None))
        return None
    except LoadError as problem:
        requests.end(Failed(request_id, problem.code, problem.detail))
        return None
    requests.end(loaded.loaded(request, started))
    return loaded
