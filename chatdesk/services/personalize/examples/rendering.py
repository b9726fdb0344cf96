"""Examples as token ids: made by the engine that will later be asked.

Template, tokenizer and prompt are those of answering, so that training and answering use the same
tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from chatdesk.core.generation import Failed, MessagesRendered, PromptMessage, RenderMessages
from chatdesk.core.personalization import Doubt, Example, Turn
from chatdesk.core.training import Sequence as TokenSequence
from chatdesk.core.training import TokenExample
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.problems import engine_problem
from chatdesk.services.engine.requests import ask_all

UNUSABLE = (Doubt.TOO_LONG, Doubt.TEMPLATE)  # such an example has no tokens


@dataclass(frozen=True, slots=True)
class _Job:
    """An example in work: without its `cut` oldest turns so far."""

    example: Example
    cut: int = 0

    def conversations(self) -> list[tuple[PromptMessage, ...]]:
        """Return the conversations to render: with the answer, and with any rejected one."""
        example = self.example
        turns = [PromptMessage(t.role, example.shown(t.content)) for t in self.turns]
        answers = [example.target, *([example.rejected] if example.rejected else [])]
        return [(*turns, PromptMessage("assistant", example.shown(answer))) for answer in answers]

    @property
    def head(self) -> tuple[Turn, ...]:
        """The part that is never cut: the system prompt."""
        return tuple(takewhile(lambda turn: turn.role == "system", self.example.turns))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The remaining turns."""
        return self.head + self.example.turns[len(self.head) + self.cut :]

    def shortened(self, rendered: Sequence[MessagesRendered], longest: int) -> "_Job | None":
        """Return the job without enough oldest turns, by their tokens; None if only one is left.

        The rest begins with a question.
        """
        surplus = max(len(each.tokens) for each in rendered) - longest
        spans = rendered[0].spans[len(self.head) :]
        later = self.turns[len(self.head) :]
        questions = [n for n in range(1, len(later)) if later[n].role == "user"]
        if not questions:
            return None
        enough = (n for n in questions if spans[n].start - spans[0].start >= surplus)
        return replace(self, cut=self.cut + next(enough, questions[-1]))


@dataclass(frozen=True, slots=True)
class _Done:
    """An example with its counts, and its tokens; None where there are none."""

    example: Example
    tokens: TokenExample | None = None
    failed: Failed | None = None


class Renderer:
    """Renders examples with the model in use, as they are shown, with values masked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self, examples: Sequence[Example], longest: int) -> tuple[Example, ...]:
        """Return the examples with their token counts, and with the number of turns to cut.

        Examples that cannot fit into `longest` tokens, or that the model's template cannot render,
        get a doubt. Raises `EnvironmentProblem`.
        """
        return tuple(done.example for done in self._render(examples, longest))

    def render(self, examples: Sequence[Example], longest: int) -> tuple[TokenExample, ...]:
        """Return the examples as tokens, each at most `longest`. Raises `EnvironmentProblem`.

        None of them has an `UNUSABLE` doubt.
        """
        rendered = []
        for done in self._render(examples, longest):
            if done.failed:
                raise engine_problem(done.failed, self._model_name())
            assert done.tokens
            rendered.append(done.tokens)
        return tuple(rendered)

    def _render(self, examples: Sequence[Example], longest: int) -> list[_Done]:
        done: dict[int, _Done] = {}
        jobs = dict(enumerate(map(_Job, examples)))
        while jobs:
            rendered = self._ask(jobs)
            again: dict[int, _Job] = {}
            for place, job in jobs.items():
                outcome = _outcome(job, rendered[place], longest)
                if isinstance(outcome, _Job):
                    again[place] = outcome
                else:
                    done[place] = outcome
            jobs = again
        return [done[place] for place in range(len(examples))]

    def _ask(self, jobs: dict[int, _Job]) -> dict[int, list[MessagesRendered | Failed]]:
        """Return the renderings of each job, all requested at once."""
        self._engine.wait_loaded()
        places, requests = [], []
        for place, job in jobs.items():
            for conversation in job.conversations():
                places.append(place)
                requests.append(RenderMessages(self._engine.new_id(), conversation))
        answers: dict[int, list[MessagesRendered | Failed]] = {place: [] for place in jobs}
        for place, answer in zip(
            places, ask_all(self._engine, requests, MessagesRendered), strict=True
        ):
            answers[place].append(answer)
        return answers

    def _model_name(self) -> str:
        model = self._engine.status.model
        return model.header.name if model else ""


def _outcome(job: _Job, answers: Sequence[MessagesRendered | Failed], longest: int) -> _Done | _Job:
    """Return the result of a job, or the next try with less."""
    rendered = [each for each in answers if isinstance(each, MessagesRendered)]
    failed = next((each for each in answers if isinstance(each, Failed)), None)
    if failed:
        return _Done(_doubted(job.example, Doubt.TEMPLATE), failed=failed)
    if max(len(each.tokens) for each in rendered) > longest:
        return job.shortened(rendered, longest) or _Done(_doubted(job.example, Doubt.TOO_LONG))
    chosen, *others = [TokenSequence(each.tokens, (each.spans[-1],)) for each in rendered]
    spans = [each.spans[-1] for each in rendered]
    counted = replace(
        job.example,
        doubts=tuple(each for each in job.example.doubts if each not in UNUSABLE),
        tokens=sum(len(each.tokens) for each in rendered),
        target_tokens=sum(span.end - span.start for span in spans),
        cut=job.cut,
    )
    return _Done(counted, TokenExample(chosen, others[0] if others else None))


def _doubted(example: Example, doubt: Doubt) -> Example:
    others = tuple(each for each in example.doubts if each not in UNUSABLE)
    return replace(example, doubts=(*others, doubt), chosen=False, tokens=0, target_tokens=0, cut=0)
