"""Engines of OpenVINO's own runtime, from a build to an answer, and on a device without it."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from doubles import QUICK_METER, recorded_times
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.cache import StageCache
from edgewright_runtime import EngineUnavailableError, Package, load, verify
from edgewright_runtime import openvino_blobs as blobs
from edgewright_runtime.package_files import file_digest
from tiny_models import write_arrays, write_onnx
from tiny_targets import candidate_text, write_target

openvino: Any = pytest.importorskip("openvino")

CHOSEN, PORTABLE, BASELINE = "mine-ov-fp32", "mine-cpu-int8", "mine-cpu-fp32"
OPENVINO = candidate_text(
    "ov-fp32",
    "fp32",
    provider="OpenVINO",
    engine="openvino",
    provider_options={"INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": "NO"},
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OpenVINO's engine is the fastest in it, and that of int8 faster than float."""
    folder = tmp_path_factory.mktemp("openvino")
    options = BuildOptions(
        output=folder / "p.ortpackage",
        targets=(str(write_target(folder / "mine.toml", OPENVINO)),),
        calibration=write_arrays(folder / "data.npz"),
        max_drop=0.9,
        meter=QUICK_METER,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        recorded_times(patch, {BASELINE: [1.0], PORTABLE: [0.5], CHOSEN: [0.25]})
        return build(str(write_onnx(folder / "model.onnx")), options).package


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgewright" / "openvino"


def test_the_best_portable_engine_ships_beside_it(package: Path) -> None:
    assert Package.open(package).manifest.order == (CHOSEN, PORTABLE, BASELINE)
    variants = json.loads((package / "manifest.json").read_text(encoding="utf-8"))["components"]["model"]["variants"]
    assert set(variants[CHOSEN]["executor_info"]) == {"openvino", "edgewright"}
    assert set(variants[PORTABLE]["executor_info"]) == {"ort", "edgewright"}


def test_it_answers_as_the_float_engine(package: Path) -> None:
    sample = {"pixels": np.random.default_rng(3).normal(size=(5, 8)).astype(np.float32)}
    with load(package, engine=BASELINE) as model:
        expected = model(sample)["scores"]
    with load(package) as model:
        assert (model.engine.name, model.engine.provider) == (CHOSEN, "OpenVINO")
        assert set(model.engine.nodes) == {"OpenVINO"}
        np.testing.assert_allclose(model(sample)["scores"], expected, rtol=1e-5, atol=1e-5)
    assert verify(package).engine.name == CHOSEN


def test_plain_onnx_runtime_opens_the_package(package: Path) -> None:
    context = onnxruntime.ModelPackageContext(str(package))
    options = onnxruntime.SessionOptions()
    options.add_provider("CPUExecutionProvider", {})
    session = context.select_component("model", onnxruntime.ModelPackageOptions(options)).create_session()
    assert [entry.name for entry in session.get_inputs()] == ["pixels"]


def test_without_openvino_the_portable_engine_runs_and_says_so(package: Path) -> None:
    script = (
        "import sys, warnings; sys.modules['openvino'] = None\n"
        "import edgewright_runtime, numpy as np\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        f"    model = edgewright_runtime.load({str(package)!r})\n"
        "print(model.engine.name, said[0].category.__name__, said[0].message)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{PORTABLE} EngineFallbackWarning Running '{PORTABLE}' instead: OpenVINO is not ")
    assert "pip install 'edgewright[openvino]'" in done.stdout


def _blob(cache: Path) -> Path:
    (blob,) = cache.glob("*/model.blob")
    return blob


def _whole(blob: Path) -> bool:
    """Its facts are about it, and OpenVINO opens it. Two blobs of one graph may differ by some bytes."""
    facts = json.loads((blob.parent / "model.json").read_text(encoding="utf-8"))
    opened = openvino.Core().import_model(io.BytesIO(blob.read_bytes()), "CPU", {})
    return bool(facts["sha256"] == file_digest(blob)) and len(opened.inputs) == 1


def test_the_second_start_takes_what_the_first_compiled(
    package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(package, engine=CHOSEN).close()
    before = _blob(cache).stat().st_ino
    monkeypatch.setattr(blobs, "_readable", lambda *_: pytest.fail("compiled again"))
    load(package, engine=CHOSEN).close()
    assert _blob(cache).stat().st_ino == before
    # Nothing but finished blobs is left.
    assert [path.name for path in cache.iterdir()] == [_blob(cache).parent.name]


@pytest.mark.parametrize("damage", ["cut", "foreign", "facts", "empty"])
def test_a_damaged_blob_is_made_anew(package: Path, cache: Path, damage: str) -> None:
    load(package, engine=CHOSEN).close()
    blob = _blob(cache)
    whole = blob.read_bytes()
    if damage == "facts":
        (blob.parent / "model.json").write_text("[]", encoding="utf-8")
    else:
        blob.write_bytes({"cut": whole[: len(whole) // 2], "foreign": b"x" * len(whole), "empty": b""}[damage])
    load(package, engine=CHOSEN).close()
    assert _whole(_blob(cache))


def test_a_blob_that_openvino_does_not_take_is_made_anew(package: Path, cache: Path) -> None:
    """As after a change of OpenVINO that its version does not show: the digest is right, the content is not."""
    load(package, engine=CHOSEN).close()
    blob = _blob(cache)
    blob.write_bytes(b"x" * 1000)
    facts = json.loads((blob.parent / "model.json").read_text(encoding="utf-8"))
    facts["sha256"] = file_digest(blob)
    (blob.parent / "model.json").write_text(json.dumps(facts), encoding="utf-8")
    with load(package, engine=CHOSEN) as model:
        assert model({"pixels": np.zeros((1, 8), dtype=np.float32)})["scores"].shape == (1, 4)
    assert _whole(_blob(cache))


def test_a_cache_that_cannot_be_written_is_done_without(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    load(package, engine=CHOSEN).close()


def test_blobs_that_were_not_used_for_long_make_room(
    package: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(package, engine=CHOSEN, threads=1).close()
    size = _blob(cache).stat().st_size
    monkeypatch.setattr(blobs, "MOST_BYTES", size * 3 // 2)
    load(package, engine=CHOSEN, threads=2).close()
    assert (
        json.loads((_blob(cache).parent / "model.json").read_text())["key"]["settings"]["INFERENCE_NUM_THREADS"] == "2"
    )


def test_blobs_are_listed_and_cleared_with_the_rest_of_the_cache(package: Path, cache: Path) -> None:
    load(package, engine=CHOSEN).close()
    (entry,) = StageCache().entries()
    assert (entry.stage, entry.key) == ("openvino", _blob(cache).parent.name)
    assert entry.bytes > _blob(cache).stat().st_size
    assert StageCache().clear() == (1, entry.bytes)
    assert not list(cache.iterdir())


def test_weights_in_a_shared_asset_are_read_and_belong_to_the_key(package: Path, tmp_path: Path, cache: Path) -> None:
    """Weights of another package under the same names are another blob, whatever digests the package lists."""
    copy = Path(shutil.copytree(package, tmp_path / "copy.ortpackage"))
    sample = {"pixels": np.ones((1, 8), dtype=np.float32)}
    with load(copy, engine=CHOSEN) as model:
        before = model(sample)["scores"]
    files = [path for path in Package.open(copy).engine_files(CHOSEN) if path.suffix != ".onnx"]
    assert files, "the engine has no shared weights"
    for path in files:
        content = np.frombuffer(path.read_bytes(), dtype=np.float32)
        path.write_bytes((content * 2).tobytes())
    with load(copy, engine=CHOSEN) as model:
        after = model(sample)["scores"]
    assert np.abs(after - before).max() > 0.1


def test_a_package_cannot_name_a_folder(package: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(package, tmp_path / "copy.ortpackage"))
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    variant = manifest["components"]["model"]["variants"][CHOSEN]
    variant["executor_info"]["openvino"]["provider_options"]["CACHE_DIR"] = str(tmp_path)
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(Exception, match="option 'CACHE_DIR' is not allowed"):
        load(copy)


def test_a_graph_that_is_not_one_is_a_reason(package: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(package, tmp_path / "copy.ortpackage"))
    Package.open(copy).engine_files(CHOSEN)[0].write_bytes(b"not a graph")
    with pytest.raises(EngineUnavailableError, match="OpenVINO refused its graph"):
        load(copy, engine=CHOSEN)
