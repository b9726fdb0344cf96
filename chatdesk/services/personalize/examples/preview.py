"""The preview of everything that would be learned. Nothing else is.

Duplicates are merged, secrets are masked alike everywhere, harmful examples are left out until the
user insists, and the engine counts the tokens.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from chatdesk.core.i18n import tr, trn
from chatdesk.core.personalization import Example, Finding, FindingKind, Preview
from chatdesk.services.personalize.examples.doubts import doubts
from chatdesk.services.personalize.examples.examples import merged
from chatdesk.services.personalize.examples.masking import find_personal_data
from chatdesk.services.personalize.examples.rendering import UNUSABLE, Renderer

LEAST_EXAMPLES = 16  # six to measure with, two to watch, and eight to learn from
LEAST_CONVERSATIONS = 4  # each is either learned from as a whole, or held out


def make(examples: Iterable[Example], renderer: Renderer, longest: int, model_id: str) -> Preview:
    """Return what would be learned from these examples by the model with this id, which is in use.

    `longest` is in tokens. Raises `EnvironmentProblem` when the engine cannot count them.
    """
    found = _masked(merged(examples))
    doubted = [replace(each, doubts=doubts(each)) for each in found]
    chosen = [replace(each, chosen=not each.doubts) for each in doubted]
    return _checked(Preview(model_id, renderer.count(chosen, longest), longest))


def count(examples: Iterable[Example]) -> int:
    """Return how many of these examples would be chosen, each once."""
    return sum(not doubts(each) for each in merged(examples))


def choose(preview: Preview, example_ids: Collection[str], chosen: bool) -> Preview:
    """Include examples, in spite of doubts, or exclude them.

    One without possible tokens is never included.
    """
    return _with(preview, [_chosen(e, chosen) for e in preview.examples if e.id in example_ids])


def mask(preview: Preview, value: str, masked: bool, renderer: Renderer) -> Preview:
    """Mask a value everywhere, or learn it as it is.

    Raises `EnvironmentProblem` when the engine cannot count the tokens again.
    """
    changed = [
        replace(
            example,
            findings=tuple(
                replace(each, masked=masked) if each.value == value else each
                for each in example.findings
            ),
        )
        for example in preview.examples
        if any(each.value == value for each in example.findings)
    ]
    return _with(preview, renderer.count(changed, preview.longest))


def _chosen(example: Example, chosen: bool) -> Example:
    return replace(example, chosen=chosen and not set(UNUSABLE) & set(example.doubts))


def _with(preview: Preview, changed: Sequence[Example]) -> Preview:
    """Return the preview with these examples instead of those with the same ids."""
    new = {each.id: each for each in changed}
    examples = tuple(new.get(each.id, each) for each in preview.examples)
    return _checked(replace(preview, examples=examples))


# Secrets


def _masked(examples: Sequence[Example]) -> list[Example]:
    """Return the examples with their secrets, under the same placeholder everywhere.

    A secret found in one example is masked in the others, too.
    """
    findings: dict[str, Finding] = {}
    numbers: Counter[FindingKind] = Counter()
    for example in examples:
        for kind, value in find_personal_data(_words(example)):
            if value not in findings:
                numbers[kind] += 1
                label = kind.value.replace("_", " ")
                findings[value] = Finding(kind, value, f"[{label} {numbers[kind]}]")
    return [replace(each, findings=_said_in(_words(each), findings.values())) for each in examples]


def _said_in(words: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(each for each in findings if each.value in words)


def _words(example: Example) -> str:
    """Return all words of an example, separated so that nothing is found across two messages."""
    turns = (turn.content for turn in example.turns)
    return "\n\0\n".join([*turns, example.target, example.rejected])


# Whether it is enough


def _checked(preview: Preview) -> Preview:
    return replace(preview, problem=_problem(preview.chosen))


def _problem(examples: Sequence[Example]) -> str:
    """Return why training on these examples cannot begin, as a sentence; "" when it can."""
    if not examples:
        return tr("There is nothing to learn from yet: rate or correct some answers.")
    if len(examples) < LEAST_EXAMPLES:
        return trn(
            "Only {n} example is chosen, and at least {least} are needed: rate or correct more "
            "answers.",
            "Only {n} examples are chosen, and at least {least} are needed: rate or correct more "
            "answers.",
            len(examples),
            least=LEAST_EXAMPLES,
        )
    conversations = {each.sources[0].conversation_id for each in examples}
    if len(conversations) < LEAST_CONVERSATIONS:
        return trn(
            "The examples are all from {n} chat, and at least {least} are needed: some are "
            "kept aside to prove that learning helped.",
            "The examples are all from {n} chats, and at least {least} are needed: some "
            "are kept aside to prove that learning helped.",
            len(conversations),
            least=LEAST_CONVERSATIONS,
        )
    if len({" ".join(each.target.split()) for each in examples}) == 1:
        return tr("All examples have the same answer: the model would learn to say nothing else.")
    return ""
