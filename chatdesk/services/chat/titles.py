"""Titles: the first words at once, a better one from the model in the background."""

import re

from chatdesk.core.generation import PromptMessage
from chatdesk.core.sampling import SamplingParams

MAX_TITLE = 60
_MIN_LETTERS = 0.5  # a title of mostly punctuation or digits says nothing
_STUTTER = re.compile(r"(.{2,12}?)\1{2,}|(.)\2{4,}")  # endless repetition

# What a model writes that thinks aloud although its template has no marks for it.
_THINKS = re.compile(
    r"[<\[]/?\|?(?:\w+:|start_)?(?:think|thought|reason|analysis|channel)"
    r"|\W*(?:thinking|thought|reasoning)\s+process\W*(?:\d|$)"
    r"|let(?:'s| me| us) think\b|the user (?:is|wants|asks|asked)\b"
    r"|(?:okay|ok|alright|hmm|well)\W+(?:so|let|the user|i)\b"
    r"|思考过程|(?:好的|嗯)?\W*用户(?:想|要|问|希望|让|正在)|首先，我",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"\s*(?:(?:sure|okay|of course|certainly)\W+)?here(?:'s| is)\b[^:：]{0,40}[:：]"
    r"|\s*title\s*[:：]|\s*(?:好的\W*)?[^:：]{0,12}标题\s*[:：]",
    re.IGNORECASE,
)

TITLE_SAMPLING = SamplingParams(temperature=0.0, repeat_penalty=1.0, max_tokens=24, stop=("\n",))
_FEW_WORDS = 3
_GREETINGS = {"hello", "hi", "hey", "hiya", "good", "thanks", "thank", "hallo", "hola", "bonjour"}
_FEW_WIDE = 4  # letters of a script that is written without spaces
_FIRST_WIDE = 0x2E80  # the Chinese, Japanese and Korean scripts, and what comes after them
_EXCERPT = 600  # characters of the first question; a title needs no more, and prefill costs time


def first_words(text: str) -> str:
    """Return the beginning of a message on one line, cut between words to `MAX_TITLE`."""
    line = " ".join(text.split())
    if len(line) <= MAX_TITLE:
        return line if line.endswith(("...", "…")) else line.rstrip(".。") or line
    cut = line[: MAX_TITLE - 1]
    at_word = cut.rfind(" ")
    return (cut[:at_word] if at_word > MAX_TITLE // 2 else cut).rstrip(" ,;:.-") + "…"


def is_greeting(text: str) -> bool:
    """Return True for words that are their own best title: "Hello there", "你好"."""
    words = text.split()
    if any(ord(letter) >= _FIRST_WIDE for letter in text):
        return len(text.strip()) <= _FEW_WIDE
    greets = bool(words) and words[0].strip(".,!?").casefold() in _GREETINGS
    return 0 < len(words) <= (_FEW_WORDS if greets else 1)


# Small models follow examples better than orders; of three wordings tried with the starter model
# this one gave the most usable titles.
_EXAMPLES = (
    (
        "how do I get red wine out of a white shirt, it has dried already",
        "Removing a dried red wine stain",
    ),
    (
        "What is the tallest mountain in Africa and how long does it take to climb?",
        "Climbing Africa's tallest mountain",
    ),
    ("写一封信给房东，说暖气坏了", "给房东的暖气报修信"),
    ("can you fix this? for i in range(10) print(i)", "Fixing a Python loop error"),
)


def title_prompt(question: str, *, reasons: bool = False) -> tuple[PromptMessage, ...]:
    """Return the prompt for a title: some examples, then the question.

    For a model that `reasons` the answer is already begun, so that it does not think at length
    about a title.
    """
    order = "You write a short title of three to six words for the user's message. "
    turns = [PromptMessage("system", order + "You never answer it.")]
    for message, title in _EXAMPLES:
        turns.append(PromptMessage("user", f"Title for: {message}"))
        turns.append(PromptMessage("assistant", title))
    turns.append(PromptMessage("user", f"Title for: {question[:_EXCERPT]}"))
    if reasons:
        turns.append(PromptMessage("assistant", "Title:"))
    return tuple(turns)


def clean_title(answer: str) -> str | None:
    """Return a title from the model's answer; None when it is not a title."""
    line = answer.strip().split("\n", 1)[0]
    if _THINKS.match(line):
        return None
    line = re.sub(r"[*_`#\"“”«»]+", "", line)
    if lead_in := _LEAD_IN.match(line):
        line = line[lead_in.end() :]
    line = line.strip(" '.。,，:：;-–—")
    letters = sum(character.isalpha() for character in line)
    if not line or len(line) > MAX_TITLE or letters < _MIN_LETTERS * len(line.replace(" ", "")):
        return None
    if _STUTTER.search(line) or line.casefold() in {title.casefold() for _, title in _EXAMPLES}:
        return None
    return line[0].upper() + line[1:]
