"""Bad requests get the product's own words and a status, and the next request is answered as before."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest

import hand_made
from hand_made import Made
from server_process import RunningServer, serving

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "one"}]

# Address, body, status, words of the message.
WRONG = [
    ("/predict/nobody", {"input": "one"}, 404, "There is no package 'nobody' here"),
    ("/predict/writr", {"input": "one"}, 404, "Did you mean 'writer'"),
    ("/predict/writer", {}, 400, "'input' is missing"),
    ("/predict/writer", {"inputs": "one"}, 400, "Did you mean 'input'"),
    ("/predict/writer", {"input": 7}, 400, "'text' must be a text; found a number"),
    ("/predict/writer", {"input": ["one"]}, 400, "'text' must be a text; found a list"),
    ("/predict/writer", {"input": ""}, 400, "takes a non-empty text"),
    ("/predict/writer", {"input": "one", "options": []}, 400, "'options' must be an object"),
    ("/predict/writer", {"input": "one", "options": {"beams": 2}}, 400, "no option 'beams'"),
    ("/predict/writer", {"input": "one", "options": {"temperature": -1}}, 400, "temperature is -1"),
    ("/predict/writer", {"input": "one", "options": {"num_beams": 10**6}}, 400, "takes at most 64"),
    ("/predict/embedder", {"input": "one", "options": {"top_k": "all"}}, 400, "'top_k' is 'all'; it must be a whole"),
    (
        "/predict/writer",
        {"input": "one", "options": {"max_new_tokens": "many"}},
        400,
        "must be a whole number above zero",
    ),
    # A path of the server is a text like any other, and no package reads it.
    ("/predict/colours", {"input": "/etc/passwd"}, 400, "'image' must be an image; found a text"),
    ("/predict/recogniser", {"input": "recording.wav"}, 400, "'audio' must be an audio file; found a text"),
    ("/predict/listener", {"input": "recording.wav"}, 400, "'recording' must be an audio file"),
    ("/predict/colours", {"input": {"base64": "&&"}}, 400, "not base64"),
    ("/predict/colours", {"input": {"base64": "AAAA"}}, 400, "is not an image"),
    ("/predict/recogniser", {"input": {"base64": "AAAA"}}, 400, "cannot be read as audio"),
    ("/predict/recogniser", {"input": {"array": [[0.5]], "sampling_rate": 8000}}, 400, "one channel"),
    ("/predict/perceptron", {"input": [1, 2]}, 400, "must be an object of named arrays"),
    ("/predict/perceptron", {"input": {"pixels": [[1], [2, 3]]}}, 400, "'pixels' is not an array"),
    ("/predict/perceptron", {"input": {"pixels": [[0.5]]}}, 400, "has the shape [1, 1]"),
    ("/predict/perceptron", {"input": {"pixels": {"type": "object", "values": []}}}, 400, "unknown type"),
    ("/predict/perceptron", {"input": {"pixels": json.loads("[" * 500 + "]" * 500)}}, 400, "'pixels' is not an array"),
    ("/predict/perceptron", {"input": {"colour": [[0.5]]}}, 400, "no input 'colour'"),
    # Some kilobytes that would be 134 MB as an array: it is not made.
    ("/predict/perceptron", {"input": {"pixels": ["x" * 2**16, *[""] * 2**9]}}, 413, "16,777,216 characters"),
    (
        "/predict/perceptron",
        {"input": {name: ["x" * 4096, [""] * 3000] for name in "ab"}},
        413,
        "16,777,216 characters",
    ),
    ("/predict/recogniser", {"input": {"array": ["x" * 9999, [0] * 9999], "sampling_rate": 8}}, 413, "16,777,216"),
    ("/predict/writer", {"input": "half of \ud83d"}, 400, "A text has \\ud83d, which is half of a character"),
    ("/predict/writer", {"input": "one", "\udc00": 1}, 400, "which is half of a character"),
    (CHAT, {"messages": [{"role": "user", "content": "\ud800"}]}, 400, "which is half of a character"),
    ("/predict/listener", {"input": {"base64": ""}, "options": {"top_k": 2}}, 400, "takes no options"),
    (CHAT, {"messages": HELLO, "model": "colours"}, 400, "is not a package that writes a text"),
    (CHAT, {"messages": HELLO, "model": "gpt-4"}, 404, "There is no package 'gpt-4' here"),
    (CHAT, {"messages": []}, 400, "a list of 1 to"),
    (CHAT, {"messages": [{"role": "king", "content": "one"}]}, 400, "with a role"),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "must be a text"),
    (CHAT, {"messages": HELLO, "n": 2}, 400, "'n' is not supported"),
    (CHAT, {"messages": HELLO, "tools": [{"type": "function"}]}, 400, "'tools' is not supported"),
    (CHAT, {"messages": HELLO, "max_token": 2}, 400, "Did you mean 'max_tokens'"),
    (CHAT, {"messages": HELLO, "stream": "yes"}, 400, "'stream' must be true or false"),
    # The first piece is waited for: a stream that cannot begin has a status.
    (CHAT, {"messages": HELLO, "stream": True, "top_p": 7}, 400, "top_p is 7"),
    ("/v1/completions", {"prompt": ["one", "two"]}, 400, "must be one text"),
    ("/v1/embeddings", {"input": []}, 400, "a list of 1 to"),
    ("/v1/embeddings", {"input": "one", "dimensions": 2}, 400, "Unknown field 'dimensions'"),
]


@pytest.mark.parametrize(("address", "body", "status", "words"), WRONG, ids=[f"{a} {w}" for a, _, _, w in WRONG])
def test_a_wrong_request(server: RunningServer, address: str, body: object, status: int, words: str) -> None:
    reply = server.post(address, body)
    assert words in reply.error
    assert reply.status == status
    assert reply.json["error"]["type"] == "invalid_request_error"
    assert "Traceback" not in reply.body.decode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not valid JSON"),
        (b'{"input": NaN}', "NaN is not a number of JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"input": ' + b"1" * 5000 + b"}", "not valid JSON"),
        (b'"one"', "A JSON object is expected; found str"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"input": "\xed\xa0\x80"}', "not valid JSON"),
    ],
)
def test_what_is_not_json(server: RunningServer, body: bytes, words: str) -> None:
    reply = server.request("POST", "/predict/writer", body, content_type="application/json")
    assert reply.status == 400
    assert words in reply.error
    assert server.post("/predict/writer", {"input": "one"}).status == 200


def test_a_whole_pair_of_halves_is_a_character(server: RunningServer) -> None:
    assert server.request(
        "POST", "/predict/writer", b'{"input": "one \\ud83d\\ude00"}', content_type="application/json"
    ).json["answer"].split()[:1] == ["[unk]"]


def test_json_that_would_grow_in_memory(server: RunningServer) -> None:
    for one in (b"[],", b"{},", b"0,"):
        body = b'{"input": [' + one * 4_000_000 + b"0]}"
        reply = server.request("POST", "/predict/perceptron", body, content_type="application/json")
        assert reply.status == 413
        assert "more than 4,000,000 brackets and commas" in reply.error


def test_half_of_a_character_in_a_form(server: RunningServer) -> None:
    edge = b"--edge\r\nContent-Disposition: form-data; name=text\r\n\r\none +2AA-\r\n--edge--\r\n"
    reply = server.request(
        "POST", "/predict/writer", edge, content_type="multipart/form-data; charset=utf-7; boundary=edge"
    )
    assert (reply.status, "which is half of a character" in reply.error) == (400, True)


def test_other_types_methods_and_addresses(server: RunningServer) -> None:
    assert server.request("POST", "/predict/writer", b"one", content_type="text/plain").status == 415
    assert server.request("POST", "/v1/audio/transcriptions", b"{}", content_type="application/json").status == 415
    assert server.get("/predict/writer").status == 405
    assert "Not Found" in server.get("/v2/nothing").error
    assert server.get("/page/..%2fsettings.py").status == 404
    broken = server.request(
        "POST", "/predict/colours", b"--a\r\nnonsense", content_type="multipart/form-data; boundary=a"
    )
    assert broken.status == 400
    assert server.request("POST", "/predict/colours", b"", content_type="multipart/form-data").status == 400


def test_files_that_are_broken(server: RunningServer, made: Made) -> None:
    cut = made.folder / "cut.png"
    cut.write_bytes(made.picture.read_bytes()[:45])
    reply = server.send("/predict/colours", files={"image": cut})
    assert reply.status == 400
    # The name that the client gave its file is nowhere.
    assert "cut.png" not in reply.error
    assert "it may be cut off" in reply.error
    assert "is missing" in server.send("/predict/colours", image_="x").error
    assert "must be an image; found a text" in server.send("/predict/colours", image="/etc/passwd").error
    assert "not a readable .npz file" in server.send("/predict/perceptron", files={"file": cut}).error
    assert (
        "Unknown field 'modell'"
        in server.send("/v1/audio/transcriptions", files={"file": made.recording}, modell="recogniser").error
    )
    assert server.send("/predict/colours", files={"image": made.picture}).status == 200


def test_our_own_fault_is_a_number_for_the_client_and_a_traceback_in_the_log(made: Made) -> None:
    broken = hand_made.write_embedder(made.folder / "broken.ortpackage")
    (broken / "model" / hand_made.ENGINE / "model.onnx").unlink()
    with serving(broken, made.embedder) as server:
        reply = server.post("/predict/broken", {"input": "one"})
        assert reply.status == 500
        assert reply.json["error"]["type"] == "server_error"
        assert str(made.folder) not in reply.error
        number = reply.error.split("error ")[1].split(".")[0]
        # Another package is not harmed.
        assert server.post("/predict/embedder", {"input": "one"}).status == 200
    text = "".join(server.log)
    assert f"error {number}" in text
    assert "Traceback" in text


def test_a_token_is_asked_for(made: Made) -> None:
    token = "correct-horse-battery"
    with serving(made.embedder, environment={"EDGEWRIGHT_TOKEN": token}) as server:
        for path in ("/v1/models", "/metrics", "/openapi.json"):
            assert server.get(path).status == 401
            assert server.get(path, authorization="Bearer wrong-horse-battery").status == 401
            assert server.get(path, authorization=f"Bearer {token}").status == 200
        refused = server.post("/predict/embedder", {"input": "one"})
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert server.post("/predict/embedder", {"input": "one"}, authorization=f"bearer {token}").status == 200
        # The page has a field for it, and a balancer needs none.
        assert server.get("/").status == server.get("/health").status == server.get("/page/page.js").status == 200
    assert token not in "".join(server.log)


def test_other_sites_and_other_names_are_refused(server: RunningServer) -> None:
    body = {"input": "one"}
    assert server.post("/predict/writer", body, origin="https://example.org").status == 403
    assert server.post("/predict/writer", body, host="example.org:80").status == 403
    assert server.post("/predict/writer", body, host=f"localhost:{server.port}").status == 200
    own = f"127.0.0.1:{server.port}"
    assert server.post("/predict/writer", body, host=own, origin=f"http://{own}").status == 200


def test_nonsense_on_the_wire_harms_nobody(server: RunningServer) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9\r\n\r\n", b"POST /predict/writer HTTP/1.1\r\n" * 3000):
        # It may hang up before all of it was said.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(nonsense)
    assert json.loads(server.get("/health").body)["status"] == "ok"
