"""Settings of speed reach the session of ONNX Runtime; other keys and values do not get into a package."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from edgewright_runtime import Package, PackageError, SampleError, load
from edgewright_runtime.engine import Engine
from edgewright_runtime.options import FREE_DIMENSION, SESSION_OPTIONS, check_options

ENGINE = "tiny-cpu-fp32"


def with_options(package: Path, **options: str) -> Path:
    path = package / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    (variant,) = data["components"]["model"]["variants"].values()
    variant["executor_info"]["ort"].setdefault("session_options", {}).update(options)
    path.write_text(json.dumps(data), encoding="utf-8")
    return package


def session_options(folder: Path, **options: str) -> Any:
    package = Package.open(with_options(folder, **options))
    with Engine(package, package.manifest.engines[ENGINE]) as engine:
        return engine.graph("model").session.get_session_options()


ATTRIBUTES: dict[str, tuple[str, Callable[[Any], Any], Any]] = {
    "session.enable_cpu_mem_arena": ("0", lambda found: found.enable_cpu_mem_arena, False),
    "session.enable_mem_pattern": ("0", lambda found: found.enable_mem_pattern, False),
    "session.execution_mode": (
        "parallel",
        lambda found: found.execution_mode,
        onnxruntime.ExecutionMode.ORT_PARALLEL,
    ),
}
ENTRIES = {
    "session.intra_op.allow_spinning": "0",
    "session.inter_op.allow_spinning": "0",
    "session.disable_prepacking": "1",
    "session.set_denormal_as_zero": "1",
    "session.qdqisint8allowed": "1",
    "session.disable_quant_qdq": "1",
    "session.enable_quant_qdq_cleanup": "1",
    "session.disable_double_qdq_remover": "1",
    "mlas.enable_gemm_fastmath_arm64_bfloat16": "1",
    "mlas.disable_kleidiai": "1",
}


@pytest.mark.parametrize("key", ATTRIBUTES)
def test_what_python_has_as_an_attribute_is_set(old_package: Path, key: str) -> None:
    value, read, expected = ATTRIBUTES[key]
    assert read(session_options(old_package)) != expected
    assert read(session_options(old_package, **{key: value})) == expected


@pytest.mark.parametrize("key", ENTRIES)
def test_the_other_settings_are_entries_of_the_session(old_package: Path, key: str) -> None:
    assert session_options(old_package, **{key: ENTRIES[key]}).get_session_config_entry(key) == ENTRIES[key]


def test_every_setting_is_looked_at_here() -> None:
    elsewhere = {
        "intra_op_num_threads",
        "session.model_external_initializers_file_folder_path",
        "session.graph_optimization_level",
        "session.x64quantprecision",
        "session.disable_cpu_ep_fallback",
        FREE_DIMENSION,
    }
    assert set(SESSION_OPTIONS) == elsewhere | set(ATTRIBUTES) | set(ENTRIES)


def test_an_axis_has_the_length_that_the_package_says(old_package: Path) -> None:
    sample = {"pixels": np.zeros((2, 8), np.float32)}
    with load(old_package) as model:
        name = model.engine.name
        model(sample)
        free = _axis(old_package)
    with_options(old_package, **{f"{FREE_DIMENSION}{free}": "1"})
    with load(old_package) as model:
        assert model.engine.name == name
        model({"pixels": np.zeros((1, 8), np.float32)})
        with pytest.raises(SampleError, match=r"'pixels' has the shape \[2, 8\]; the model takes \[1, 8\]"):
            model(sample)


def _axis(folder: Path) -> str:
    package = Package.open(folder)
    with Engine(package, package.manifest.engines[ENGINE]) as engine:
        return str(engine.graph("model").session.get_inputs()[0].shape[0])


WRONG = {
    "session.intra_op.allow_spinning": ("2", "expected one of 0, 1"),
    "session.execution_mode": ("ORT_PARALLEL", "expected one of sequential, parallel"),
    "session.enable_mem_pattern": ("false", "expected one of 0, 1"),
    f"{FREE_DIMENSION}batch": ("0", "expected a length from 1 to 999999999"),
    f"{FREE_DIMENSION}rows": ("-1", "expected a length from 1 to 999999999"),
    f"{FREE_DIMENSION}": ("1", "is not allowed in a package"),
    f"{FREE_DIMENSION}a\nb": ("1", "is not allowed in a package"),
    f"{FREE_DIMENSION}{'a' * 91}": ("1", "is not allowed in a package"),
    "session.intra_op.spin_duration_us": ("1", "is not allowed in a package"),
    "session.intra_op_thread_affinities": ("1", "is not allowed in a package"),
}


@pytest.mark.parametrize("key", WRONG)
def test_other_keys_and_values_are_refused(key: str) -> None:
    value, says = WRONG[key]
    with pytest.raises(PackageError, match=says):
        check_options({key: value}, SESSION_OPTIONS, "p: engine 'e'", "session")
