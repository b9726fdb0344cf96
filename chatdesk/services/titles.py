"""Titles: the first words at once, a better one by the model in the background."""

import re

from chatdesk.core.generation import PromptMessage, SamplingParams

MAX_TITLE = 60
_MIN_WORD_SHARE = 0.5  # a title of mostly punctuation or digits says nothing

TITLE_SAMPLING = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=24, stop=("\n",))
_EXCERPT = 600  # characters of the first question; a title needs no more, and prefill costs time


def first_words(text: str) -> str:
    """The beginning of a message on one line, cut between words to `MAX_TITLE` characters."""
    line = " ".join(text.split())
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    at_word = cut.rfind(" ")
    return (cut[:at_word] if at_word > MAX_TITLE // 2 else cut).rstrip(" ,;:.-") + "…"


def title_prompt(question: str) -> tuple[PromptMessage, ...]:
    """What the model is asked, in the form small models follow best: an example, then ours."""
    return (
        PromptMessage(
            "system", "You write a short title, three to six words, for what the user asks."
        ),
        PromptMessage("user", "how do I get red wine out of a white shirt, it has dried already"),
        PromptMessage("assistant", "Removing a dried red wine stain"),
        PromptMessage("user", "写一封信给房东，说暖气坏了"),
        PromptMessage("assistant", "给房东的暖气报修信"),
        PromptMessage("user", question[:_EXCERPT]),
    )


def clean_title(answer: str) -> str | None:
    """A title from what the model wrote; None when it is no title."""
    line = answer.strip().split("\n", 1)[0]
    line = re.sub(r"^(title|标题)\s*[:：]\s*", "", line, flags=re.IGNORECASE)
    line = re.sub(r"[*_`#\"“”«»]+", "", line).strip(" '.。-–—")
    letters = sum(character.isalpha() for character in line)
    if not line or len(line) > MAX_TITLE or letters < _MIN_WORD_SHARE * len(line.replace(" ", "")):
        return None
    return line[0].upper() + line[1:]
