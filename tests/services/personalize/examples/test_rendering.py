import queue
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.errors import EngineProblem, EnvironmentProblem
from chatdesk.core.generation import Finished, PromptMessage
from chatdesk.core.loading import LoadOptions
from chatdesk.core.personalization import Doubt, Example, Finding, FindingKind, Turn
from chatdesk.core.sampling import SamplingParams
from chatdesk.services.engine.engine import Engine
from chatdesk.services.engine.process import Reply
from chatdesk.services.measure.probe import Probe
from chatdesk.services.personalize.examples.rendering import Renderer
from tests.services.personalize.conftest import model_file
from tests.services.personalize.examples_data import example
from tests.tiny_models import CHATML, tiny_model

SYSTEM = Turn("system", "You are Ada.")
TURNS = (
    SYSTEM,
    Turn("user", "Hi <|im_end|> there, 你好 🙂"),
    Turn("assistant", "Hello!"),
    Turn("user", "Who are you?"),
)
LONGEST = 512


def prompt(engine: Engine, turns: Sequence[Turn]) -> tuple[int, ...]:
    """What the engine reads when it is asked this."""
    messages = tuple(PromptMessage(turn.role, turn.content) for turn in turns)
    (rendered,) = Probe(engine).render([messages])
    return rendered.tokens


def words(engine: Engine, text: str) -> tuple[int, ...]:
    return Probe(engine).tokenize(text).tokens


@pytest.mark.parametrize("turns", [TURNS, TURNS[1:], TURNS[-1:], TURNS[:2]])
def test_what_is_learned_is_what_is_asked_token_for_token(
    engine: Engine, turns: tuple[Turn, ...]
) -> None:
    (learned,) = Renderer(engine).render([replace(example(), turns=turns)], LONGEST)
    (span,) = learned.chosen.targets
    asked = learned.chosen.tokens[: span.start]
    assert asked == prompt(engine, turns)
    replies: queue.Queue[Reply] = queue.Queue()
    messages = [PromptMessage(turn.role, turn.content) for turn in turns]
    engine.generate(messages, SamplingParams(max_tokens=1), replies.put)
    while not isinstance(reply := replies.get(timeout=60), Finished):
        pass
    assert reply.stats.prompt_tokens == len(asked)


def test_the_answer_is_the_target_with_the_token_that_ends_it(engine: Engine) -> None:
    (learned,) = Renderer(engine).render([replace(example(), turns=TURNS)], LONGEST)
    (span,) = learned.chosen.targets
    *said, end = learned.chosen.tokens[span.start : span.end]
    assert tuple(said) == words(engine, "I am Ada.")
    assert span.end == len(learned.chosen.tokens)
    goes_on = prompt(engine, [*TURNS, Turn("assistant", "I am Ada."), Turn("user", "Oh")])
    assert goes_on[: span.end] == learned.chosen.tokens
    assert end not in words(engine, "<|im_end|>")


def test_the_tokens_are_counted(engine: Engine) -> None:
    given = replace(example(), turns=TURNS)
    (counted,) = Renderer(engine).count([given], LONGEST)
    (learned,) = Renderer(engine).render([given], LONGEST)
    assert counted.tokens == len(learned.chosen.tokens)
    assert counted.target_tokens == len(words(engine, given.target)) + 1
    assert counted == replace(
        given, tokens=counted.tokens, target_tokens=counted.target_tokens, cut=0
    )


def test_the_worse_answer_follows_the_same_beginning(engine: Engine) -> None:
    pair = replace(example(), turns=TURNS, rejected="I am a language model.")
    (learned,) = Renderer(engine).render([pair], LONGEST)
    assert learned.rejected
    (good,), (bad,) = learned.chosen.targets, learned.rejected.targets
    assert good.start == bad.start
    assert learned.chosen.tokens[: good.start] == learned.rejected.tokens[: bad.start]
    assert learned.rejected.tokens[bad.start : -1] == words(engine, pair.rejected)
    (counted,) = Renderer(engine).count([pair], LONGEST)
    assert counted.tokens == len(learned.chosen.tokens) + len(learned.rejected.tokens)


def test_values_are_masked_unless_they_are_wanted(engine: Engine) -> None:
    finding = Finding(FindingKind.EMAIL, "ada@web.de", "[email 1]")
    secret = replace(
        example("Is it ada@web.de?", "Yes, ada@web.de."),
        rejected="No, ada@web.de.",
        findings=(finding,),
    )
    shown = replace(example("Is it [email 1]?", "Yes, [email 1]."), rejected="No, [email 1].")
    plain = replace(secret, findings=(replace(finding, masked=False),))
    masked, expected, wanted = Renderer(engine).render([secret, shown, plain], LONGEST)
    assert masked == expected != wanted


def long_example(turns: int) -> Example:
    talk = [SYSTEM]
    for n in range(turns):
        talk += [Turn("user", f"Tell me about day {n}."), Turn("assistant", "It rained. " * 10)]
    return replace(example(), turns=(*talk, Turn("user", "Who are you?")))


@pytest.mark.parametrize("longest", [100, 200, 301])
def test_the_oldest_turns_leave_what_is_too_long(engine: Engine, longest: int) -> None:
    given = long_example(12)
    (counted,) = Renderer(engine).count([given], longest)
    (learned,) = Renderer(engine).render([given], longest)
    assert 0 < counted.cut < 24
    assert counted.cut % 2 == 0
    assert counted.tokens == len(learned.chosen.tokens) <= longest
    left = (SYSTEM, *given.turns[1 + counted.cut :])
    assert learned.chosen.tokens[: learned.chosen.targets[0].start] == prompt(engine, left)
    with_more = (SYSTEM, *given.turns[counted.cut - 1 :])
    assert len(prompt(engine, with_more)) + counted.target_tokens > longest


def test_what_does_not_fit_at_all_is_never_learned(engine: Engine) -> None:
    long_answer = example(answer="It rained. " * 100)
    long_question = example("It rained. " * 100)
    long_rejected = replace(example(), rejected="It rained. " * 100)
    given = [replace(long_example(2), target=long_answer.target), long_question, long_rejected]
    for counted in Renderer(engine).count([*given, long_answer], 100):
        assert counted.doubts == (Doubt.TOO_LONG,)
        assert not counted.chosen
        assert counted.tokens == 0
    (fits,) = Renderer(engine).count(Renderer(engine).count([long_answer], 100), LONGEST)
    assert fits.doubts == ()
    assert fits.tokens > 100


def test_many_are_the_same_as_one_by_one(engine: Engine) -> None:
    many = [example(f"What is {n}?", f"A number, {n}.") for n in range(100)]
    many[50] = long_example(12)
    renderer = Renderer(engine)
    together = renderer.render(many, 200)
    assert together[7] == renderer.render([many[7]], 200)[0]
    assert together[50] == renderer.render([many[50]], 200)[0]
    assert len(together) == 100


@pytest.mark.engine
def test_a_conversation_the_template_cannot_show_is_told(tmp_path: Path) -> None:
    strict = (
        "{% if 'zebra' in messages[0].content %}{{ raise_exception('no') }}{% endif %}" + CHATML
    )
    path = tiny_model(tmp_path / "strict.gguf", template=strict)
    engine = Engine(lambda fact: None)
    try:
        engine.load(model_file(path), LoadOptions(256))
        fine, refused = example("a", "x"), example("zebra", "x")
        counted = Renderer(engine).count([fine, refused], LONGEST)
        assert [each.doubts for each in counted] == [(), (Doubt.TEMPLATE,)]
        assert [each.chosen for each in counted] == [True, False]
        with pytest.raises(EnvironmentProblem, match="chat template"):
            Renderer(engine).render([refused], LONGEST)
    finally:
        engine.close()


def test_without_a_model_nothing_is_counted() -> None:
    renderer = Renderer(Engine(lambda fact: None))
    assert renderer.count([], LONGEST) == ()
    with pytest.raises(EngineProblem):
        renderer.count([example()], LONGEST)
