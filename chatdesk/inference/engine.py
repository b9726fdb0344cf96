"""What the engine does with a request: load a model, generate an answer, count tokens."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from chatdesk.core.generation import (
    Cancelled,
    CountTokens,
    EngineEvent,
    Failed,
    FailureCode,
    Generate,
    LoadModel,
    LoadProgress,
    ModelLoaded,
    TokensCounted,
)
from chatdesk.inference.generation import Generation
from chatdesk.inference.llama import Aborted, Model
from chatdesk.inference.loading import LoadError
from chatdesk.inference.native import AbortFlag
from chatdesk.inference.prompt import PromptBuilder
from chatdesk.inference.sampling import check
from chatdesk.inference.template import ChatTemplate, RenderError


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: Model
    template: ChatTemplate
    prompts: PromptBuilder


class Engine:
    """One model and what is asked of it. `count` may run in a thread of its own.

    Each request ends in one terminal event through `send`, or in an exception, which is a bug.
    """

    def __init__(self, abort: AbortFlag, send: Callable[[EngineEvent], None]) -> None:
        self._abort = abort
        self._send = send
        self._loaded: _Loaded | None = None
        self._replacing = threading.Lock()  # a tokenizer in use must not be freed

    def load(self, request: LoadModel) -> None:
        """Load a model in place of the one there was."""
        started = time.monotonic()
        self.close()
        try:
            loaded = self._open(request)
        except LoadError as problem:
            self._send(Failed(request.request_id, problem.code, problem.detail))
            return
        except Aborted:
            self._send(Cancelled(request.request_id, None))
            return
        with self._replacing:
            self._loaded = loaded
        model = loaded.model
        self._send(
            ModelLoaded(
                request_id=request.request_id,
                name=model.metadata("general.name") or Path(request.path).stem,
                architecture=model.architecture,
                parameters=model.parameters,
                bytes=model.bytes,
                context_window=model.context_window,
                trained_context=model.trained_context,
                layers=model.layers,
                gpu_layers=model.gpu_layers,
                device=model.device,
                threads=model.threads,
                flash_attention=model.flash_attention,
                template_notice=loaded.template.notice,
                seconds=time.monotonic() - started,
            )
        )

    def _open(self, request: LoadModel) -> _Loaded:
        model = Model(
            Path(request.path),
            request.context_window,
            threads=request.threads,
            gpu_layers=request.gpu_layers,
            abort=self._abort,
            progress=lambda fraction: self._send(LoadProgress(request.request_id, fraction)),
        )
        vocabulary = model.vocabulary
        template = ChatTemplate(
            model.metadata("tokenizer.chat_template"), vocabulary.bos_text, vocabulary.eos_text
        )
        return _Loaded(model, template, PromptBuilder(template, vocabulary))

    def generate(self, request: Generate) -> None:
        """Answer a conversation."""
        loaded = self._loaded
        if loaded is None:
            self._send(Failed(request.request_id, FailureCode.NOT_LOADED, ""))
            return
        sampling = request.sampling
        try:
            check(sampling)
            prompt = loaded.prompts.tokens(request.messages)
        except RenderError as problem:
            self._send(Failed(request.request_id, FailureCode.TEMPLATE, str(problem)))
            return
        except ValueError as problem:
            self._send(Failed(request.request_id, FailureCode.PROTOCOL, str(problem)))
            return
        sampling = replace(sampling, stop=sampling.stop + loaded.template.stop)
        generation = Generation(
            loaded.model,
            request_id=request.request_id,
            prompt=prompt,
            params=sampling,
            abort=self._abort,
            send=self._send,
        )
        if not request.background:
            generation.run()
            return
        # A title must not cost the conversation its KV cache: the next turn would be read anew.
        room = len(prompt) + (sampling.max_tokens or loaded.model.context_window)
        with loaded.model.set_aside(room):
            generation.run()

    def count(self, request: CountTokens) -> None:
        """Count the tokens of a conversation's prompt."""
        with self._replacing:
            loaded = self._loaded
            if loaded is None:
                event: EngineEvent = Failed(request.request_id, FailureCode.NOT_LOADED, "")
            else:
                event = self._count(request, loaded)
        self._send(event)

    def _count(self, request: CountTokens, loaded: _Loaded) -> EngineEvent:
        try:
            tokens = len(loaded.prompts.tokens(request.messages))
        except RenderError as problem:
            return Failed(request.request_id, FailureCode.TEMPLATE, str(problem))
        except ValueError as problem:
            return Failed(request.request_id, FailureCode.PROTOCOL, str(problem))
        return TokensCounted(request.request_id, tokens, loaded.model.context_window)

    def close(self) -> None:
        """Give the model's memory back."""
        with self._replacing:
            loaded, self._loaded = self._loaded, None
            if loaded is not None:
                loaded.model.close()
