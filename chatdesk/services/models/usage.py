"""The memory a model really took and its speed, noted beside the estimate."""

import logging
from dataclasses import replace

import psutil

from chatdesk.core.chat import AnswerRecord, Message, MessageState, now
from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.generation import GenerationStats
from chatdesk.core.loading import Device, ModelLoaded
from chatdesk.core.model_files import ModelNotes
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.engine import Engine
from chatdesk.services.models.service import ModelService

_log = logging.getLogger(__name__)

FORGOTTEN = 0.1  # of the distance to a slower answer
MEASURED_TOKENS = 32  # a shorter answer says little about the speed


class ModelUsage:
    """Notes each answer of a model, and with the first after each load the memory that it took.

    Only then have all weights been read and all buffers been used. Used from any thread.
    """

    def __init__(self, engine: Engine, models: ModelService) -> None:
        self._engine = engine
        self._models = models
        self._noted: ModelLoaded | None = None  # the load whose memory is noted

    def note_message(self, message: Message) -> None:
        """Note the answer that a message holds, if it came to its end or was stopped."""
        answer = message.answer
        ended = message.state in (MessageState.COMPLETE, MessageState.STOPPED)
        if ended and answer and answer.model_id:
            self.note(answer.model_id, answer)

    def note(self, model_id: str, answer: AnswerRecord | GenerationStats) -> None:
        """Note an answer of a model: the time of its use, and its speed."""
        loaded = self._not_noted(model_id)

        def change(notes: ModelNotes) -> ModelNotes:
            notes = replace(notes, last_used=now())
            if answer.tokens_per_s and (answer.completion_tokens or 0) >= MEASURED_TOKENS:
                notes = replace(notes, tokens_per_s=_best(notes.tokens_per_s, answer.tokens_per_s))
            return self._with_memory(notes, *loaded) if loaded else notes

        try:
            self._models.notes.note(model_id, change)
        except EnvironmentProblem as problem:  # the end of the answer is published all the same
            _log.warning("nothing noted of %s: %s", model_id, problem)

    def _not_noted(self, model_id: str) -> tuple[ModelFile, ModelLoaded] | None:
        """The model in use, if it is this one and the memory of its load is not noted yet."""
        status = self._engine.status
        model, loaded = status.model, status.loaded
        if model is None or model.id != model_id or loaded is None or loaded is self._noted:
            return None
        self._noted = loaded
        return model, loaded

    def _with_memory(self, notes: ModelNotes, model: ModelFile, loaded: ModelLoaded) -> ModelNotes:
        """The notes with the memory that the load takes, and the estimate for the same options."""
        process_id = self._engine.process_id
        try:
            resident = psutil.Process(process_id).memory_info().rss if process_id else 0
        except psutil.Error:
            resident = 0
        if not resident:  # it ended just now
            return notes
        options = replace(
            self._models.load_options(model.id),
            context_window=loaded.context_window,
            kv_type=loaded.kv_type,
        )
        return replace(
            notes,
            used_bytes=resident + self._on_devices(loaded),
            used_context=loaded.context_window,
            estimated_bytes=self._models.estimate(model, options).memory_bytes,
        )

    def _on_devices(self, loaded: ModelLoaded) -> int:
        """Bytes in the memory that GPUs have of their own; other devices share the process's."""
        own = {device.name for device in self._engine.devices if _has_own_memory(device)}
        return sum(
            placed.weight_bytes + placed.kv_bytes + placed.compute_bytes
            for placed in loaded.placements
            if placed.device in own
        )


def _best(before: float, now: float) -> float:
    """Return the speed to go by: the best one, forgotten slowly as slower answers follow it.

    One answer beside a busy program says little; many say that the model is loaded otherwise now.
    """
    return max(now, before - FORGOTTEN * (before - now))


def _has_own_memory(device: Device) -> bool:
    """Return True for a GPU with its own memory; Apple's share the computer's."""
    return device.kind == "gpu" and not device.name.startswith(("Metal", "MTL"))
