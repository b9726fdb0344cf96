"""The server of a stand-in hub: the hub's real API over real HTTP.

What is answered is what huggingface_hub asks for: `/api/models`, `/api/models/REPO` with `blobs`,
`/api/models/REPO/tree/REVISION`, and `/REPO/resolve/REVISION/FILE` with ranges and LFS headers.
"""

import json
import re
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub_content import Fault, HubContent, HubFile, Repository

TOKEN = "hf_agreed"  # a token whose owner agreed to every gated repository's terms
STRANGER = "hf_stranger"  # one whose owner agreed to none
CHUNK = 64 * 1024
TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came in. Header names are in lower case; `path` has the query."""

    method: str
    path: str
    headers: Mapping[str, str]


class HubServer(ThreadingHTTPServer):
    """One host; `asked` takes what reaches it, and only the hub itself asks for tokens.

    Ending it ends its connections, so that no thread is left behind.
    """

    daemon_threads = False

    def __init__(self, content: HubContent, *, is_hub: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.is_hub = is_hub
        self.asked: list[Asked] = []
        self.other_host = ""
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            _hang_up(connection)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Readers who leave in the middle are no error here; anything else is a bug and is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = cast(HubServer, self.server)
        self.hub = server.content
        headers = {name.lower(): value for name, value in self.headers.items()}
        server.asked.append(Asked(self.command, self.path, headers))
        url = urlsplit(self.path)
        canned = self.hub.canned(unquote(url.path))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        self.is_hub, self.other_host = server.is_hub, server.other_host
        if canned is not None:
            self._send(200, canned)
        elif self.is_hub and token not in ("", TOKEN, STRANGER):
            self._refuse(401, message="Invalid credentials in Authorization header")
        elif found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", url.path):
            self._resolve(*map(unquote, found.groups()), token=token)
        elif not self._is_wrong(fault := self.hub.fault_of("")):
            self.hub.closing.wait(fault.delay_s)
            self._api(unquote(url.path), parse_qs(url.query))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _api(self, path: str, query: Mapping[str, list[str]]) -> None:
        pattern = r"/api/models/([^/]+(?:/[^/]+)?)(?:/(revision|tree)/([^/]+)(?:/(.*))?)?"
        match = re.fullmatch(pattern, path)
        repository = self.hub.repository(match[1]) if match else None
        if path == "/api/models":
            found = self.hub.search(query)[: int(query.get("limit", ["30"])[0])]
            self._json([each.told(full="full" in query or "expand" in query) for each in found])
        elif match is None or repository is None:
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif match[3] and match[3] not in ("main", *repository.revisions):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
        elif match[2] == "tree":
            self._json(self._tree(repository, match[4] or ""))
        else:
            blobs = query.get("blobs", ["false"])[0].lower() == "true"
            siblings = [
                self._sibling(name, file) if blobs else {"rfilename": name}
                for name, file in repository.files.items()
            ]
            self._json({**repository.told(full=True), "siblings": siblings})

    def _sibling(self, path: str, file: HubFile) -> dict[str, Any]:
        told: dict[str, Any] = {"rfilename": path, "size": file.size, "blobId": file.blob_id}
        if file.is_lfs:
            sha256 = self.hub.stated_hash(path, file)
            told["lfs"] = {"sha256": sha256, "size": file.size, "pointerSize": 134}
        return told

    def _tree(self, repository: Repository, under: str) -> list[dict[str, Any]]:
        tree = []
        for path, file in repository.files.items():
            if under and not path.startswith(f"{under}/"):
                continue
            told = {"type": "file", "path": path, "size": file.size, "oid": file.blob_id}
            if file.is_lfs:
                sha256 = self.hub.stated_hash(path, file)
                told["lfs"] = {"oid": sha256, "size": file.size, "pointerSize": 134}
            tree.append(told)
        return tree

    def _resolve(self, repo: str, revision: str, path: str, *, token: str) -> None:
        repository = self.hub.repository(repo)
        if repository is None:
            self._refuse(404, "RepoNotFound", "Repository not found")
        elif revision not in ("main", *repository.revisions):
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
        elif path not in repository.files:
            self._refuse(404, "EntryNotFound", "Entry not found")
        elif self.is_hub and repository.gated and token != TOKEN and path != "README.md":
            self._refuse(403 if token else 401, "GatedRepo", "Access is restricted.")
        elif not self._is_wrong(fault := self.hub.fault_of(path)):
            self.hub.closing.wait(fault.delay_s)
            file = repository.files[path]
            headers = self._file_headers(repository, path, file)
            if fault.redirect and self.is_hub:
                place = f"{self.other_host}/{repo}/resolve/{revision}/{quote(path)}"
                self._send(302, b"", {**headers, "Location": place})
            else:
                self._send_file(path, file, headers, fault)

    def _file_headers(self, repository: Repository, path: str, file: HubFile) -> dict[str, str]:
        stated = self.hub.stated_hash(path, file) if file.is_lfs else file.blob_id
        headers = {"X-Repo-Commit": repository.revisions[-1], "ETag": f'"{stated}"'}
        if file.is_lfs:
            headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{stated}"'}
        return headers

    def _send_file(self, path: str, file: HubFile, headers: dict[str, str], fault: Fault) -> None:
        start, end, status = 0, file.size, 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_same = self.headers.get("If-Range", headers["ETag"]) == headers["ETag"]
        if asked and is_same and not fault.no_ranges:
            start, status = int(asked[1]), 206
            end = min(int(asked[2]) + 1, file.size) if asked[2] else file.size
            if start >= file.size:
                self._send(416, b"", {**headers, "Content-Range": f"bytes */{file.size}"})
                return
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        self.send_response(status)
        if not fault.no_ranges:
            self.send_header("Accept-Ranges", "bytes")
        for name, value in {**headers, "Content-Length": str(end - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self._send_body(path, file, start, end, fault)

    def _send_body(self, path: str, file: HubFile, start: int, end: int, fault: Fault) -> None:
        last = min(end, start + fault.cut_every) if fault.cut_every else end
        chunk = min(CHUNK, max(1, int(fault.bytes_per_s * TICK_S))) if fault.bytes_per_s else CHUNK
        pause_s = chunk / fault.bytes_per_s if fault.bytes_per_s else 0.0
        for data in file.read(start, last, chunk):
            if pause_s and self.hub.closing.wait(pause_s):
                break
            self.hub.count(path, len(data))  # before, or a reader could ask too early
            self.wfile.write(data)
        if last < end or self.hub.closing.is_set():
            self.close_connection = True
            _hang_up(self.connection)

    def _is_wrong(self, fault: Fault) -> bool:
        """Whether a status is due; it is then sent."""
        if not fault.status:
            return False
        self._refuse(fault.status, message="a fault", retry_after=fault.retry_after)
        return True

    def _refuse(
        self, status: int, code: str = "", message: str = "", *, retry_after: str = ""
    ) -> None:
        told = {"X-Error-Code": code, "X-Error-Message": message, "Retry-After": retry_after}
        body = json.dumps({"error": message}).encode()
        self._send(status, body, {name: value for name, value in told.items() if value})

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode())

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests read `requests` in its place."""
