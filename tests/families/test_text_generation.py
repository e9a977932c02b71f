"""From a causal language model's folder to `edgewright run`: the build, the package without torch, the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

import tiny_models
from command import QUICK, Command, run_apart
from edgewright_benchmarks.result_files import read_result
from edgewright_compiler.graphs.exported import GRAPH_FILE, copy_graph
from edgewright_compiler.graphs.quantize import quantize
from edgewright_runtime import Package, load
from edgewright_runtime.requests import TimeTokens
from edgewright_runtime.token_times import time_tokens
from edgewright_targets import InputError, Recipe
from tiny_targets import candidate_text, recipe_text, write_target

PROMPT = "turn on the hall light"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = "int8-weight-only"
    more = (
        recipe_text(name, method="weight-only", block_size=16),
        candidate_text(f"cpu-{name}", name, tasks=["text-generation"]),
    )
    return write_target(tmp_path_factory.mktemp("target") / "small.toml", *more)


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_causal(tmp_path_factory.mktemp("causal") / "gpt")


@pytest.fixture(scope="module")
def generator(causal: Path, target: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of the generator: do not write into it."""
    output = causal.parent / "gpt.ortpackage"
    data = ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv")
    done = run_apart(
        "build", causal, *data, "--target", target, "--threads", "1", "-o", output, *QUICK, cache=shared_cache,
        cwd=sources,
    )  # fmt: skip
    assert done.code == 0, done.err
    return output


def test_evidence_has_what_a_generator_is_measured_by(generator: Path) -> None:
    evidence = Package.open(generator).evidence("small")
    assert evidence["task"] == "text-generation"
    assert evidence["measure"] == "accuracy"
    metrics = {engine["name"]: engine["accuracy"]["metrics"] for engine in evidence["engines"]}
    assert set(metrics) == {"small-cpu-fp32", "small-cpu-int8", "small-cpu-int8-weight-only"}
    for values in metrics.values():
        assert set(values) == {"accuracy", "perplexity", "token_agreement"}
    assert metrics["small-cpu-fp32"]["token_agreement"]["value"] == 1
    rounded = metrics["small-cpu-int8-weight-only"]
    assert 0.8 < rounded["token_agreement"]["value"] < 1
    assert rounded["perplexity"]["value"] != metrics["small-cpu-fp32"]["perplexity"]["value"]


def test_a_bench_times_texts_after_prompts_of_lengths(generator: Path, sources: Path, command: Command) -> None:
    values = command.folder / "result.json"
    words = ("bench", generator, "--data", sources / "validation.csv", *QUICK)
    done = command(*words, "--prompt-lengths", "4,12", "-o", values)
    assert done.code == 0, done.err
    for engine in read_result(values).engines:
        assert [speed.prompt_tokens for speed in engine.text_speed] == [4, 12]
        assert not engine.unknown
        for speed in engine.text_speed:
            assert len(speed.readings) == 2
            assert {one.new_tokens for one in speed.readings} == {16}
            assert 0 < speed.first_token.low <= speed.first_token.high
            assert speed.tokens_per_second.low > 0
    assert "Generated texts, from the tokens of a prompt to the first new token" in " ".join(done.out.split())
    command.refuses(*words, "--prompt-lengths", "4000", says=["the model takes prompts of at most"])


def test_prompts_are_made_of_the_data_to_the_token(generator: Path) -> None:
    """The loop is given as many tokens as were asked for, from one text or from several, and makes as many as asked."""
    with load(generator, engine="small-cpu-fp32") as model:
        writer: Any = model.pipeline.steps[-1]
        given: list[int] = []
        step = writer.loop.step

        def counted(tokens: Any, *rest: Any, **more: Any) -> Any:
            given.append(tokens.shape[1])
            return step(tokens, *rest, **more)

        writer.loop.step = counted
        for length in (3, 20):
            found = time_tokens(model, [PROMPT, "lights off"], TimeTokens(index=1, prompt_tokens=length, new_tokens=5))
            assert (found.prompt_tokens, found.new_tokens) == (length, 5)
            assert given == [length, 1, 1, 1, 1]
            given.clear()
        with pytest.raises(InputError, match="samples are not texts"):
            time_tokens(model, [1.0], TimeTokens(index=0, prompt_tokens=3, new_tokens=5))


def test_an_embedding_that_is_the_last_layer_too_is_stored_once(generator: Path, causal: Path) -> None:
    def size(engine: str) -> int:
        _, *weights = Package.open(generator).engine_files(engine)
        return sum(path.stat().st_size for path in weights)

    parameters = next(causal.glob("*.safetensors")).stat().st_size
    assert parameters * 0.95 < size("small-cpu-fp32") < parameters * 1.05


def test_candidates_for_generators_are_not_tried_elsewhere(command: Command, target: Path, sources: Path) -> None:
    output = command.folder / "other.ortpackage"
    done = command(
        "build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz", "--target", target, "-o", output,
        *QUICK,
    )  # fmt: skip
    assert done.code == 0, done.err
    names = [engine["name"] for engine in Package.open(output).evidence("small")["engines"]]
    assert names == ["small-cpu-fp32", "small-cpu-int8"]


def test_run_prints_the_answer_and_json_says_how_it_came_about(command: Command, generator: Path) -> None:
    asked = (generator, PROMPT, "--max-new-tokens", "7", "--repetition-penalty", "1.3")
    people = command("run", *asked)
    machines = command("run", *asked, "--json")
    assert people.code == machines.code == 0, people.err + machines.err
    (answer,) = json.loads(machines.out)["answers"]
    assert people.out == answer["generated_text"] + "\n"
    assert answer["limit"] == 7
    assert "ended by " in people.err
    assert len(answer["tokens"]) <= 7


def test_run_samples_with_a_seed(command: Command, generator: Path) -> None:
    def sampled(*more: str) -> Any:
        done = command("run", generator, PROMPT, "--max-new-tokens", "12", "--json", *more)
        assert done.code == 0, done.err
        return json.loads(done.out)["answers"][0]

    first = sampled("--temperature", "1.5", "--seed", "3")
    assert first["tokens"] == sampled("--temperature", "1.5", "--seed", "3")["tokens"]
    assert first["tokens"] != sampled("--temperature", "1.5", "--seed", "4")["tokens"]
    unseeded = sampled("--top-p", "0.9", "--top-k", "20")
    assert unseeded["tokens"] == sampled("--top-p", "0.9", "--top-k", "20", "--seed", str(unseeded["seed"]))["tokens"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--temperature", "-1"), ["temperature is -1.0; expected above 0"]),
        (("--num-beams", "2", "--temperature", "0.5"), ["cannot be combined"]),
        (("--stop", ""), ["stop", "texts that are not empty"]),
    ],
)
def test_wrong_settings_are_refused(
    command: Command, generator: Path, options: tuple[str, ...], says: list[str]
) -> None:
    command.refuses("run", generator, PROMPT, *options, says=says)


def test_settings_of_generators_are_refused_by_others(command: Command, built_text: Path) -> None:
    command.refuses("run", built_text, PROMPT, "--max-new-tokens", "3", says=["--max-new-tokens", "generate text"])


def test_verify_takes_the_package_and_finds_another_graph(command: Command, generator: Path) -> None:
    assert command("verify", generator).code == 0


def test_a_package_runs_without_torch(generator: Path) -> None:
    script = f"""
import sys
sys.modules.update(dict.fromkeys(["torch", "transformers", "onnx", "onnx_ir", "edgewright_compiler"]))
import edgewright_runtime
with edgewright_runtime.load({str(generator)!r}) as model:
    print(len(model.run({PROMPT!r}, max_new_tokens=5, min_new_tokens=5)["generation"]["tokens"]))
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("5\n", 0), done.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"min_p": 0.1}, ["min_p = 0.1", "generation_config.json"]),
        ({"num_return_sequences": 3, "num_beams": 3}, ["num_return_sequences = 3"]),
    ],
)
def test_settings_that_cannot_be_reproduced_stop_the_build(
    command: Command, tmp_path: Path, sources: Path, settings: dict[str, Any], says: list[str]
) -> None:
    folder = tiny_models.write_causal(tmp_path / "gpt")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}), encoding="utf-8")
    command.refuses_build(folder, "--evaluation", sources / "validation.csv", says=says)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("bits", "allowed"), [(8, 0.03), (4, 0.3)])
def test_weights_of_few_bits_multiply_nearly_alike(tmp_path: Path, bits: int, allowed: float, turned: bool) -> None:
    random = np.random.default_rng(7)
    weight = random.normal(size=(64, 48)).astype(np.float32)
    bias = random.normal(size=48).astype(np.float32)
    kept = np.ascontiguousarray(weight.T) if turned else weight
    values = {
        name: ir.Value(name=name, const_value=ir.tensor(array, name=name))
        for name, array in (("weight", kept), ("bias", bias))
    }
    x = ir.Value(name="x", shape=ir.Shape(["n", 64]), type=ir.TensorType(ir.DataType.FLOAT))
    gemm = ir.node("Gemm", [x, values["weight"], values["bias"]], attributes={"transB": int(turned)})
    (y,) = gemm.outputs
    y.name, y.shape, y.type = "y", ir.Shape(["n", 48]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [x], [y], nodes=[gemm], initializers=list(values.values()), opset_imports={"": 20}, name="gemm"
    )  # fmt: skip
    ir.save(ir.Model(graph, ir_version=10), tmp_path / GRAPH_FILE)
    (tmp_path / "made").mkdir()
    recipe = Recipe(method="weight-only", weight_bits=8 if bits == 8 else 4)
    quantize(tmp_path, recipe, [], tmp_path / "made")
    made = copy_graph(tmp_path / "made", tmp_path / "flat")
    assert [node.op_type for node in ir.load(made).graph].count("MatMulNBits") == 1
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    feed = random.normal(size=(3, 64)).astype(np.float32)
    (found,) = session.run(None, {"x": feed})
    expected = feed @ weight + bias
    gap = np.abs(found - expected).max() / np.abs(expected).max()
    assert 0 < gap < allowed
