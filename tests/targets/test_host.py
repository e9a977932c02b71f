"""Facts about this machine: an emulated one is told from a real one."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright_targets import host_facts

_CODE = """
import dataclasses, json, sys
sys.path[:0] = sys.argv[1:]
from edgewright_targets import host_facts
print(json.dumps(dataclasses.asdict(host_facts())))
"""


def test_this_machine_is_real() -> None:
    facts = host_facts()
    assert not facts.emulated
    assert "emulated" not in facts.cpu


@pytest.mark.slow
def test_an_emulated_machine_says_so() -> None:
    emulator = shutil.which(f"qemu-{platform.machine()}-static")
    if emulator is None:
        pytest.skip(
            "QEMU for this machine's own architecture is not installed (Debian: apt-get install qemu-user-static)"
        )
    targets = Path(__file__).resolve().parents[2] / "targets"
    words = [emulator, str(Path(sys.executable).resolve()), "-I", "-c", _CODE, str(targets)]
    facts = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert facts["emulated"] is True
    assert facts["cpu"].endswith(" (emulated)")
    assert facts["architecture"] == platform.machine()
