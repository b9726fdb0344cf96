"""Chat templates: the model's own, hostile ones, and ChatML in their place."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.template import BROKEN, MISSING, ChatTemplate, RenderError
from tests.inference.engine_process import turns
from tests.tiny_models import CHATML

SYSTEM = PromptMessage("system", "Be brief.")
STRICT = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}"
    "<{{ m.role }}>{{ m.content | trim }}</{{ m.role }}>"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def test_the_models_own_template_is_used() -> None:
    template = ChatTemplate(STRICT, bos="<s>")
    assert template.notice is None
    assert template.render(turns("Hi ")) == "<s><user>Hi</user><assistant>"


def test_a_model_without_a_template_continues_the_words() -> None:
    template = ChatTemplate(None)
    assert (template.notice, template.problem, template.stop) == (MISSING, "", ())
    assert template.render(turns("The capital of France is")) == "The capital of France is"
    told = turns("The capital of France is", " Paris.", "That of Italy is")
    assert template.render(told) == "The capital of France is Paris.\n\nThat of Italy is"
    assert template.render(told[:2]) == "The capital of France is Paris."
    assert template.render([SYSTEM, *turns("Hi")]) == "Be brief.\n\nHi"


def test_a_broken_template_is_chatml_with_a_notice_and_a_stop_string() -> None:
    template = ChatTemplate("{{ raise_exception('no') }}")
    assert template.notice == BROKEN
    assert template.stop == ("<|im_end|>",)
    assert template.render([SYSTEM, *turns("Hi")]) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}",
        "{{ nothing.at.all }}",
        "{{ raise_exception('no') }}",
        "always the same",
        "{{ messages[0].content.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}{{ messages[0].content }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}{{ messages[0].content }}",
        "{{ 'a' * 10000000000 }}{{ messages[0].content }}",
        "{{ ['a'] * 10000000000 }}{{ messages[0].content }}",
        "{{ 10 ** 10 ** 10 }}{{ messages[0].content }}",
        "{% for i in range(1000000000) %}{% endfor %}{{ messages[0].content }}",
        "{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaaaaaa' * 50 }}{% endfor %}",
        "{% for i in range(300) %}{% for j in range(300) %}{% for k in range(9) %}"
        "{% endfor %}{% endfor %}{% endfor %}{{ messages[0].content }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}{{ messages[0].content }}",
        "{" * 100_000,
        "x" * 2_000_000,
    ],
)
def test_broken_and_hostile_templates_give_way_to_chatml(source: str) -> None:
    template = ChatTemplate(source)
    assert template.notice == BROKEN
    assert template.render(turns("Hi")).endswith("Hi<|im_end|>\n<|im_start|>assistant\n")


THREE_LOOPS = "{% for a in s %}{% for b in s %}{% for c in s %}{% endfor %}{% endfor %}{% endfor %}"
WORDS = "{{ messages[0].content }}"


@pytest.mark.parametrize(
    "source",
    [
        "{% set s = 'a' * 20000 %}" + THREE_LOOPS + WORDS,
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(50) }}"
        + WORDS,
        "{{ lipsum(n=1000000) }}" + WORDS,
        "{% if a %}{% endif %}" * 45_000 + WORDS,  # slow to compile
    ],
)
def test_an_endless_template_ends_in_time(source: str) -> None:
    started = time.monotonic()
    assert ChatTemplate(source).notice == BROKEN
    assert time.monotonic() - started < 8


def test_a_conversation_that_takes_too_long_is_not_tried_again() -> None:
    loops = "{% if messages | length > 3 %}{% set s = 'a' * 20000 %}" + THREE_LOOPS + "{% endif %}"
    template = ChatTemplate(loops + "{% for m in messages %}{{ m.content }}{% endfor %}")
    assert template.notice is None
    started = time.monotonic()
    with pytest.raises(RenderError, match="more than 2"):
        template.render(turns("a", "b", "c", "d", "e"))
    assert time.monotonic() - started < 4  # twice the deadline
    assert template.render(turns("a")) == "a"


LAST_QUESTION = (  # found from the end, as in templates that cut off older thinking
    "{% set ns = namespace(last=-1) %}"
    "{% for m in messages[::-1] %}{% set at = messages | length - 1 - loop.index0 %}"
    "{% if ns.last < 0 and m.role == 'user' and not m.content.startswith('<tool>') %}"
    "{% set ns.last = at %}{% endif %}{% endfor %}"
    "{% for m in messages %}{% if m.content is string %}{% set text = m.content %}{% endif %}"
    "{{ '<' ~ m.role ~ '>' }}{% if '</think>' in text %}{{ text.split('</think>')[-1] }}"
    "{% else %}{{ text | trim }}{% endif %}{% if loop.index0 == ns.last %}!{% endif %}{% endfor %}"
)
LOOKS_BACK = (  # from every answer over all earlier ones
    "{% for m in messages %}{% set ns = namespace(asked=0) %}{% if m.role == 'assistant' %}"
    "{% for i in range(loop.index0 - 1, -1, -1) %}{% if messages[i].role == 'user' %}"
    "{% set ns.asked = ns.asked + 1 %}{% endif %}{% endfor %}{% endif %}"
    "[{{ ns.asked }} {{ m.content }}]{% endfor %}"
)


def test_thousands_of_messages_are_rendered() -> None:
    template = ChatTemplate(LAST_QUESTION)
    assert template.notice is None
    text = template.render(turns(*map(str, range(10_001))))
    assert text.endswith("<user>9998<assistant>9999<user>10000!")


def test_a_template_that_looks_back_from_every_answer_renders_a_thousand() -> None:
    text = ChatTemplate(LOOKS_BACK).render(turns(*map(str, range(1001))))
    assert text.endswith("[0 998][500 999][0 1000]")


def test_several_threads_render_at_once() -> None:
    template = ChatTemplate(LAST_QUESTION)

    def render(size: int) -> str:
        return template.render(turns(*map(str, range(size))))

    sizes = range(1, 400, 2)
    with ThreadPoolExecutor(4) as pool:
        for size, text in zip(sizes, pool.map(render, sizes), strict=True):
            assert text.endswith(f"<user>{size - 1}!")


def test_a_template_that_fails_later_is_reported() -> None:
    moody = (
        "{% for m in messages %}{% if m.content == 'now' %}{{ raise_exception('moody') }}"
        "{% endif %}[{{ m.content }}]{% endfor %}"
    )
    template = ChatTemplate(moody)
    assert template.notice is None
    with pytest.raises(RenderError, match="moody"):
        template.render(turns("now"))


def test_a_system_text_goes_into_the_first_user_message_where_there_is_no_system_role() -> None:
    template = ChatTemplate(STRICT)
    assert template.render([SYSTEM, *turns("Hi")]) == "<user>Be brief.\n\nHi</user><assistant>"


def test_a_template_that_loses_the_system_text_is_treated_alike() -> None:
    template = ChatTemplate(
        "{% for m in messages %}{% if m.role != 'system' %}[{{ m.content }}]{% endif %}{% endfor %}"
    )
    assert template.render([SYSTEM, *turns("Hi")]) == "[Be brief.\n\nHi]"


def test_two_questions_in_a_row_are_one_where_turns_must_alternate() -> None:
    template = ChatTemplate(STRICT)
    two = (*turns("One?"), *turns("Two?"))
    assert template.render(two) == "<user>One?\n\nTwo?</user><assistant>"


def test_a_last_answer_is_continued_in_the_middle_of_its_turn() -> None:
    chatml = ChatTemplate(CHATML)
    assert chatml.render(turns("Hi", "Well, ")).endswith("<|im_start|>assistant\nWell, ")
    assert ChatTemplate(STRICT).render(turns("Hi", "Well,")) == "<user>Hi</user><assistant>Well,"


def test_an_answer_the_template_drops_is_continued_all_the_same() -> None:
    template = ChatTemplate(
        "{% for m in messages %}{% if m.role == 'user' or not loop.last %}[{{ m.content }}]"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}>{% endif %}"
    )
    assert template.render(turns("Hi", "Well,")) == "[Hi]>Well,"


def test_an_empty_last_answer_is_a_new_one() -> None:
    assert (
        ChatTemplate(CHATML).render(turns("Hi", "")).endswith("<|im_end|>\n<|im_start|>assistant\n")
    )


def test_what_templates_of_the_hub_rely_on_is_there() -> None:
    template = ChatTemplate(
        "{%- if tools is not none %}tools{% endif -%}\n"
        "{%- for m in messages %}{% if loop.index > 50 %}{% break %}{% endif %}"
        "{% generation %}{{ m.content }}{% endgeneration %}{{ m | tojson }}{% endfor %}"
        "{{ strftime_now('%Y') | length }}"
    )
    assert template.notice is None
    assert template.render(turns("Hi <é>")) == 'Hi <é>{"role": "user", "content": "Hi <é>"}4'


THINKS_FIRST = (  # as DeepSeek R1's: the prompt opens the thinking, old thinking is cut off
    "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant><think>\n{% endif %}"
)
KEEPS_THINKING = (  # as Seed-OSS's, which wants all of it back
    "{% for m in messages %}<{{ m.role }}>{% if m.reasoning_content %}"
    "<think>{{ m.reasoning_content | trim }}</think>{% endif %}{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
OPENS_ALWAYS = (  # as Nemotron Nano's: every last answer begins with thinking
    "{% for m in messages %}{{ '<' + m.role + '>' }}"
    "{% if loop.last and m.role == 'assistant' %}<think>\n{% endif %}{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant><think>\n{% endif %}{# </think> #}"
)
THOUGHT = (*turns("One?"), PromptMessage("assistant", "1", thinking="Hm."), *turns("Two?"))


def test_thinking_goes_back_only_where_the_template_wants_it() -> None:
    asked = "<user>One?<assistant>1<user>Two?<assistant>"
    assert ChatTemplate(THINKS_FIRST).render(THOUGHT) == asked + "<think>\n"
    wanted = asked.replace("1<", "<think>Hm.</think>1<")
    assert ChatTemplate(KEEPS_THINKING).render(THOUGHT) == wanted
    assert "Hm." not in ChatTemplate(CHATML).render(THOUGHT)


def test_an_answer_stopped_in_its_thinking_goes_on_inside_it() -> None:
    stopped = (*turns("Hi"), PromptMessage("assistant", "", thinking="I am "))
    for source, opening in (
        (THINKS_FIRST, "<think>\n"),
        (KEEPS_THINKING, "<think>"),
        (OPENS_ALWAYS, "<think>\n"),
    ):
        assert ChatTemplate(source).render(stopped) == f"<user>Hi<assistant>{opening}I am "
    closing = CHATML + "{# </think> #}"  # knows the marks, and never opens
    assert ChatTemplate(closing).render(stopped).endswith("assistant\n<think>\nI am ")


def test_an_answer_stopped_after_its_thinking_goes_on_outside_of_it() -> None:
    stopped = (*turns("Hi"), PromptMessage("assistant", "Well,", thinking="Hm."))
    assert ChatTemplate(THINKS_FIRST).render(stopped) == "<user>Hi<assistant>Well,"
    kept = ChatTemplate(KEEPS_THINKING).render(stopped)
    assert kept == "<user>Hi<assistant><think>Hm.</think>Well,"
    opened = ChatTemplate(OPENS_ALWAYS).render(stopped)
    assert opened == "<user>Hi<assistant><think>\nHm.\n</think>\n\nWell,"


# Cases from the world: what other programs failed at (A1 to A5)

PARTS_ONLY = (
    "{% for m in messages %}<|im_start|>{{ m.role | capitalize }}:{% for p in m.content %}"
    "{% if p.type == 'text' %} {{ p.text }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
SYSTEM_FIRST = CHATML.replace(
    "{% for m in messages %}",
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}"
    "{{ raise_exception('System message must be at the beginning.') }}{% endif %}",
)
DROPS_LATE_SYSTEM = (
    "{% for m in messages %}{% if loop.first or m.role != 'system' %}<{{ m.role }}>{{ m.content }}"
    "{% endif %}{% endfor %}"
)
LATE_SYSTEM = (*turns("Fruit?", "Pear."), PromptMessage("system", "One word."), *turns("Colour?"))
GREETING = (PromptMessage("assistant", "Welcome."), *turns("Soup"))


def test_a_template_that_takes_only_parts_gets_parts() -> None:
    template = ChatTemplate(PARTS_ONLY)
    assert template.notice is None
    assert template.render([SYSTEM, *turns("Hi")]) == (
        "<|im_start|>System: Be brief.<end_of_utterance>\n"
        "<|im_start|>User: Hi<end_of_utterance>\nAssistant:"
    )


def test_a_template_that_takes_both_gets_text() -> None:
    assert (
        ChatTemplate(
            "{% for m in messages %}{% if m.content is string %}={{ m.content }}"
            "{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% endfor %}"
        ).render(turns("Hi"))
        == "=Hi"
    )


def test_a_template_that_writes_parts_out_as_they_are_is_broken() -> None:
    source = "{% for m in messages %}{% if m.content is not string %}{{ m.content }}{% endif %}"
    assert ChatTemplate(source + "{% endfor %}").notice == BROKEN


@pytest.mark.parametrize("end", [turns("Colour?"), ()])
def test_a_late_system_text_goes_to_the_head_of_the_next_question(
    end: tuple[PromptMessage, ...],
) -> None:
    late = [*LATE_SYSTEM[:3], *end]
    for source in (SYSTEM_FIRST, STRICT, DROPS_LATE_SYSTEM):
        text = ChatTemplate(source).render(late)
        assert "Pear." in text
        assert text.index("One word.") < (text.index("Colour?") if end else len(text))
    assert ChatTemplate(CHATML).render(late).count("<|im_start|>system") == 1


def test_a_system_text_behind_the_question_is_kept() -> None:
    text = ChatTemplate(SYSTEM_FIRST).render([*turns("Name a fruit."), SYSTEM])
    assert "Name a fruit.\n\nBe brief." in text


def test_a_chat_that_begins_with_the_assistant_is_rendered() -> None:
    assert ChatTemplate(STRICT).render(GREETING) == (
        "<user>...</user><assistant>Welcome.</assistant><user>Soup</user><assistant>"
    )
    told = ChatTemplate(STRICT).render([SYSTEM, *GREETING])
    assert told.startswith("<user>Be brief.</user><assistant>Welcome.</assistant>")
    assert "<user>" not in ChatTemplate(CHATML).render(GREETING)


def test_a_template_that_drops_the_greeting_gets_it_behind_a_question() -> None:
    drops = (
        "{% for m in messages %}{% if not (loop.first and m.role == 'assistant') %}"
        "[{{ m.content }}]{% endif %}{% endfor %}"
    )
    assert ChatTemplate(drops).render(GREETING) == "[...][Welcome.][Soup]"


def test_an_answer_is_continued_where_the_template_wants_a_question_last() -> None:
    asks = "{% if messages[-1].role != 'user' %}{{ raise_exception('no') }}{% endif %}" + CHATML
    text = ChatTemplate(asks).render(turns("Hi", "Sure! Here"))
    assert text.endswith("<|im_start|>assistant\nSure! Here")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a\n{% for m in messages %}\n{% endif %}", "line 3: TemplateSyntaxError"),
        ("{{ messages[0].content }}\n\n{{ raise_exception('no') }}", "line 3: TemplateError: no"),
        ("\n{{ messages[0].content }}{{ x.y.z }}", "line 2: UndefinedError"),
        ("\n{{ 'x'.ljust(10 ** 9) }}", "line 2: SecurityError: a number too large"),
        ("always the same", "it leaves out what was said"),
    ],
)
def test_a_refused_template_is_told_with_its_line(source: str, problem: str) -> None:
    assert ChatTemplate(source).problem.startswith(problem)


def test_a_conversation_that_a_template_refuses_is_told_with_the_line() -> None:
    template = ChatTemplate(
        "{% for m in messages %}\n{{ m.content }}"
        "{% if m.content == 'now' %}{{ raise_exception('moody') }}{% endif %}{% endfor %}"
    )
    with pytest.raises(RenderError, match=r"^line 2: TemplateError: moody$"):
        template.render(turns("now"))


def test_a_template_that_fails_over_tools_that_are_none_gets_no_such_name() -> None:
    source = (
        "{% if tools is defined %}{% for tool in tools %}{{ tool }}{% endfor %}{% endif %}"
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    template = ChatTemplate(source)
    assert template.notice is None
    assert template.render([SYSTEM, *turns("Hi")]) == "<system>Be brief.<user>Hi"


def test_a_template_that_demands_a_system_text_gets_an_empty_one() -> None:
    source = (
        "{% if messages[0].role != 'system' %}{{ raise_exception('Where is it?') }}{% endif %}"
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    template = ChatTemplate(source)
    assert template.notice is None
    assert template.render(turns("Hi")) == "<system><user>Hi"
    assert template.render([SYSTEM, *turns("Hi", "So")]) == "<system>Be brief.<user>Hi<assistant>So"


_TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
_HISTORY = _TURNS.replace("m.content", "m.content.split('</think>')[-1]")


def _begins(answer: str) -> str:
    return "{% if add_generation_prompt %}<assistant>" + answer + "{% endif %}"


@pytest.mark.parametrize(
    ("source", "left_to_it", "with_it", "without_it"),
    [
        (  # Qwen 3
            _HISTORY + _begins("{% if enable_thinking is defined and enable_thinking is false %}"
            "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"),
            "", "", "<think>\n\n</think>\n\n",
        ),
        (  # DeepSeek 3.1, under the other name
            _TURNS + _begins("{% if thinking %}<think>{% else %}</think>{% endif %}"),
            "</think>", "<think>", "</think>",
        ),
        (_HISTORY + _begins("<think>\n"), "<think>\n", "<think>\n", "<think>\n\n</think>\n\n"),
        (_HISTORY + _begins(""), "", "", "<think>\n\n</think>\n\n"),
        (  # GLM 4.5: told in the question
            _HISTORY + "{% if enable_thinking is defined and not enable_thinking %}/nothink"
            "{% endif %}" + _begins(""),
            "", "", "",
        ),
        (  # gpt-oss
            _TURNS + "{# <|channel|>analysis<|message|> <|channel|>final<|message|> #}"
            + _begins(""),
            "", "", "<|channel|>final<|message|>",
        ),
        (_TURNS + _begins(""), "", "", ""),  # its model does not think aloud
    ],
)  # fmt: skip
def test_an_answer_with_or_without_thinking(
    source: str, left_to_it: str, with_it: str, without_it: str
) -> None:
    template = ChatTemplate(source)
    assert template.notice is None
    asked = (template, template.switched(thinks=True), template.switched(thinks=False))
    ends = [each.render(turns("Hi")).rpartition("<assistant>")[2] for each in asked]
    assert ends == [left_to_it, with_it, without_it]
    assert asked[2].render(turns("Hi", "So")).endswith("So")  # goes on with an answer
