"""What a stand-in hub holds: repositories, their files, and what is wrong with them."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self


@dataclass(slots=True)
class HubFile:
    """A file of a repository, its content in memory or on the disk."""

    content: bytes | Path
    size: int
    sha256: str
    is_lfs: bool

    @classmethod
    def of(cls, path: str, content: bytes | Path) -> Self:
        """A file as it lies at a path; models are kept by LFS, as on the hub."""
        if isinstance(content, bytes):
            size, sha256 = len(content), hashlib.sha256(content).hexdigest()
        else:
            size = content.stat().st_size
            with content.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(content, size, sha256, path.endswith((".gguf", ".safetensors")))

    @property
    def blob_id(self) -> str:
        """Any 40 hex digits that change with the content."""
        return hashlib.sha1(self.sha256.encode()).hexdigest()

    def read(self, start: int, end: int, chunk: int) -> Iterator[bytes]:
        """The bytes [start, end), at most `chunk` at a time."""
        if isinstance(self.content, bytes):
            for at in range(start, end, chunk):
                yield self.content[at : min(at + chunk, end)]
            return
        with self.content.open("rb") as file:
            file.seek(start)
            while start < end and (data := file.read(min(chunk, end - start))):
                start += len(data)
                yield data


@dataclass(slots=True)
class Repository:
    """A repository; the newest of its revisions is the last."""

    name: str
    files: dict[str, HubFile]
    gated: bool
    license: str
    downloads: int
    likes: int
    updated: datetime
    purpose: str = "text-generation"
    architecture: str = ""
    revisions: list[str] = field(default_factory=list)

    def commit(self) -> None:
        """Make a revision of the files as they are."""
        stated = "".join(f"{path}{file.sha256}" for path, file in sorted(self.files.items()))
        self.revisions.append(hashlib.sha1(stated.encode()).hexdigest())

    @property
    def tags(self) -> list[str]:
        """What a search filters by."""
        gguf = ["gguf"] if any(path.endswith(".gguf") for path in self.files) else []
        return [*gguf, self.purpose, f"license:{self.license}"]

    def told(self, *, full: bool) -> dict[str, Any]:
        """As a list of repositories shows it; `full` has what the hub adds on demand."""
        updated = self.updated.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        told: dict[str, Any] = {
            "_id": "0" * 24,
            "id": self.name,
            "modelId": self.name,
            "likes": self.likes,
            "private": False,
            "downloads": self.downloads,
            "tags": self.tags,
            "createdAt": updated,
        }
        if full:
            told |= {
                "author": self.name.partition("/")[0],
                "gated": "manual" if self.gated else False,
                "sha": self.revisions[-1],
                "lastModified": updated,
                "cardData": {"license": self.license},
            }
            if self.architecture:
                told["gguf"] = {"total": 1, "architecture": self.architecture}
        return told


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a file, or with everything.

    `status` is answered to the next `times` requests (-1: to all), with `retry_after`. Every answer
    waits `delay_s`, runs at `bytes_per_s` (0: unbounded) and is cut after `cut_every` bytes (0:
    never). `redirect` sends readers to another host, `no_ranges` has them read from the beginning,
    `wrong_hash` states another SHA-256 than the file has.
    """

    status: int = 0
    times: int = -1
    retry_after: str = ""
    delay_s: float = 0.0
    bytes_per_s: int = 0
    cut_every: int = 0
    redirect: bool = False
    no_ranges: bool = False
    wrong_hash: bool = False


class HubContent:
    """The repositories and faults of a hub, which its server asks from its threads."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._repositories: dict[str, Repository] = {}
        self._faults: dict[str, Fault] = {}
        self._answers: dict[str, bytes] = {}
        self._sent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(
        self,
        repo: str,
        files: Mapping[str, bytes | Path],
        *,
        card: str = "",
        gated: bool = False,
        license: str = "apache-2.0",
        downloads: int = 0,
        likes: int = 0,
        updated: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        purpose: str = "text-generation",
        architecture: str = "",
    ) -> str:
        """Make a repository of files; its revision."""
        kept = {path: HubFile.of(path, content) for path, content in files.items()}
        if card:
            kept["README.md"] = HubFile.of("README.md", card.encode())
        told = (gated, license, downloads, likes, updated, purpose, architecture)
        made = Repository(repo, kept, *told)
        made.commit()
        self._repositories[repo] = made
        return made.revisions[-1]

    def change(self, repo: str, path: str, content: bytes | Path) -> str:
        """Put other content at a file's place, under the older revisions too; the new revision."""
        repository = self._repositories[repo]
        repository.files[path] = HubFile.of(path, content)
        repository.commit()
        return repository.revisions[-1]

    def revision_of(self, repo: str) -> str:
        """The commit that is a repository's newest."""
        return self._repositories[repo].revisions[-1]

    def fault(self, fault: Fault, path: str = "") -> None:
        """From now on this goes wrong with a file (by its path in its repository), or with all."""
        with self._lock:
            self._faults[path] = fault

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def answer(self, url_path: str, body: bytes) -> None:
        """Answer requests to a path of the server with this, whatever is true."""
        self._answers[url_path] = body

    def bytes_sent(self, path: str) -> int:
        """How many bytes of a file went out, over all requests."""
        with self._lock:
            return self._sent[path]

    def count(self, path: str, sent: int) -> None:
        """Bytes of a file went out."""
        with self._lock:
            self._sent[path] += sent

    def fault_of(self, path: str) -> Fault:
        """What is wrong with a file now; a status that is due is used up by asking."""
        with self._lock:
            key = path if path in self._faults else ""
            fault = self._faults.get(key, Fault())
            if fault.status and fault.times == 0:
                return Fault()
            if fault.status and fault.times > 0:
                self._faults[key] = replace(fault, times=fault.times - 1)
            return fault

    def stated_hash(self, path: str, file: HubFile) -> str:
        """The SHA-256 that is told, true or not."""
        with self._lock:
            fault = self._faults.get(path) or self._faults.get("") or Fault()
        return hashlib.sha256(b"another").hexdigest() if fault.wrong_hash else file.sha256

    def canned(self, url_path: str) -> bytes | None:
        """What `answer` set for a path of the server."""
        return self._answers.get(url_path)

    def repository(self, name: str) -> Repository | None:
        """A repository by its name."""
        return self._repositories.get(name)

    def search(self, query: Mapping[str, list[str]]) -> list[Repository]:
        """What `/api/models` finds for a query."""
        words = " ".join(query.get("search", [])).lower().split()
        wanted = query.get("filter", [])
        found = [
            each
            for each in self._repositories.values()
            if all(word in each.name.lower() for word in words)
            and all(tag in each.tags for tag in wanted)
        ]
        match query.get("sort", [""])[0]:
            case "likes":
                found.sort(key=lambda each: -each.likes)
            case "lastModified" | "createdAt":
                found.sort(key=lambda each: each.updated, reverse=True)
            case _:
                found.sort(key=lambda each: -each.downloads)
        return found
