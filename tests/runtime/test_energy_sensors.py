"""Sensors of energy, by files that were written by hand after the documented forms: none is a recording of a machine.

The files have the names and forms that the kernel and the makers document, with values as such machines may show them.
Of NVML there is a stand-in for its module. No sensor of this machine is read but where a test says it.
"""

from __future__ import annotations

import os
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright_runtime import energy_sensors
from edgewright_runtime.energy import read_energy
from edgewright_runtime.energy_sensors import EnergySensor, PmicSensor, PowerSensor, find_sensors, pmic_watts
from edgewright_targets import InputError

# Microjoules after which the counter of a package begins again at zero.
RANGE = 262_143_328_850


def write(root: Path, files: dict[str, object]) -> Path:
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n", encoding="ascii")
    return root


def rapl(root: Path, *counters: int) -> Path:
    """Processor packages, the first with a zone of its cores below it."""
    for number, counter in enumerate(counters):
        zone = f"class/powercap/intel-rapl:{number}"
        write(
            root,
            {f"{zone}/name": f"package-{number}", f"{zone}/energy_uj": counter, f"{zone}/max_energy_range_uj": RANGE},
        )
    cores = "class/powercap/intel-rapl:0:0"
    write(root, {f"{cores}/name": "core", f"{cores}/energy_uj": 5, f"{cores}/max_energy_range_uj": RANGE})
    write(root, {"class/powercap/intel-rapl/enabled": 1})
    return root


def only(root: Path) -> EnergySensor:
    (sensor,), reasons = find_sensors(root, programs=False)
    assert not reasons
    return sensor


def test_rapl_files_in_the_documented_form_add_up_packages_without_their_cores(tmp_path: Path) -> None:
    sensor = only(rapl(tmp_path, 1_000_000, 7_000_000))
    sensor.start()
    rapl(tmp_path, 3_500_000, 8_000_000)
    assert sensor.name == "RAPL, processor packages"
    assert sensor.stop() == pytest.approx(3.5)


def test_a_rapl_file_in_the_documented_form_that_wraps_is_counted_on(tmp_path: Path) -> None:
    sensor = only(rapl(tmp_path, RANGE - 999_999))
    sensor.start()
    rapl(tmp_path, 500_000)
    # A million to zero, and half a million from there.
    assert sensor.stop() == pytest.approx(1.5)


def test_a_rapl_file_in_the_documented_form_that_only_root_may_read_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = rapl(tmp_path, 1) / "class/powercap/intel-rapl:0/energy_uj"
    counter.chmod(0)
    if os.access(counter, os.R_OK):
        # The tests run as root, who may read everything: the system's refusal is played.
        read = Path.read_text

        def refused(path: Path, *rest: str, **more: str) -> str:
            if path == counter:
                raise PermissionError(13, "Permission denied", str(path))
            return read(path, *rest, **more)

        monkeypatch.setattr(Path, "read_text", refused)
    sensors, reasons = find_sensors(tmp_path, programs=False)
    assert not sensors
    assert len(reasons) == 1
    assert "cannot be read (permission)" in reasons[0]


def test_jetson_files_in_the_documented_form_of_hwmon_give_the_watts_of_the_input(tmp_path: Path) -> None:
    write(
        tmp_path / "class/hwmon",
        {
            "hwmon0/name": "nvme",
            "hwmon3/name": "ina3221",
            "hwmon3/in1_label": "VDD_IN",
            "hwmon3/in1_input": 5040,
            "hwmon3/curr1_input": 952,
            "hwmon3/in2_label": "VDD_CPU_GPU_CV",
            "hwmon3/in2_input": 5032,
            "hwmon3/curr2_input": 120,
        },
    )
    sensor = only(tmp_path)
    assert isinstance(sensor, PowerSensor)
    assert sensor.name == "INA3221, VDD_IN"
    assert sensor.watts() == pytest.approx(5.04 * 0.952)


def test_jetson_files_in_the_documented_form_of_iio_give_the_watts_of_the_input(tmp_path: Path) -> None:
    folder = "bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    write(tmp_path, {f"{folder}/rail_name_0": "POM_5V_IN", f"{folder}/in_power0_input": 2478})
    write(tmp_path, {f"{folder}/rail_name_1": "POM_5V_GPU", f"{folder}/in_power1_input": 40})
    sensor = only(tmp_path)
    assert isinstance(sensor, PowerSensor)
    assert sensor.name == "INA3221, POM_5V_IN"
    assert sensor.watts() == pytest.approx(2.478)


@pytest.mark.slow
def test_watts_of_a_file_in_the_documented_form_are_added_up_over_the_time_that_passed(tmp_path: Path) -> None:
    """The power changes from 2 to 6 W once while the sensor counts: the joules are between those of both."""
    folder = "bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    write(tmp_path, {f"{folder}/rail_name_0": "VDD_IN", f"{folder}/in_power0_input": 2000})
    sensor = only(tmp_path)

    def work() -> None:
        threading.Event().wait(1)
        aside = tmp_path / "aside"
        aside.write_text("6000\n", encoding="ascii")
        aside.replace(tmp_path / folder / "in_power0_input")
        threading.Event().wait(1)

    # Both so long that a busy machine, which starts the thread of the sensor or wakes it late, hardly changes the mean.
    read = read_energy([sensor], [], [work], idle_seconds=2, work_seconds=0)
    (found,) = read.sensors
    assert found.idle_watts == pytest.approx(2, rel=0.2)
    assert 2 * read.seconds < found.joules < 6 * read.seconds * 1.2


PMIC = """\
    3V7_WL_SW_A current(0)=0.10000000A
     VDD_CORE_A current(7)=2.50000000A
    3V7_WL_SW_V volt(8)=3.60000000V
     VDD_CORE_V volt(15)=0.88000000V
        EXT5V_V volt(24)=4.92000000V
         BATT_V volt(25)=0.00300000V
"""


def test_output_of_the_pi_in_the_documented_form_is_the_sum_of_rails_with_volts_and_amperes(tmp_path: Path) -> None:
    assert pmic_watts(PMIC) == pytest.approx(0.1 * 3.6 + 2.5 * 0.88)
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = pmic_read_adc ] || exit 1\ncat <<'END'\n{PMIC}END\n", encoding="ascii")
    program.chmod(0o755)
    assert PmicSensor(str(program)).watts() == pytest.approx(2.56)
    with pytest.raises(InputError, match="named no rail"):
        pmic_watts('error=1 error_msg="Command not registered"')
    program.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    with pytest.raises(InputError, match="pmic_read_adc' failed"):
        PmicSensor(str(program)).watts()


def test_a_machine_without_sensors_says_so(tmp_path: Path) -> None:
    sensors, reasons = find_sensors(tmp_path, programs=False)
    assert not sensors
    read = read_energy(sensors, reasons, [lambda: None])
    assert (read.sensors, read.calls) == ((), 0)
    assert read.unknown == ("This machine has no sensor of energy that is known (RAPL, INA3221, PMIC, NVML).",)


def test_a_counter_in_the_documented_form_that_stands_still_has_no_figure(tmp_path: Path) -> None:
    sensor = only(rapl(tmp_path, 1_000_000))
    read = read_energy([sensor], [], [lambda: None], idle_seconds=0, work_seconds=0)
    assert not read.sensors
    assert read.unknown == ("The sensor 'RAPL, processor packages' did not move.",)


def test_a_counter_in_the_documented_form_is_read_around_the_calls_and_around_idle(tmp_path: Path) -> None:
    """A call adds 2 J to the counter, and nothing else does."""
    sensor, counter = only(rapl(tmp_path, 1_000_000)), [1_000_000]

    def call() -> None:
        counter[0] += 2_000_000
        rapl(tmp_path, counter[0])

    calls: list[Callable[[], object]] = [call, call]
    read = read_energy([sensor], ["Another sensor."], calls, 16, idle_seconds=0.01, work_seconds=0.05)
    (found,) = read.sensors
    assert found.joules == pytest.approx(2 * read.calls)
    assert (found.idle_watts, read.tokens, read.unknown) == (0, 16, ("Another sensor.",))
    assert read.calls >= 1


class StandInError(Exception):
    """`NVMLError` of the stand-in."""


def stand_in_for_nvml(
    monkeypatch: pytest.MonkeyPatch, *, boards: int = 2, starts: bool = True, counts: bool = True
) -> dict[int, int]:
    """A module `pynvml` with the functions that are called, after the documentation of NVML; gives the millijoules."""
    counters = dict.fromkeys(range(boards), 5000)

    def init() -> None:
        if not starts:
            raise StandInError("Driver Not Loaded")

    def energy(board: int) -> int:
        if not counts:
            raise StandInError("Not Supported")
        return counters[board]

    module = types.ModuleType("pynvml")
    vars(module).update(
        NVMLError=StandInError,
        nvmlInit=init,
        nvmlDeviceGetCount=lambda: boards,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return counters


def test_a_stand_in_for_nvml_gives_the_joules_of_all_boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = stand_in_for_nvml(monkeypatch)
    sensors, reasons = find_sensors(tmp_path)
    (sensor,) = (one for one in sensors if one.name == "NVML, GPU boards")
    assert not reasons
    sensor.start()
    counters[0] += 1500
    counters[1] += 250
    assert sensor.stop() == pytest.approx(1.75)


def test_a_stand_in_for_nvml_without_a_board_or_a_driver_is_no_sensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy_sensors, "_NVIDIA_DRIVER", tmp_path / "nvidiactl")
    for boards, starts in ((0, True), (2, False)):
        stand_in_for_nvml(monkeypatch, boards=boards, starts=starts)
        sensors, reasons = find_sensors(tmp_path)
        assert "NVML, GPU boards" not in {one.name for one in sensors}
        assert not [reason for reason in reasons if reason.startswith("NVML")]
    # The system has a driver, and NVML does not start.
    (tmp_path / "nvidiactl").touch()
    _, reasons = find_sensors(tmp_path)
    assert "NVML cannot be used: Driver Not Loaded." in reasons


def test_a_stand_in_for_nvml_of_a_board_that_counts_nothing_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_for_nvml(monkeypatch, counts=False)
    sensors, reasons = find_sensors(tmp_path)
    assert "NVML, GPU boards" not in {one.name for one in sensors}
    assert "NVML counts no energy: Not Supported." in reasons


def test_a_gpu_without_the_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy_sensors, "_NVIDIA_DRIVER", tmp_path)
    # What Python itself documents for a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "pynvml", None)
    _, reasons = find_sensors(tmp_path)
    assert any("pip install nvidia-ml-py" in reason for reason in reasons)
