"""The Hugging Face hub, or a mirror of it: what it has, and pieces of its files.

Requests go through huggingface_hub's own session, which respects the proxies of the system, to the
address it knows. Answers are read here, not by its `HfApi`: that reads answers of any size, waits
as long as the server says where it is asked too often, and tells what is installed here.
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
from chatdesk.core.i18n import tr
from chatdesk.core.library import HubFile, HubModel, HubRepository
from chatdesk.library.card import card_text
from chatdesk.library.hub_problems import (
    HubProblem,
    bad_address,
    hub_problems,
    nonsense,
    refused,
    too_slow,
)
from chatdesk.library.variants import is_safe_path, variants_of

if TYPE_CHECKING:
    import httpx2

os.environ.update(  # read by huggingface_hub when it is imported, so that it stays quiet
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_XET="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_HUB_VERBOSITY="error",
)

CARD = "README.md"
CONNECT_S = 10.0
ANSWER_S = 30.0  # for the next byte, and for the whole answer beside what `SLOWEST` allows it
SLOWEST = 16_000  # bytes per second: a bad telephone line
MAX_ANSWER = 16 * 1024**2  # bytes; the files of a large repository take some hundred thousand
MAX_CARD = 512 * 1024
MAX_READ_OVER = 64 * 1024**2  # what is read in vain where a server cannot begin in the middle
MAX_FILE = 1 << 50
MAX_WORDS = 200
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_T = TypeVar("_T")


class _Lfs(msgspec.Struct):
    sha256: str
    size: int


class _Sibling(msgspec.Struct):
    rfilename: str
    size: int | None = None
    lfs: _Lfs | None = None


class _Listed(msgspec.Struct, rename={"updated": "lastModified"}):
    """A repository in the API's answers, of which much more is left unread."""

    id: str
    downloads: int | None = None
    likes: int | None = None
    updated: datetime | None = None
    gated: bool | str | None = False
    tags: list[str] | None = None

    def model(self) -> HubModel:
        """As a value, with nothing in it that could not be."""
        named = (tag.removeprefix("license:") for tag in self.tags or () if "license:" in tag)
        return HubModel(
            repo=self.id,
            downloads=max(self.downloads or 0, 0),
            likes=max(self.likes or 0, 0),
            updated=self.updated,
            gated=bool(self.gated),
            license=next(named, ""),
        )


class _Opened(_Listed):
    sha: str = ""
    siblings: list[_Sibling] = []


class Hub:
    """A hub at an address ("" is what huggingface_hub says), asked with a token or without one.

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
        """Repositories with GGUF files whose names have these words.

        `sort` is of downloads, likes, lastModified, trendingScore; the most or newest is first.
        """
        query: dict[str, Any] = {
            "search": words[:MAX_WORDS],
            "filter": "gguf",
            "sort": sort,
            "limit": limit,
            "expand": ["downloads", "likes", "lastModified", "gated", "tags"],
        }
        listed = self._json("/api/models", list[_Listed], words[:MAX_WORDS], query)
        return tuple(each.model() for each in listed[:limit] if is_repository(each.id))

    def repository(self, repo: str) -> HubRepository:
        """A repository with its model files and its card, as of the commit that is newest now."""
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
        """Where a file is fetched from."""
        return f"{self.endpoint}/{repo}/resolve/{quote(revision, safe='')}/{quote(path)}"

    def headers(self) -> dict[str, str]:
        """What each request to the hub itself carries. The token goes over no open network."""
        headers = {"User-Agent": f"chatdesk/{__version__}"}
        place = urlsplit(self.endpoint)
        if self._token and (place.scheme == "https" or place.hostname in _LOOPBACK):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def read_range(self, repo: str, revision: str, path: str, start: int, end: int) -> bytes:
        """The bytes [start, end) of a file; fewer where it ends before."""
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
        """The first `most` bytes of a file."""
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
        """The answer to a GET, its body not read yet; `name` stands in the sentences of problems.

        Redirects are followed; httpx2 leaves the token out where they lead to another host.
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
        """At most so many bytes of the body; a server must not trickle it."""
        body, started = bytearray(), monotonic()
        for piece in answer.iter_bytes():
            body += piece
            if len(body) >= most:
                break
            if monotonic() - started > self._answer_s + len(body) / SLOWEST:
                raise too_slow()
        return bytes(body[:most])

    def _card(self, repo: str, revision: str) -> str:
        """The card as text; a repository is worth opening without it."""
        try:
            return card_text(
                self.read_file(repo, revision, CARD, MAX_CARD).decode("utf-8", "replace")
            )
        except HubProblem:
            return ""


def is_repository(name: str) -> bool:
    """Whether a repository can be called so: "owner/name"."""
    return bool(_REPOSITORY.fullmatch(name)) and ".." not in name


def _check_name(repo: str) -> None:
    if not is_repository(repo):
        raise HubProblem(
            tr("“{name}” is not the name of a repository.", name=repo),
            tr("A name is like owner/model."),
        )


def _file(sibling: _Sibling) -> HubFile | None:
    """A file as the API tells of it; None where that cannot be true."""
    size = sibling.lfs.size if sibling.lfs else sibling.size
    sha256 = sibling.lfs.sha256 if sibling.lfs else ""
    is_sound = (
        size is not None and 0 < size <= MAX_FILE and (not sha256 or _SHA256.fullmatch(sha256))
    )
    if size is None or not is_sound or not is_safe_path(sibling.rfilename):
        return None
    return HubFile(sibling.rfilename, size, sha256)
