"""`package.module:function`: code of the user's own that is missing, fails, or cannot be exported."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tiny_models
import tiny_torch
from command import QUICK, Command


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The user's module in the folder where the command is run; forgotten again afterwards."""
    name = tiny_torch.write_torch_module(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield name
    for loaded in set(sys.modules) - before:
        path = getattr(sys.modules[loaded], "__file__", None)
        if path and Path(path).is_relative_to(tmp_path):
            del sys.modules[loaded]


def line_of(code: str) -> int:
    """The line of the user's module that holds `code`."""
    lines = Path("tiny_torch_models.py").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if code in line)


@pytest.mark.parametrize(
    ("function", "operator", "code"),
    [
        ("eigenvalues", "aten.linalg_eig", "torch.linalg.eigvals(doubled)"),
        ("custom", "edgewright_tests.twist", "twist(torch.relu(x))"),
    ],
)
def test_an_operator_without_a_translation(
    command: Command, module: str, tmp_path: Path, function: str, operator: str, code: str
) -> None:
    place = f"It is called in {tmp_path / 'tiny_torch_models.py'}, line {line_of(code)}: return {code}"
    says = [f"'{module}:{function}' cannot be exported", f"does not support the operator '{operator}'", place]
    command.refuses_build(f"{module}:{function}", says=says)


def test_a_branch_on_data(command: Command, module: str, tmp_path: Path) -> None:
    place = f"{tmp_path / 'tiny_torch_models.py'}, line {line_of('if x.sum()')}: if x.sum() > 0:"
    command.refuses_build(f"{module}:branch", says=["cannot be exported", "data-dependent", place])


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("noise", "it has random operations, or a state in Python"),
        ("dropout", "it has random operations, or a state in Python"),
        ("counter", "every call changes calls, but a graph keeps no state"),
        ("smoothed", "every call changes mean, but a graph keeps no state"),
        ("remembers", "it has random operations, or a state in Python"),
    ],
)
def test_a_module_that_answers_otherwise_when_it_is_called_again(
    command: Command, module: str, function: str, why: str
) -> None:
    says = [f"'{function}' gives other outputs when it is called again with the same sample", why, "Nothing was built"]
    command.refuses_build(f"{module}:{function}", says=says, code=1)


@pytest.mark.parametrize(
    ("function", "what"),
    [
        ("frozen_branch", "with 3 rows: 'mul' differs by 1 of its size"),
        ("frozen_loop", "with 3 rows: 'stack' is (2, 3), the source's (3, 3)"),
    ],
)
def test_rows_of_the_example_that_the_exporter_froze(command: Command, module: str, function: str, what: str) -> None:
    says = [f"The outputs of the export of '{function}' differ from those of its source", what, "a size of its example"]
    command.refuses_build(f"{module}:{function}", says=says, code=1)


def test_the_fast_path_of_an_encoder_is_told(command: Command, module: str) -> None:
    says = ["differ from those of its source", "a fast path, which gives zeros", "set_fastpath_enabled(False)"]
    command.refuses_build(f"{module}:padded_mean", says=says, code=1)


def test_rows_that_the_graph_does_not_take_are_said(command: Command, module: str) -> None:
    output = command.folder / "frozen.ortpackage"
    made = command("build", f"{module}:frozen_table", "-o", output, "--target", command.target, "--rounds", 2)
    assert made.code == 0, made.err
    assert "With 3 rows the graph does not run, although 'frozen_table' does" in made.err_line


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no_such_module:make", ["no module 'no_such_module'", "Modules are searched in"]),
        ("tiny_torch_models.part:make", ["no module 'tiny_torch_models.part'"]),
        (".relative:make", ["'.relative' is not a module name"]),
        ("tiny_torch_models:linaer", ["'linaer' does not exist", "Did you mean 'linear'"]),
        ("tiny_torch_models:value", ["'value' is not a function"]),
        ("tiny_torch_models:number", ["must return a torch module and its example inputs", "it returned int"]),
        ("tiny_torch_models:no_tensors", ["the example input 'input' is list, not a tensor"]),
        ("tiny_torch_models:too_many", ["there are 2 example inputs, but the module takes 1: input"]),
        ("tiny_torch_models:diverged", ["has NaN in 1 weights: bias", "diverge"]),
        ("tiny_torch_models:meta", ["has no values in 2 weights: weight, bias", "the device 'meta'"]),
        ("tiny_torch_models:lazy", ["has no values in 2 weights", "Call lazy modules once"]),
        ("tiny_torch_models:half", ["'input' is bfloat16", "float32"]),
    ],
)
def test_a_function_that_is_none(command: Command, spec: str, says: list[str]) -> None:
    command.refuses_build(spec, says=[f"'{spec}'", *says])


def test_a_function_that_fails(command: Command, module: str, tmp_path: Path) -> None:
    place = f"{tmp_path / 'tiny_torch_models.py'}, line {line_of('raise FileNotFoundError')}"
    says = [f"'{module}:fails' failed: FileNotFoundError: the weights are on another disk", f"It failed in {place}"]
    command.refuses_build(f"{module}:fails", says=says)


def test_a_module_that_cannot_be_imported(command: Command, tmp_path: Path) -> None:
    (tmp_path / "broken_code.py").write_text("def make(:\n    pass\n", encoding="utf-8")
    command.refuses_build("broken_code:make", says=["importing 'broken_code' failed: SyntaxError", "line 1: def make("])
    (tmp_path / "needs_more.py").write_text("import no_such_library\n", encoding="utf-8")
    says = ["importing 'needs_more' failed: ModuleNotFoundError: No module named 'no_such_library'", "line 1"]
    command.refuses_build("needs_more:make", says=says)


def test_another_task(command: Command, module: str) -> None:
    command.refuses_build(
        f"{module}:linear", "--task", "text-classification", says=["takes named arrays", "Without --task"]
    )


def test_data_that_does_not_fit(command: Command, module: str, tmp_path: Path) -> None:
    data = tiny_models.write_arrays(tmp_path / "data.npz")
    says = ["lacks the input 'input'. It holds 'pixels', which the model does not take"]
    command.refuses_build(f"{module}:linear", "--calibration", data, says=says)


def test_outputs_beside_tensors_are_left_out(command: Command, module: str) -> None:
    output = command.folder / "several.ortpackage"
    made = command("build", f"{module}:several", "-o", output, "--target", command.target, *QUICK)
    assert made.code == 0, made.err


def test_an_input_that_is_given_back_by_a_module_in_wrappers_of_torch(
    command: Command, module: str, tmp_path: Path
) -> None:
    output = command.folder / "given.ortpackage"
    spec = f"{module}:compiled_and_parallel"
    made = command("build", spec, "-o", output, "--target", command.target, *QUICK)
    assert made.code == 0, made.err
    np.savez(tmp_path / "one.npz", x=np.full((1, 3), 3, np.float32))
    outcome = command("run", output, tmp_path / "one.npz", "--json")
    assert [value["values"] for value in json.loads(outcome.out)["outputs"].values()] == [[[6.0] * 3], [[3.0] * 3]]


def test_another_helper_is_another_model(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a forward calls decides the graph, wherever it stands: an export from the cache would be another model's."""
    (tmp_path / "user_model.py").write_text(
        "import torch, user_helper\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return user_helper.scaled(x)\n"
        "def make():\n"
        "    return Net(), {'x': torch.ones(2, 3)}\n",
        encoding="utf-8",
    )
    answers = []
    for factor in (2, 3):
        (tmp_path / "user_helper.py").write_text(f"def scaled(x):\n    return x * {factor}\n", encoding="utf-8")
        for name in ("user_model", "user_helper"):
            sys.modules.pop(name, None)
        output = command.folder / f"{factor}.ortpackage"
        made = command("build", "user_model:make", "-o", output, "--target", command.target, "--rounds", 2, "-q")
        assert made.code == 0, made.err
        np.savez(tmp_path / "one.npz", x=np.ones((1, 3), np.float32))
        answers.append(re.findall(r"\[\[([\d.]+)", command("run", output, tmp_path / "one.npz").out))
    assert answers == [["2."], ["3."]]
