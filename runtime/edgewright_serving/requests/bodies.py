"""Bodies of requests: JSON objects and forms. How large they may be is the matter of `Guard`."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import NoReturn

from starlette.datastructures import UploadFile
from starlette.requests import Request

from edgewright_serving.requests.refusals import RefusalError

JSON, FORM = "application/json", "multipart/form-data"
_MOST_FILES, _MOST_FIELDS = 8, 64
_LARGEST_FIELD = 2**20
# Larger ones are read by another thread, so that no other request waits for it.
_AT_ONCE_BYTES = 2**16
_ERROR_SHOWN = 200
# Python takes up to 70 bytes for each: this is what a request of the largest size by default may grow to.
_MOST_PARTS = 4_000_000
# How JSON may write one half of a pair of UTF-16; a pair is a character, a half alone is not.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Form:
    """A form as it was sent.

    Attributes:
        fields: Name -> texts.
        files: Name -> the bytes of a file. Its own name, which the client chose, is used nowhere.
    """

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """The text of a field; of several the last."""
        found = self.fields.get(name)
        return found[-1] if found else None


def media_type(request: Request) -> str:
    """The type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request) -> dict[str, object]:
    """The JSON object of a request.

    Raises:
        RefusalError: It is something else.
    """
    if media_type(request) != JSON:
        # A page of another site could send a plain text without being asked first.
        raise RefusalError(415, f"This address takes {JSON}.", hint=f"Send the header: Content-Type: {JSON}")
    body = await request.body()
    return await asyncio.to_thread(parse_object, body) if len(body) > _AT_ONCE_BYTES else parse_object(body)


def parse_object(text: bytes | str) -> dict[str, object]:
    """A JSON object in UTF-8.

    Raises:
        RefusalError: It is something else, or too much for the memory.
    """
    value = parse_value(text)
    if not isinstance(value, dict):
        raise RefusalError(400, f"A JSON object is expected; found {type(value).__name__}.")
    return value


def parse_value(text: bytes | str) -> object:
    """A value of JSON in UTF-8.

    Raises:
        RefusalError: It is something else, or too much for the memory.
    """
    try:
        # json would guess other encodings, and take halves of pairs in this one.
        written = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if sum(map(written.count, "[{,")) > _MOST_PARTS:
            raise RefusalError(
                413,
                f"The JSON has more than {_MOST_PARTS:,} brackets and commas.",
                hint="Send arrays as an .npz file in a form, and other files as base64.",
            )
        value: object = json.loads(written, parse_constant=_refuse_constant)
        if _HALF.search(written):
            check_text(json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, f"This is not valid JSON: {str(error)[:_ERROR_SHOWN]}.") from error
    return value


def check_text(text: str) -> None:
    """Refuse a text with half a pair of UTF-16, which no encoding of Unicode has.

    Raises:
        RefusalError: There is one.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise RefusalError(
            400, f"A text has {half}, which is half of a character.", hint="Send both halves, or leave it out."
        ) from error


async def read_form(request: Request) -> Form:
    """The form of a request. Files above 1 MB lie in the temporary folder while they come, without a name.

    Raises:
        RefusalError: It is something else.
    """
    if media_type(request) != FORM:
        raise RefusalError(415, f"This address takes {FORM}.", hint="With curl: -F file=@recording.wav")
    found = Form()
    try:
        async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FIELD) as form:
            for name, value in form.multi_items():
                check_text(name)
                if isinstance(value, UploadFile):
                    found.files[name] = await value.read()
                else:
                    # The client names the encoding, and some have halves of characters.
                    check_text(value)
                    found.fields.setdefault(name, []).append(value)
    except ValueError as error:
        # What the parser of forms raises.
        raise RefusalError(400, f"This is not a valid form: {str(error)[:_ERROR_SHOWN]}.") from error
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")
