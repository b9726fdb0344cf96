"""Models on the hub, as values."""

from dataclasses import dataclass
from datetime import datetime

from chatdesk.core.models import ModelRole


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository in the results of a search. `gated` ones need an agreement and a token.

    `role` is what its models are for, None where the hub does not say.
    """

    repo: str
    downloads: int = 0
    likes: int = 0
    updated: datetime | None = None
    gated: bool = False
    license: str = ""
    role: ModelRole | None = None


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository; `sha256` is the hub's value, "" where it states none."""

    path: str
    bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One model file of a repository, or all parts of one that is split, in order."""

    quantization: str
    files: tuple[HubFile, ...]

    @property
    def bytes(self) -> int:
        """The size of all parts."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository in detail. `revision` is the commit it was read at; `card` plain text."""

    model: HubModel
    revision: str
    variants: tuple[Variant, ...]
    card: str = ""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A recommended model. `purposes` are of chat, code, chinese, small.

    It has everything that an estimate needs, so that nothing is fetched to show the list. `summary`
    is a sentence by language code ("en", "zh_CN").
    """

    name: str
    repo: str
    file: str
    quantization: str
    bytes: int
    parameters: int
    context_length: int
    kv_bytes_per_token: int
    vocabulary: int
    license: str
    purposes: tuple[str, ...]
    summary: dict[str, str]
    active_parameters: int = 0  # of a mixture of experts; 0 means all

    def summary_in(self, language: str) -> str:
        """The sentence about it in a language, in English where there is no other."""
        return self.summary.get(language) or self.summary.get("en", "")
