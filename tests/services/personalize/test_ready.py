"""How near a person is to enough examples, without asking the engine."""

from chatdesk.core.chat import Rating
from tests.services.conftest import ScriptedApp


def test_rated_answers_are_counted_until_they_are_enough(app: ScriptedApp) -> None:
    app.load()
    personalize = app.services.personalize
    assert (personalize.ready(), personalize.least) == (0, 16)
    for number in range(18):
        answer = app.answered(f"say: this is what I like about number {number}").message
        app.services.chat.rate(answer.id, Rating.UP)
        assert personalize.ready() == min(number + 1, 16)
    disliked = app.answered("say: and this is what I do not like").message
    app.services.chat.rate(disliked.id, Rating.DOWN)
    assert personalize.ready() == 16
