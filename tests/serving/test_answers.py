"""Inputs and answers as JSON: what becomes a picture, and that large ones are made beside the event loop."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request

from edgewright_serving.addresses import embeddings, predict
from edgewright_serving.app import make_app
from edgewright_serving.packages.served import open_served
from edgewright_serving.requests import answers, inputs
from edgewright_serving.requests.answers import as_json
from edgewright_serving.service import Service
from edgewright_serving.settings import ServeSettings
from hand_made import ARRAYS, Made
from server_process import form


@pytest.mark.parametrize("kind", [bool, np.int64, np.uint8])
def test_a_mask_is_a_picture(kind: type[Any]) -> None:
    mask = np.array([[0, 1, 1], [1, 0, 0]], dtype=kind)
    (found,) = json.loads(json.dumps(as_json([{"score": 0.5, "mask": mask}])))
    assert found["mask"].keys() == {"png", "width", "height"}
    with Image.open(io.BytesIO(base64.b64decode(found["mask"]["png"]))) as picture:
        assert np.asarray(picture).tolist() == mask.astype(int).tolist()


def test_files_and_arrays_are_read_and_written_beside_the_event_loop(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[tuple[str, int]] = []

    def seen(module: Any, name: str) -> None:
        real = getattr(module, name)

        def wrapped(*args: Any, **options: Any) -> Any:
            threads.append((name, threading.get_ident()))
            return real(*args, **options)

        monkeypatch.setattr(module, name, wrapped)

    seen(predict, "as_json")
    seen(embeddings, "as_json")
    seen(inputs, "value_of")
    seen(inputs, "read_arrays")
    seen(answers, "_array")
    np.savez(tmp_path / "pixels.npz", pixels=np.zeros((2, 8), np.float32))
    body, kind = form({"file": tmp_path / "pixels.npz"}, {})
    service = Service(ServeSettings(), open_served([f"perceptron={ARRAYS}", str(made.embedder)]))
    asked = [
        ("/predict/perceptron", body, kind),
        ("/predict/perceptron", json.dumps({"input": {"pixels": [[0.5] * 8]}}).encode(), "application/json"),
        ("/v1/embeddings", b'{"input": "one"}', "application/json"),
    ]
    for path, data, media in asked:
        assert asyncio.run(answered(service, path, data, media)) == 200
    service.close(10)
    assert {name for name, _ in threads} == {"as_json", "value_of", "read_arrays", "_array"}
    assert threading.get_ident() not in {thread for _, thread in threads}


async def answered(service: Service, path: str, body: bytes, media: str) -> int:
    """The status of an answer that the application of a server gives here, in the event loop of this thread."""
    headers = [(b"host", b"localhost"), (b"content-type", media.encode())]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    sent: list[Any] = []
    bodies = [{"type": "http.request", "body": body}]

    async def receive() -> Any:
        return bodies.pop() if bodies else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await make_app(service)(Request(scope).scope, receive, send)
    return int(sent[0]["status"])
