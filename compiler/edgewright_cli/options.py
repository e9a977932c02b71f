"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.devices.address import RemoteDevice
    from edgewright_benchmarks.measuring.meter import MeterSettings


def share(text: str) -> float:
    """A share of one from `1%` or `0.01`."""
    try:
        value = float(text.removesuffix("%").strip())
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a share; write 1% or 0.01") from None
    value = value / 100 if text.endswith("%") else value
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 0% and 100%")
    return value


def positive(text: str) -> int:
    """A whole number above zero."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above zero")
    return value


def add_meter(parser: argparse.ArgumentParser) -> None:
    """How to measure."""
    parser.add_argument("--threads", type=positive, help="threads of an engine (default: one for each core)")
    parser.add_argument("--rounds", type=positive, default=15, help="rounds in which engines take turns (default: 15)")
    parser.add_argument(
        "--calls", type=positive, help="calls of an engine in a round (default: as many as take a quarter of a second)"
    )


def add_samples(parser: argparse.ArgumentParser) -> None:
    """On how much of the data."""
    words = "most samples to compare engines on, drawn at random from all of the data (default: all)"
    parser.add_argument("--samples", type=positive, metavar="N", help=words)


def meter_settings(options: argparse.Namespace) -> MeterSettings:
    """The meter's settings from the arguments of `add_meter`, and of `add_samples` where a verb has them."""
    from edgewright_benchmarks.measuring.meter import MeterSettings

    return MeterSettings(
        rounds=max(2, options.rounds),
        calls=options.calls or 0,
        threads=options.threads,
        samples=vars(options).get("samples"),
    )


def add_device(parser: argparse.ArgumentParser, *, target: bool = True) -> None:
    """Where it runs; without `target` the verb has that argument already."""
    parser.add_argument(
        "--device", metavar="URL", help="run on this device: ssh://[user@]host[:port][?python=PATH&workdir=PATH]"
    )
    if target:
        words = "with --device: the target whose engines run (default: the target that fits the device)"
        parser.add_argument("--target", help=words)
    parser.add_argument("--keep", action="store_true", help="with --device: keep the copied files on the device")


def remote_device(options: argparse.Namespace, *, target_alone: bool = False) -> RemoteDevice | None:
    """The device from the arguments of `add_device`; None is this machine.

    Args:
        options: Of the verb.
        target_alone: A target means something to the verb without a device as well.

    Raises:
        InputError: The address is not valid, or the other options are given without an address.
    """
    if options.device is None:
        alone = "--keep" if options.keep else "--target" if options.target and not target_alone else None
        if alone is not None:
            raise InputError(f"{alone} needs --device.")
        return None
    from edgewright_benchmarks.devices.address import DeviceAddress, RemoteDevice

    DeviceAddress.parse(options.device)
    return RemoteDevice(options.device, options.target, options.keep)


def share_of_one(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return value


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Which engine."""
    parser.add_argument("--engine", help="use only this engine (see inspect)")
    parser.add_argument("--strict", action="store_true", help="fail if an engine other than the first would run")
