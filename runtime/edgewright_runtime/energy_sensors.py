"""Sensors of energy that a machine may have, and what each says: no figure where there is no sensor that can be read.

- RAPL of Intel and AMD (`/sys/class/powercap`): counters of the processor packages, in microjoules, which wrap.
- INA3221 of NVIDIA Jetson (hwmon, or iio of older systems): volts and amperes of the board's input, or its power.
- The PMIC of Raspberry Pi 5 (`vcgencmd pmic_read_adc`): volts and amperes of its rails; what hangs on USB is not in it.
- NVML of NVIDIA GPUs, by the library `nvidia-ml-py` where it is installed: a counter of each board, in millijoules.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from edgewright_targets import InputError

_SYS = Path("/sys")
# Where NVIDIA's driver is loaded.
_NVIDIA_DRIVER = Path("/dev/nvidiactl")
# The input of the board on Jetson, by its names from one board to the next.
_INPUT_RAILS = ("VDD_IN", "VIN_SYS_5V0", "POM_5V_IN", "SYS_5V0")
# Sensors of power are asked so often; the INA3221 of Jetson averages over about as long.
_POWER_SECONDS = 0.02
_PMIC_SECONDS = 0.2
_PMIC_LINE = re.compile(r"(\w+)_([AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV]")


class EnergySensor(Protocol):
    """A sensor that counts joules from `start` to `stop`.

    Attributes:
        name: What is measured by what, for people.
    """

    name: str

    def start(self) -> None:
        """Begin to count."""

    def stop(self) -> float:
        """Joules since `start`.

        Raises:
            InputError: The sensor cannot be read any more.
        """


class RaplSensor:
    """All packages of the processor; a counter that wrapped once between two readings is counted on.

    Args:
        zones: Folders with `energy_uj` and `max_energy_range_uj`.
    """

    name = "RAPL, processor packages"

    def __init__(self, zones: Sequence[Path]) -> None:
        self._zones = [(zone / "energy_uj", _number(zone / "max_energy_range_uj")) for zone in zones]
        self._before: list[int] = []

    def start(self) -> None:
        """Begin to count."""
        self._before = [_number(counter) for counter, _ in self._zones]

    def stop(self) -> float:
        """Joules since `start`."""
        total = 0
        for before, (counter, last) in zip(self._before, self._zones, strict=True):
            # The value after the last one is 0.
            moved = _number(counter) - before
            total += moved if moved >= 0 else moved + last + 1
        return total / 1e6


class PowerSensor:
    """A sensor that says watts: asked again and again beside the work, the watts between two moments are their mean."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._stamps: list[tuple[float, float]] = []
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: InputError | None = None

    def watts(self) -> float:
        """What it says now."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to count."""
        self._stamps, self._error = [], None
        self._end.clear()
        self._note()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Joules since `start`."""
        assert self._thread is not None
        self._end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        self._note()
        pairs = zip(self._stamps, self._stamps[1:], strict=False)
        return sum((after - before) * (low + high) / 2 for (before, low), (after, high) in pairs)

    def _note(self) -> None:
        watts = self.watts()
        self._stamps.append((time.monotonic(), watts))

    def _watch(self) -> None:
        try:
            while not self._end.wait(self._seconds):
                self._note()
        except InputError as error:
            self._error = error


class JetsonSensor(PowerSensor):
    """The input of the board: volts and amperes, or the power itself.

    Args:
        rail: Its name there.
        factors: Files whose numbers are multiplied.
        unit: Watts that the product of one and one is.
    """

    def __init__(self, rail: str, factors: Sequence[Path], unit: float) -> None:
        super().__init__(_POWER_SECONDS)
        self.name = f"INA3221, {rail}"
        self._factors, self._unit = factors, unit

    def watts(self) -> float:
        """What it says now."""
        product = self._unit
        for file in self._factors:
            product *= _number(file)
        return product


class PmicSensor(PowerSensor):
    """All rails that the power management of a Raspberry Pi 5 measures.

    Args:
        program: `vcgencmd`.
    """

    name = "PMIC of the Raspberry Pi, all rails"

    def __init__(self, program: str) -> None:
        super().__init__(_PMIC_SECONDS)
        self._program = program

    def watts(self) -> float:
        """What it says now."""
        try:
            done = subprocess.run(
                [self._program, "pmic_read_adc"], capture_output=True, text=True, check=True, timeout=10
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise InputError(f"'vcgencmd pmic_read_adc' failed: {error}.") from error
        return pmic_watts(done.stdout)


def pmic_watts(text: str) -> float:
    """Watts of all rails whose volts and amperes are both in what `vcgencmd pmic_read_adc` printed.

    >>> from edgewright_runtime.energy_sensors import pmic_watts
    >>> pmic_watts(" VDD_CORE_A current(7)=2.0A" + chr(10) + " VDD_CORE_V volt(15)=0.9V" + chr(10))
    1.8

    Raises:
        InputError: There is no such rail.
    """
    found = {(rail, kind): float(value) for rail, kind, value in _PMIC_LINE.findall(text)}
    watts = [value * found[rail, "V"] for (rail, kind), value in found.items() if kind == "A" and (rail, "V") in found]
    if not watts:
        raise InputError("'vcgencmd pmic_read_adc' named no rail with volts and amperes.")
    return sum(watts)


class NvmlSensor:
    """All boards that NVML counts the energy of.

    Args:
        nvml: The module `pynvml`, initialized.
        boards: Handles.
    """

    name = "NVML, GPU boards"

    def __init__(self, nvml: Any, boards: Sequence[Any]) -> None:
        self._nvml, self._boards = nvml, boards
        self._before = 0

    def start(self) -> None:
        """Begin to count."""
        self._before = self._millijoules()

    def stop(self) -> float:
        """Joules since `start`."""
        return (self._millijoules() - self._before) / 1e3

    def _millijoules(self) -> int:
        try:
            return sum(int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(board)) for board in self._boards)
        except self._nvml.NVMLError as error:
            raise InputError(f"NVML counts no energy: {error}.") from error


def find_sensors(root: Path = _SYS, *, programs: bool = True) -> tuple[list[EnergySensor], list[str]]:
    """The sensors of this machine that can be read, and of others why they cannot.

    Args:
        root: Where the system shows its devices.
        programs: Also ask programs and libraries: `vcgencmd`, NVML.
    """
    found: list[EnergySensor] = []
    reasons: list[str] = []
    makers = [lambda: _rapl(root), lambda: _jetson(root), *([_pmic, _nvml] if programs else [])]
    for maker in makers:
        try:
            sensor = maker()
            if sensor is not None:
                # What cannot be read is found here, and not in the middle of a measurement.
                sensor.start()
                sensor.stop()
                found.append(sensor)
        except InputError as error:
            reasons.append(error.message)
    if not found and not reasons:
        reasons.append("This machine has no sensor of energy that is known (RAPL, INA3221, PMIC, NVML).")
    return found, reasons


def _rapl(root: Path) -> EnergySensor | None:
    zones = [
        zone
        for zone in sorted((root / "class" / "powercap").glob("*-rapl:*"))
        # Zones below a package, such as its cores, are part of it.
        if zone.name.count(":") == 1 and _text(zone / "name").startswith("package")
    ]
    return RaplSensor(zones) if zones else None


def _jetson(root: Path) -> EnergySensor | None:
    for folder in sorted((root / "class" / "hwmon").glob("hwmon*")):
        if _text(folder / "name").startswith("ina3221"):
            for label in sorted(folder.glob("in*_label")):
                if (rail := _text(label)) in _INPUT_RAILS:
                    number = label.name.removeprefix("in").removesuffix("_label")
                    # Millivolts by milliamperes.
                    files = (folder / f"in{number}_input", folder / f"curr{number}_input")
                    return JetsonSensor(rail, files, 1e-6)
    for rail_file in sorted((root / "bus" / "i2c" / "drivers" / "ina3221x").glob("*/iio:device*/rail_name_*")):
        if (rail := _text(rail_file)) in _INPUT_RAILS:
            number = rail_file.name.removeprefix("rail_name_")
            return JetsonSensor(rail, (rail_file.parent / f"in_power{number}_input",), 1e-3)
    return None


def _pmic() -> EnergySensor | None:
    program = shutil.which("vcgencmd")
    # Boards before the Pi 5 have the program, and no such sensor.
    if program is None or "Raspberry Pi 5" not in _text(Path("/proc/device-tree/model")):
        return None
    return PmicSensor(program)


def _nvml() -> EnergySensor | None:
    try:
        nvml: Any = importlib.import_module("pynvml")
    except ImportError:
        if _NVIDIA_DRIVER.exists():
            raise InputError("The GPU's energy is read by NVML: pip install nvidia-ml-py.") from None
        return None
    try:
        nvml.nvmlInit()
        boards = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError as error:
        if _NVIDIA_DRIVER.exists():
            raise InputError(f"NVML cannot be used: {error}.") from error
        # The library is there, and no driver.
        return None
    return NvmlSensor(nvml, boards) if boards else None


def _number(file: Path) -> int:
    try:
        return int(file.read_text(encoding="ascii"))
    except PermissionError as error:
        raise InputError(f"The sensor '{file}' cannot be read (permission); on most systems only root may.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"The sensor '{file}' cannot be read: {error}.") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
