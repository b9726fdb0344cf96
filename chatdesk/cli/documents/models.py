"""The command line's documents on the models here, with the names of its contract."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from chatdesk.cli.parts import Document
from chatdesk.cli.services import open_services
from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import Estimate, KeptModel, Presence
from chatdesk.core.models import ModelFile
from chatdesk.core.paths import AppPaths
from chatdesk.core.quantizing import QuantizingState
from chatdesk.core.settings import Settings
from chatdesk.library.models.role import role_of
from chatdesk.services.app import App
from chatdesk.services.facts import Fact
from chatdesk.services.models.files import presence_of
from chatdesk.services.quantize.facts import QuantizingChanged


def find_devices(services: App) -> None:
    """Let the engine find the devices of this machine, and measure its memory if nobody has.

    Estimates need both. Where the engine cannot start there is only the processor; `doctor`
    reports it.
    """
    with suppress(EngineProblem):
        services.engine.ready()
    if not services.memory_speed.bytes_per_s:
        services.memory_speed.measure()


def list_models(paths: AppPaths, settings: Settings) -> list[tuple[Document, Presence]]:
    """Every model of the list, with how it fits this machine, and whether its file is there."""
    with open_services(paths, settings) as services:
        find_devices(services)
        kept = services.models.kept()
    return [(_kept(each), each.presence) for each in kept]


def model_info(paths: AppPaths, settings: Settings, id_or_path: str) -> Document:
    """One model, at more length. Raises `NotFound` or `ModelProblem`."""
    with open_services(paths, settings) as services:
        services.models.refresh()
        model = services.models.get(id_or_path)
        find_devices(services)
        (kept,) = (each for each in services.models.kept() if each.model.id == model.id)
    notes, header = kept.notes, kept.model.header
    return _kept(kept) | {
        "layers": header.layers,
        "parts": header.parts,
        "license": header.license,
        "memory_bytes": kept.estimate.memory_bytes,
        "tokens_per_s": notes.tokens_per_s or kept.estimate.tokens_per_s or None,
        "chat_template": header.has_chat_template,
        "sha256": model.sha256,
        "presence": kept.presence.value,
        "repo": notes.repo,
        "tags": list(notes.tags),
        "favourite": notes.favourite,
        "last_used": notes.last_used.isoformat() if notes.last_used else None,
    }


def add_model(paths: AppPaths, settings: Settings, path: Path) -> Document:
    """Take up a GGUF file. Raises `ModelProblem`."""
    with open_services(paths, settings) as services:
        model = services.models.add(path)
        find_devices(services)
        return describe(services, settings, model)


def remove_model(paths: AppPaths, settings: Settings, model_id: str, *, forget: bool) -> Document:
    """Move a model to the trash, or only take it off the list, as one whose file is missing.

    Raises `EnvironmentProblem`.
    """
    with open_services(paths, settings) as services:
        model = services.models.get(model_id)
        freed = 0
        if forget or presence_of(model) is Presence.MISSING:
            services.models.forget(model.id)
        else:
            freed = services.models.delete(model.id)
    return {"id": model.id, "path": model.path, "freed_bytes": freed}


def models_elsewhere(paths: AppPaths, settings: Settings, *, add: bool) -> list[Document]:
    """Return the models of other apps, and with `add` the ids under which they were added."""
    with open_services(paths, settings) as services:
        found = services.models.elsewhere()
        return [
            asdict(each) | ({"id": services.models.add_elsewhere(each).id} if add else {})
            for each in found
        ]


def duplicates(paths: AppPaths, settings: Settings) -> list[list[Document]]:
    """Models that are the same to the byte, in groups."""
    with open_services(paths, settings) as services:
        groups = services.models.duplicates()
    return [[_kept(each) for each in group] for group in groups]


def quantize_model(
    paths: AppPaths,
    settings: Settings,
    id_or_path: str,
    quantization: str,
    *,
    comparing: bool,
    on_progress: Callable[[float], None],
    on_note: Callable[[str], None],
) -> Document:
    """Make a model smaller, and say what came of it. Raises `EnvironmentProblem`."""

    def publish(fact: Fact) -> None:
        if isinstance(fact, QuantizingChanged) and fact.progress.is_running:
            on_progress(fact.progress.fraction)

    with open_services(paths, settings, publish) as services:
        model = services.models.get(id_or_path)
        if comparing:
            find_devices(services)
        services.quantizing.start(model, quantization.upper(), comparing=comparing)
        if services.quantizing.loses_twice(model):
            kind = model.header.quantization
            on_note(
                tr("This model is {type} already; made from f16 it would be better.", type=kind)
            )
        ended = services.quantizing.wait()
        assert ended
        if ended.state is not QuantizingState.DONE or ended.result is None:
            raise EnvironmentProblem(ended.problem)
        result = ended.result
    return {
        "id": result.id,
        "path": result.path,
        "quantization": result.header.quantization,
        "bytes": result.header.bytes,
        "original_bytes": model.header.bytes,
        "comparison": asdict(ended.comparison) if ended.comparison else None,
    }


def describe(services: App, settings: Settings, model: ModelFile) -> Document:
    """A model with the fields of the contract."""
    options = settings.load_options(model.id)
    return _model(model, model.header.name, services.models.estimate(model, options))


def _kept(kept: KeptModel) -> Document:
    return _model(kept.model, kept.name, kept.estimate)


def _model(model: ModelFile, name: str, estimate: Estimate) -> Document:
    header = model.header
    return {
        "id": model.id,
        "path": model.path,
        "name": name,
        "architecture": header.architecture,
        "parameters": header.parameters,
        "quantization": header.quantization,
        "bytes": header.bytes,
        "context_length": header.context_length,
        "fit": estimate.fit.value,
        "role": role_of(header).value,
    }
