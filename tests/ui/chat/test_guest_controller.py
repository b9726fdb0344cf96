"""An answer by another model, from its menu to the way to stay with that model."""

from chatdesk.core.models import ModelHeader
from chatdesk.services.models.facts import ModelsChanged
from tests.ui.driver import Window


def test_another_model_answers_again_and_may_stay(window: Window) -> None:
    services = window.desktop.services
    assert services
    file = window.paths.models / "guest.gguf"
    file.write_bytes(b"GGUF guest")
    header = ModelHeader("Guest", "llama", 1000, "F16", 10, 2048, 2, 10, True)
    services.models._store.add(file, header, file.stat().st_mtime_ns)
    window.desktop.bridge.publish(ModelsChanged())
    actions = window.window.chat_view.message_actions
    window.until(lambda: "Guest" in [name for _, name in actions.other_models])
    own = services.engine.status.model
    old = window.ask("say: one")
    menu = window.view_of(old).actions_row.models_menu()
    names = [action.text() for action in menu.actions()]
    assert names == ["Guest"]  # not the one in use
    menu.actions()[0].trigger()
    window.until(lambda: bool(window.messages) and window.messages[-1].id != old.id)
    window.until(lambda: "This answer is by Guest" in window.window.notice.words)
    answer = window.messages[-1].answer
    assert answer and answer.model_id == "guest"
    assert window.view_of(window.messages[-1]).actions_row.position.text() == "2/2"
    window.until_ready()
    assert services.engine.status.model == own
    window.window.notice.act()  # go on with it
    window.until(lambda: in_use(window) == "Guest")


def in_use(window: Window) -> str:
    services = window.desktop.services
    assert services and services.engine.status.model
    return services.engine.status.model.header.name
