"""Runs, scorecards and examples as the widgets are given them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chatdesk.core.models import ModelFile, ModelHeader
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    Doubt,
    Example,
    ExampleKind,
    ExampleReason,
    ExampleSource,
    FactsTold,
    Figures,
    Finding,
    FindingKind,
    FinishedAdapter,
    HeldOutLoss,
    LossPoint,
    MissedAnswer,
    Preview,
    Reason,
    ReasonCode,
    SampleAnswer,
    Scorecard,
    Turn,
    Verdict,
)

HEADER = ModelHeader("Qwen3 4B", "qwen3", 4, "Q4_K_M", 2, 4096, 36, 10, True)
MODEL = ModelFile("m", "/models/m.gguf", HEADER, 0, None, datetime(2026, 1, 1, tzinfo=UTC))
LOSSES = (
    LossPoint(1, training=3.0),
    LossPoint(20, training=1.55, validation=1.61, general=0.69),
)
EMAIL = Finding(FindingKind.EMAIL, "anna@example.org", "[email 1]")


def scorecard(**fields: Any) -> Scorecard:
    """One that was promoted over an adapter in use."""
    base = Figures(2.0, 2.0, 0.0, 0, 200, 0, 12)
    promoted = Scorecard(
        base=base,
        active=replace(base, heldout_loss=1.84, general_loss=2.01, divergence=0.01),
        active_name="My voice v2",
        adapter=Figures(1.52, 2.008, 0.02, 0, 200, 0, 12),
        verdict=Verdict.PROMOTED,
        reasons=(
            Reason(ReasonCode.BETTER, {"change": -0.17, "low": -0.2, "high": -0.1}, good=True),
            Reason(ReasonCode.GENERAL_KEPT, {"change": 0.004}, good=True),
        ),
        change=-0.32,
        low=-0.4,
        high=-0.2,
        samples=(
            SampleAnswer("An egg?", "Sure! " * 60, "Six minutes.", "6 minutes.", "c1"),
            SampleAnswer("The capital of France?", "Paris.", "Paris!"),
        ),
    )
    return replace(promoted, **fields)


def finished_scorecard(*, used: bool = True) -> Scorecard:
    """One of an adapter that has learned what was held out, too; or was not made worse by it."""
    missed = (
        MissedAnswer("Who is the mayor?", "The mayor is Odile Marrack.", "The mayor is Ann.", "c1"),
        MissedAnswer("Which fair is it?", "It is the Lantern Drift.", "A fair.", "c2", True),
    )
    harm = Reason(ReasonCode.DIVERGED, {"divergence": 0.5, "limit": 0.3})
    return scorecard(
        active=None,
        active_name="",
        heldout=(
            HeldOutLoss("Which river is it?", 4.1, 0.3, "c1", 0.02 if used else None),
            HeldOutLoss("Who rings the bell?", 3.2, 3.4, "c2", 0.05 if used else None),
        ),
        finished=FinishedAdapter(
            examples=40,
            used=used,
            reasons=() if used else (harm,),
            facts=FactsTold(40, 0, 38 if used else 30, 36, 29, missed),
        ),
    )


def rejected_scorecard() -> Scorecard:
    """One that was rejected for everything."""
    return scorecard(
        active=None,
        active_name="",
        adapter=Figures(1.98, 2.2, 0.5, 12, 200, 1, 12),
        verdict=Verdict.REJECTED,
        low=-0.1,
        high=0.05,
        reasons=(
            Reason(ReasonCode.NOT_SURE, {"change": -0.01, "low": -0.05, "high": 0.02}),
            Reason(ReasonCode.GENERAL_WORSE, {"change": 0.1}),
            Reason(ReasonCode.DIVERGED, {"divergence": 0.5, "limit": 0.1}),
            Reason(ReasonCode.DEGENERATE, {"count": 12, "of": 200}),
            Reason(ReasonCode.RECALLED, {"count": 1, "of": 12}),
        ),
    )


def record(adapter_id: str = "a", **fields: Any) -> AdapterRecord:
    """A promoted adapter."""
    promoted = AdapterRecord(
        id=adapter_id,
        name=f"My voice {adapter_id}",
        model_id="m",
        model_name="Qwen3 4B",
        model_sha256="0" * 64,
        state=AdapterState.PROMOTED,
        created=datetime(2026, 1, 2, 12, tzinfo=UTC),
        ended=datetime(2026, 1, 2, 13, tzinfo=UTC),
        examples=214,
        heldout=22,
        scorecard=scorecard(),
        losses=LOSSES,
        seconds=1080,
        bytes=4 * 1024**2,
    )
    return replace(promoted, **fields)


def example(example_id: str = "e", **fields: Any) -> Example:
    """An answer that was liked."""
    liked = Example(
        id=example_id,
        kind=ExampleKind.ANSWER,
        why=ExampleReason.RATED,
        turns=(Turn("user", f"Question {example_id}?"),),
        target="An answer.",
        sources=(ExampleSource("c1", f"m-{example_id}"),),
        tokens=100,
        target_tokens=40,
    )
    return replace(liked, **fields)


def preview(problem: str = "") -> Preview:
    """An example of each kind; one of them is left out."""
    personal = example(
        "personal",
        turns=(Turn("system", "Be brief."), Turn("user", "Write to anna@example.org <now>")),
        target="Dear Anna,\n\nanna@example.org is yours & mine.",
        findings=(EMAIL,),
    )
    doubtful = example("doubtful", doubts=(Doubt.CUT_OFF, Doubt.REFUSAL), chosen=False, cut=2)
    preferred = example(
        "preferred", kind=ExampleKind.PREFERENCE, why=ExampleReason.PREFERRED, rejected="The other."
    )
    from_file = example(
        "file", why=ExampleReason.FILE, sources=(ExampleSource("file:abc", "notes.jsonl, line 3"),)
    )
    return Preview("m", (example(), personal, doubtful, preferred, from_file), 512, problem)
