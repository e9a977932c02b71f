"""Plans that a device makes: built once, kept by all that decides them, never taken for others."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from command import Command
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.compile import CompileError
from edgewright_compiler.finish import device_plan
from edgewright_compiler.finish.device_plan import stored_or_built
from edgewright_runtime import Package
from edgewright_runtime import plan_key as plan_key_module
from edgewright_runtime.cache_folder import cache_folder
from edgewright_runtime.finished import plan_folder, stored_plan, write_finished
from edgewright_runtime.plan_key import plan_key
from unfinished import GPU, PLAN, found, make, needs_no_gpu, on_the_device

pytestmark = needs_no_gpu


@pytest.fixture
def package(unfinished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Package:
    """The package, with a cache folder where nothing was finished yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Package.open(unfinished)


def test_a_plan_is_built_once(package: Package) -> None:
    spec = on_the_device(package)
    assert stored_plan(plan_key(package, spec, "model", GPU)) is None
    assert make(package, spec) is True
    plan = stored_plan(plan_key(package, spec, "model", GPU))
    assert plan is not None
    before = plan.stat()
    assert make(package, spec) is False
    assert plan.stat() == before
    assert sorted(path.name for path in plan.parent.iterdir()) == [
        "build.log",
        "engine.json",
        "engine.plan",
        "layers.txt",
    ]
    # Nothing is left aside, and the package is as it was.
    assert [path.name for path in plan.parent.parent.iterdir()] == [plan.parent.name]
    package.check_digests()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "RTX 4080"},
        {"capability": "8.6"},
        {"memory_bytes": 2**30},
        {"driver": "581.00 cuda 13000"},
    ],
)
def test_another_gpu_or_driver_is_another_key(change: dict[str, Any], package: Package) -> None:
    spec = on_the_device(package)
    other = dataclasses.replace(GPU, **change)
    assert plan_folder(plan_key(package, spec, "model", GPU)) != plan_folder(plan_key(package, spec, "model", other))


@pytest.mark.parametrize(
    "change",
    [
        {"precision": "bf16"},
        {"provider_options": {"profile": '{"pixels":[[1,8],[1,8],[2,8]]}'}},
    ],
)
def test_other_shapes_or_precision_are_another_key(change: dict[str, Any], package: Package) -> None:
    spec = on_the_device(package)
    if "provider_options" in change:
        change = {"parts": {"model": dataclasses.replace(spec.parts["model"], **change)}}
    other = dataclasses.replace(spec, **change)
    assert plan_folder(plan_key(package, spec, "model", GPU)) != plan_folder(plan_key(package, other, "model", GPU))


def test_another_tensorrt_graph_or_weight_is_another_key(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = on_the_device(package)
    key = plan_key(package, spec, "model", GPU)
    files = key.files
    assert any(name.endswith("model.onnx") for name in files)
    assert any(name.endswith("weights.bin") for name in files)
    assert all(len(digest) == 64 for digest in files.values())
    for name in files:
        sums = {**package.digests(), name: "0" * 64}
        with monkeypatch.context() as patch:
            patch.setattr(Package, "digests", lambda self, sums=sums: sums)
            assert plan_folder(plan_key(package, spec, "model", GPU)) != plan_folder(key)
    module = type("Module", (), {"__version__": "9.9"})
    monkeypatch.setattr(plan_key_module, "load_module", lambda flavour: module)
    assert plan_folder(plan_key(package, spec, "model", GPU)) != plan_folder(key)


def test_a_damaged_plan_is_built_again(package: Package) -> None:
    spec = on_the_device(package)
    make(package, spec)
    key = plan_key(package, spec, "model", GPU)
    plan = plan_folder(key) / "engine.plan"
    whole = plan.read_bytes()
    plan.write_bytes(whole[:-1])
    assert stored_plan(key) is None
    assert make(package, spec) is True
    assert plan.read_bytes() == whole
    # An entry that lies about its key is none.
    facts = plan_folder(key) / "engine.json"
    data = json.loads(facts.read_text(encoding="utf-8"))
    data["key"]["driver"] = "another"
    facts.write_text(json.dumps(data), encoding="utf-8")
    assert stored_plan(key) is None


def test_a_build_that_fails_leaves_nothing(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = on_the_device(package)
    with pytest.raises(CompileError, match=r"compute capability 8\.8"):
        stored_or_built(package, spec, GPU, Quiet(), capabilities=("8.8",))

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(device_plan, "file_digest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(package, spec)
    assert list((cache_folder() / "engines").iterdir()) == []
    assert stored_plan(plan_key(package, spec, "model", GPU)) is None


def test_the_same_bytes_as_the_build_of_the_package(package: Package, unfinished: Path) -> None:
    """Both were built from the same graph for the same capability, here and in another folder and process."""
    spec = on_the_device(package)
    make(package, spec)
    plan = plan_folder(plan_key(package, spec, "model", GPU)) / "engine.plan"
    assert plan.read_bytes() == (unfinished / package.manifest.engines[PLAN].parts["model"].model_file).read_bytes()


def test_the_cache_shows_and_clears_them(package: Package, command: Command) -> None:
    make(package, on_the_device(package))
    write_finished(package, package.manifest.engines[PLAN], GPU, found(PLAN))
    shown = json.loads(command("cache", "--json").out)
    assert [entry["stage"] for entry in shown["entries"]] == ["engines"]
    assert command("cache", "clear").code == 0
    assert not any((cache_folder() / name).is_dir() and any((cache_folder() / name).iterdir()) for name in ("engines",))
    assert not (cache_folder() / "finished").exists()
