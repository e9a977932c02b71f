"""Options of a manifest that ONNX Runtime or a provider would follow to files of the user: none gets that far."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from edgewright_runtime import Package, PackageError, load
from edgewright_runtime.engine import Engine
from edgewright_runtime.options import SESSION_OPTIONS
from edgewright_runtime.providers import PROVIDERS, provider
from edgewright_targets import load_target, target_names


def _edit(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = package / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    (variant,) = data["components"]["model"]["variants"].values()
    change(variant)
    path.write_text(json.dumps(data), encoding="utf-8")


def _options(package: Path, which: str, provider: str = "CPUExecutionProvider", **options: str) -> None:
    def change(variant: dict[str, Any]) -> None:
        variant["ep"] = provider
        variant["executor_info"]["ort"].setdefault(which, {}).update(options)

    _edit(package, change)


def test_a_package_writes_no_file(old_package: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("mine", encoding="utf-8")
    _options(old_package, "session_options", **{"session.collect_node_memory_stats_to_file": str(canary)})
    with pytest.raises(PackageError, match=r"engine 'tiny-cpu-fp32': the session option .*stats_to_file.* not allowed"):
        load(old_package)
    assert canary.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("folder", ["/", "/etc", "..", "", "sha256:00", "sha256:" + "0" * 64 + "\n", "model"])
def test_weights_come_from_an_asset_only(old_package: Path, folder: str) -> None:
    _options(old_package, "session_options", **{"session.model_external_initializers_file_folder_path": folder})
    with pytest.raises(PackageError, match="expected an asset URI"):
        Package.open(old_package)


SESSION = {
    "empty": ("", ""),
    "long-key": ("k" * 1025, "1"),
    "long-value": ("session.disable_cpu_ep_fallback", "1" * 8193),
    "record": ("session.record_ep_graph_assignment_info", "0"),
    "optimization": ("session.graph_optimization_level", "enable_all"),
    "optimization-number": ("session.graph_optimization_level", "0"),
    "custom-library": ("session.custom_ops_library", "/tmp/evil.so"),
    "profile": ("session.profile_file_prefix", "/tmp/evil"),
    "optimized": ("session.optimized_model_filepath", "/tmp/evil"),
    "context": ("ep.context_file_path", "/tmp/evil"),
    "threads-digits": ("intra_op_num_threads", "9" * 5000),
    "threads-sign": ("intra_op_num_threads", "-1"),
    "threads-other-digits": ("intra_op_num_threads", "\u0663"),
}


@pytest.mark.parametrize("name", SESSION)
def test_session_options(old_package: Path, name: str) -> None:
    key, value = SESSION[name]
    _options(old_package, "session_options", **{key: value})
    with pytest.raises(PackageError) as refused:
        Package.open(old_package)
    assert "session option" in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_an_engine_may_be_run_as_it_is_written(old_package: Path) -> None:
    levels = {}
    for options in ({}, {"session.graph_optimization_level": "disable_all"}):
        _options(old_package, "session_options", **options)
        with Engine(Package.open(old_package), Package.open(old_package).manifest.engines["tiny-cpu-fp32"]) as engine:
            session = engine.graph("model").session
            levels[bool(options)] = session.get_session_options().graph_optimization_level.name
    assert levels == {False: "ORT_ENABLE_ALL", True: "ORT_DISABLE_ALL"}
    # ONNX Runtime's own reader of packages knows the option.
    context = onnxruntime.ModelPackageContext(str(old_package))
    chosen = context.select_component("model", onnxruntime.ModelPackageOptions(onnxruntime.SessionOptions()))
    assert chosen.create_session().get_inputs()


_OPENVINO = "OpenVINOExecutionProvider"
PROVIDER = {
    "cpu": ("CPUExecutionProvider", "arena_extend_strategy", "1"),
    "qnn-library": ("QNNExecutionProvider", "backend_path", "/tmp/evil.so"),
    "qnn-profile": ("QNNExecutionProvider", "profiling_file_path", "/tmp/evil.csv"),
    "qnn-dump": ("QNNExecutionProvider", "dump_qnn_ir_dlc_dir", "/tmp"),
    "qnn-operators": ("QNNExecutionProvider", "op_packages", "A:/tmp/evil.so:f"),
    "qnn-architecture": ("QNNExecutionProvider", "htp_arch", "/tmp"),
    "qnn-chip": ("QNNExecutionProvider", "soc_model", "9" * 5000),
    "openvino-cache": (_OPENVINO, "cache_dir", "/tmp"),
    "openvino-config-file": (_OPENVINO, "load_config", "/tmp/config.json"),
    "openvino-config-cache": (_OPENVINO, "load_config", '{"CPU": {"CACHE_DIR": "/tmp"}}'),
    "openvino-config-device": (_OPENVINO, "load_config", '{"GPU": {}}'),
    "openvino-config-value": (_OPENVINO, "load_config", '{"CPU": {"PERFORMANCE_HINT": ["LATENCY"]}}'),
    "openvino-config-twice": (_OPENVINO, "load_config", '{"CPU": {"CACHE_DIR": "/tmp"}, "CPU": {}}'),
    "openvino-config-deep": (_OPENVINO, "load_config", "[" * 900),
    "webgpu-address": ("WebGpuExecutionProvider", "webgpuDevice", "140737488355328"),
    "webgpu-functions": ("WebGpuExecutionProvider", "dawnProcTable", "140737488355328"),
    "webgpu-power": ("WebGpuExecutionProvider", "powerPreference", "all"),
    "plan-file": ("TensorRT-RTX", "runtime_cache", "/tmp/evil"),
    "plan-version": ("TensorRT-RTX", "tensorrt_version", "1/../2"),
}


@pytest.mark.parametrize("name", PROVIDER)
def test_provider_options(old_package: Path, name: str) -> None:
    wanted, key, value = PROVIDER[name]
    _options(old_package, "provider_options", wanted, **{key: value})
    with pytest.raises(PackageError, match=f"the {wanted} option '{key}'"):
        Package.open(old_package)


def test_every_option_of_the_targets_is_allowed() -> None:
    checked = 0
    for name in target_names():
        for candidate in load_target(name).candidates:
            module = provider(candidate.provider)
            for key, value in module.options(candidate.provider_options, 2).items():
                assert module.ALLOWED[key](value) is None, f"{name}: {candidate.name}: {key}"
                checked += 1
            assert set(candidate.session_options) <= set(SESSION_OPTIONS)
    assert checked > len(PROVIDERS)


@pytest.mark.parametrize("multiple", [0, -1, 2**16 + 1, 10**9, 2**62])
def test_padding_without_end(old_package: Path, multiple: int) -> None:
    _edit(old_package, lambda variant: variant["executor_info"]["edgewright"].update(pad_to_multiple_of=multiple))
    with pytest.raises(PackageError, match=f"pad_to_multiple_of is {multiple}"):
        Package.open(old_package)
