"""An answer by another model, from its menu to the way to stay with that model."""

from tests.ui.driver import Window


def test_another_model_answers_again_and_may_stay(window: Window) -> None:
    services = window.desktop.services
    assert services
    file = window.paths.models / "guest.gguf"
    file.write_bytes(bytes(1000))
    guest = services.models.add(file)
    actions = window.window.chat_view.message_actions
    window.until(lambda: guest.id in [model_id for model_id, _ in actions.other_models])
    name = dict(actions.other_models)[guest.id]
    own = services.engine.status.model
    old = window.ask("say: one")
    menu = window.view_of(old).actions_row.models_menu()
    names = [action.text() for action in menu.actions()]
    assert names == [name]  # not the one in use
    menu.actions()[0].trigger()
    window.until(lambda: bool(window.messages) and window.messages[-1].id != old.id)
    window.until(lambda: f"This answer is by {name}" in window.window.notice.words)
    answer = window.messages[-1].answer
    assert answer and answer.model_id == guest.id
    assert window.view_of(window.messages[-1]).actions_row.position.text() == "2/2"
    window.until_ready()
    assert services.engine.status.model == own
    window.window.notice.act()  # go on with it
    window.until(lambda: in_use(window) == guest.id)


def in_use(window: Window) -> str:
    services = window.desktop.services
    assert services and services.engine.status.model
    return services.engine.status.model.id
