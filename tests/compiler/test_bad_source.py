"""Sources that are none, or not whole: each is refused in words, and nothing is written."""

import shutil
from pathlib import Path

import onnx_ir as ir
import pytest
from tokenizers import Tokenizer

import tiny_models
from command import Command

# A classifier of three words.
_WORDS = """
<ir_version: 10, opset_import: ["" : 18]>
words (int64[b,s] input_ids, int64[b,s] attention_mask) => (float[b,4] logits)
<float[3,4] table = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, int64[1] axes = {1}>
{ rows = Gather(table, input_ids)  logits = ReduceMean<keepdims = 0>(rows, axes) }
"""


@pytest.fixture
def broken(checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint to be broken."""
    return Path(shutil.copytree(checkpoint, tmp_path / "broken"))


@pytest.fixture
def texts(sources: Path) -> tuple[object, ...]:
    return ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv")


@pytest.fixture
def arrays(sources: Path) -> tuple[object, ...]:
    return ("--calibration", sources / "inputs.npz")


def test_nothing_of_that_name(command: Command) -> None:
    command.refuses_build(
        "no/such/thing",
        says=["The source 'no/such/thing' does not exist", "its id on the hub, an .onnx file, a .toml file"],
    )
    command.refuses_build("no/such/thing.onnx", says=["no ONNX file 'no/such/thing.onnx'"])


def test_a_folder_that_is_no_checkpoint(command: Command, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    command.refuses_build(empty, says=["is not a checkpoint", "no config.json (it has: nothing)", "save_pretrained"])
    (empty / "notes.txt").touch()
    command.refuses_build(empty, says=["it has: notes.txt"])


@pytest.mark.parametrize("text", ["{", "", "[1]", "\x00"])
def test_a_broken_configuration(command: Command, broken: Path, texts: tuple[object, ...], text: str) -> None:
    (broken / "config.json").write_text(text, encoding="utf-8")
    command.refuses_build(broken, *texts, says=["config.json'"])


@pytest.mark.parametrize("names", [1.5, "BertModel", {"a": 1}, [None], True])
def test_architectures_that_are_no_names(
    command: Command, broken: Path, texts: tuple[object, ...], names: object
) -> None:
    tiny_models.edit_config(broken, architectures=names)
    command.refuses_build(broken, *texts, says=["'architectures' is", "expected a list of class names"])


def test_a_checkpoint_without_weights(command: Command, broken: Path, texts: tuple[object, ...]) -> None:
    (broken / "model.safetensors").unlink()
    command.refuses_build(broken, *texts, says=["is not a checkpoint", "no weights (*.safetensors)"])


def test_weights_that_are_cut_off(command: Command, broken: Path, texts: tuple[object, ...]) -> None:
    weights = broken / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    says = [f"it has {len(whole) - 100:,} bytes", f"but its header announces {len(whole):,}", "Copy it again"]
    command.refuses_build(broken, *texts, says=says)


def test_a_checkpoint_without_a_tokenizer(command: Command, broken: Path, texts: tuple[object, ...]) -> None:
    (broken / "tokenizer.json").unlink()
    command.refuses_build(broken, *texts, says=["no tokenizer (tokenizer.json)", "tokenizer.save_pretrained"])
    (broken / "tokenizer.json").write_text("{", encoding="utf-8")
    command.refuses_build(broken, *texts, says=["cannot be loaded as a checkpoint"])


@pytest.mark.slow
def test_code_that_comes_with_a_checkpoint_is_not_run(
    command: Command, broken: Path, texts: tuple[object, ...], tmp_path: Path
) -> None:
    proof = tmp_path / "was-run"
    (broken / "own.py").write_text(f"open({str(proof)!r}, 'w')", encoding="utf-8")
    tiny_models.edit_config(
        broken, auto_map={"AutoModelForSequenceClassification": "own.Model"}, model_type="of-their-own"
    )
    command.refuses_build(broken, *texts, says=["cannot be loaded as a checkpoint", "code from the checkpoint"])
    assert not proof.exists()


def test_a_checkpoint_without_labels(command: Command, broken: Path, texts: tuple[object, ...]) -> None:
    tiny_models.edit_config(broken, id2label=None)
    command.refuses_build(broken, *texts, says=["no usable id2label", "--labels FILE"])
    tiny_models.edit_config(broken, id2label={"0": "a", "two": "b"})
    command.refuses_build(broken, *texts, says=["no usable id2label"])


@pytest.mark.slow
def test_another_number_of_labels(command: Command, broken: Path, tmp_path: Path, sources: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("TurnOn\nTurnOff\nSetTimer\n", encoding="utf-8")
    data = tmp_path / "few.csv"
    data.write_text("text,label\nturn on the hall light,TurnOn\n", encoding="utf-8")
    command.refuses_build(broken, "--evaluation", data, "--labels", labels, says=["3 labels, but the model has 4"])


@pytest.mark.slow
def test_a_tokenizer_of_another_model(
    command: Command, broken: Path, texts: tuple[object, ...], sources: Path, tmp_path: Path
) -> None:
    """Tokens that the model does not know would be read from beyond its table."""
    words = Tokenizer.from_file(str(broken / "tokenizer.json"))
    words.add_tokens([f"other{index}" for index in range(9)])
    words.save(str(broken / "tokenizer.json"))
    command.refuses_build(broken, *texts, says=["its tokenizer has", "does not belong to the model"])
    # An ONNX file does not say how many tokens it knows, but what it cannot read is refused in words too.
    data = tmp_path / "other.csv"
    data.write_text("text,label\nother8 light,TurnOn\n", encoding="utf-8")
    ir.save(ir.from_onnx_text(_WORDS), broken / "model.onnx")
    fixed = ("--task", "text-classification", "--labels", sources / "labels.txt", "--evaluation", data)
    command.refuses_build(
        broken / "model.onnx", *fixed, says=["the graph cannot run on this sample", "belongs to this model"]
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("same.txt", "a\na\n", "each different"),
        ("empty.txt", "", "each different"),
        ("broken.json", "[1", "not valid JSON"),
        ("table.json", '{"a": 1}', "a list of names"),
        ("missing.txt", None, "cannot be read"),
    ],
)
def test_labels_that_are_none(
    command: Command, checkpoint: Path, tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    command.refuses_build(checkpoint, "--labels", tmp_path / name, says=[f"labels '{tmp_path / name}'", words])


@pytest.mark.parametrize("problem", ["regression", "ordinal"])
def test_another_problem_type(command: Command, broken: Path, texts: tuple[object, ...], problem: str) -> None:
    tiny_models.edit_config(broken, problem_type=problem)
    command.refuses_build(broken, *texts, says=[f"problem type is '{problem}' with 4 labels", "one label per sample"])


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ("text-regression", ["it has 4 labels", "models with one", "multi-label-text-classification"]),
        ("binary-text-classification", ["it has 4 labels", "models with one"]),
        ("multi-label-image-classification", ["no image processor"]),
    ],
)
def test_a_task_of_another_head(
    command: Command, checkpoint: Path, texts: tuple[object, ...], task: str, says: list[str]
) -> None:
    command.refuses_build(checkpoint, *texts, "--task", task, says=says)


def test_an_architecture_without_a_task(command: Command, broken: Path, texts: tuple[object, ...]) -> None:
    tiny_models.edit_config(broken, architectures=["GPT2DoubleHeadsModel"])
    command.refuses_build(broken, *texts, says=["no task can be inferred", "GPT2DoubleHeadsModel", "--task"])
    tiny_models.edit_config(broken, architectures=None)
    command.refuses_build(broken, *texts, says=["no task can be inferred", "none named"])


def test_an_unknown_task(command: Command, checkpoint: Path, texts: tuple[object, ...]) -> None:
    says = ["Unknown task 'text-clasification'", "Did you mean 'text-classification'"]
    command.refuses_build(checkpoint, *texts, "--task", "text-clasification", says=says)
    command.refuses_build(checkpoint, *texts, "--task", "arrays", says=["for the task 'arrays'"])


@pytest.mark.parametrize("keep", [1, 100, -20])
def test_an_onnx_file_that_is_cut_off(
    command: Command, sources: Path, arrays: tuple[object, ...], tmp_path: Path, keep: int
) -> None:
    cut = tmp_path / "cut.onnx"
    cut.write_bytes((sources / "perceptron.onnx").read_bytes()[:keep])
    command.refuses_build(cut, *arrays, says=[f"'{cut}' is not a readable ONNX file", "cut off"])


@pytest.mark.parametrize("content", [b"", b"this is a text\n", b"\x89PNG\r\n\x1a\n" + bytes(64), bytes(1000)])
def test_a_file_that_is_no_onnx(command: Command, arrays: tuple[object, ...], tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    command.refuses_build(path, *arrays, says=[f"'{path}' is not a readable ONNX file", "Export it again"])


def test_weights_beside_an_onnx_file(
    command: Command, sources: Path, arrays: tuple[object, ...], tmp_path: Path
) -> None:
    path = tmp_path / "external.onnx"
    shutil.copy(sources / "external.onnx", path)
    command.refuses_build(
        path, *arrays, says=["keeps weights in 'external.bin'", "no such file", "Copy that file beside"]
    )
    weights = (sources / "external.bin").read_bytes()
    (tmp_path / "external.bin").write_bytes(weights[:-1])
    command.refuses_build(path, *arrays, says=["'external.bin'", f"which has {len(weights) - 1}", "cut off"])


@pytest.mark.parametrize("location", ["../external.bin", "/etc/passwd", "a/../../external.bin"])
def test_weights_outside_the_folder(
    command: Command, sources: Path, arrays: tuple[object, ...], tmp_path: Path, location: str
) -> None:
    import onnx

    model = onnx.load(str(sources / "external.onnx"), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path = tmp_path / "inside" / "outside.onnx"
    path.parent.mkdir()
    path.write_bytes(model.SerializeToString())
    shutil.copy(sources / "external.bin", tmp_path / "external.bin")
    command.refuses_build(path, *arrays, says=["weights outside its folder", repr(location), "not read"])


def test_a_text_task_for_an_onnx_file(command: Command, sources: Path, tmp_path: Path, checkpoint: Path) -> None:
    path = Path(shutil.copy(sources / "perceptron.onnx", tmp_path))
    task = ("--task", "text-classification", "--calibration", sources / "train.csv")
    command.refuses_build(path, *task, says=["needs a tokenizer", "no tokenizer.json beside"])
    shutil.copy(checkpoint / "tokenizer.json", tmp_path)
    command.refuses_build(path, *task, says=["needs labels", "--labels FILE"])
    command.refuses_build(
        path, *task, "--labels", sources / "labels.txt", says=["a text model has the inputs", "pixels"]
    )
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    command.refuses_build(path, *task, "--labels", sources / "labels.txt", says=[str(tmp_path)])


def test_a_source_without_data(command: Command, sources: Path) -> None:
    command.refuses_build(sources / "perceptron.onnx", says=["no data to measure on", "--evaluation", "--calibration"])
