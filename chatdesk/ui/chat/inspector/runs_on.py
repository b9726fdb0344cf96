"""The devices of the loaded model, and what was given up for them."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from chatdesk.core.i18n import tr, trn
from chatdesk.core.loading import ModelLoaded, Placement, StepDown
from chatdesk.core.units import memory_words
from chatdesk.services.engine.facts import EngineState, EngineStatus
from chatdesk.ui.theme import Theme, set_class
from chatdesk.ui.widgets.fact_list import FactList
from chatdesk.ui.widgets.fields import Fold, small
from chatdesk.ui.words import token_words


class RunsOn(QWidget):
    """Folded, and hidden while no model is loaded."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._fold = Fold(tr("Where it runs"), theme)
        self._shown: list[QWidget] = []
        self._places = QVBoxLayout()
        self._places.setSpacing(4)
        self._facts = FactList(
            (
                tr("Context window"),
                tr("Context kept as"),
                tr("Threads"),
                tr("Read at once"),
                tr("Answers at once"),
            )
        )
        self._notes = small("")
        self._loaded: ModelLoaded | None = None
        folded = QWidget()
        inside = QVBoxLayout(folded)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(6)
        inside.addLayout(self._places)
        inside.addWidget(self._facts)
        inside.addWidget(self._notes)
        folded.hide()
        self._fold.toggled.connect(folded.setVisible)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._fold)
        layout.addWidget(folded)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Apply a theme."""
        self._fold.set_theme(theme)

    def show_engine(self, status: EngineStatus) -> None:
        """Show the state of the engine."""
        loaded = status.loaded if status.state is EngineState.READY else None
        if loaded is not self._loaded:
            self._loaded = loaded
            self.setVisible(loaded is not None)
            if loaded:
                self._show(loaded)

    def _show(self, loaded: ModelLoaded) -> None:
        for place in self._shown:
            place.deleteLater()
        self._shown = [_place(each) for each in loaded.placements] or [_named(loaded.device)]
        for place in self._shown:
            self._places.addWidget(place)
        self._facts.show_values(
            (
                token_words(loaded.context_window),
                loaded.kv_type,
                str(loaded.threads),
                token_words(loaded.batch) if loaded.batch else "",
                str(loaded.parallel),
            )
        )
        notes = [*step_down_words(loaded), *draft_words(loaded)]
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))


def step_down_words(loaded: ModelLoaded) -> list[str]:
    """Return what was given up for lack of memory, a sentence for each."""
    words = {
        StepDown.FEWER_LAYERS: tr(
            "There was not enough graphics memory for more, so {n} of {layers} layers run there.",
            n=loaded.gpu_layers,
            layers=loaded.layers,
        ),
        StepDown.SMALLER_CONTEXT: tr(
            "There was not enough memory for the context window that was wanted, so it is "
            "{n} tokens.",
            n=f"{loaded.context_window:,}",
        ),
        StepDown.QUANTIZED_KV: tr(
            "To save memory, what the model has read is kept less exactly ({kv_type}).",
            kv_type=loaded.kv_type,
        ),
    }
    return [words[step] for step in loaded.stepped_down]


def draft_words(loaded: ModelLoaded) -> list[str]:
    """Why the draft model is not in use, if so."""
    if not loaded.draft_notice:
        return []
    return [tr("The draft model is not in use: {reason}.", reason=loaded.draft_notice)]


def _place(placement: Placement) -> QWidget:
    size = placement.weight_bytes + placement.kv_bytes + placement.compute_bytes
    place = _named(
        placement.description or placement.device,
        trn("{n} layer · {size}", "{n} layers · {size}", placement.layers, size=memory_words(size)),
    )
    place.setToolTip(
        tr(
            "Model {weights}, context {context}, computing {compute}",
            weights=memory_words(placement.weight_bytes),
            context=memory_words(placement.kv_bytes),
            compute=memory_words(placement.compute_bytes),
        )
    )
    return place


def _named(device: str, words: str = "") -> QWidget:
    place = QWidget()
    name = QLabel(device)
    name.setWordWrap(True)
    set_class(name, "value")
    layout = QVBoxLayout(place)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(1)
    layout.addWidget(name)
    if words:
        layout.addWidget(small(words))
    return place
