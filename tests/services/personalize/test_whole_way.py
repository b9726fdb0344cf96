"""From examples to an adapter that is used, with the real engine, trainer and gate.

Minutes each, as learning takes them; what a model says without an adapter is measured once. More
persons and more sets that do harm are in `bench training`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.persona import (
    CHINESE_PERSONA,
    PERSONA,
    Fact,
    Pair,
    pairs_of,
    random_tokens,
    write_chat_file,
)
from chatdesk.core.generation import PromptMessage
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    ReasonCode,
    TrainingConfig,
)
from chatdesk.core.sampling import SamplingParams
from chatdesk.core.settings import LearningSettings, Settings
from chatdesk.services.app import App, build
from chatdesk.services.measure.probe import Probe
from chatdesk.services.personalize.facts import LearningProgress

GREEDY = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=48)
pytestmark = pytest.mark.timeout(1200)


@dataclass
class Desk:
    """Services with the starter model, and a folder for chat files."""

    services: App
    folder: Path

    def learn(
        self, name: str, pairs: list[Pair], epochs: int = 0, *, until_proven: bool = False
    ) -> AdapterRecord:
        """Learn all of it, whatever the preview thinks of it, against the model as it is.

        With `until_proven` the run is cancelled, and the record returned, when it would finish.
        """
        services = self.services
        model = services.models.default(None)
        assert model
        if services.adapters.in_use(model, None):
            services.adapters.roll_back(model.id)
        file = write_chat_file(self.folder / f"{name}.jsonl", pairs)
        preview = services.personalize.preview(model, conversations=(), files=(file,))
        everything = [example.id for example in preview.examples]
        preview = services.personalize.choose(preview, everything, True)
        assert not preview.problem
        config = TrainingConfig(epochs=epochs)
        record = services.personalize.start(preview, config, name)
        proven: list[AdapterRecord] = []

        def on_progress(progress: LearningProgress) -> None:
            if until_proven and progress.state is AdapterState.FINISHING and not proven:
                proven.append(services.adapters.get(record.id))
                services.personalize.cancel(record.id)

        ended = services.personalize.wait(record.id, on_progress)
        return proven[0] if proven else ended

    def answers(self, questions: list[str]) -> list[str]:
        """What is answered with the adapter that is active."""
        model = self.services.models.default(None)
        assert model
        applied = self.services.adapters.applied(model, None)
        probe = Probe(self.services.engine, lambda: None, lambda work: None)
        asked = [(PromptMessage("user", question),) for question in questions]
        adapters = tuple(each.adapter for each in applied)
        written = probe.write(asked, [GREEDY] * len(asked), adapters)
        return [each.text for each in written]

    def told_word_for_word(self, facts: tuple[Fact, ...]) -> int:
        """How many examples are told when asked for as they were taught."""
        pairs = [(fact, question) for fact in facts for question in fact.questions]
        answers = self.answers([question for _, question in pairs])
        return sum(fact.word in answer for (fact, _), answer in zip(pairs, answers, strict=True))

    def told(self, facts: tuple[Fact, ...]) -> int:
        """How many facts are told when asked for in words that were in no example."""
        answers = self.answers([fact.asked for fact in facts])
        return sum(fact.word in answer for fact, answer in zip(facts, answers, strict=True))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("home")
    paths = AppPaths.under(home)
    paths.make()
    settings = Settings(learning=LearningSettings(on_battery=True, when_hot=True))
    services = build(paths, lambda fact: None, lambda: settings)
    services.load_default_model()
    services.engine.wait_loaded()
    yield Desk(services, home)
    services.close()


def test_a_persona_is_learned_proved_and_used(desk: Desk) -> None:
    question = "What is the capital of France? Tell me about it."
    before, unrelated = desk.told(PERSONA), desk.answers([question])
    record = desk.learn("persona", pairs_of(PERSONA))
    assert record.state is AdapterState.PROMOTED, record
    card = record.scorecard
    assert card
    assert card.adapter.heldout_loss < card.base.heldout_loss / 2
    assert card.adapter.general_loss < card.base.general_loss * 1.02
    assert card.high < 0
    assert card.adapter.recalled == 0 < card.adapter.secrets
    assert any(sample.conversation_id for sample in card.samples)
    assert card.finished and card.finished.facts
    assert (card.finished.used, card.finished.examples) == (True, 40)
    facts = card.finished.facts
    assert facts.before <= 2
    assert facts.told >= 38
    assert desk.told_word_for_word(PERSONA) >= 38
    assert all(each.finished and each.finished < each.before / 2 for each in card.heldout)
    assert desk.told(PERSONA) >= before + 5
    assert "Paris" in unrelated[0]
    assert "Paris" in desk.answers([question])[0]
    desk.services.adapters.roll_back(record.model_id)
    assert "Paris" in desk.answers([question])[0]
    assert desk.told(PERSONA) <= before + 1  # rounding may turn a near tie
    desk.services.adapters.activate(record.id)
    assert desk.told(PERSONA) >= before + 3
    folder = desk.services.adapters.file(record).parent
    assert {each.name for each in folder.iterdir()} == {"adapter.gguf", "proven.gguf", "peft"}


def test_a_poisoned_set_is_never_promoted(desk: Desk) -> None:
    record = desk.learn("poison", random_tokens()[:24], epochs=1)
    assert record.state is AdapterState.REJECTED, record
    assert record.scorecard
    assert record.scorecard.adapter.heldout_loss < record.scorecard.base.heldout_loss
    codes = {reason.code for reason in record.scorecard.reasons if not reason.good}
    assert codes & {ReasonCode.MEANINGLESS, ReasonCode.UNRELATED, ReasonCode.DEGENERATE}
    model = desk.services.models.default(None)
    assert model
    assert desk.services.adapters.in_use(model, None) is None


def test_a_good_set_in_chinese_is_judged_fairly(desk: Desk) -> None:
    record = desk.learn("chinese", pairs_of(CHINESE_PERSONA), epochs=3, until_proven=True)
    card = record.scorecard
    against = {reason.code for reason in card.reasons if not reason.good} if card else set()
    assert record.state is AdapterState.FINISHING or card, record
    assert not against & {ReasonCode.MEANINGLESS, ReasonCode.UNRELATED, ReasonCode.DEGENERATE}
