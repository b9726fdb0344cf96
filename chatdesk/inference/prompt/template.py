"""A model's chat template: renders a conversation as the text of a prompt."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.deadline import Overdue
from chatdesk.inference.prompt.sandbox import MAX_EXTRA_CHARACTERS, compile_template
from chatdesk.inference.prompt.thinking import find_marks, goes_on_thinking

MISSING, BROKEN = "missing", "broken"

_CHATML_END = "<|im_end|>"
_CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class RenderError(Exception):
    """The model's template cannot render this conversation; the text is the template's own."""


class ChatTemplate:
    """The template of a model file, or ChatML instead of it.

    `notice` is the reason for ChatML ("missing" or "broken"); `stop` are strings that then end an
    answer, because the model may have no token for them. `source` is the template in use.
    """

    def __init__(self, source: str | None, bos: str = "", eos: str = "") -> None:
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self.notice: str | None = None
        self.stop: tuple[str, ...] = ()
        self._folds_system = False
        if source is None or not self._adopt(source):
            self.notice = MISSING if source is None else BROKEN
            self.stop = (_CHATML_END,)
            self._adopt(_CHATML)

    def render(self, messages: Sequence[PromptMessage]) -> str:
        """Return the prompt's text, up to the point where the model continues.

        That is the start of the assistant's turn, or the middle of it when the last message is the
        assistant's: in its words, or in its thinking where it has no words yet. Thinking of other
        answers is included where the template wants it. Raises `RenderError`.
        """
        turns = list(messages)
        last = turns[-1] if turns else None
        if last and last.role == "assistant" and not last.content and not goes_on_thinking(turns):
            turns.pop()
        if self._folds_system:
            turns = _fold_system(turns)
        try:
            return self._render_to_the_answer(turns)
        except Overdue as problem:  # a second try would take as long
            raise RenderError(f"it takes {problem}") from problem
        except Exception as problem:  # any exception from a template is its refusal
            try:
                return self._render_to_the_answer(_alternating(turns))
            except Exception:
                raise RenderError(f"{type(problem).__name__}: {problem}") from problem

    def _render_to_the_answer(self, turns: Sequence[PromptMessage]) -> str:
        if not turns or turns[-1].role != "assistant":
            return self._render_turns(turns, add_generation_prompt=True)
        if goes_on_thinking(turns):
            return self._render_to_the_thinking(turns)
        last = turns[-1]
        before = self._render_up_to("content", turns)
        system = [turn.content.strip() for turn in turns if turn.role == "system"]
        # The template rewrites it, or puts the system text elsewhere: render as for a new answer.
        if before is None or not all(text in before for text in system):
            before = self._render_turns(turns[:-1], add_generation_prompt=True) + last.content
        start = before.removesuffix(last.content.lstrip())  # some templates trim it
        if self._marks and start.rstrip().endswith(self._marks.opening):
            return f"{start}{last.thinking}\n{self._marks.closing}\n\n{last.content}"
        return before

    def _render_to_the_thinking(self, turns: Sequence[PromptMessage]) -> str:
        """Return the prompt of an answer that was stopped while the model was still thinking."""
        answered = replace(turns[-1], content=secrets.token_hex(16))  # some omit empty turns
        before = self._render_up_to("thinking", [*turns[:-1], answered])
        if before is not None and answered.content not in before:
            return before
        start = self._render_turns(turns[:-1], add_generation_prompt=True)
        if self._marks and not start.rstrip().endswith(self._marks.opening):
            start += f"{self._marks.opening}\n"
        return start + turns[-1].thinking

    def _render_up_to(self, field: str, turns: Sequence[PromptMessage]) -> str | None:
        """Return the rendering up to the end of a field of the last turn; None if it is absent."""
        mark = secrets.token_hex(16)
        last = turns[-1]
        marked = replace(last, **{field: getattr(last, field) + mark})
        rendered = self._render_turns([*turns[:-1], marked], add_generation_prompt=False)
        before, found, _ = rendered.rpartition(mark)
        return before if found else None

    def _render_turns(self, turns: Sequence[PromptMessage], add_generation_prompt: bool) -> str:
        return self._compiled(
            {
                "messages": [_as_template_sees(turn) for turn in turns],
                "add_generation_prompt": add_generation_prompt,
                "tools": None,
                "documents": None,
                **self._tokens,
            },
            4 * sum(len(turn.content) + len(turn.thinking) for turn in turns)
            + MAX_EXTRA_CHARACTERS,
        )

    def _adopt(self, source: str) -> bool:
        """Use `source`, if it renders a tiny conversation without losing a word."""
        try:
            self._compiled = compile_template(source)
        except Exception:  # hostile or wrong: either way it is not used
            return False
        question, answer, follow_up, system = (
            PromptMessage(role, secrets.token_hex(8))
            for role in ("user", "assistant", "user", "system")
        )
        if not self._keeps([question]) or not self._keeps([question, answer, follow_up]):
            return False
        self._folds_system = not self._keeps([system, question])
        self.source = source
        self._marks = find_marks(source)
        return True

    def _keeps(self, turns: Sequence[PromptMessage]) -> bool:
        try:
            text = self._render_turns(turns, add_generation_prompt=True)
        except Exception:  # as in _adopt
            return False
        return all(turn.content in text for turn in turns)


def _as_template_sees(turn: PromptMessage) -> dict[str, str]:
    seen = {"role": turn.role, "content": turn.content}
    if turn.thinking:  # under the name of most templates, and under gpt-oss' own
        seen |= {"reasoning_content": turn.thinking, "thinking": turn.thinking}
    return seen


def _fold_system(turns: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Put the system texts before the first user message, for templates without a system role."""
    system = [turn.content for turn in turns if turn.role == "system"]
    rest = [turn for turn in turns if turn.role != "system"]
    if not system or not rest or rest[0].role != "user":
        return rest
    return [replace(rest[0], content="\n\n".join([*system, rest[0].content])), *rest[1:]]


def _alternating(turns: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Join neighbours of one role into one turn, for templates that require alternating roles."""
    merged: list[PromptMessage] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            merged[-1] = replace(turn, content=f"{merged[-1].content}\n\n{turn.content}")
        elif turn.content or turn.thinking:
            merged.append(turn)
    return merged
