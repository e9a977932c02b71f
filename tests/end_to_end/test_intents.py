"""The demo's trained model on its whole test split: the package answers as the torch model does, without torch."""

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgewright_runtime
from doubles import QUICK_METER, Recording
from edgewright_benchmarks.bench import bench, build_evidence
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.intervals import paired_accuracy_drop
from edgewright_cli import main
from edgewright_compiler import BuildOptions, build
from edgewright_runtime import Package
from edgewright_runtime.probe import Probe

pytestmark = pytest.mark.slow

BUDGET = 0.01
Answers = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def test_split(intents_data: Path) -> tuple[list[str], list[str]]:
    with (intents_data / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


@pytest.fixture(scope="module")
def torch_answers(intents_checkpoint: Path, test_split: tuple[list[str], list[str]]) -> Answers:
    """What the source itself answers: transformers' tokenizer and the torch model."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(intents_checkpoint)
    model = AutoModelForSequenceClassification.from_pretrained(intents_checkpoint).eval()
    with torch.no_grad():
        logits = [model(**tokenizer(text, return_tensors="pt")).logits.numpy() for text in test_split[0]]
    found = np.concatenate(logits)
    return {"logits": found, "labels": np.array([model.config.id2label[i] for i in found.argmax(axis=1)])}


def _on_device(
    python: Path, environment: dict[str, str], package: Path, texts: list[str], folder: Path, *engine: str
) -> Answers:
    sentences, answers = folder / "sentences.json", folder / f"answers{'-'.join(('', *engine))}.npz"
    sentences.write_text(json.dumps(texts), encoding="utf-8")
    script = Path(__file__).with_name("device.py")
    command = [str(word) for word in (python, script, package, sentences, answers, *engine)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr[-4000:]
    with np.load(answers) as file:
        return {name: file[name] for name in file.files}


def test_float_engine_answers_the_logits_of_the_source_without_torch(
    bare_python: Path,
    quiet_environment: dict[str, str],
    intents_package: Path,
    test_split: tuple[list[str], list[str]],
    torch_answers: Answers,
    tmp_path: Path,
) -> None:
    baseline = Package.open(intents_package).manifest.baselines["x86-64"]
    found = _on_device(bare_python, quiet_environment, intents_package, test_split[0], tmp_path, baseline)
    assert str(found["engine"]) == baseline
    np.testing.assert_allclose(found["logits"], torch_answers["logits"], atol=1e-3)
    assert (found["labels"] == torch_answers["labels"]).all()


def test_chosen_engine_keeps_the_accuracy_without_torch(
    bare_python: Path,
    quiet_environment: dict[str, str],
    intents_package: Path,
    test_split: tuple[list[str], list[str]],
    torch_answers: Answers,
    tmp_path: Path,
) -> None:
    texts, truth = test_split
    # The archive, so that what a device gets by file transfer is what is tested.
    archive = intents_package.with_name(f"{intents_package.name}.tar")
    environment = {**quiet_environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    found = _on_device(bare_python, environment, archive, texts, tmp_path)
    expected = np.array(truth)
    drop = paired_accuracy_drop(torch_answers["labels"] == expected, found["labels"] == expected)
    # On other data than the choice was made on, the point estimate must be within the budget.
    assert drop.value <= BUDGET
    assert (found["labels"] == expected).mean() > 0.85


def test_the_verbs_of_a_device_work_without_extras(
    bare_python: Path, quiet_environment: dict[str, str], intents_package: Path, tmp_path: Path
) -> None:
    edgewright = bare_python.with_name("edgewright")
    for verb, *rest in (["run", "turn on the kitchen lights"], ["verify"], ["inspect"]):
        command = [str(edgewright), verb, str(intents_package), *rest, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=quiet_environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        if verb == "run":
            assert answer["answers"][0]["labels"][0]["label"] == "HassTurnOn"


def test_plain_onnx_runtime_opens_the_package_and_answers_the_same(
    intents_package: Path, test_split: tuple[list[str], list[str]]
) -> None:
    import onnxruntime

    context = onnxruntime.ModelPackageContext(str(intents_package))
    options = onnxruntime.SessionOptions()
    options.add_provider("CPUExecutionProvider", {})
    selected = context.select_component("model", onnxruntime.ModelPackageOptions(options))
    session = selected.create_session()
    name = selected.get_selected_variant_name()
    with edgewright_runtime.load(intents_package, engine=name) as model:
        # Plain ONNX Runtime takes the first engine its provider can run: the best one of ours on the CPU.
        order = [e for e in model.manifest.order if model.manifest.engines[e].provider == "CPUExecutionProvider"]
        assert name == order[0]
        for text in test_split[0][:20]:
            (plain,) = session.run(None, Probe(model).feeds(text))
            (ours,) = model.run(text)["outputs"].values()
            np.testing.assert_allclose(plain, ours, atol=1e-4)


def test_no_accepted_candidate_is_faster_than_the_chosen_engine(intents_package: Path) -> None:
    evidence = build_evidence(Package.open(intents_package))
    accepted = [e.latency.ratio.value for e in evidence.engines if e.status == "accepted" and e.latency]
    chosen = evidence.engine(evidence.chosen)
    assert chosen.latency is not None
    assert chosen.latency.ratio.value <= min([*accepted, 1.0])
    assert {e.name for e in evidence.engines} >= {f"x86-64-openvino-{p}" for p in ("default", "fp32", "int8")}


@pytest.fixture(scope="module")
def benched(intents_package: Path, intents_data: Path) -> Result:
    return bench(intents_package, intents_data / "test.csv", settings=MeterSettings(rounds=3, calls=8, loads=2))


def test_bench_quotes_data_that_the_choice_never_saw(benched: Result, intents_package: Path) -> None:
    evidence = build_evidence(Package.open(intents_package))
    assert benched.data.name == "test.csv"
    assert evidence.data.name == "validation.csv"
    assert benched.data.digest != evidence.data.digest
    engine = benched.engine(benched.chosen)
    assert engine.accuracy is not None
    assert set(engine.accuracy.metrics) == {"accuracy", "macro_f1"}
    assert engine.latency is not None
    assert len(engine.latency.values) == 3 * 8
    assert len(engine.load_seconds) == 2
    assert engine.peak_memory_bytes


def test_bench_warns_where_the_data_was_seen(intents_package: Path, intents_data: Path, tmp_path: Path) -> None:
    evidence_data = intents_data / "validation.csv"
    small = QUICK_METER
    result = bench(intents_package, evidence_data, settings=small)
    assert any("chosen on this data" in warning for warning in result.warnings)


def test_the_whole_way_by_the_command_line(
    intents_package: Path, intents_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, raw = tmp_path / "report.html", tmp_path / "bench.json"
    few = ["--rounds", "2", "--calls", "4", "--loads", "1", "--quiet"]
    code = main(
        [
            "bench", str(intents_package), "--data", str(intents_data / "test.csv"),
            "--report", str(report), "--output", str(raw), *few,
        ]
    )  # fmt: skip
    assert code == 0
    assert "validation.csv" in report.read_text(encoding="utf-8")
    assert json.loads(raw.read_text(encoding="utf-8"))["kind"] == "bench"
    capsys.readouterr()


def test_another_output_is_built_without_doing_anything_again(
    intents_checkpoint: Path, intents_data: Path, intents_package: Path, tmp_path: Path
) -> None:
    notes = Recording()
    options = BuildOptions(
        output=tmp_path / "again.ortpackage",
        calibration=intents_data / "train.csv",
        evaluation=intents_data / "validation.csv",
    )
    again = build(str(intents_checkpoint), options, progress=notes)
    stages = [line for line in notes.notes if line.startswith(("Exported", "Checked", "Quantized", "Measured"))]
    assert len(stages) >= 5
    assert all(line.endswith("from the cache") for line in stages), stages
    assert again.result.engines == build_evidence(Package.open(intents_package)).engines
    assert (again.package / "manifest.json").read_bytes() == (intents_package / "manifest.json").read_bytes()
