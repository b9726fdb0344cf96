"""Guesses of an answer's next tokens: from its own text so far, or from a draft model."""

from collections.abc import Sequence

from chatdesk.inference.speculation.draft_model import DraftModel
from chatdesk.inference.speculation.speculation import (
    LARGEST_DRAFT,
    DraftLength,
    PromptLookup,
    StepCosts,
)


class Guess:
    """Guesses for one answer, from step to step. `tokens` are those of the present step."""

    def __init__(
        self,
        request_id: str,
        costs: StepCosts,
        draft_model: DraftModel | None,
    ) -> None:
        self._request_id = request_id
        self._lookup: PromptLookup | None = None  # made after the first token, to show that sooner
        self._lookup_length = DraftLength(costs)
        self._draft_model = draft_model
        self._draft_length = DraftLength(costs)
        self._chosen: DraftLength | None = None  # the source of this step's guesses
        self.tokens: Sequence[int] = ()

    def draft(self, known: Sequence[int], others: int, room: int) -> Sequence[int]:
        """Guess the tokens after `known`; none when guessing does not pay now.

        `others` rows are in the step anyway; at most `room` tokens may be guessed. Raises
        `Aborted`.
        """
        self._chosen, self.tokens = None, ()
        limit = min(room, LARGEST_DRAFT)
        self._lookup = self._lookup or PromptLookup(known)
        chances = self._lookup.chances(limit)
        if chances and (count := self._lookup_length.choose(others, chances=chances)):
            self._chosen = self._lookup_length
            self.tokens = self._lookup.propose(count)
        elif model := self._draft_model:
            count = min(self._draft_length.choose(others, model.token_s), limit)
            if count > 0:
                self._chosen = self._draft_length
                self.tokens = model.propose(self._request_id, known, count)
        return self.tokens

    def settle(self, sampled: Sequence[int], right: int) -> None:
        """Learn the sampled tokens, and that the first `right` guesses were right."""
        if self._lookup:
            self._lookup.extend(sampled)
        if self._chosen:
            self._chosen.learned(len(self.tokens), right)
        self._chosen, self.tokens = None, ()

    def close(self) -> None:
        """Free the draft of the answer, which has ended."""
        if self._draft_model:
            self._draft_model.forget(self._request_id)
