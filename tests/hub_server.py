"""A server that speaks the protocol of the Hugging Face hub on loopback, with folders of this machine as its models."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef" * 2 + "01234567"
# Error codes that the hub answers beside a status, by which its library tells them apart.
CODES = {"gated": (403, "GatedRepo"), "none": (401, "RepoNotFound"), "forbidden": (403, ""), "broken": (500, "")}


@dataclass
class Hub:
    """The server, and what it was asked.

    Attributes:
        url: Where it listens.
        models: Id to folder.
        refusals: Id to the key of `CODES` that all requests for it are answered with.
        stops_after: Bytes of a file after which the connection is closed; None sends them whole.
        sent: Path to the byte ranges that were asked for.
    """

    url: str
    models: Mapping[str, Path]
    refusals: dict[str, str] = field(default_factory=dict)
    stops_after: int | None = None
    sent: dict[str, list[str]] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, hub: Hub, *arguments: Any) -> None:
        # Before the base class, which answers in its constructor.
        self._hub = hub
        super().__init__(*arguments)

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        api = path.startswith("api/models/")
        parts = path.removeprefix("api/models/").split("/")
        repo, rest = "/".join(parts[:2]), parts[2:]
        if repo in self._hub.refusals or repo not in self._hub.models:
            self._refuse(*CODES[self._hub.refusals.get(repo, "none")])
        elif len(rest) > 1 and rest[1] not in ("main", "v1", COMMIT):
            self._refuse(404, "RevisionNotFound")
        elif api:
            self._json(_tree(self._hub.models[repo]) if rest[:1] == ["tree"] else _about(repo, self._hub.models[repo]))
        else:
            self._file(self._hub.models[repo] / "/".join(rest[2:]))

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _file(self, path: Path) -> None:
        if not path.is_file():
            self._refuse(404, "EntryNotFound")
            return
        body, asked = path.read_bytes(), self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        self._hub.sent.setdefault(path.name, []).append(asked)
        end = len(body) if self._hub.stops_after is None else min(len(body), self._hub.stops_after)
        self.wfile.write(body[start:end])
        if end < len(body):
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    request_queue_size = 64


@contextmanager
def hub_server(models: Mapping[str, Path]) -> Iterator[Hub]:
    """A running server; closed at the end."""
    hub = Hub("", models)
    server = _Server(("127.0.0.1", 0), functools.partial(_Handler, hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _about(repo: str, folder: Path) -> dict[str, object]:
    siblings = [{"rfilename": name, "size": path.stat().st_size} for name, path in _files(folder).items()]
    return {
        "id": repo,
        "sha": COMMIT,
        "private": False,
        "gated": False,
        "tags": [],
        "downloads": 0,
        "siblings": siblings,
    }


def _tree(folder: Path) -> list[dict[str, object]]:
    return [
        {"type": "file", "path": name, "size": path.stat().st_size, "oid": hashlib.sha1(path.read_bytes()).hexdigest()}
        for name, path in _files(folder).items()
    ]
