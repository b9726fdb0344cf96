"""The notices about the engine: it failed, or had to step down."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject

from chatdesk.core.errors import DeviceMissing, EngineProblem, EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions, ModelLoaded
from chatdesk.core.models import ModelFile
from chatdesk.services.chat.facts import AnswerEnded
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.services.engine.template_notice import template_notice
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.inspector.runs_on import draft_words, step_down_words
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice

_KEY = "engine"


@dataclass(frozen=True)
class _Step:
    """What can be done about a problem; `short` is for who knows the problem."""

    problem: EnvironmentProblem
    short: str
    action: str
    act: Callable[[], None]


class EngineNotices(QObject):
    """Shows each notice once, with the user's next steps.

    Of what an answer in sight has told already, only the next step is shown.
    """

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        notice: Notice,
        settings: SettingsValue,
        is_in_sight: Callable[[str], bool],
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._notice = notice
        self._settings = settings
        self._told: set[tuple[str, ...]] = set()  # a model that wakes again is no news
        self._recovering_from: EnvironmentProblem | None = None
        self._is_in_sight = is_in_sight
        self._failed = False
        self._told_in_answer = ""
        self._standing: _Step | None = None
        bridge.subscribe(AnswerEnded, self._on_answer_ended)
        bridge.subscribe(EngineChanged, self._on_engine)

    def _on_engine(self, fact: EngineChanged) -> None:
        status = fact.status
        problem, model = status.problem, status.model
        if model is None:
            return
        if status.state is EngineState.FAILED:
            self._failed = True
        elif status.state is EngineState.READY and self._failed:
            self._failed = False
            self._notice.solved(_KEY)
        smaller = problem.smaller if isinstance(problem, EngineProblem) else None
        match status.state:
            case EngineState.FAILED if problem and smaller:
                self._offer_smaller(problem, model, smaller)
            case EngineState.FAILED if isinstance(problem, DeviceMissing):
                self._offer_devices(problem)
            case EngineState.FAILED if problem:
                again = partial(self._load, model)
                self._show(_Step(problem, tr("The engine is not running."), tr("Try again"), again))
            case EngineState.LOADING if smaller and problem is not self._recovering_from:
                self._recovering_from = problem
                assert problem
                self._offer_smaller(problem, model, smaller)
            case EngineState.READY if status.loaded:
                self._notify_loaded(status.loaded, model)

    def _offer_smaller(
        self, problem: EnvironmentProblem, model: ModelFile, smaller: LoadOptions
    ) -> None:
        now = self._settings.now.load_options(model.id)
        if smaller.context_window != now.context_window:
            offer = tr("Use {n} tokens of context", n=f"{smaller.context_window:,}")
        else:
            offer = tr("Use less memory ({kv_type})", kv_type=smaller.kv_type)
        use = partial(self._settings.use_load_options, model.id, smaller)
        self._show(_Step(problem, tr("It can be run with less memory."), offer, use))

    def _show(self, step: "_Step") -> None:
        self._standing = step
        if step.problem.sentence == self._told_in_answer:
            self._notice.show_words(step.short, "", step.action, step.act, key=_KEY)
        else:
            self._notice.show_problem(step.problem, step.action, step.act, key=_KEY)

    def _on_answer_ended(self, fact: AnswerEnded) -> None:
        """An answer may say why the engine ended, before the notice or after it."""
        message, step = fact.message, self._standing
        error = message.answer.error if message.answer else None
        if not self._is_in_sight(message.conversation_id):
            return
        self._told_in_answer = error or ""
        if step and error == step.problem.sentence and self._notice.stands(_KEY):
            self._show(step)

    def _load(self, model: ModelFile) -> None:
        self._bridge.run(lambda app: app.load_model(model, anew=True), patient=True)

    def _offer_devices(self, problem: DeviceMissing) -> None:
        if self._settings.now.devices.remote:
            show = partial(self._navigator.show_settings, SettingsId.DEVICES)
            self._notice.show_problem(problem, tr("Other computers…"), show, key=_KEY)
        else:
            show_options = self._navigator.show_options
            self._notice.show_problem(problem, tr("Model options…"), show_options, key=_KEY)

    def _notify_loaded(self, loaded: ModelLoaded, model: ModelFile) -> None:
        if words := template_notice(loaded):
            self._notify(model, *words)
        if changes := [*step_down_words(loaded), *draft_words(loaded)]:
            what = tr("{model} does not run exactly as it was set.", model=loaded.name)
            self._notify(model, what, "\n".join(changes), options=True)

    def _notify(self, model: ModelFile, what: str, todo: str, *, options: bool = False) -> None:
        if (key := (model.id, what, todo)) in self._told:
            return
        self._told.add(key)
        if options:
            show = self._navigator.show_options
            self._notice.show_words(what, todo, tr("Model options…"), show)
        else:
            self._notice.show_words(what, todo)
