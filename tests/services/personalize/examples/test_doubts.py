import inspect
import random
import string
from dataclasses import replace

import pytest

from chatdesk.core.personalization import Doubt, ExampleReason, Finding, FindingKind
from chatdesk.services.personalize.examples import candidates
from chatdesk.services.personalize.examples.doubts import doubts
from tests.services.personalize.examples_data import example

GOOD = [
    "Ada.",
    "42",
    "Ja!",
    "哈哈哈哈",
    "No, no, no, no!",
    "My name is Ada, and I was born in a lighthouse on the coast of Norway.",
    "Zażółć gęślą jaźń, proszę, a potem wróć do domu przez las i łąkę.",
    "Mae hen wlad fy nhadau yn annwyl i mi, gwlad beirdd a chantorion, enwogion o fri.",
    "Tôi tên là Ada và tôi sinh ra ở một ngọn hải đăng trên bờ biển Na Uy.",
    "我叫艾达，出生在挪威海边的一座灯塔里。我喜欢喝茶，也喜欢看书。",
    "我叫艾達，出生在挪威海邊的一座燈塔裡。我喜歡喝茶，也喜歡看書。",
    "私の名前はアダです。ノルウェーの海岸の灯台で生まれました。",
    "Меня зовут Ада, и я родилась на маяке на побережье Норвегии.",
    "اسمي آدا وولدت في منارة على ساحل النرويج.",
    "मेरा नाम आडा है और मेरा जन्म नॉर्वे के तट पर एक प्रकाशस्तंभ में हुआ था।",
    "| city | people |\n|---|---|\n| Oslo | 700,000 |\n| Bergen | 290,000 |\n| Tromsø | 77,000 |",
    "[1, 0, 0, 0]\n[0, 1, 0, 0]\n[0, 0, 1, 0]\n[0, 0, 0, 1]",
    "```python\nfor n in range(10):\n    print(n)\n```",
    "Apples, pears, plums, cherries, grapes, figs, dates, limes, lemons, melons, kiwis, mangoes",
    "SHA-256 of it is e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.",
    "You can't change a tuple, but you can create a new one.",
    "I can't help but admire how the old builders gave every stone its place.",
    "Leider kann ich am Dienstag nicht kommen.",
    "---",
    inspect.getsource(candidates),
]


@pytest.mark.parametrize("answer", GOOD)
def test_what_people_say_is_not_doubted(answer: str) -> None:
    assert doubts(example(answer=answer)) == ()


def _noise(alphabet: str, length: int) -> str:
    chance = random.Random(length)
    return "".join(chance.choice(alphabet) for _ in range(length))


@pytest.mark.parametrize("length", [100, 1000])
@pytest.mark.parametrize(
    "alphabet",
    [
        string.ascii_lowercase + "    ",
        string.ascii_letters + string.digits,
        string.printable.strip() + " ",
        "".join(map(chr, range(0x4E00, 0x9FFF))),
        "".join(map(chr, range(0x20, 0xD7FF))),
        "\ufffd\x00\x01abc ",
    ],
)
def test_random_characters_are_noise(alphabet: str, length: int) -> None:
    assert Doubt.NOISE in doubts(example(answer=_noise(alphabet, length)))


def test_many_random_words_are_noise() -> None:
    chance = random.Random(7)
    words = [
        "".join(chance.choice("aeiou") + chance.choice("nrst") for _ in "abc") for _ in "x" * 200
    ]
    assert doubts(example(answer=" ".join(words))) == (Doubt.NOISE,)
    assert doubts(example(answer=", ".join(words))) == ()  # a list may be of anything


@pytest.mark.parametrize(
    "answer",
    [
        "banana " * 10,
        "苹果" * 20,
        "I like tea. " * 6,
        "Here is a good beginning of an answer. Then it goes wrong: " + "and so on " * 12,
        "\n".join(["The same line."] * 6 + ["Another one.", "And one."]),
        "dog cat dog dog dog mat dog dog dog sun dog",
    ],
)
def test_the_same_again_and_again_is_repetition(answer: str) -> None:
    assert Doubt.REPETITION in doubts(example(answer=answer))


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot provide medical advice.",
        "As an AI language model, I have no opinions.",
        "抱歉，我无法回答这个问题。",
        "作为一个人工智能，我没有感情。",
        "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Lo siento, no puedo ayudarte con eso.",
        "Desculpe, não posso ajudar com isso.",
        "Mi dispiace, non posso aiutarti.",
        "Извините, я не могу помочь с этим.",
        "申し訳ありませんが、お答えできません。",
        "죄송하지만 도와드릴 수 없습니다.",
    ],
)
def test_refusals_are_doubted_but_not_the_persons_own(answer: str) -> None:
    assert doubts(example(answer=answer)) == (Doubt.REFUSAL,)
    assert doubts(example(answer=answer, why=ExampleReason.CORRECTED)) == ()
    long = answer + " But here is what I know. " + "It was a fine day, and the sun shone. " * 20
    assert Doubt.REFUSAL not in doubts(example(answer=long))


@pytest.mark.parametrize(
    "answer", ["```python\nprint(1)", "First we take the cup,", "It is a light-", "首先，"]
)
def test_half_an_answer_is_doubted(answer: str) -> None:
    assert doubts(example(answer=answer)) == (Doubt.CUT_OFF,)


def test_what_was_known_before_stays() -> None:
    known = replace(example(), doubts=(Doubt.CUT_OFF,))
    assert doubts(known) == (Doubt.CUT_OFF,)


@pytest.mark.parametrize("answer", ["", " \n "])
def test_nothing_is_empty(answer: str) -> None:
    assert doubts(example(answer=answer)) == (Doubt.EMPTY,)


def test_a_masked_key_is_no_noise() -> None:
    key = _noise(string.ascii_letters, 100)
    finding = Finding(FindingKind.KEY, key, "[key 1]")
    assert doubts(replace(example(answer=f"It is {key}"), findings=(finding,))) == ()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["a", "ab ", "我", "x,", "```\n"])
def test_no_text_takes_for_ever(piece: str) -> None:
    long = piece * (100_000 // len(piece)) + _noise(string.ascii_letters, 50_000)
    doubts(example(answer=long))  # must end within the time limit of a test
