"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.devices.address import RemoteDevice
    from edgewright_benchmarks.measuring.meter_settings import MeterSettings
    from edgewright_benchmarks.tasks import OwnFunctions


def share(text: str) -> float:
    """A share of one from `1%` or `0.01`."""
    from edgewright_benchmarks.statistics.confidence import read_share

    try:
        return read_share(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def confidence(text: str) -> float:
    """A confidence from `95%` or `0.95`."""
    from edgewright_benchmarks.statistics.confidence import read_confidence

    try:
        return read_confidence(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_confidence(parser: argparse.ArgumentParser, default: str = "95%%") -> None:
    """How sure bounds are; without the option the value is None."""
    words = f"how sure the bounds of drop and latency are, above 50%% and at most 99.9%% (default: {default})"
    parser.add_argument("--confidence", type=confidence, metavar="SHARE", help=words)


def positive(text: str) -> int:
    """A whole number above zero."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above zero")
    return value


def memory_size(text: str) -> int:
    """Bytes of a size such as `400MB`."""
    from edgewright_benchmarks.byte_sizes import read_size

    try:
        return read_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def seconds(text: str) -> float:
    """Seconds of a time such as `90s`, `5m` or `1h`."""
    from edgewright_benchmarks.durations import read_duration

    value = read_duration(text)
    if not value:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time above zero, such as 90s, 5m or 1h")
    return value


def add_meter(parser: argparse.ArgumentParser) -> None:
    """How to measure."""
    words = "threads of every engine (default: one for each core, or as its candidate says)"
    parser.add_argument("--threads", type=positive, help=words)
    parser.add_argument("--rounds", type=positive, default=15, help="rounds in which engines take turns (default: 15)")
    parser.add_argument(
        "--calls", type=positive, help="calls of an engine in a round (default: as many as take a quarter of a second)"
    )
    parser.add_argument("--loads", type=positive, default=3, help="fresh processes that time the load (default: 3)")
    words = "also time engines beside N busy programs, and judge by that: for devices that have other work to do"
    parser.add_argument("--beside", type=positive, metavar="N", help=words)


def add_own(parser: argparse.ArgumentParser) -> None:
    """Code of the user's own that judges."""
    words = "package.module:function that scores predictions, or a metric for arrays by name (see docs/tasks.md)"
    parser.add_argument("--metric", default="", metavar="NAME", help=words)
    words = "package.module:function from a sample as the data has it to what the model takes"
    parser.add_argument("--pre", default="", metavar="FUNCTION", help=words)
    words = "package.module:function from what the model gives to what is scored"
    parser.add_argument("--post", default="", metavar="FUNCTION", help=words)


def own_functions(options: argparse.Namespace) -> OwnFunctions:
    """What the arguments of `add_own` name."""
    from edgewright_benchmarks.tasks import OwnFunctions

    return OwnFunctions(options.metric, options.pre, options.post)


def add_samples(parser: argparse._ActionsContainer) -> None:
    """On how much of the data."""
    words = "most samples to compare engines on, drawn at random from all of the data (default: all)"
    parser.add_argument("--samples", type=positive, metavar="N", help=words)


def meter_settings(options: argparse.Namespace) -> MeterSettings:
    """The meter's settings from the arguments of `add_meter`, and of `add_samples` where a verb has them."""
    from edgewright_benchmarks.measuring.meter_settings import MeterSettings

    return MeterSettings(
        rounds=max(2, options.rounds),
        calls=options.calls or 0,
        loads=options.loads,
        threads=options.threads,
        beside=options.beside or 0,
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
    if vars(options).get("beside"):
        raise InputError(
            "--beside cannot be used with --device: busy programs run on this machine alone.",
            hint="Run 'edgewright bench --beside' on the device itself.",
        )
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
