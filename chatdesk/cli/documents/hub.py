"""The command line's documents on the hub: what there is, and what was fetched of it."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from chatdesk.cli.documents.models import describe, find_devices
from chatdesk.cli.parts import Document
from chatdesk.cli.services import open_services
from chatdesk.core.downloads import DownloadState
from chatdesk.core.errors import EnvironmentProblem, NotFound
from chatdesk.core.hub import HubRepository, Variant
from chatdesk.core.i18n import tr
from chatdesk.core.model_files import Estimate
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import Settings
from chatdesk.library.models.role import role_of
from chatdesk.services.app import App
from chatdesk.services.facts import Fact
from chatdesk.services.hub.facts import DownloadProgressed

_REPOSITORY = re.compile(r"https?://\S+|[\w.-]+/[\w.-]+", re.ASCII)
_ASKED = re.compile(r"(https?://[^:\s]+(?::\d+)?[^:\s]*|[^:]+)(?::(.+))?")  # REPO[:FILE]


def is_repository(text: str) -> bool:
    """Return True for a repository's name or a link to one, and False for a file's name."""
    return _REPOSITORY.fullmatch(text) is not None and not text.endswith(".gguf")


def search_hub(paths: AppPaths, settings: Settings, words: str, sort: str) -> list[Document]:
    """Repositories with models. Raises `EnvironmentProblem`."""
    with open_services(paths, settings) as services:
        found = services.hub.search(words, sort)
    return [
        asdict(each)
        | {
            "updated": each.updated.isoformat() if each.updated else None,
            "role": each.role.value if each.role else None,
        }
        for each in found
    ]


def repository_info(paths: AppPaths, settings: Settings, repo: str) -> Document:
    """A repository and its variants, each with how it fits. Raises `EnvironmentProblem`."""
    with open_services(paths, settings) as services:
        repository = services.hub.open(repo)
        find_devices(services)
        judged = services.hub.judge(repository)
    pairs = zip(repository.variants, judged.estimates, strict=True)
    model = repository.model
    return {
        "repo": model.repo,
        "revision": repository.revision,
        "license": model.license,
        "gated": model.gated,
        "problem": judged.problem,
        "architecture": judged.header.architecture if judged.header else None,
        "role": role_of(judged.header).value if judged.header else None,
        "variants": [
            _variant(variant, estimate) | {"recommended": number == judged.recommended}
            for number, (variant, estimate) in enumerate(pairs)
        ],
    }


def pull(
    paths: AppPaths, settings: Settings, asked: str, on_progress: Callable[[float], None]
) -> Document:
    """Fetch REPO[:FILE] to its end; the model. Raises `EnvironmentProblem`.

    When it is interrupted the download is paused; the same call goes on with it.
    """
    whole = 0

    def publish(fact: Fact) -> None:
        if isinstance(fact, DownloadProgressed) and whole:
            on_progress(fact.received / whole)

    with open_services(paths, settings, publish) as services:
        named = _ASKED.fullmatch(asked)
        repo, file = named.groups() if named else (asked, None)
        repository = services.hub.open(repo)
        variant = _named(repository, file) if file else _recommended(services, repository)
        whole = variant.bytes
        download = services.downloads.start(repository.model.repo, repository.revision, variant)
        try:
            download = services.downloads.wait(download.id)
        except KeyboardInterrupt:
            with suppress(EnvironmentProblem):  # another ChatDesk fetches it, and goes on
                services.downloads.pause(download.id)
            raise
        if download.state is not DownloadState.DONE:
            raise EnvironmentProblem(download.problem or tr("The download was paused."))
        services.downloads.clear(download.id)
        find_devices(services)
        return describe(services, settings, services.models.get(download.path))


def catalog(paths: AppPaths, settings: Settings, *, update: bool) -> list[Document]:
    """The models that are recommended, each with how it fits. Raises `EnvironmentProblem`."""
    with open_services(paths, settings) as services:
        if update:
            services.hub.update_catalog()
        find_devices(services)
        return [asdict(entry) | _estimate(found) for entry, found in services.hub.catalog()]


def _named(repository: HubRepository, name: str) -> Variant:
    """The variant of a file's name or of a quantization. Raises `NotFound`."""
    for variant in repository.variants:
        paths = [file.path for file in variant.files]
        names = {*paths, *(path.rpartition("/")[2] for path in paths)}
        if name in names or name.lower() == variant.quantization.lower():
            return variant
    raise NotFound(
        tr("{repo} has no “{name}”.", repo=repository.model.repo, name=name),
        tr("See what it has with: chatdesk models info {repo}", repo=repository.model.repo),
    )


def _recommended(services: App, repository: HubRepository) -> Variant:
    find_devices(services)
    judged = services.hub.judge(repository)
    if judged.recommended is None:
        raise EnvironmentProblem(
            judged.problem or tr("Nothing of {repo} fits here.", repo=repository.model.repo),
            tr("See what it has with: chatdesk models info {repo}", repo=repository.model.repo),
        )
    return repository.variants[judged.recommended]


def _variant(variant: Variant, estimate: Estimate | None) -> Document:
    return {
        "quantization": variant.quantization,
        "files": [file.path for file in variant.files],
        "bytes": variant.bytes,
        **_estimate(estimate),
    }


def _estimate(estimate: Estimate | None) -> Document:
    """Nothing is known of a file whose header could not be read."""
    return {
        "fit": estimate.fit.value if estimate else None,
        "memory_bytes": estimate.memory_bytes if estimate else None,
        "tokens_per_s": estimate.tokens_per_s if estimate else None,
    }
