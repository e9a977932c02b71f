"""Where a device is: `ssh://[user@]host[:port][?python=PATH&workdir=PATH]`."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass

from edgewright_targets import InputError, nearest

_FORM = "ssh://[user@]host[:port][?python=/path/to/python3&workdir=/path/to/folder]"
# A name that begins with '-' would be an option of ssh.
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f:]+(%[A-Za-z0-9._-]+)?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@\\$-]*")
_OPTIONS = ("python", "workdir")


@dataclass(frozen=True)
class DeviceAddress:
    """A device that ssh reaches; make one with `DeviceAddress.parse`.

    Attributes:
        host: Name, alias in ssh's configuration, or address.
        user: None is what ssh's configuration says.
        port: None is what ssh's configuration says.
        python: Path or name of Python there; None looks for one.
        workdir: Folder for copies there; None is `edgewright/remote` in the user's cache folder there.
    """

    host: str
    user: str | None = None
    port: int | None = None
    python: str | None = None
    workdir: str | None = None

    @classmethod
    def parse(cls, text: str) -> DeviceAddress:
        """The address that `text` says.

        Raises:
            InputError: It is not an address; the message says what is wrong.
        """
        try:
            parts = urllib.parse.urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise _bad(text, str(error)) from error
        if parts.scheme != "ssh":
            raise _bad(text, "the address of a device must begin with ssh://")
        user = urllib.parse.unquote(parts.username) if parts.username else None
        # urllib makes host names small, which aliases in ssh's configuration need not be.
        written = re.search(re.escape(host), parts.netloc, re.IGNORECASE) if host else None
        if written is None or _HOST.fullmatch(host) is None:
            raise _bad(text, "it has no host" if not host else f"{host!r} is not a name of a host")
        if parts.password is not None:
            raise _bad(text, "passwords are not allowed in an address; use ssh keys")
        if user is not None and _USER.fullmatch(user) is None:
            raise _bad(text, f"{user!r} is not a name of a user")
        if parts.path not in ("", "/") or parts.fragment:
            raise _bad(
                text, f"'{parts.path}{'#' if parts.fragment else ''}{parts.fragment}' after the host has no meaning"
            )
        options = _options(text, parts.query)
        return cls(written.group(), user, port, options.get("python"), options.get("workdir"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{f'{self.user}@' if self.user else ''}{host}{f':{self.port}' if self.port else ''}"


@dataclass(frozen=True)
class RemoteDevice:
    """A device that ssh reaches, and what to do there.

    Attributes:
        url: `ssh://[user@]host[:port]`; see `DeviceAddress`.
        target: Which target's engines; None takes the one that fits the device best.
        keep: Leave there what was copied.
    """

    url: str
    target: str | None = None
    keep: bool = False


def _options(text: str, query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        if key not in _OPTIONS:
            raise _bad(text, f"unknown option '{key}'. {nearest(key, _OPTIONS)}")
        if key in found or not value or "\0" in value or value.startswith("-"):
            raise _bad(text, f"the option '{key}' is not one path")
        found[key] = value
    workdir = found.get("workdir")
    if workdir is not None and (not workdir.startswith("/") or not workdir.strip("/")):
        raise _bad(text, f"workdir is '{workdir}'; it must be the absolute path of a folder")
    return found


def _bad(text: str, why: str) -> InputError:
    return InputError(f"'{text}' is not an address of a device: {why.rstrip('.')}.", hint=f"The form is {_FORM}.")
