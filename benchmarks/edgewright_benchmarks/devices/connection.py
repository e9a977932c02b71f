"""Commands on a device through the system's OpenSSH client: host keys, configuration and agents work as people know."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.devices.address import DeviceAddress
from edgewright_benchmarks.devices.far_end import SESSION
from edgewright_targets import InputError, MissingDependencyError

# ssh's own exit code: the connection, and nothing that ran on the device, said no.
CONNECTION_CODE = 255
NO_PYTHON_CODE = 95
# A link that is silent for 15 seconds is gone; the probes go through the encrypted channel.
_SETTINGS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "ClearAllForwardings": "yes",
    "RequestTTY": "no",
    "RemoteCommand": "none",
    "PermitLocalCommand": "no",
    "LogLevel": "INFO",
}
# A path of a socket has about 100 bytes, and ssh appends 17 of its own while it binds.
_SOCKET_LIMIT = 80
_PYTHONS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python")
_OLD_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"
_RUN_SOURCE = "import sys; sys.path[:] = [p for p in sys.path if p]; exec(sys.stdin.buffer.read({size}))"
# A folder that is gone must not be made up for by another version that happens to be installed there.
_RUN_WORKER = (
    "import os, sys; os.stat(sys.argv[1]); sys.path[:0] = sys.argv[1:]; from edgewright_runtime import worker; "
    "worker.main()"
)


@dataclass(frozen=True)
class Refusal:
    """Why ssh did not connect.

    Attributes:
        reason: A sentence.
        hint: What to do.
        lasting: Trying again would end the same way.
    """

    reason: str
    hint: str
    lasting: bool


# What OpenSSH's client writes, in the order in which it is looked for.
_REFUSALS = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "Its host key differs from the known one.",
     "Find out why before you continue. If the device was set up anew, remove the old key with 'ssh-keygen -R {name}'.",
     True),
    ("Host key verification failed", "Its host key is not known here.",
     "Connect once by hand with 'ssh {words}' and compare the fingerprint.", True),
    ("Permission denied", "It does not accept the keys that ssh offers for this user.",
     "Give it your key with 'ssh-copy-id {words}', or start an agent: 'ssh {words}' must ask nothing.", True),
    ("Too many authentication failures", "It does not accept the keys that ssh offers for this user.",
     "Name the right key in ssh's configuration (IdentityFile, IdentitiesOnly).", True),
    ("Could not resolve hostname", "The host name is unknown.", "Check the name; 'ssh {words}' must work.", False),
    ("Connection refused", "The port is closed.", "Is sshd running, and is this its port?", False),
    ("not responding", "It no longer responds.", "Is it switched on, and on this network?", False),
    ("timed out", "It does not answer.", "Is it switched on, and on this network?", False),
    ("No route to host", "It cannot be reached.", "Is it switched on, and on this network?", False),
    ("Network is unreachable", "It cannot be reached.", "Is this machine on its network?", False),
)  # fmt: skip


class SshClient:
    """Makes command lines for one device; those of one session share one connection where that is possible.

    Args:
        address: The device.
        token: Names the session there.
    """

    def __init__(self, address: DeviceAddress, token: str) -> None:
        program = shutil.which("ssh")
        if program is None:
            raise MissingDependencyError(
                "OpenSSH's client 'ssh' is needed to reach a device, but is not installed.",
                hint="Debian: apt-get install openssh-client",
            )
        self._program = program
        self._address = address
        self._token = token
        self._sockets = tempfile.TemporaryDirectory(prefix="ew-", ignore_cleanup_errors=True)
        self._count = 0

    def far_end(self, source_size: int) -> list[str]:
        """Starts the first Python that is new enough on as many bytes of source as standard input begins with.

        Each call makes a connection of its own, which later workers share.
        """
        self._count += 1
        pythons = (self._address.python,) if self._address.python else _PYTHONS
        code = shlex.quote(_RUN_SOURCE.format(size=source_size))
        script = (
            f"for p in {shlex.join(pythons)}; do "
            f'if "$p" -c {shlex.quote(_OLD_ENOUGH)} 2>/dev/null; then '
            f'echo "$p"; {SESSION}={self._token} "$p" -B -c {code}; exit $?; fi; '
            'if command -v "$p" >/dev/null; then echo "edgewright: $p is $("$p" --version 2>&1)" >&2; fi; '
            f"done; exit {NO_PYTHON_CODE}"
        )
        return self._command(script, "ControlMaster=yes")

    def worker(self, python: str, folders: list[str]) -> list[str]:
        """Starts a worker of the runtime that lies in `folders`."""
        words = shlex.join([python, "-B", "-P", "-c", _RUN_WORKER, *folders])
        # Not exec: the shell tells a killed worker (128 and more) from a connection that ended.
        return self._command(f"{SESSION}={self._token} {words}; exit $?", "ControlMaster=no")

    def _command(self, script: str, master: str) -> list[str]:
        socket = Path(self._sockets.name) / str(self._count)
        share = [f"ControlPath={socket}", master, "ControlPersist=no"]
        if len(str(socket)) > _SOCKET_LIMIT:
            share = ["ControlPath=none", "ControlMaster=no"]
        settings = [*(f"{key}={value}" for key, value in _SETTINGS.items()), *share]
        words = [self._program, "-T", *(word for setting in settings for word in ("-o", setting))]
        # What a login shell makes of quotes is the same for all of them, as long as these are single.
        return [*words, *self._where(), "--", f"exec sh -c {shlex.quote(script)}"]

    def _where(self) -> list[str]:
        address = self._address
        words = ["-p", str(address.port)] if address.port else []
        return [*words, *(["-l", address.user] if address.user else []), address.host]

    def refusal(self, stderr_text: str) -> Refusal:
        """What ssh's words on standard error mean."""
        name = f"[{self._address.host}]:{self._address.port}" if self._address.port else self._address.host
        for words, reason, hint, lasting in _REFUSALS:
            if words in stderr_text:
                return Refusal(reason, hint.format(name=f"{name}", words=shlex.join(self._where())), lasting)
        lines = [line for line in stderr_text.splitlines() if line.strip()]
        last = f" ssh says: {lines[-1].strip().rstrip('.')}." if lines else ""
        return Refusal(f"The connection ended.{last}", f"Does 'ssh {shlex.join(self._where())}' work?", lasting=False)

    def no_python(self, stderr_text: str) -> InputError:
        """The error for a device without a Python that is new enough."""
        found = [
            line.removeprefix("edgewright: ") for line in stderr_text.splitlines() if line.startswith("edgewright: ")
        ]
        asked = f"'{self._address.python}' there is not" if self._address.python else "none was found"
        listing = f" Found: {', '.join(found)}." if found else ""
        return InputError(
            f"Device '{self._address}' needs Python 3.11 or newer, and {asked}.{listing}",
            hint="Install one there, or name it: ssh://...?python=/path/to/python3",
        )

    def close(self) -> None:
        """Remove the folder of sockets; no process may use it any more."""
        self._sockets.cleanup()
