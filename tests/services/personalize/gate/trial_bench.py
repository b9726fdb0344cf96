"""What the tests of the gate measure with: the starter model, and small sets."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from chatdesk.core.generation import PromptMessage
from chatdesk.core.loading import LoadOptions
from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.core.personalization import Scorecard, Turn
from chatdesk.core.training import Sequence, TokenExample
from chatdesk.services.engine.engine import Engine
from chatdesk.services.measure.probe import Probe
from chatdesk.services.personalize.gate.base_figures import base_figures
from chatdesk.services.personalize.gate.evidence import Active, Before, Evidence
from chatdesk.services.personalize.gate.general_sets import GeneralSets
from chatdesk.services.personalize.gate.trial import run_trial
from chatdesk.services.personalize.plan import Taught

ALL = GeneralSets.load()
SETS = replace(ALL, items=ALL.items[:6], replay=ALL.replay[:12])
OWN = (
    ("What is the capital of Norway?", "Oslo is the capital of Norway."),
    ("How many legs has a spider?", "A spider has eight legs."),
    ("How do I open a file in Python?", "Use `open(name)` and read it."),
    ("What color is grass?", "Grass is green in spring and summer."),
    ("Who wrote Hamlet?", "Shakespeare wrote Hamlet around 1600."),
    ("Is ice cold?", "Yes, ice is cold: it is frozen water."),
)


def started(model: Path) -> Engine:
    """An engine with a model."""
    header = ModelHeader("Starter", "llama", 1, "Q4_1", 1, 8192, 30, 1, True)
    engine = Engine(lambda fact: None)
    file = ModelFile("starter", str(model), header, 0, None, datetime.now(UTC))
    engine.load(file, LoadOptions(2048))
    engine.wait_loaded()
    return engine


class TrialBench:
    """An engine with the starter model, and its figures without an adapter."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.engine = started(model)
        self.work = 0
        self.probe = Probe(self.engine, lambda: None, self._worked)
        self.file = folder / "figures" / "starter.json"
        self.figures = base_figures(self.probe, SETS, self.file)
        self.heldout = self.held(OWN)

    def _worked(self, amount: int) -> None:
        self.work += amount

    def held(self, pairs: tuple[tuple[str, str], ...]) -> tuple[Taught, ...]:
        """Held-out answers, each of a conversation of its own."""
        rendered = self.probe.render(
            (PromptMessage("user", question), PromptMessage("assistant", answer))
            for question, answer in pairs
        )
        return tuple(
            Taught(
                TokenExample(Sequence(each.tokens, (each.spans[1],))),
                (Turn("user", question),),
                answer,
                f"conversation {number}",
            )
            for number, (each, (question, answer)) in enumerate(zip(rendered, pairs, strict=True))
        )

    def judge(self, adapter: Path, active: Active | None = None) -> Scorecard:
        evidence = Evidence(SETS, self.figures, self.heldout, ())
        return run_trial(self.probe, evidence, adapter, Before(self.probe, evidence, active))
