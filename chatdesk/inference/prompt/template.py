"""A model's chat template: renders a conversation as the text of a prompt."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any

from jinja2.exceptions import SecurityError

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.arrangement import arrangements, easily_lost, fold_system
from chatdesk.inference.prompt.deadline import Overdue
from chatdesk.inference.prompt.sandbox import MAX_EXTRA_CHARACTERS, compile_template, why
from chatdesk.inference.prompt.thinking import find_marks, goes_on_thinking, without_thinking

MISSING, BROKEN = "missing", "broken"

_CHATML_END = "<|im_end|>"
_CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# A model without a template was taught no turns: it continues what it is given. An answer follows
# its question at once, and everything else begins a paragraph.
_TEXT = (
    "{% for message in messages %}{{ message['content'] }}"
    "{% if not loop.last and not (message['role'] == 'user'"
    " and loop.nextitem['role'] == 'assistant') %}{{ '\\n\\n' }}{% endif %}"
    "{% endfor %}"
)

_NONE: dict[str, Any] = {"tools": None, "documents": None}  # as the transformers library has it
_ABSENT: dict[str, Any] = {}
_EVERYBODY = frozenset({"system", "user", "assistant"})
_FORMS = (frozenset[str](), _EVERYBODY, frozenset({"user"}), frozenset({"user", "system"}))
_LIST_SIGNS = ("{'type'", '{"type"')  # of a list of parts that was written as it is


class RenderError(Exception):
    """The model's template cannot render this conversation; the text is the template's own."""


class ChatTemplate:
    """The template of a model file, or what takes its place.

    That is ChatML for a broken one, and nothing but the words where there is none. `notice` is the
    reason ("broken" or "missing"), and `problem` says where a broken one failed; `stop` are strings
    that end an answer in ChatML, because the model may have no token for them. `source` is the
    template in use; messages of the roles `in_parts` reach it as a list of parts, as it wants them.
    `thinks` says if the model shall think before it answers; None leaves it to the template.
    """

    def __init__(
        self, source: str | None, bos: str = "", eos: str = "", *, thinks: bool | None = None
    ) -> None:
        self._bos, self._eos, self._thinks = bos, eos, thinks
        self._globals: dict[str, Any] = {"bos_token": bos, "eos_token": eos}
        if thinks is not None:  # under the names that templates have for it
            self._globals |= {"enable_thinking": thinks, "thinking": thinks}
        self.notice: str | None = None
        self.problem = ""
        self.stop: tuple[str, ...] = ()
        self.in_parts: frozenset[str] = frozenset()
        self._folds_system = self._needs_system = False
        self._unsaid = _NONE
        if source is None:
            self.notice = MISSING
            self._adopt(_TEXT)
        elif not self._adopt(source):
            self.notice = BROKEN
            self.stop = (_CHATML_END,)
            problem = self.problem
            self._adopt(_CHATML)
            self.problem = problem

    def switched(self, thinks: bool) -> "ChatTemplate":
        """Return this template for answers with thinking, or without."""
        return ChatTemplate(self.source, self._bos, self._eos, thinks=thinks)

    @cached_property
    def _thinking(self) -> "ChatTemplate":
        return self.switched(thinks=True)

    def render(self, messages: Sequence[PromptMessage]) -> str:
        """Return the prompt's text, up to the point where the model continues.

        That is the start of the assistant's turn, or the middle of it when the last message is the
        assistant's: in its words, or in its thinking where it has no words yet. Thinking of other
        answers is included where the template wants it. Turns that the template refuses, or leaves
        out, are arranged as it wants them. Raises `RenderError`.
        """
        turns = list(messages)
        last = turns[-1] if turns else None
        if last and last.role == "assistant" and not last.content and not goes_on_thinking(turns):
            turns.pop()
        text = self._render_arranged(turns)
        is_new = not turns or turns[-1].role != "assistant"
        if self._thinks is not False or self._marks is None or not is_new:
            return text
        is_switched = self._thinking.render(turns) != text
        return without_thinking(text, self._marks, is_switched=is_switched)

    def _render_arranged(self, turns: list[PromptMessage]) -> str:
        if self._folds_system:
            turns = fold_system(turns)
        refusal: RenderError | None = None
        incomplete: str | None = None
        for arranged in arrangements(turns):
            try:
                text = self._render_to_the_answer(arranged)
            except Overdue as problem:  # another try would take as long
                raise RenderError(f"it takes {problem}") from problem
            except Exception as problem:  # any exception from a template is its refusal
                refusal = refusal or RenderError(why(problem))
                continue
            if all(words in text for words in easily_lost(turns)):
                return text
            incomplete = text if incomplete is None else incomplete
        if incomplete is None:
            raise refusal or RenderError("")
        return incomplete

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
        """Return the rendering up to the end of a field of the last turn.

        None if it is absent, or if the template allows no answer at the end.
        """
        mark = secrets.token_hex(16)
        last = turns[-1]
        marked = replace(last, **{field: getattr(last, field) + mark})
        try:
            rendered = self._render_turns([*turns[:-1], marked], add_generation_prompt=False)
        except Overdue:
            raise
        except Exception:  # as in `render`
            return None
        before, found, _ = rendered.rpartition(mark)
        return before if found else None

    def _render_turns(self, turns: Sequence[PromptMessage], add_generation_prompt: bool) -> str:
        if self._needs_system and not (turns and turns[0].role == "system"):
            turns = [PromptMessage("system", ""), *turns]
        return self._compiled(
            {
                "messages": [self._as_seen(turn) for turn in turns],
                "add_generation_prompt": add_generation_prompt,
                **self._unsaid,
                **self._globals,
            },
            4 * sum(len(turn.content) + len(turn.thinking) for turn in turns)
            + MAX_EXTRA_CHARACTERS,
        )

    def _as_seen(self, turn: PromptMessage) -> dict[str, Any]:
        content: Any = turn.content
        if turn.role in self.in_parts:
            content = [{"type": "text", "text": turn.content}]
        seen = {"role": turn.role, "content": content}
        if turn.thinking:  # under the name of most templates, and under gpt-oss' own
            seen |= {"reasoning_content": turn.thinking, "thinking": turn.thinking}
        return seen

    def _adopt(self, source: str) -> bool:
        """Use `source`, if it renders a tiny conversation without losing a word."""
        try:
            self._compiled = compile_template(source)
            if not self._adopt_form():
                return False
        except Exception as problem:  # hostile or wrong: either way it is not used
            self.problem = why(problem)
            return False
        self.source = source
        self._marks = find_marks(source)
        self.problem = ""
        return True

    def _adopt_form(self) -> bool:
        """Find what the template can do without, and the form in which it takes messages.

        They are text, or a list of parts. Some templates fail over tools that are there and none,
        and some demand a system text.
        """
        question, answer, follow_up, system = (
            PromptMessage(role, secrets.token_hex(8))
            for role in ("user", "assistant", "user", "system")
        )
        ways = product((False, True), (_NONE, _ABSENT), _FORMS)
        for self._needs_system, self._unsaid, self.in_parts in ways:
            if self._keeps([question]) and self._keeps([question, answer, follow_up]):
                self._folds_system = not self._keeps([system, question])
                break
        else:
            return False
        if self._folds_system and not self.in_parts:
            self.in_parts = frozenset({"system"})
            self._folds_system = not self._keeps([system, question])
        return True

    def _keeps(self, turns: Sequence[PromptMessage]) -> bool:
        try:
            text = self._render_turns(turns, add_generation_prompt=True)
        except (Overdue, SecurityError):  # no other form is tried
            raise
        except Exception as problem:  # as in `render`
            self.problem = self.problem or why(problem)
            return False
        is_kept = all(turn.content in text for turn in turns)
        if not is_kept:
            self.problem = self.problem or "it leaves out what was said"
        return is_kept and not any(sign in text for sign in _LIST_SIGNS)
