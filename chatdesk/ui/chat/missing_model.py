"""The notice that another model answers in the place of the chosen one, and the way back to it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from chatdesk.core.errors import EnvironmentProblem
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelFile
from chatdesk.services.models.facts import ChosenModelMissing
from chatdesk.ui.bridge import Bridge
from chatdesk.ui.navigator import Navigator, PageId
from chatdesk.ui.widgets.file_dialogs import choose_file
from chatdesk.ui.widgets.notice import Notice

_KEY = "missing model"


class MissingModel(QObject):
    """Tells it, and lets the user show where the file is now; `use` gets the model then."""

    def __init__(
        self,
        bridge: Bridge,
        navigator: Navigator,
        notice: Notice,
        use: Callable[[ModelFile], None],
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._navigator = navigator
        self._notice = notice
        self._use = use
        bridge.subscribe(ChosenModelMissing, self._tell)

    def _tell(self, fact: ChosenModelMissing) -> None:
        self._notice.show_words(
            fact.sentence,
            tr("Connect its disk and start again, or show where its file is now."),
            tr("Find it…"),
            partial(self._find, fact),
            other=tr("Models"),
            act_otherwise=partial(self._navigator.show, PageId.MODELS),
            key=_KEY,
        )

    def _find(self, fact: ChosenModelMissing) -> None:
        title = tr("Find {name}", name=fact.name)
        path = choose_file(self._notice.window(), title, tr("GGUF models") + " (*.gguf)")
        if not path:
            self._tell(fact)
            return
        self._notice.show_words(tr("Checking that it is the same model…"), key=_KEY)
        self._bridge.run(
            lambda app: app.models.find(fact.model.id, Path(path)),
            self._take,
            partial(self._refuse, fact),
            patient=True,
        )

    def _take(self, model: ModelFile) -> None:
        self._notice.solved(_KEY)
        self._use(model)

    def _refuse(self, fact: ChosenModelMissing, problem: EnvironmentProblem) -> None:
        again = partial(self._find, fact)
        self._notice.show_problem(problem, tr("Find it…"), again, key=_KEY)
