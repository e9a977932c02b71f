"""What a server is started with, checked: where it listens, who may ask, and how much."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass

from edgewright_targets.errors import InputError

# Where the token is found that the command line does not name: what stands there is seen by nobody else.
VARIABLE = "EDGEWRIGHT_TOKEN"
_SHORTEST = 16
_LARGEST_PORT = 65_535
# Bodies of so many requests of the largest size are held at once; what is more is refused, so that memory is bounded.
_BODIES = 8


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """How a server behaves.

        >>> from edgewright_serving import ServeSettings
        >>> ServeSettings(port=9000).loopback
        True

    Attributes:
        host: Address to listen at. Any but a loopback address needs a token.
        port: 0 takes a free one.
        token: What requests must bring (`Authorization: Bearer TOKEN`); empty asks for none.
        most_requests: Requests under way at once, those that wait included; more are refused.
        most_bytes: Size of the body of a request.
        seconds: Longest time from the end of a request's body to the end of its answer, and longest time for the body.
        memory_bytes: Resident memory of the process beyond which packages are unloaded; None is without a limit.
        threads: Threads that a call of a model may use; None is what its engine was measured with.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    most_requests: int = 128
    most_bytes: int = 32 * 2**20
    seconds: float = 60.0
    memory_bytes: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        """Raise InputError where a value cannot be, or strangers could ask without a token."""
        if not 0 <= self.port <= _LARGEST_PORT:
            raise InputError(f"The port {self.port} does not exist.", hint="Use 0 to 65535; 0 takes a free one.")
        if min(self.most_requests, self.most_bytes) < 1 or not 0 < self.seconds < float("inf"):
            raise InputError("Limits of requests, bytes and seconds must be above zero.")
        if self.token and (len(self.token) < _SHORTEST or not self.token.isascii() or not self.token.isprintable()):
            raise InputError(
                f"The token must have {_SHORTEST} or more printable ASCII characters; this one has {len(self.token)}.",
                hint="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        if not self.loopback and not self.token:
            raise InputError(
                f"Other machines can reach '{self.host}', so a token is needed.",
                hint=f"Set {VARIABLE} or pass --token, or leave out --host to serve this machine alone.",
            )

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def held_bytes(self) -> int:
        """Bytes of bodies of all requests under way."""
        return _BODIES * self.most_bytes


def is_loopback(host: str) -> bool:
    """Whether `host` is an address of this machine that others cannot reach; of names that is `localhost` alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_of(word: str | None) -> str:
    """The token of the command line, else that of the environment, else none."""
    return os.environ.get(VARIABLE, "") if word is None else word
