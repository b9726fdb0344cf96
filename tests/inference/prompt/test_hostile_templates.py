"""Templates that would take the machine's memory: each ends early, and in a part of it."""

import json
import subprocess
import sys

import pytest

from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.template import BROKEN, ChatTemplate

WORDS = "{% for m in messages %}{{ m.content }}{% endfor %}"
LONG = "('a' * 100000)"
LINES = "('\n' * 100000)"
MANY = f"([{LONG}] * 100000)"
GROWING = (
    "{%% set ns = namespace(s=%s) %%}{%% for i in range(40) %%}{%% set ns.s = %s %%}{%% endfor %%}"
)
KEEPING = (
    "{%% set ns = namespace(s=[], t='a' * 99000) %%}"
    "{%% for i in range(99999) %%}{%% set ns.s = [ns.s, %s] %%}{%% endfor %%}"
)
HOSTILE = [
    "{{ 'x'.ljust(3000000000) }}",
    "{{ 'x'.rjust(3000000000) }}",
    "{{ 'x'.center(3000000000) }}",
    "{{ 'x'.zfill(3000000000) }}",
    "{{ ('\t' * 1000).expandtabs(3000000) }}",
    "{{ 'x'.encode().ljust(3000000000) }}",
    "{{ (5).to_bytes(3000000000, 'big') }}",
    "{{ '%3000000000d' % 1 }}",
    "{{ '%*d' % (3000000000, 1) }}",
    "{{ '%.3000000000f' % 1 }}",
    "{{ ('%(a)s' * 20000) % {'a': " + LONG + "} }}",
    "{{ '{:>3000000000}'.format(1) }}",
    "{{ '{:>{w}}'.format(1, w=3000000000) }}",
    "{{ '{x:>3000000000}'.format_map({'x': 1}) }}",
    "{{ ('{0}' * 30000).format(" + LONG + ") }}",
    "{{ " + LONG + ".replace('a', " + LONG + ") }}",
    "{{ " + LONG + ".join(" + LONG + ") }}",
    "{{ " + LONG + ".translate({97: " + LONG + "}) }}",
    "{{ " + LONG + " | replace('a', " + LONG + ") }}",
    "{{ " + LONG + " | replace(new=" + LONG + ", old='a') }}",
    "{{ ('a ' * 50000) | wordwrap(wrapstring=" + LONG + ", width=1) }}",
    "{{ " + LONG + " | list | join(" + LONG + ") }}",
    "{{ 'x' | center(3000000000) }}",
    "{{ '%3000000000d' | format(1) }}",
    "{{ " + LINES + " | indent(100000) }}",
    "{{ " + LINES + " | indent(" + LONG + ") }}",
    "{{ ('a ' * 50000) | wordwrap(1, wrapstring=" + LONG + ") }}",
    "{{ [1] | batch(3000000000, 'x') | list }}",
    "{{ 5 | round(1000000000, 'ceil') }}",
    "{{ [1, 2] | tojson(indent=3000000000) }}",
    "{{ [1, 2] | tojson(False, 3000000000) }}",
    "{{ ([1] * 100000) | tojson(separators=(" + LONG + ", ':')) }}",
    "{{ " + MANY + " }}",
    "{{ " + MANY + " | tojson }}",
    "{{ " + MANY + " | string | length }}",
    "{{ " + MANY + " | map('upper') | join }}",
    "{{ 'a' ~ " + MANY + " }}",
    "{{ strftime_now('%Y' * 50000) }}",
    GROWING % ("'a' * 1000", "ns.s + ns.s"),
    GROWING % ("'a' * 1000", "ns.s ~ ns.s"),
    GROWING % ("[1] * 1000", "ns.s + ns.s"),
    GROWING % ("[1]", "[ns.s, ns.s]") + "{{ ns.s }}",
    GROWING % ("[1]", "[ns.s, ns.s]") + "{{ ns }}",
    GROWING % ("[1]", "{'a': ns.s, 'b': ns.s}") + "{{ ns.s | tojson }}",
    GROWING % ("[1]", "{'a': ns.s, 'b': ns.s}") + "{{ ns.s.items() ~ '' }}",
    "{% set ns = namespace(s='a' * 1000) %}{% for i in range(40) %}"
    "{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}{% endfor %}",
    KEEPING % "ns.t ~ i",
    KEEPING % "ns.t[1:]",
    KEEPING % "ns.t.upper()",
    KEEPING % "ns.t | upper",
    KEEPING % "ns.t | list",
    KEEPING % "ns.t.split('a')",
]
_EACH_ALONE = """
import json, resource, time
from chatdesk.inference.prompt.template import ChatTemplate
from tests.inference.prompt.test_hostile_templates import HOSTILE, WORDS

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = megabytes()
for source in HOSTILE:
    started = time.monotonic()
    template = ChatTemplate(source + WORDS)
    taken = time.monotonic() - started
    print(json.dumps([source, template.notice, template.problem, taken, megabytes() - before]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_no_template_takes_half_a_gigabyte_or_many_seconds() -> None:
    child = subprocess.run(
        [sys.executable, "-c", _EACH_ALONE], check=False, capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    reports = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(reports) == len(HOSTILE)
    for source, notice, problem, seconds, megabytes in reports:
        assert notice == BROKEN, source
        assert problem.startswith("line ") or "more than" in problem, (source, problem)
        assert seconds < 8, source
        assert megabytes < 600, source  # 2,900 to 4,800 without limits


def test_arguments_by_name_are_as_good_as_those_by_place() -> None:
    source = (
        "{% for m in messages %}{{ m.content.split(maxsplit=1)[-1] }}"
        "{{ m.content.split(sep='-', maxsplit=1)[0] | replace(new='x', old='e', count=1) }}"
        "{{ [1, 2] | join(d='/') }}{{ [2, 1] | sort(reverse=true) | list }}{{ m.content }}"
        "{{ 'long words' | truncate(length=6, end='', leeway=0) }}"
        "{% endfor %}"
    )
    template = ChatTemplate(source)
    assert template.notice is None
    rendered = template.render([PromptMessage("user", "tea-pot of mine")])
    assert rendered == "of minetxa1/2[2, 1]tea-pot of minelong"


def test_a_long_conversation_is_no_hostile_template() -> None:
    source = (
        "{% set ns = namespace(all='') %}{% for m in messages %}"
        "{% set text = m.content.strip().replace('o', 'uv') | trim | replace('uv', 'o') %}"
        "{% set ns.all = '%s<%s>%s' % (ns.all, m.role, text[0:]) %}{% endfor %}{{ ns.all }}"
    )
    template = ChatTemplate(source)
    assert template.notice is None
    long = [PromptMessage("user", "a word " * 30_000), PromptMessage("assistant", "and " * 300_000)]
    rendered = template.render([*long, PromptMessage("user", "so?")])
    assert rendered.endswith("and<user>so?")
