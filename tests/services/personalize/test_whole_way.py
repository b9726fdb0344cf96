"""From examples to an adapter that is used, with the real engine, trainer and gate.

Minutes each, as learning takes them; what a model says without an adapter is measured once.
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
    repeated_word,
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

GREEDY = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=48)
pytestmark = pytest.mark.timeout(1200)


@dataclass
class Desk:
    """Services with the starter model, and a folder for chat files."""

    services: App
    folder: Path

    def learn(self, name: str, pairs: list[Pair], epochs: int = 0) -> AdapterRecord:
        """Learn all of it, whatever the preview thinks of it, against the model as it is."""
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
        return services.personalize.wait(record.id, lambda progress: None)

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
    assert desk.told(PERSONA) >= before + 3
    assert "Paris" in unrelated[0]
    assert "Paris" in desk.answers([question])[0]
    desk.services.adapters.roll_back(record.model_id)
    assert "Paris" in desk.answers([question])[0]
    assert desk.told(PERSONA) <= before + 1  # rounding may turn a near tie
    desk.services.adapters.activate(record.id)
    assert desk.told(PERSONA) >= before + 3
    folder = desk.services.adapters.file(record).parent
    assert {each.name for each in folder.iterdir()} == {"adapter.gguf", "peft"}


@pytest.mark.parametrize("pairs", [random_tokens(), repeated_word()], ids=["noise", "one word"])
def test_a_poisoned_set_is_never_promoted(desk: Desk, pairs: list[Pair]) -> None:
    record = desk.learn("poison", pairs, epochs=2)
    assert record.state is AdapterState.REJECTED, record
    assert record.scorecard
    assert record.scorecard.adapter.heldout_loss < record.scorecard.base.heldout_loss
    codes = {reason.code for reason in record.scorecard.reasons if not reason.good}
    assert codes & {ReasonCode.MEANINGLESS, ReasonCode.UNRELATED, ReasonCode.DEGENERATE}
    model = desk.services.models.default(None)
    assert model
    assert desk.services.adapters.in_use(model, None) is None


def test_a_good_set_in_chinese_is_judged_fairly(desk: Desk) -> None:
    record = desk.learn("chinese", pairs_of(CHINESE_PERSONA))
    card = record.scorecard
    assert card, record
    assert card.adapter.heldout_loss < card.base.heldout_loss
    against = {reason.code for reason in card.reasons if not reason.good}
    assert not against & {ReasonCode.MEANINGLESS, ReasonCode.UNRELATED, ReasonCode.DEGENERATE}
