"""Targets with an NVIDIA GPU or AMX: what is known of them, and that a machine without is not taken for one."""

from pathlib import Path

import pytest

from edgewright_targets import InputError, load_target
from edgewright_targets import hardware as module
from edgewright_targets.gpu import Gpu
from edgewright_targets.host import HostFacts

# Compute capability, architecture, rung, whether it has float8.
NVIDIA = {
    "rtx-30": ("8.6", "x86_64", "compiled", False),
    "rtx-40": ("8.9", "x86_64", "compiled", True),
    "rtx-50": ("12.0", "x86_64", "compiled", True),
    "dgx-spark": ("12.1", "aarch64", "compiled", True),
    "jetson-orin": ("8.7", "aarch64", "declared", False),
    "jetson-thor": ("11.0", "aarch64", "declared", True),
}


def host(monkeypatch: pytest.MonkeyPatch, architecture: str, *features: str) -> None:
    facts = HostFacts(
        architecture=architecture,
        system="Linux",
        cpu="a processor",
        cores=2,
        threads=2,
        memory_bytes=0,
        features=features,
        python="3.11",
    )
    monkeypatch.setattr(module, "architecture", lambda: architecture)
    monkeypatch.setattr(module, "host_facts", lambda: facts)


@pytest.mark.parametrize("name", NVIDIA)
def test_what_is_known(name: str) -> None:
    capability, architecture, rung, float8 = NVIDIA[name]
    target = load_target(name)
    assert (target.compute_capabilities, target.architecture, target.rung) == ((capability,), architecture, rung)
    plans = [candidate for candidate in target.candidates if candidate.engine != "onnx"]
    assert {candidate.engine for candidate in plans} == {"tensorrt-rtx" if rung == "compiled" else "tensorrt"}
    assert all(candidate.provider_options == {"compute_capabilities": capability} for candidate in plans)
    assert ("fp8" in {candidate.precision for candidate in plans}) == float8


@pytest.mark.parametrize("name", NVIDIA)
def test_only_a_machine_with_such_a_gpu_is_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target(name)
    host(monkeypatch, target.architecture)
    found: list[str | None] = [None]
    monkeypatch.setattr(module, "capability_here", lambda: found[0])
    assert not target.matches_machine()
    found[0] = "9.0"
    assert not target.matches_machine()
    found[0] = target.compute_capabilities[0]
    assert target.matches_machine()


def test_the_gpu_of_this_machine_is_asked() -> None:
    from edgewright_targets.gpu import gpu, unavailable

    reason = unavailable()
    if reason is None:
        here = gpu()
        assert isinstance(here, Gpu)
        assert module.capability_here() == here.capability
    else:
        assert reason.endswith(".")
        assert module.capability_here() is None


def test_amx_is_asked_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target("x86-64-amx")
    assert target.candidates == load_target("x86-64").candidates
    host(monkeypatch, "x86_64", "avx2", "avx512_vnni")
    assert not target.matches_machine()
    assert load_target("x86-64").matches_machine()
    host(monkeypatch, "x86_64", "amx_bf16", "amx_int8", "amx_tile", "avx2")
    assert target.matches_machine()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('compute_capabilities = ["sm_89"]', "'sm_89' is not a compute capability such as '8.9'"),
        ('isa = ["amx_int9"]', "Did you mean 'amx_int8'"),
        ("compute_capabilities = []", "the target has no compute_capabilities"),
    ],
)
def test_a_wrong_value_is_named(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "Mine"\nextends = "rtx-40"\n{line}\n', encoding="utf-8")
    with pytest.raises(InputError, match="mine") as caught:
        load_target(str(path))
    assert says in str(caught.value)
