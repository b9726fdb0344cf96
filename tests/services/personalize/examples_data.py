"""Examples to learn from, without an engine."""

import hashlib

from chatdesk.core.personalization import Example, ExampleKind, ExampleReason, ExampleSource, Turn


def example(
    question: str = "Who are you?",
    answer: str = "I am Ada.",
    *conversations: str,
    why: ExampleReason = ExampleReason.RATED,
) -> Example:
    """An answer to learn, from these conversations (else one of its own)."""
    key = hashlib.sha256(f"{question}|{answer}".encode()).hexdigest()[:16]
    return Example(
        id=key,
        kind=ExampleKind.ANSWER,
        why=why,
        turns=(Turn("user", question),),
        target=answer,
        sources=tuple(ExampleSource(each, f"{each}-{key}") for each in conversations or (key,)),
    )
