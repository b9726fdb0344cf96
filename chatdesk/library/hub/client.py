"""The Hugging Face hub, or a mirror of it: its repositories, and parts of its files.

Requests go through huggingface_hub's own session, which respects the proxies of the system, to the
address it knows. Answers are read here, not by its `HfApi`: that reads answers of any size, waits
as long as the server says when there are too many requests, and sends what is installed here.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from chatdesk import __version__
from chatdesk.core.hub import HubFile, HubModel, HubRepository
from chatdesk.core.i18n import tr
from chatdesk.core.models import ModelRole
from chatdesk.library.hub.card import card_text
from chatdesk.library.hub.problems import (
    HubProblem,
    bad_address,
    hub_problems,
    nonsense,
    refused,
    too_slow,
)
from chatdesk.library.hub.variants import is_safe_path, variants_of
from chatdesk.library.models.role import role_of_architecture

if TYPE_CHECKING:
    import httpx2

os.environ.update(  # huggingface_hub reads them on import, so that it stays quiet
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_HUB_VERBOSITY="error",
)

CARD = "README.md"
CONNECT_S = 10.0
ANSWER_S = 30.0  # for the next byte, and for the whole answer beside the time by `SLOWEST`
SLOWEST = 16_000  # bytes per second: a bad telephone line
MAX_ANSWER = 16 * 1024**2  # bytes; the files of a large repository take some hundred thousand
MAX_CARD = 512 * 1024
MAX_READ_OVER = 64 * 1024**2  # bytes to skip where a server cannot begin in the middle
MAX_FILE = 1 << 50
MAX_WORDS = 200
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EMBEDDERS_TAGS = frozenset(("feature-extraction", "sentence-similarity"))
_T = TypeVar("_T")


class _Lfs(msgspec.Struct):
    sha256: str
    size: int


class _Sibling(msgspec.Struct):
    rfilename: str
    size: int | None = None
    lfs: _Lfs | None = None


class _Gguf(msgspec.Struct):
    architecture: str | None = None


class _Listed(msgspec.Struct, rename={"updated": "lastModified"}):
    """A repository in the API's answers; most of its fields are ignored."""

    id: str
    downloads: int | None = None
    likes: int | None = None
    updated: datetime | None = None
    gated: bool | str | None = False
    tags: list[str] | None = None
    gguf: _Gguf | None = None

    def model(self) -> HubModel:
        """Return it as a value, without impossible content."""
        named = (tag.removeprefix("license:") for tag in self.tags or () if "license:" in tag)
        return HubModel(
            repo=self.id,
            downloads=max(self.downloads or 0, 0),
            likes=max(self.likes or 0, 0),
            updated=self.updated,
            gated=bool(self.gated),
            license=next(named, ""),
            role=self._role(),
        )

    def _role(self) -> ModelRole | None:
        architecture = self.gguf.architecture if self.gguf else None
        role = role_of_architecture(architecture) if architecture else None
        if role in (None, ModelRole.CHAT) and _EMBEDDERS_TAGS & set(self.tags or ()):
            return ModelRole.EMBEDDER
        return role


class _Opened(_Listed):
    sha: str = ""
    siblings: list[_Sibling] = []


class Hub:
    """A hub at an address ("" is huggingface_hub's own), with a token or without one.

    Every method raises `HubProblem`.
    """

    def __init__(self, endpoint: str, token: str | None, answer_s: float = ANSWER_S) -> None:
        self._endpoint = endpoint.strip().rstrip("/")
        self._token = token
        self._answer_s = answer_s

    @property
    def endpoint(self) -> str:
        """Its address, without a slash at the end."""
        from huggingface_hub import constants

        address = self._endpoint or constants.ENDPOINT
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise bad_address(address)
        return address

    def search(self, words: str, sort: str = "downloads", limit: int = 50) -> tuple[HubModel, ...]:
        """Return repositories with GGUF files whose names have these words.

        `sort` is one of downloads, likes, lastModified, trendingScore; the most or newest is first.
        """
        query: dict[str, Any] = {
            "search": words[:MAX_WORDS],
            "filter": "gguf",
            "sort": sort,
            "limit": limit,
            "expand": ["downloads", "likes", "lastModified", "gated", "tags", "gguf"],
        }
        listed = self._json("/api/models", list[_Listed], words[:MAX_WORDS], query)
        return tuple(each.model() for each in listed[:limit] if is_repository(each.id))

    def repository(self, repo: str) -> HubRepository:
        """Return a repository with its model files and its card, at its newest commit."""
        _check_name(repo)
        opened = self._json(f"/api/models/{repo}", _Opened, repo, {"blobs": "true"})
        if not is_repository(opened.id) or not _COMMIT.fullmatch(opened.sha):
            raise nonsense(repo)
        files = tuple(filter(None, map(_file, opened.siblings)))
        has_card = any(file.path == CARD for file in files)
        return HubRepository(
            model=opened.model(),
            revision=opened.sha,
            variants=variants_of(files),
            card=self._card(opened.id, opened.sha) if has_card else "",
        )

    def url(self, repo: str, revision: str, path: str) -> str:
        """Return the address of a file."""
        return f"{self.endpoint}/{repo}/resolve/{quote(revision, safe='')}/{quote(path)}"

    def headers(self) -> dict[str, str]:
        """Return the headers of requests to the hub itself. The token is never sent unencrypted."""
        headers = {"User-Agent": f"chatdesk/{__version__}"}
        place = urlsplit(self.endpoint)
        if self._token and (place.scheme == "https" or place.hostname in _LOOPBACK):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def read_range(self, repo: str, revision: str, path: str, start: int, end: int) -> bytes:
        """Return the bytes [start, end) of a file; fewer where it ends before."""
        asked = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
        url = self.url(repo, revision, path)
        with self.answer(url, path, headers=asked) as answer:
            if answer.status_code == 206:
                if not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                    raise nonsense(path)
                return self._read(answer, end - start)
            if end > MAX_READ_OVER:  # it sends the whole file, from its beginning
                raise nonsense(path)
            return self._read(answer, end)[start:]

    def read_file(self, repo: str, revision: str, path: str, most: int) -> bytes:
        """Return the first `most` bytes of a file."""
        with self.answer(self.url(repo, revision, path), path) as answer:
            return self._read(answer, most)

    @contextmanager
    def answer(
        self,
        url: str,
        name: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator["httpx2.Response"]:
        """The answer to a GET, with its body unread; `name` is for the sentences of problems.

        Redirects are followed; httpx2 omits the token where they lead to another host.
        """
        import httpx2
        from huggingface_hub import get_session

        with (
            hub_problems(),
            get_session().stream(
                "GET",
                url,
                params=query,
                headers={**self.headers(), **(headers or {})},
                timeout=httpx2.Timeout(self._answer_s, connect=min(CONNECT_S, self._answer_s)),
            ) as answer,
        ):
            if not answer.is_success:
                raise refused(answer, name)
            yield answer

    def _json(self, path: str, kind: type[_T], name: str, query: Mapping[str, Any]) -> _T:
        with self.answer(f"{self.endpoint}{path}", name, query=query) as answer:
            body = self._read(answer, MAX_ANSWER + 1)
        if len(body) > MAX_ANSWER:
            raise nonsense(name)
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, RecursionError):
            raise nonsense(name) from None

    def _read(self, answer: "httpx2.Response", most: int) -> bytes:
        """Return at most so many bytes of the body; a server must not trickle it."""
        body, started = bytearray(), monotonic()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) >= most:
                break
            if monotonic() - started > self._answer_s + len(body) / SLOWEST:
                raise too_slow()
        return bytes(body[:most])

    def _card(self, repo: str, revision: str) -> str:
        """Return the card as text; a repository is useful without it."""
        try:
            return card_text(
                self.read_file(repo, revision, CARD, MAX_CARD).decode("utf-8", "replace")
            )
        except HubProblem:
            return ""


def is_repository(name: str) -> bool:
    """Return True for a valid repository name: "owner/name"."""
    return bool(_REPOSITORY.fullmatch(name)) and ".." not in name


def _check_name(repo: str) -> None:
    if not is_repository(repo):
        raise HubProblem(
            tr("“{name}” is not the name of a repository.", name=repo),
            tr("A name looks like owner/model."),
        )


def _file(sibling: _Sibling) -> HubFile | None:
    """Return a file from the API; None where its data is impossible."""
    size = sibling.lfs.size if sibling.lfs else sibling.size
    sha256 = sibling.lfs.sha256 if sibling.lfs else ""
    is_sound = (
        size is not None and 0 < size <= MAX_FILE and (not sha256 or _SHA256.fullmatch(sha256))
    )
    if size is None or not is_sound or not is_safe_path(sibling.rfilename):
        return None
    return HubFile(sibling.rfilename, size, sha256)
