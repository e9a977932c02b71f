"""Models of the Hugging Face hub by id: from the local cache, and fetched from a server of its protocol on loopback."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from command import QUICK, Command, Outcome, run_apart
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_compiler.sources.hub import hub_id
from edgewright_compiler.sources.hub_files import needed_files
from edgewright_targets import InputError
from hub_server import COMMIT, Hub, hub_server

ID = "someone/intents"


@pytest.fixture
def hub(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model and files beside it that no build needs; this process asks it, with an empty cache."""
    folder = Path(shutil.copytree(checkpoint, tmp_path / "theirs"))
    for name in ("README.md", "pytorch_model.bin", "model.fp16.safetensors", "consolidated.safetensors", "plot.png"):
        (folder / name).write_bytes(b"x" * 1000)
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"x")
    with hub_server({ID: folder}) as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        # This one was made of the other when the library was imported.
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "home" / "hub"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        # A machine under load may stand still for longer than the library waits.
        monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 200)
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 200)
        yield running


def _build(hub: Hub, home: Path, sources: Path, cache: Path, *arguments: object) -> Outcome:
    data = ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv", "--accept-baseline")
    env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    env |= {"HF_HUB_ETAG_TIMEOUT": "200", "HF_HUB_DOWNLOAD_TIMEOUT": "200"}
    return run_apart(
        "build", *arguments, *data, "--target", sources / "tiny.toml", *QUICK, cache=cache, env=env, cwd=home.parent
    )


@pytest.mark.slow
def test_the_whole_journey(hub: Hub, tmp_path: Path, sources: Path, shared_cache: Path) -> None:
    home, output = tmp_path / "home", tmp_path / "intents.ortpackage"
    asked = (hub, home, sources, shared_cache, ID, "-o", output)
    refused = _build(*asked)
    refused.check_refusal([f"The source '{ID}' does not exist", str(home), f"edgewright build {ID} --fetch"])
    assert hub.sent == {}

    # It stops in the middle of the weights: no package, and the same command goes on where it stopped.
    hub.stops_after = 20_000
    stopped = _build(*asked, "--fetch", "-q")
    stopped.check_refusal([f"'{ID}' could not be fetched whole", "the same command goes on"])
    assert not output.exists()
    unfinished = _build(*asked, "-q")
    unfinished.check_refusal([f"The download of '{ID}' is not complete", "--fetch"])
    hub.stops_after = None
    done = _build(*asked, "--fetch")
    assert done.code == 0, done.err
    assert f"Fetching '{ID}' from the Hugging Face hub: 4 files" in done.err
    # What had arrived whole was kept.
    assert hub.sent["config.json"] == [""]
    assert not {"README.md", "pytorch_model.bin", "model.fp16.safetensors", "plot.png", "model.onnx"} & set(hub.sent)
    shown = run_apart("inspect", output, cache=shared_cache)
    assert f"{ID}@{COMMIT[:12]}" in shown.out

    # Without --fetch the server is not asked again.
    asked_before = {name: list(ranges) for name, ranges in hub.sent.items()}
    again = _build(*asked)
    assert again.code == 0
    assert "up to date" in again.err
    assert hub.sent == asked_before


def test_a_model_in_the_cache_is_the_folder_it_was(hub: Hub, checkpoint: Path) -> None:
    fetched = open_source(f"{ID}@v1", SourceOptions(fetch=True))
    cached = open_source(f"{ID}@v1", SourceOptions())
    assert (fetched.name, fetched.task) == (f"{ID}@{COMMIT[:12]}", "text-classification")
    assert fetched.digest() == cached.digest() == open_source(str(checkpoint), SourceOptions()).digest()


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ("gated", ["is a gated model", "Accept them at http://127.0.0.1", "hf auth login", "HF_TOKEN"]),
        ("none", ["has no model 'someone/intents', or it is private", "Check the spelling"]),
        ("forbidden", ["refuses to give 'someone/intents' (HTTP 403)", "hf auth login"]),
        ("broken", ["with HTTP 500", "Try again later"]),
    ],
)
def test_what_the_hub_refuses(hub: Hub, command: Command, refusal: str, says: list[str]) -> None:
    hub.refusals[ID] = refusal
    command.refuses_build(ID, "--fetch", says=says)


def test_a_revision_that_is_not_there(hub: Hub, command: Command) -> None:
    command.refuses_build(f"{ID}@v9", "--fetch", says=["no revision 'v9'", "/tree/main"])


def test_no_network_unless_it_is_asked_for(hub: Hub, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    command.refuses_build(ID, "--fetch", says=["HF_HUB_OFFLINE is set", "Unset HF_HUB_OFFLINE"])
    assert hub.sent == {}


def test_nobody_listens(command: Command, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    command.refuses_build(ID, "--fetch", says=["could not be fetched whole from http://127.0.0.1:9"])


def test_a_folder_of_the_same_name(
    hub: Hub, command: Command, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_source(ID, SourceOptions(fetch=True))
    shutil.copytree(checkpoint, tmp_path / "here" / ID)
    monkeypatch.chdir(tmp_path / "here")
    says = ["is a folder here and a model of the hub in the local cache", f"write ./{ID}", f"{ID}@main"]
    command.refuses_build(ID, says=says)
    command.refuses_build(ID, "--fetch", says=["was to be fetched from the hub"])
    assert open_source(f"./{ID}", SourceOptions()).name == "intents"
    assert open_source(f"{ID}@main", SourceOptions()).name.startswith(f"{ID}@")


def test_fetch_is_for_ids(command: Command, checkpoint: Path) -> None:
    command.refuses_build(checkpoint, "--fetch", says=["is not the id of one", "organization/name@revision"])


def test_a_checkpoint_in_the_cache_that_transformers_fetched(hub: Hub, tmp_path: Path) -> None:
    """Without a listing of its files: the cache as older versions write it."""
    open_source(ID, SourceOptions(fetch=True))
    for path in (tmp_path / "home").rglob("trees"):
        shutil.rmtree(path)
    assert open_source(ID, SourceOptions()).task == "text-classification"


@pytest.mark.parametrize(
    ("names", "needed"),
    [
        (["config.json", "pytorch_model.bin", "model.safetensors", "a/b/c.json"], ["config.json", "model.safetensors"]),
        (
            [
                "config.json",
                "1_Pooling/config.json",
                "2_Dense/model.safetensors",
                "model.safetensors",
                "onnx/model.onnx",
            ],
            ["1_Pooling/config.json", "2_Dense/model.safetensors", "config.json", "model.safetensors"],
        ),
        (
            ["config.json", "onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_q4.onnx", "onnx/model_q4.onnx_data"],
            ["config.json", "onnx/model.onnx", "onnx/model.onnx_data"],
        ),
        (["net.onnx", "labels.txt"], ["labels.txt", "net.onnx"]),
    ],
)
def test_only_what_is_needed(names: list[str], needed: list[str]) -> None:
    assert needed_files(ID, names) == needed


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["config.json", "pytorch_model.bin"], "pickled files alone (pytorch_model.bin)"),
        (["model-q4.gguf"], "no weights that can be built"),
        ([], "it holds: nothing"),
        (["cat.onnx", "dog.onnx"], "several ONNX files: cat.onnx, dog.onnx"),
    ],
)
def test_repositories_that_are_not_fetched(names: list[str], says: str) -> None:
    with pytest.raises(InputError) as error:
        needed_files(ID, names)
    assert says in str(error.value)


@pytest.mark.parametrize(
    "spec", ["a/b/c", "model.onnx", "a/model.onnx", "package.module:f", "../a", "./a/b", "a//b", "a/b@"]
)
def test_what_is_no_id(spec: str) -> None:
    assert hub_id(spec) is None
