"""Learning without a window: `chatdesk personalize preview`, `train` and `resume`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatdesk.cli.documents.adapters import adapter_document
from chatdesk.cli.parts import Document
from chatdesk.cli.services import open_services
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.i18n import tr
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import (
    AdapterRecord,
    AdapterState,
    Example,
    LearnFrom,
    Preview,
    TrainingConfig,
)
from chatdesk.core.settings import Settings
from chatdesk.services.app import App
from chatdesk.services.personalize.facts import LearningProgress
from chatdesk.services.personalize.trainable import check_trainable

OnProgress = Callable[[LearningProgress], None]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """The data to learn from. Conversations that are named here are used as a whole.

    With neither conversations nor files the settings decide. `model` None is the default.
    """

    conversations: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    model: str | None = None
    config: TrainingConfig = field(default_factory=TrainingConfig)
    name: str = ""


def preview(paths: AppPaths, settings: Settings, request: LearnRequest) -> Document:
    """Everything that would be learned, as it would be learned. Raises `EnvironmentProblem`."""
    with open_services(paths, settings) as services:
        services.tidy()
        found = _preview(services, request)
    return {
        "model": found.model_id,
        "chosen": len(found.chosen),
        "tokens": sum(example.tokens for example in found.chosen),
        "longest": found.longest,
        "problem": found.problem,
        "examples": [_example(example) for example in found.examples],
    }


def train(
    paths: AppPaths,
    settings: Settings,
    request: LearnRequest,
    agree: Callable[[Preview], bool],
    on_progress: OnProgress,
    say: Say,
) -> Document | None:
    """Learn, if the person agrees to the preview; None if not.

    Ctrl+C keeps what was done, `say` says how it goes on, and is passed on. Raises
    `EnvironmentProblem`, also when the run fails.
    """
    with open_services(paths, settings) as services:
        services.tidy()
        if sentence := services.personalize.missing():
            raise EnvironmentProblem(sentence)
        found = _preview(services, request)
        if found.problem:
            raise EnvironmentProblem(found.problem)
        if not agree(found):
            return None
        record = services.personalize.start(found, request.config, request.name)
        return _wait(services, record, on_progress, say)


def resume(
    paths: AppPaths, settings: Settings, name: str, on_progress: OnProgress, say: Say
) -> Document:
    """Go on with a run that was interrupted. Raises `EnvironmentProblem`."""
    with open_services(paths, settings) as services:
        services.tidy()
        record = services.adapters.resolve(name)
        services.load_model(services.models.get(record.model_id))
        services.personalize.resume(record.id)
        return _wait(services, record, on_progress, say)


def _preview(services: App, request: LearnRequest) -> Preview:
    model = services.models.chosen(request.model, services.settings.models.chosen)
    check_trainable(model)
    services.load_model(model)
    services.engine.wait_loaded()
    named = [_conversation(services, each) for each in request.conversations]
    learn_from = LearnFrom.EVERYTHING if named else None
    conversations = named if named or request.files else None
    return services.personalize.preview(model, learn_from, conversations, request.files)


def _conversation(services: App, id_or_prefix: str) -> str:
    conversation_id = services.conversations.resolve(id_or_prefix)
    if services.conversations.get(conversation_id).deleted:
        raise NotFound(
            tr("The conversation {id} is in the trash.", id=conversation_id),
            tr("Take it out with: chatdesk conversations restore {id}", id=conversation_id),
        )
    return conversation_id


def _wait(services: App, record: AdapterRecord, on_progress: OnProgress, say: Say) -> Document:
    try:
        record = services.personalize.wait(record.id, on_progress)
    except KeyboardInterrupt:
        say(
            tr(
                "What was learned is kept. Resume with: chatdesk personalize resume {id}",
                id=record.id,
            )
        )
        raise
    if record.state is AdapterState.FAILED:
        raise EnvironmentProblem(record.error)
    return adapter_document(services.adapters, record)


def _example(example: Example) -> dict[str, Any]:
    return {
        "id": example.id,
        "kind": example.kind.value,
        "why": example.why.value,
        "turns": [{"role": t.role, "content": example.shown(t.content)} for t in example.turns],
        "target": example.shown(example.target),
        "rejected": example.shown(example.rejected) or None,
        "sources": [
            {"conversation": source.conversation_id, "message": source.message_id}
            for source in example.sources
        ],
        "masked": [each.placeholder for each in example.findings if each.masked],
        "doubts": [doubt.value for doubt in example.doubts],
        "chosen": example.chosen,
        "tokens": example.tokens,
        "target_tokens": example.target_tokens,
        "cut": example.cut,
    }
