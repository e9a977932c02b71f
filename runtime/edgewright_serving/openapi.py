"""The description of all addresses, in OpenAPI 3.1: with an entry for each package, in the form of its input."""

from __future__ import annotations

from collections.abc import Iterable

from edgewright_serving.packages.served import APPLICATION, ARRAYS, Served
from edgewright_targets import __version__

_JSON, _FORM, _EVENTS = "application/json", "multipart/form-data", "text/event-stream"
Schema = dict[str, object]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 1}
_FLAG: Schema = {"type": "boolean", "default": False}
_OBJECT: Schema = {"type": "object"}
_BYTES: Schema = {
    "description": "A file as base64.",
    "oneOf": [
        {
            "type": "object",
            "properties": {"base64": {"type": "string", "contentEncoding": "base64"}},
            "required": ["base64"],
        },
        {"type": "string", "description": "A data URL with base64."},
    ],
}
_NAMED_ARRAYS: Schema = {
    "type": "object",
    "description": 'Lists of lists of numbers by name, or {"type": "float32", "values": ...}.',
    "additionalProperties": True,
}
_NUMBERS: Schema = {"type": "array", "items": _NUMBER}
# A text may be a number, and null is a value that is missing.
_CELLS: Schema = {"type": "array", "items": {"type": ["number", "string", "null"]}}
_SIDES: Schema = dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), _NUMBER)
# Kind of an input -> what JSON has for it.
_INPUTS: dict[str, Schema] = {
    "text": _TEXT,
    "texts": {"type": "array", "items": _TEXT},
    "audio": _BYTES,
    "image": _BYTES,
    "video": _BYTES,
    "number": _NUMBER,
    "latent": {"oneOf": [{"type": "integer", "description": "A seed."}, _NAMED_ARRAYS]},
    "row": {"type": "object", "description": "Column to value.", "additionalProperties": True},
    "series": {
        "description": "Values in the order of time, the last one being the present.",
        "oneOf": [
            {"type": "array", "items": {"oneOf": [{"type": ["number", "null"]}, _CELLS]}},
            {"type": "object", "description": "Column to values.", "additionalProperties": _CELLS},
        ],
    },
    "box": {
        "oneOf": [
            {**_NUMBERS, "description": "[x, y, width, height] in pixels.", "minItems": 4, "maxItems": 4},
            {"type": "object", "description": "As detectors answer it.", "properties": _SIDES},
        ],
    },
    "points": {
        "type": "array",
        "description": "[x, y] in pixels, or [x, y, 0] for what is not meant.",
        "items": {**_NUMBERS, "minItems": 2, "maxItems": 3},
        "minItems": 1,
    },
    "words": {"type": "array", "items": _TEXT, "minItems": 1},
    "boxes": {
        "type": "array",
        "description": "[left, top, right, bottom] of each word, from 0 to 1000.",
        "items": {**_NUMBERS, "minItems": 4, "maxItems": 4},
        "minItems": 1,
    },
    ARRAYS: _NAMED_ARRAYS,
}
_FILES = ("audio", "image", "video", ARRAYS)
_GENERATION: dict[str, Schema] = {
    "max_tokens": _COUNT,
    "temperature": {"type": "number", "minimum": 0},
    "top_p": _NUMBER,
    "top_k": {"type": "integer", "minimum": 0},
    "seed": {"type": "integer", "minimum": 0},
    "num_beams": _COUNT,
    "repetition_penalty": _NUMBER,
    "stop": {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]},
    "stream": _FLAG,
    "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
}
_REFUSALS = {
    "400": "The request is wrong; the message says how.",
    "401": "The token is missing or wrong.",
    "403": "The request comes from another site or machine.",
    "404": "There is no such package.",
    "408": "The body did not come in time.",
    "413": "The body is too large.",
    "415": "The body has another type.",
    "500": "The server could not answer; its log says why.",
    "503": "Too much is under way, or the server stops; Retry-After says when to ask again.",
    "504": "The answer took longer than the time limit.",
}


def description(packages: Iterable[Served], *, token: bool) -> Schema:
    """The description for these packages.

    Args:
        packages: What is served.
        token: Whether requests must bring a token.
    """
    served = list(packages)
    paths: dict[str, object] = {f"/predict/{one.name}": {"post": _predict(one)} for one in served}
    for path, names, entry in (
        ("/v1/chat/completions", [one.name for one in served if one.continues_texts], _chat),
        ("/v1/completions", [one.name for one in served if one.continues_texts], _completion),
        ("/v1/embeddings", [one.name for one in served if one.embeds_texts], _embedding),
        ("/v1/audio/transcriptions", [one.name for one in served if one.transcribes], _transcription),
    ):
        if names:
            paths[path] = {"post": entry({"type": "string", "enum": names})}
    for path, (title, media) in _READ.items():
        paths[path] = {"get": {"summary": title, "responses": {"200": _content("The answer.", media, {})}}}
    bearer: Schema = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if token else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Edgewright", "version": __version__, "description": "Packages over HTTP."},
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}, **bearer},
        **({"security": [{"token": []}]} if token else {}),
    }


_READ = {
    "/health": ("Whether the server takes requests.", _JSON),
    "/metrics": ("Counters for Prometheus.", "text/plain"),
    "/openapi.json": ("This description.", _JSON),
    "/v1/models": ("The packages.", _JSON),
}
_ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"message": _TEXT, "hint": _TEXT, "type": _TEXT, "code": {"type": "integer"}},
            "required": ["message", "type", "code"],
        }
    },
    "required": ["error"],
}


def _content(meaning: str, media: str, schema: Schema) -> Schema:
    return {"description": meaning, "content": {media: {"schema": schema}}}


def _post(summary: str, bodies: dict[str, Schema], *, streams: bool) -> Schema:
    found = _content("The answer.", _JSON, _OBJECT)
    if streams:
        found = {
            "description": "The answer; with 'stream' as server-sent events.",
            "content": {_JSON: {"schema": _OBJECT}, _EVENTS: {"schema": _TEXT}},
        }
    error: Schema = {"$ref": "#/components/schemas/Error"}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {media: {"schema": body} for media, body in bodies.items()}},
        "responses": {"200": found, **{code: _content(words, _JSON, error) for code, words in _REFUSALS.items()}},
    }


def _record(properties: dict[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _predict(served: Served) -> Schema:
    kinds = served.inputs
    inputs = {name: _INPUTS[kind] for name, kind in kinds.items()}
    given = inputs[served.needed[0]]
    if len(inputs) > 1:
        together = _record(inputs, *served.needed)
        given = together if len(served.needed) > 1 else {"oneOf": [given, together]}
    options: dict[str, Schema] = {} if served.task == APPLICATION else {"options": _OBJECT}
    stream: dict[str, Schema] = {"stream": _FLAG}
    fields: dict[str, Schema] = {
        name: {"type": "string", "contentMediaType": "application/octet-stream"} if kind in _FILES else _INPUTS[kind]
        for name, kind in kinds.items()
    }
    bodies = {
        _JSON: _record({"input": given, **options, **stream}, "input"),
        _FORM: _record({**fields, **options, **stream}),
    }
    return _post(f"{served.task}: {' and '.join(kinds)} to {served.output}.", bodies, streams=served.writes)


def _chat(model: Schema) -> Schema:
    message = _record({"role": _TEXT, "content": _TEXT}, "role", "content")
    messages: Schema = {"type": "array", "items": message}
    body = _record({"model": model, "messages": messages, **_GENERATION}, "messages")
    return _post("What follows the messages of a conversation.", {_JSON: body}, streams=True)


def _completion(model: Schema) -> Schema:
    body = _record({"model": model, "prompt": _TEXT, **_GENERATION}, "prompt")
    return _post("What follows a prompt.", {_JSON: body}, streams=True)


def _embedding(model: Schema) -> Schema:
    texts: Schema = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]}
    form: Schema = {"type": "string", "enum": ["float", "base64"]}
    body = _record({"model": model, "input": texts, "encoding_format": form, "user": _TEXT}, "input")
    return _post("The vectors of texts.", {_JSON: body}, streams=False)


def _transcription(model: Schema) -> Schema:
    file: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
    form: Schema = {"type": "string", "enum": ["json", "text", "verbose_json"]}
    properties = {"file": file, "model": model, "language": _TEXT, "response_format": form, "temperature": _NUMBER}
    return _post(
        "What is said in a recording.", {_FORM: _record({**properties, "stream": _FLAG}, "file")}, streams=True
    )
