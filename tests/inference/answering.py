"""The starter model, one token at a time, through the real sampler, as the step loop does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatdesk.core.loading import LoadOptions
from chatdesk.core.sampling import SamplingParams
from chatdesk.inference.decoding.grammar import Constraint, Constraints
from chatdesk.inference.decoding.sampler import Sampler
from chatdesk.inference.loading.open_model import open_model
from chatdesk.inference.native.bindings import AbortFlag
from chatdesk.inference.native.context import Batch, Logits

GREEDY = SamplingParams(temperature=0, repeat_penalty=1)


class Answering:
    """A loaded model with one sequence."""

    def __init__(self, model_file: Path) -> None:
        self._opened = open_model(model_file, LoadOptions(1024, threads=2), AbortFlag())
        self.model = self._opened.model
        self.context = self._opened.context
        self.vocabulary = self.model.vocabulary
        self.constraints = Constraints(self.vocabulary)
        self._batch = Batch(512)

    def close(self) -> None:
        self._opened.close()

    def read(self, prompt: str) -> int:
        """Compute a prompt; return the row of its last token."""
        tokens = self.vocabulary.tokenize(prompt, parse_special=True)
        self.context.clear()
        self._batch.clear()
        self._batch.add_part(tokens, 0, 0)
        self._batch.want_output(len(tokens) - 1)
        self.context.decode(self._batch)
        return len(tokens) - 1

    def logits(self, prompt: str) -> Logits:
        return self.context.logits(self.read(prompt)).copy()

    def tokens(
        self,
        params: SamplingParams,
        prompt: str,
        count: int = 24,
        constraint: Constraint | None = None,
    ) -> Iterator[int]:
        """Yield an answer's tokens up to the one that ends it, or `count`."""
        row = self.read(prompt)
        past = self.vocabulary.tokenize(prompt, parse_special=True)
        with Sampler(params, self.model, past, constraint) as sampler:
            for _ in range(count):
                token = sampler.sample(self.context, row)
                yield token
                if self.vocabulary.ends_generation(token):
                    return
                self._batch.clear()
                row = self._batch.add(token, self.context.length(0), 0, output=True)
                self.context.decode(self._batch)

    def answer(self, params: SamplingParams, prompt: str, count: int = 24) -> list[int]:
        return list(self.tokens(params, prompt, count))

    def confined(
        self,
        prompt: str,
        *,
        grammar: str | None = None,
        schema: str | None = None,
        params: SamplingParams = GREEDY,
        count: int = 200,
    ) -> tuple[str, bool]:
        """Return an answer within a grammar or schema, and True if the model ended it."""
        constraint = self.constraints.start(grammar, schema)
        tokens = list(self.tokens(params, prompt, count, constraint))
        text = b"".join(map(self.vocabulary.piece, tokens)).decode()
        return text, self.vocabulary.ends_generation(tokens[-1])


@contextmanager
def answering(model_file: Path) -> Iterator[Answering]:
    model = Answering(model_file)
    try:
        yield model
    finally:
        model.close()


def chat(question: str) -> str:
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
