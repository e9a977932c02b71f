"""The self-test of a package on a device."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from edgewright_benchmarks.devices.address import RemoteDevice
from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.ssh import SshDevice
from edgewright_benchmarks.progress import Progress
from edgewright_runtime import Package
from edgewright_targets import CheckFailedError, InputError


def verify_on(
    remote: RemoteDevice, path: str | Path, progress: Progress, *, engine: str | None = None, strict: bool = False
) -> dict[str, Any]:
    """Check what a device needs of a package there, as `edgewright_runtime.verify` does.

    Gives the fields of `SelfTestReport` as plain data, and `where`: the device in words, with its rung.

    Raises:
        InputError: The device cannot be reached, or nothing of the package runs there.
        CheckFailedError: A check ran there and said no.
    """
    package = Package.open(path)
    spec = package.manifest.engines.get(engine or "")
    with SshDevice(remote.url, progress, keep=remote.keep) as device:
        device.send(package, remote.target or (spec.target if spec else None))
        with device.worker() as worker:
            try:
                report = worker.verify(device.path_of(package.root), engine, strict=strict)
            except WorkerError as error:
                kind = CheckFailedError if error.kind == "check" else InputError
                raise kind(f"On device '{device.name}': {error}") from error
        rung = "emulated" if device.machine.emulated else "measured"
        return {
            **dataclasses.asdict(report),
            "rung": rung,
            "where": f" on {device.name} ({device.machine.cpu}, {rung})",
        }
