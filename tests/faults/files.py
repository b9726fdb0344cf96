"""Damaged model files, adapters and chat templates, read as the app reads them."""

import json
import random
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from chatdesk.core.errors import AdapterProblem, ModelProblem
from chatdesk.core.generation import PromptMessage
from chatdesk.inference.prompt.template import ChatTemplate, RenderError
from chatdesk.library.adapters.formats import format_of
from chatdesk.library.models.header import read_header
from tests.faults.damage import damaged
from tests.faults.tried import Tried
from tests.inference.prompt.test_hostile_templates import HOSTILE
from tests.lora_files import lora_adapter
from tests.peft_files import peft_adapter
from tests.tiny_models import tiny_model

_HEADER_BYTES = 9000  # and some of the numbers after it
_TAG = re.compile(r"({[{%#].*?[}%#]})", re.DOTALL)
_NUMBER = re.compile(r"\b\d+\b")
_CASES = Path(__file__).parents[1] / "inference" / "prompt" / "template_cases.json"
_CHAT = (
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "Hi"),
    PromptMessage("assistant", "Hello."),
    PromptMessage("user", "Bye?"),
)


def try_headers(folder: Path, count: int, seed: int = 1) -> Tried:
    """Read the headers of damaged model files."""
    sound = tiny_model(folder / "sound.gguf", answer=b"abc").read_bytes()
    file, tried = folder / "damaged.gguf", Tried()
    for number in range(count):
        file.write_bytes(damaged(sound, random.Random(seed + number), end=_HEADER_BYTES))
        tried.attempt(f"header {number}", lambda: bool(read_header(file)), (ModelProblem,))
    return tried


def try_adapters(
    folder: Path, model: Path, count: int, seed: int = 2, use: Callable[[Path], None] | None = None
) -> Tried:
    """Take up damaged adapters of the starter model `model`: GGUF, PEFT and its configuration.

    `use` gets each that was taken up.
    """
    gguf, peft = lora_adapter(folder / "adapter.gguf"), peft_adapter(folder / "peft")
    config = peft.with_name("adapter_config.json")
    kinds = ((gguf, gguf), (peft, peft), (peft, config))  # what is taken up, what is damaged
    sound = {file: file.read_bytes() for _, file in kinds}
    tried = Tried()
    for number in range(count):
        adapter, file = kinds[number % len(kinds)]
        file.write_bytes(damaged(sound[file], random.Random(seed + number), end=_HEADER_BYTES))

        def take_up(adapter: Path = adapter, place: Path = folder / f"taken-{number}.gguf") -> bool:
            format_of(adapter).fitted(adapter, model)(place)
            if use:
                use(place)
            return True

        tried.attempt(f"adapter {number}", take_up, (AdapterProblem,))
        (folder / f"taken-{number}.gguf").unlink(missing_ok=True)
        file.write_bytes(sound[file])
    return tried


def try_templates(count: int, seed: int = 3) -> Tried:
    """Use chat templates that are cut out of sound and hostile ones and put together anew."""
    sources = [str(case["template"]) for case in json.loads(_CASES.read_text(encoding="utf-8"))]
    tried = Tried()
    for number in range(count):
        source = _spliced([*sources, *HOSTILE], random.Random(seed + number))
        tried.attempt(f"template {number}", partial(_renders, source), (RenderError,))
    return tried


def _renders(source: str) -> bool:
    template = ChatTemplate(source, "<s>", "</s>")
    template.render(_CHAT)
    return template.notice is None


def _spliced(sources: list[str], chance: random.Random) -> str:
    """A template with some of its tags and texts left out, said twice, or another's."""
    parts = _TAG.split(chance.choice(sources))
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(max(1, len(parts)))
        foreign, here = chance.choice(_TAG.split(chance.choice(sources))), parts[at : at + 1]
        parts[at : at + 1] = chance.choice(([], here * 2, [foreign], [*here, foreign]))
    source = "".join(parts)
    return _NUMBER.sub("99999999", source, count=1) if chance.random() < 0.1 else source
