"""The source of answers for `ChatService`; the local `Engine` is one such backend."""

from collections.abc import Sequence
from typing import Protocol

from chatdesk.core.generation import Adapter, PromptMessage, TokensCounted
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.facts import EngineStatus
from chatdesk.services.engine.process import OnReply


class ChatBackend(Protocol):
    """Counts prompts and answers them. Any thread may call every method."""

    @property
    def status(self) -> EngineStatus:
        """The model that answers, and its state."""

    def count(self, messages: Sequence[PromptMessage]) -> TokensCounted:
        """Return how many tokens these messages are as a prompt. Raises `EnvironmentProblem`."""

    def generate(
        self,
        messages: Sequence[PromptMessage],
        sampling: SamplingParams,
        on_reply: OnReply,
        *,
        background: bool = False,
        adapters: Sequence[Adapter] = (),
        session: str | None = None,
    ) -> str:
        """Begin an answer; return the id of the request, at once.

        `on_reply` gets `PromptProgress`, `ThinkingDelta` and `TextDelta`, then exactly one
        `Terminal`, on a thread of the backend. `background` work yields to other answers. `session`
        names the conversation, for a backend that keeps its state.
        """

    def cancel(self, request_id: str) -> None:
        """Stop an answer; it ends as `Cancelled`. Nothing happens when it has ended."""
