"""Drives the real window from inside its process and measures what a person would notice."""

import time
from collections.abc import Callable

import psutil
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QTextBrowser

from chatdesk.app import DesktopApp
from chatdesk.core.generation import GenerationStats, PromptMessage, TextDelta
from chatdesk.core.protocol import Terminal
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.app import App
from chatdesk.services.chat.facts import AnswerEnded, TextArrived
from chatdesk.services.engine.facts import EngineState
from chatdesk.services.engine.process import Reply

PROBE_MS = 5
LOOK_MS = 5
TIMEOUT_S = 120.0
SCROLL_FRAMES = 120


class LoopProbe(QObject):
    """A timer that notes how late the event loop lets it run, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(PROBE_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin to measure."""
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> list[float]:
        """The delays so far."""
        self._timer.stop()
        return self.delays

    def _tick(self) -> None:
        now = time.perf_counter()
        self.delays.append(max(0.0, (now - self._last) * 1000 - PROBE_MS))
        self._last = now


class _Relay(QObject):
    """Brings an engine's replies to the GUI thread, one by one."""

    replied = Signal(object)


class Driver:
    """Uses the window as a person would."""

    def __init__(self, desktop: DesktopApp) -> None:
        self._desktop = desktop
        self._window = desktop.window
        self._texts: list[TextArrived] = []
        self._ended: list[AnswerEnded] = []
        desktop.bridge.subscribe(TextArrived, self._texts.append)
        desktop.bridge.subscribe(AnswerEnded, self._ended.append)

    def until(self, condition: Callable[[], bool]) -> None:
        """Run the event loop until a condition holds."""
        end = time.monotonic() + TIMEOUT_S
        loop, look = QEventLoop(), QTimer()

        def check() -> None:
            if condition():
                loop.quit()
            elif time.monotonic() > end:
                loop.exit(1)

        look.timeout.connect(check)
        look.start(LOOK_MS)
        if not condition() and loop.exec():
            raise TimeoutError(f"nothing came within {TIMEOUT_S} s")

    def settle(self, seconds: float) -> None:
        """Run the event loop for a while."""
        # Otherwise they wait for the loop that called us, and what was closed seems to leak.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()

    def engine_ready(self) -> bool:
        """True if the starter model is loaded."""
        services = self._desktop.services
        return services is not None and services.engine.status.state is EngineState.READY

    def conversation_shown(self) -> bool:
        """True if the conversation that was open is on the screen."""
        return self._window.chat_view.last_user_message_id() is not None

    def open(self, conversation_id: str) -> float:
        """Seconds from asking for a conversation to its last message being painted."""
        view = self._window.chat_view
        before = view.last_user_message_id()
        begun = time.perf_counter()
        self._window.open_conversation(conversation_id)
        self.until(lambda: view.last_user_message_id() not in (None, before))
        view.column.viewport().repaint()
        return time.perf_counter() - begun

    def scroll_frames_ms(self) -> list[float]:
        """Milliseconds of each frame while scrolling up through what is open."""
        view = self._window.chat_view
        frames = []
        for _ in range(SCROLL_FRAMES):
            begun = time.perf_counter()
            bar = view.column.verticalScrollBar()
            bar.setValue(bar.value() - 120)
            view.column.viewport().repaint()
            QEventLoop().processEvents()
            frames.append((time.perf_counter() - begun) * 1000)
        return frames

    def first_token(self, question: str) -> float:
        """Seconds from sending a message to the first text of its answer on the screen."""
        self._texts.clear()
        self._ended.clear()
        begun = time.perf_counter()
        self._window.send(question)
        self.until(lambda: bool(self._texts))
        self._window.chat_view.column.viewport().repaint()
        seconds = time.perf_counter() - begun
        self.until(lambda: bool(self._ended))
        self.settle(1.5)  # let the title be written
        return seconds

    def stream(self, question: str, tokens: int) -> tuple[list[float], float]:
        """Loop delays, and this process's share of one core, while `tokens` stream in."""
        ended = self._ended
        process, probe = psutil.Process(), LoopProbe()
        streamed = 0
        cpu = wall = 0.0
        while streamed < tokens:
            ended.clear()
            cpu_before, begun = _cpu_s(process), time.perf_counter()
            probe.start()
            self._window.send(question)
            self.until(lambda: bool(ended))
            probe.stop()
            wall += time.perf_counter() - begun
            cpu += _cpu_s(process) - cpu_before
            record = ended[0].message.answer
            assert record and record.completion_tokens
            streamed += record.completion_tokens
            self.settle(0.5)
        return probe.delays, cpu / wall

    def stream_with_set_markdown(self, question: str, tokens: int) -> list[float]:
        """Loop delays while the same model streams into `QTextBrowser.setMarkdown`."""
        services = self._desktop.services
        assert services
        browser = QTextBrowser()
        browser.resize(760, 600)
        browser.show()
        probe = LoopProbe()
        streamed = 0
        seed = 2
        while streamed < tokens:
            probe.start()
            streamed += self._into_browser(
                services, browser, question, seed, tokens
            ).completion_tokens
            probe.stop()
            seed += 1
        browser.close()
        return probe.delays

    def _into_browser(
        self, services: App, browser: QTextBrowser, question: str, seed: int, tokens: int
    ) -> GenerationStats:
        relay = _Relay()
        text: list[str] = []
        ended: list[Reply] = []

        def on_reply(reply: Reply) -> None:
            if isinstance(reply, TextDelta):
                text.append(reply.text)
                browser.setMarkdown("".join(text))
            elif isinstance(reply, Terminal):
                ended.append(reply)

        relay.replied.connect(on_reply, Qt.ConnectionType.QueuedConnection)
        sampling = SamplingParams(temperature=0.5, seed=seed, max_tokens=tokens)
        services.engine.generate((PromptMessage("user", question),), sampling, relay.replied.emit)
        self.until(lambda: bool(ended))
        stats = getattr(ended[0], "stats", None)
        assert isinstance(stats, GenerationStats)
        return stats


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
