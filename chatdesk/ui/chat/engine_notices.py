"""The notices about the engine above the composer: it failed, or had to step down."""

from functools import partial

from PySide6.QtCore import QObject

from chatdesk.core.errors import DeviceMissing, EngineProblem, EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.loading import LoadOptions, ModelLoaded
from chatdesk.core.models import ModelFile
from chatdesk.services.engine.facts import EngineChanged, EngineState
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.chat.inspector.runs_on import draft_words, step_down_words
from chatdesk.ui.navigator import Navigator, SettingsId
from chatdesk.ui.settings_value import SettingsValue
from chatdesk.ui.widgets.notice import Notice


class EngineNotices(QObject):
    """Shows each notice once, with the user's next steps."""

    def __init__(
        self, bridge: Bridge, navigator: Navigator, notice: Notice, settings: SettingsValue
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._notice = notice
        self._settings = settings
        self._told: set[tuple[str, ...]] = set()  # a model that wakes again is no news
        self._recovering_from: EnvironmentProblem | None = None
        bridge.subscribe(EngineChanged, self._on_engine)

    def _on_engine(self, fact: EngineChanged) -> None:
        status = fact.status
        problem, model = status.problem, status.model
        if model is None:
            return
        smaller = problem.smaller if isinstance(problem, EngineProblem) else None
        match status.state:
            case EngineState.FAILED if problem and smaller:
                self._offer_smaller(problem, model, smaller)
            case EngineState.FAILED if isinstance(problem, DeviceMissing):
                self._offer_devices(problem)
            case EngineState.FAILED if problem:
                self._notice.show_problem(problem, tr("Try again"), partial(self._load, model))
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
        self._notice.show_problem(problem, offer, use)

    def _load(self, model: ModelFile) -> None:
        self._bridge.run(lambda app: app.load_model(model, anew=True), patient=True)

    def _offer_devices(self, problem: DeviceMissing) -> None:
        if self._settings.now.devices.remote:
            show = partial(self._navigator.show_settings, SettingsId.DEVICES)
            self._notice.show_problem(problem, tr("Other computers…"), show)
        else:
            self._notice.show_problem(problem, tr("Model options…"), self._navigator.show_options)

    def _notify_loaded(self, loaded: ModelLoaded, model: ModelFile) -> None:
        if loaded.template_notice:
            what = tr("{model} has no usable chat template.", model=loaded.name)
            todo = tr("A common one (ChatML) is used instead; its answers may be odd.")
            self._notify(model, what, todo)
        if words := [*step_down_words(loaded), *draft_words(loaded)]:
            what = tr("{model} does not run exactly as it was set.", model=loaded.name)
            self._notify(model, what, "\n".join(words), options=True)

    def _notify(self, model: ModelFile, what: str, todo: str, *, options: bool = False) -> None:
        if (key := (model.id, what, todo)) in self._told:
            return
        self._told.add(key)
        if options:
            show = self._navigator.show_options
            self._notice.show_words(what, todo, tr("Model options…"), show)
        else:
            self._notice.show_words(what, todo)
