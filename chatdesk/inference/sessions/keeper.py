"""Keeps the KV states of conversations on disk, so that they need not be read again.

A state is copied out of the cache between two steps; a separate thread writes it.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence

import llama_cpp

from chatdesk.inference.decoding.sequences import Live, Sequences, shared_length
from chatdesk.inference.native.context import Context, State
from chatdesk.inference.native.lora import AdapterKey
from chatdesk.inference.sessions.files import SessionFiles

_log = logging.getLogger(__name__)

_WORTH_KEEPING = 128  # tokens; fewer are read in no time
_IDLE_S = 2.0  # after an answer; a person who answers at once should not wait for the save


class Keeper:
    """The states on disk for one loaded model; without files it does nothing.

    `find` and `use` may be called from any thread, the rest from the computing one.
    """

    def __init__(self, context: Context, kv_type: str) -> None:
        self._context = context
        self._kv_type = kv_type
        self._files: SessionFiles | None = None
        self._unwritten: queue.Queue[tuple[SessionFiles, str, str, list[int], bytes]] = (
            queue.Queue()
        )
        threading.Thread(target=self._write, name="sessions", daemon=True).start()

    def use(self, files: SessionFiles | None) -> None:
        """Keep states in these files from now on; None keeps none."""
        self._files = files

    def find(
        self, session: str, adapters: AdapterKey, prompt: Sequence[int] | None = None
    ) -> tuple[Sequence[int], State] | None:
        """Return a conversation's saved state; with `prompt`, only if it saves much reading."""
        files = self._files
        if files is None:
            return None
        variant = self._variant(adapters)
        if prompt is not None:
            tokens = files.peek(session, variant)
            if tokens is None or shared_length(list(tokens), list(prompt)) < _WORTH_KEEPING:
                return None
        return files.load(session, variant)

    def _variant(self, adapters: AdapterKey) -> str:
        """Return all that must be equal for a state to be usable, beside model and tokens."""
        scales = ",".join(f"{digest}*{scale:g}" for digest, scale in adapters)
        flash = "flash" if self._context.flash_attention else "plain"
        return f"{llama_cpp.__version__} {self._kv_type} {flash} {scales}"

    def keep(self, live: Live, state: bytes | None = None) -> None:
        """Write a sequence with its state, if it is worth it and not there already."""
        files = self._files
        if files is None or not live.session or not live.exact or self._is_kept(live):
            return
        state = state or self._context.state(live.number)
        live.kept = len(live.tokens)
        variant = self._variant(live.adapters)
        self._unwritten.put((files, live.session, variant, list(live.tokens), state))

    @staticmethod
    def _is_kept(live: Live) -> bool:
        return len(live.tokens) < _WORTH_KEEPING or live.kept == len(live.tokens)

    def keep_idle(self, sequences: Sequences) -> float | None:
        """Keep one idle conversation; return the seconds until the next is due, if any is."""
        if self._files is None:
            return None
        due = [live for live in sequences.idle() if live.session and not self._is_kept(live)]
        due = [live for live in due if live.exact]
        if not due:
            return None
        first = min(due, key=lambda live: live.used)
        wait = first.used + _IDLE_S - time.monotonic()
        if wait <= 0:
            self.keep(first)
            return 0.0
        return wait

    def keep_all(self, sequences: Sequences) -> None:
        """Keep every idle conversation now, and wait until all is written."""
        for live in sequences.idle():
            self.keep(live)
        self._unwritten.join()

    def forget(self, session: str, sequences: Sequences) -> None:
        """Drop a deleted conversation from the cache and from the disk."""
        for live in sequences.idle():
            if live.session == session:
                sequences.drop(live)
        sequences.disown(session)
        if files := self._files:
            self._unwritten.join()
            files.forget(session)

    def _write(self) -> None:
        while True:
            files, session, variant, tokens, state = self._unwritten.get()
            try:
                files.save(session, variant, tokens, state)
            except Exception:  # a bug must not hang the end, which waits for this
                _log.exception("a state was not kept")
            finally:
                self._unwritten.task_done()
