"""Whether answers are being written: told once when it begins and once when it ends."""

from chatdesk.services.engine.activity import Answering


def test_listeners_hear_the_first_and_the_last() -> None:
    answering = Answering()
    heard: list[bool] = []
    end = answering.listen(heard.append)
    for request_id in ("a", "b"):
        answering.begin(request_id)
    answering.end("unknown")
    answering.end("a")
    assert answering
    answering.end("b")
    answering.end("b")
    assert not answering
    assert heard == [False, True, False]
    end()
    answering.begin("c")
    assert heard == [False, True, False]


def test_who_comes_later_hears_how_it_stands() -> None:
    answering = Answering()
    answering.begin("a")
    heard: list[bool] = []
    answering.listen(heard.append)
    assert heard == [True]
