"""A real engine process, driven over its pipes."""

import sys
from typing import Any, get_args

from chatdesk.core.generation import (
    EngineEvent,
    Generate,
    PromptMessage,
    TextDelta,
)
from chatdesk.core.loading import EngineReady, LoadModel, LoadOptions
from chatdesk.core.protocol import Terminal
from chatdesk.core.sampling import SamplingParams
from tests.driven_process import DrivenProcess

COMMAND = "from chatdesk.inference.worker import main; raise SystemExit(main())"
PATIENCE_S = 60.0


class EngineProcess(DrivenProcess[EngineEvent]):
    """An engine that is ready, with no model loaded."""

    def __init__(self, command: str = COMMAND) -> None:
        super().__init__([sys.executable, "-c", command], get_args(EngineEvent), PATIENCE_S)
        try:
            self.ready = self.wait_for(EngineReady)
        except BaseException:
            self.kill()
            raise

    def outcome(self, request_id: str) -> tuple[str, EngineEvent]:
        """Return the text and the terminal event of a request; skip other requests' events."""
        text = ""
        while True:
            event = self.next()
            if isinstance(event, EngineReady) or event.request_id != request_id:
                continue
            if isinstance(event, TextDelta):
                text += event.text
            if isinstance(event, Terminal):
                return text, event

    def load(self, path: object, context_window: int = 8192, **options: Any) -> EngineEvent:
        """Load a model; return the terminal event."""
        chosen = LoadOptions(context_window, **options)
        self.send(LoadModel("load", str(path), chosen))
        return self.outcome("load")[1]

    def ask(self, *contents: str, background: bool = False, **sampling: Any) -> str:
        """Ask with user and assistant taking turns; return the request's id."""
        request_id = f"ask-{contents[-1][:20]}"
        self.send(request(request_id, *contents, background=background, **sampling))
        return request_id

    def answer(self, *contents: str, **sampling: Any) -> tuple[str, EngineEvent]:
        """Ask; return the outcome."""
        return self.outcome(self.ask(*contents, **sampling))


def turns(*contents: str) -> tuple[PromptMessage, ...]:
    """A conversation of user and assistant taking turns."""
    roles = ("user", "assistant")
    return tuple(PromptMessage(roles[n % 2], text) for n, text in enumerate(contents))


def request(request_id: str, *contents: str, background: bool = False, **sampling: Any) -> Generate:
    """A request to answer a conversation."""
    params = SamplingParams(**sampling)
    return Generate(request_id, turns(*contents), params, background)
