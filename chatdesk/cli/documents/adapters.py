"""The command line's documents on adapters, with the names of its contract."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from chatdesk.cli.parts import Document
from chatdesk.core.paths import AppPaths
from chatdesk.core.personalization import AdapterRecord, Figures, FinishedAdapter, HeldOutLoss
from chatdesk.core.settings import Settings
from chatdesk.services.adapters.service import AdapterService
from chatdesk.services.models.service import ModelService
from chatdesk.services.personalize.gate.reason_words import sentence
from chatdesk.store.adapters import AdapterStore
from chatdesk.store.conversations import ConversationStore
from chatdesk.store.database import Database
from chatdesk.store.models import ModelStore


def list_adapters(paths: AppPaths) -> list[Document]:
    """Every run and adapter, newest first."""
    with _adapters(paths) as (adapters, _):
        return [
            {
                "id": record.id,
                "name": record.name,
                "model": record.model_id,
                "state": record.state.value,
                "active": record.active,
                "created": record.created.isoformat(),
                "examples": record.examples,
                "heldout_examples": record.heldout,
                "bytes": record.bytes,
                "withdrawn": asdict(adapters.withdrawn(record.id)),
            }
            for record in adapters.records()
        ]


def show_adapter(paths: AppPaths, name: str) -> Document:
    """One adapter with what was measured of it. Raises `NotFound`."""
    with _adapters(paths) as (adapters, _):
        return adapter_document(adapters, adapters.resolve(name))


def activate_adapter(paths: AppPaths, name: str) -> Document:
    """Use an adapter for its model. Raises `NotFound` or `AdapterProblem`."""
    with _adapters(paths) as (adapters, _):
        return _active(adapters.activate(adapters.resolve(name).id))


def roll_back(paths: AppPaths, settings: Settings, model: str | None) -> Document:
    """Go back to what was active before. Raises `NotFound` or `AdapterProblem`."""
    with _adapters(paths) as (adapters, models):
        chosen = models.chosen(model, settings.models.chosen)
        active = adapters.in_use(chosen, None)
        model_id = active.model_id if active else chosen.id
        return _active(adapters.roll_back(model_id), model_id)


def delete_adapter(paths: AppPaths, name: str) -> Document:
    """Remove an adapter for good. Raises `NotFound` or `EnvironmentProblem`."""
    with _adapters(paths) as (adapters, _):
        record = adapters.resolve(name)
        adapters.delete(record.id)
        return {"id": record.id, "deleted": True}


def export_adapter(paths: AppPaths, name: str, place: Path) -> Document:
    """Copy an adapter out. Raises `NotFound` or `AdapterProblem`."""
    with _adapters(paths) as (adapters, _):
        record = adapters.resolve(name)
        files = adapters.export_files(record.id, place)
        return {"id": record.id, "files": [str(file) for file in files]}


def import_adapter(
    paths: AppPaths, settings: Settings, file: Path, model: str | None, name: str
) -> Document:
    """Take up an adapter made elsewhere. Raises `NotFound` or `AdapterProblem`."""
    with _adapters(paths) as (adapters, models):
        record = adapters.import_file(file, models.chosen(model, settings.models.chosen), name)
        return adapter_document(adapters, record)


def adapter_document(adapters: AdapterService, record: AdapterRecord) -> Document:
    """A run and what came of it, in the words of the contract."""
    card, file = record.scorecard, adapters.file(record)
    return {
        "id": record.id,
        "name": record.name,
        "state": record.state.value,
        "model": record.model_id,
        "examples": record.examples,
        "heldout_examples": record.heldout,
        "base": _losses(card.base) if card else None,
        "adapter": _losses(card.adapter) if card else None,
        "finished": _finished(card.finished) if card and card.finished else None,
        "heldout": [_heldout(each) for each in card.heldout] if card else [],
        "verdict": card.verdict.value if card else None,
        "reasons": [sentence(reason) for reason in card.reasons] if card else [],
        "scale": record.scale,
        "active": record.active,
        "tokens": record.tokens,
        "tokens_per_s": record.tokens_per_s,
        "seconds": record.seconds,
        "peak_bytes": record.peak_bytes,
        "withdrawn": asdict(adapters.withdrawn(record.id)),
        "error": record.error,
        "path": str(file) if file.exists() else None,
    }


def _losses(figures: Figures) -> Document:
    return {"heldout_loss": figures.heldout_loss, "general_loss": figures.general_loss}


def _finished(finished: FinishedAdapter) -> Document:
    """What became of a proven adapter that has learned what was held out, too."""
    facts = finished.facts
    return {
        "used": finished.used,
        "examples": finished.examples,
        "reasons": [sentence(each) for each in finished.reasons],
        "facts": facts
        and {
            "asked": facts.asked,
            "before": facts.before,
            "told": facts.told,
            "reworded": facts.reworded,
            "reworded_told": facts.reworded_told,
            "missed": [
                {
                    "question": each.question,
                    "expected": each.expected,
                    "said": each.said,
                    "reworded": each.reworded,
                }
                for each in facts.missed
            ],
        },
    }


def _heldout(loss: HeldOutLoss) -> Document:
    return {
        "question": loss.question,
        "before": loss.before,
        "proven": loss.proven,
        "finished": loss.finished,
    }


def _active(record: AdapterRecord | None, model_id: str = "") -> Document:
    return {
        "model": record.model_id if record else model_id,
        "adapter": record.id if record else None,
        "name": record.name if record else None,
    }


@contextmanager
def _adapters(paths: AppPaths) -> Iterator[tuple[AdapterService, ModelService]]:
    with closing(Database.open(paths.database)) as database:
        models = ModelService(ModelStore(database), paths.models)
        store = AdapterStore(database)
        store.interrupt_dead()  # the process of a run may have been killed
        conversations = ConversationStore(database)
        yield (
            AdapterService(store, conversations, models, paths.adapters, lambda fact: None),
            models,
        )
