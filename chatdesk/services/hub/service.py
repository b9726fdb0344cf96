"""Finding models: on the hub, and in the list of recommended ones, each judged for this machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chatdesk.core.errors import ModelProblem, NotFound
from chatdesk.core.hub import CatalogEntry, HubModel, HubRepository, Variant
from chatdesk.core.i18n import current_language, tr
from chatdesk.core.loading import Device
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit, ModelHeader
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.library.hub.catalog import (
    CATALOG_FILE,
    CATALOG_REPO,
    MAX_CATALOG,
    header_of,
    keep_catalog,
    newest_catalog,
    read_catalog,
)
from chatdesk.library.hub.client import Hub
from chatdesk.library.hub.links import repository_named
from chatdesk.library.hub.problems import HubProblem
from chatdesk.library.hub.variants import recommended, runs_well
from chatdesk.library.machine.fit import estimate
from chatdesk.library.machine.hardware import available_memory
from chatdesk.library.models.remote_header import read_remote_header
from chatdesk.library.models.role import not_for_chats, role_of
from chatdesk.services.hub.token import HubToken

CAUTIOUS_BANDWIDTH = 20e9  # bytes per second: what slow memory of two channels gives


@dataclass(frozen=True, slots=True)
class Judged:
    """The estimates of a repository on this machine: one for each variant, None where unknown.

    `recommended` is the index of the recommended variant. `problem` is why there are no estimates.
    """

    header: ModelHeader | None
    estimates: tuple[Estimate | None, ...]
    recommended: int | None
    problem: str = ""


class HubService:
    """Asks the hub only when its methods are called; nothing is fetched in advance.

    What asks the hub raises `HubProblem`. `devices` are those the engine has, `bandwidth` is the
    memory's in bytes per second, 0 where it was not measured.
    """

    def __init__(
        self,
        paths: AppPaths,
        devices: Callable[[], Sequence[Device]],
        settings: Callable[[], Settings],
        bandwidth: Callable[[], float],
    ) -> None:
        self._paths = paths
        self._devices = devices
        self._settings = settings
        self._token = HubToken()
        self._bandwidth = bandwidth
        self._headers: dict[tuple[str, str, str], ModelHeader] = {}  # that were fetched

    def hub(self) -> Hub:
        """The hub as it is set now: address and token."""
        return Hub(self._settings().downloads.mirror, self._token.get())

    @property
    def has_token(self) -> bool:
        """True if requests carry a token."""
        return self._token.get() is not None

    def set_token(self, token: str) -> None:
        """Use a token, "" for none. Raises `EnvironmentProblem` where it cannot be kept."""
        self._token.set(token)

    def search(self, words: str, sort: str = "downloads") -> tuple[HubModel, ...]:
        """Repositories with GGUF files."""
        return self.hub().search(words, sort)

    def open(self, repo_or_link: str) -> HubRepository:
        """A repository by its name, or by a link to its page or to one of its files."""
        hub = self.hub()
        return hub.repository(repository_named(repo_or_link, hub.endpoint))

    def locate(self, entry: CatalogEntry) -> tuple[str, str, Variant]:
        """The repository of a recommended model, its revision, and the variant to download.

        Raises `NotFound` where the repository has the file no longer.
        """
        repository = self.open(entry.repo)
        for variant in repository.variants:
            if entry.file in (file.path for file in variant.files):
                return entry.repo, repository.revision, variant
        raise NotFound(
            tr("{name} is no longer where the list says.", name=entry.name),
            tr("Look for a newer list, or search for it."),
        )

    def judge(self, repository: HubRepository) -> Judged:
        """Read the header of one variant, and estimate them all by it."""
        unknown = (None,) * len(repository.variants)
        if not repository.variants:
            return Judged(None, (), None, tr("This repository has no model files to chat with."))
        probe = _probe(repository.variants)
        try:
            header = self._header(repository, probe)
        except (HubProblem, ModelProblem) as problem:
            return Judged(None, unknown, None, str(problem))
        if not (role := role_of(header)).answers:
            name = repository.model.repo.rpartition("/")[2]
            why = not_for_chats(name, header.architecture, role).what
            return Judged(header, unknown, None, why)
        headers = [_as_variant(header, variant) for variant in repository.variants]
        memory = available_memory()
        estimates = self._estimates(headers, memory, self._bandwidth())
        best = recommended(repository.variants, estimates, memory)
        return Judged(_as_variant(header, probe), estimates, best)

    def catalog(self) -> tuple[tuple[CatalogEntry, Estimate], ...]:
        """The recommended models with what this machine makes of them, the smallest first."""
        entries = newest_catalog(self._paths.catalog).entries
        headers = [header_of(entry) for entry in entries]
        estimates = self._estimates(headers, available_memory(), self._bandwidth())
        return tuple(zip(entries, estimates, strict=True))

    def recommended(self) -> tuple[CatalogEntry, Estimate] | None:
        """The most capable model to chat with that runs well here, in the user's language.

        Where none runs well, the quickest that fits. Its estimate has no speed as long as the
        memory's was never measured.
        """
        entries = [e for e in newest_catalog(self._paths.catalog).entries if "chat" in e.purposes]
        memory, measured = available_memory(), self._bandwidth()
        headers = [header_of(entry) for entry in entries]
        estimates = self._estimates(headers, memory, measured or CAUTIOUS_BANDWIDTH)

        def rank(pair: tuple[CatalogEntry, Estimate]) -> tuple[bool, bool, float]:
            entry, found = pair
            well = runs_well(found, memory)
            return _speaks(entry), well, entry.parameters if well else found.tokens_per_s

        fit = [
            pair
            for pair in zip(entries, estimates, strict=True)
            if pair[1].fit is not Fit.TOO_LARGE
        ]
        if not fit:
            return None
        entry, best = max(fit, key=rank)
        return entry, best if measured else replace(best, tokens_per_s=0.0)

    def update_catalog(self) -> int:
        """Fetch the list of recommended models; how many in it are new.

        One that is damaged or not newer changes nothing. Raises `EnvironmentProblem`.
        """
        known = newest_catalog(self._paths.catalog)
        text = self.hub().read_file(CATALOG_REPO, "main", CATALOG_FILE, MAX_CATALOG + 1)
        fetched = read_catalog(text)
        if fetched.version <= known.version:
            return 0
        keep_catalog(fetched, self._paths.catalog)
        return len({each.repo for each in fetched.entries} - {each.repo for each in known.entries})

    def _header(self, repository: HubRepository, variant: Variant) -> ModelHeader:
        hub, first = self.hub(), variant.files[0]
        key = (repository.model.repo, repository.revision, first.path)
        if header := self._headers.get(key):
            return header

        def fetch(start: int, end: int) -> bytes:
            name = repository.model.repo
            return hub.read_range(name, repository.revision, first.path, start, end)

        header = self._headers[key] = read_remote_header(first.path, first.bytes, fetch)
        return header

    def _estimates(
        self, headers: Sequence[ModelHeader], memory: int, bandwidth: float
    ) -> tuple[Estimate, ...]:
        options, devices = self._settings().load_options(""), self._devices()
        return tuple(estimate(each, options, devices, memory, bandwidth) for each in headers)


def _speaks(entry: CatalogEntry) -> bool:
    """Return True if a model is good in the user's language: all of them are in English."""
    return not current_language().startswith("zh") or "chinese" in entry.purposes


def _probe(variants: Sequence[Variant]) -> Variant:
    """Whose header is read: the middle one, of those that are whole in one file if any is."""
    whole = [variant for variant in variants if len(variant.files) == 1] or variants
    return whole[len(whole) // 2]


def _as_variant(header: ModelHeader, variant: Variant) -> ModelHeader:
    """The header that another variant of the same model has: its size is another."""
    return replace(
        header,
        bytes=variant.bytes,
        quantization=variant.quantization,
        decode_bytes=header.decode_bytes * variant.bytes // header.bytes,
        parts=len(variant.files),
    )
