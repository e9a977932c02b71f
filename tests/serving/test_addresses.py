"""Each address answers what the package answers when it is called, in the form that clients of the address know."""

from __future__ import annotations

import base64

import numpy as np

import hand_made
from edgewright_runtime import load
from edgewright_runtime.applications import load_application
from hand_made import Made
from server_process import RunningServer


def test_a_text_and_an_option(server: RunningServer, made: Made) -> None:
    reply = server.post("/predict/writer", {"input": "one two", "options": {"max_new_tokens": 3}})
    assert reply.status == 200, reply.body
    with load(made.writer) as model:
        assert reply.json["answer"] == model("one two", max_new_tokens=3)
    assert reply.json["package"] == "writer"
    assert reply.json["output"] == "generated_text"
    assert reply.json["engine"] == {"name": hand_made.ENGINE, "provider": "CPUExecutionProvider"}
    assert reply.json["generation"]["ended_by"] == "limit"
    assert reply.json["seconds"] > 0


def test_a_text_in_pieces(server: RunningServer) -> None:
    *pieces, whole = server.post("/predict/writer", {"input": "one two", "stream": True}).events
    assert len(pieces) == 8
    assert "".join(piece["piece"] for piece in pieces) == whole["answer"]
    assert whole["answer"].split() == ["three", "four", "five", "one", "two", "three", "four", "five"]


def test_a_picture_as_a_form_and_as_base64(server: RunningServer, made: Made) -> None:
    with load(made.colours) as model:
        expected = model(made.picture, top_k=2)
    assert expected[0]["label"] == "green"
    data = base64.b64encode(made.picture.read_bytes()).decode()
    options = {"top_k": 2}
    for reply in (
        server.send("/predict/colours", files={"image": made.picture}, options='{"top_k": 2}'),
        server.send("/predict/colours", files={"file": made.picture}, options='{"top_k": 2}'),
        server.post("/predict/colours", {"input": {"base64": data}, "options": options}),
        server.post("/predict/colours", {"input": f"data:image/png;base64,{data}", "options": options}),
    ):
        assert reply.status == 200, reply.body
        assert reply.json["answer"] == expected


def test_named_arrays_and_a_file_of_them(server: RunningServer, made: Made) -> None:
    pixels = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8)
    with load(hand_made.ARRAYS) as model:
        expected = model({"pixels": pixels})["scores"]
    path = made.folder / "pixels.npz"
    np.savez(path, pixels=pixels)
    for reply in (
        server.post("/predict/perceptron", {"input": {"pixels": pixels.tolist()}}),
        server.post("/predict/perceptron", {"input": {"pixels": {"type": "float32", "values": pixels.tolist()}}}),
        server.send("/predict/perceptron", files={"file": path}),
    ):
        assert reply.status == 200, reply.body
        scores = reply.json["answer"]["scores"]
        assert (scores["type"], scores["shape"]) == ("float32", [2, 4])
        assert np.allclose(scores["values"], expected, atol=1e-6)


def test_an_application(server: RunningServer, made: Made) -> None:
    reply = server.send("/predict/listener", files={"recording": made.recording})
    assert reply.status == 200, reply.body
    with load_application(made.listener) as listener:
        assert reply.json["answer"] == listener(made.recording)
    assert reply.json["answer"] == {"transcript": "aaa", "reply": "You said 'aaa'."}
    assert set(reply.json["steps"]) == {"transcript", "reply"}


def test_chat_and_completions(server: RunningServer) -> None:
    messages = [{"role": "system", "content": "one"}, {"role": "user", "content": [{"type": "text", "text": "two"}]}]
    chat = server.post("/v1/chat/completions", {"model": "writer", "messages": messages, "max_tokens": 3, "user": "x"})
    assert chat.status == 200, chat.body
    assert chat.json["object"] == "chat.completion"
    (choice,) = chat.json["choices"]
    assert choice["message"] == {"role": "assistant", "content": choice["message"]["content"]}
    assert choice["message"]["content"].split() == ["three", "four", "five"]
    assert choice["finish_reason"] == "length"
    assert chat.json["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    # The only package that writes texts need not be named.
    text = server.post("/v1/completions", {"prompt": "one two", "max_tokens": 9, "stop": "one"}).json
    assert text["object"] == "text_completion"
    assert text["choices"][0]["text"].split() == ["three", "four", "five"]
    assert text["choices"][0]["finish_reason"] == "stop"


def test_chat_in_pieces(server: RunningServer) -> None:
    asked = {"messages": [{"role": "user", "content": "one"}], "max_tokens": 4, "stream": True}
    first, *pieces, last, usage, end = server.post(
        "/v1/chat/completions", asked | {"stream_options": {"include_usage": True}}
    ).events
    assert first["choices"][0]["delta"] == {"role": "assistant"}
    assert {event["object"] for event in (first, *pieces, last, usage)} == {"chat.completion.chunk"}
    assert len({event["id"] for event in (first, *pieces, last, usage)}) == 1
    said = "".join(event["choices"][0]["delta"]["content"] for event in pieces)
    assert said.split() == ["two", "three", "four", "five"]
    assert (last["choices"][0]["delta"], last["choices"][0]["finish_reason"]) == ({}, "length")
    assert usage["usage"]["completion_tokens"] == 4
    assert end == "[DONE]"


def test_embeddings(server: RunningServer, made: Made) -> None:
    texts = ["one two", "five"]
    found = server.post("/v1/embeddings", {"model": "embedder", "input": texts}).json
    with load(made.embedder) as model:
        expected = [model(text) for text in texts]
    assert [entry["index"] for entry in found["data"]] == [0, 1]
    assert np.allclose([entry["embedding"] for entry in found["data"]], expected)
    packed = server.post("/v1/embeddings", {"input": "five", "encoding_format": "base64"}).json["data"][0]
    assert np.array_equal(np.frombuffer(base64.b64decode(packed["embedding"]), "<f4"), expected[1])


def test_transcriptions(server: RunningServer, made: Made) -> None:
    address, files = "/v1/audio/transcriptions", {"file": made.recording}
    assert server.send(address, files=files, model="recogniser").json == {"text": "aaa"}
    assert server.send(address, files=files, response_format="text").body == b"aaa\n"
    events = server.send(address, files=files, stream="true").events
    assert events == [
        {"type": "transcript.text.delta", "delta": "aaa"},
        {"type": "transcript.text.done", "text": "aaa"},
    ]
    assert "gives no times" in server.send(address, files=files, response_format="verbose_json").error


def test_a_warning_about_a_sample_comes_along(server: RunningServer, made: Made) -> None:
    other = hand_made.write_recording(made.folder / "other-rate.wav", 2)
    data = bytearray(other.read_bytes())
    # The rate in the header: twice that of the model.
    data[24:28] = (2 * hand_made.RATE).to_bytes(4, "little")
    other.write_bytes(data)
    body = server.send("/predict/recogniser", files={"audio": other}).json
    assert len(body["warnings"]) == 1
    assert "16,000" in body["warnings"][0] or "16000" in body["warnings"][0]
    assert "warnings" not in server.send("/predict/recogniser", files={"audio": made.recording}).json


def test_what_the_server_says_of_itself(server: RunningServer) -> None:
    assert server.get("/health").json["status"] == "ok"
    models = {entry["id"]: entry for entry in server.get("/v1/models").json["data"]}
    assert models["listener"]["inputs"] == {"recording": "audio"}
    assert models["perceptron"]["inputs"] == {"arrays": "arrays"}
    assert models["writer"]["streams"]
    assert not models["colours"]["streams"]
    assert server.get("/v1/models/colours").json == models["colours"]
    before = server.metric('edgewright_call_seconds_count{package="embedder"}')
    server.post("/predict/embedder", {"input": "one"})
    assert server.metric('edgewright_call_seconds_count{package="embedder"}') == before + 1
    assert server.metric('edgewright_package_loaded{package="embedder"}') == 1
    assert server.metric('edgewright_requests_total{address="/predict/{package}",status="200"}') > 0
    assert server.metric("edgewright_requests_running") == 0
    assert server.metric("process_resident_memory_bytes") > 10e6


def test_the_description_has_every_address(server: RunningServer) -> None:
    found = server.get("/openapi.json").json
    assert found["openapi"].startswith("3.1")
    named = {f"/predict/{name}" for name in ("writer", "embedder", "recogniser", "colours", "listener", "perceptron")}
    fixed = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/audio/transcriptions"}
    assert {path for path, entry in found["paths"].items() if "post" in entry} == named | fixed
    for path, entry in found["paths"].items():
        if "get" in entry:
            assert server.get(path).status == 200, path
    chat = found["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert chat["properties"]["model"]["enum"] == ["writer"]
    assert "security" not in found
