"""Applications: joined packages answer as their parts called by hand, and what cannot fit is refused."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from command import QUICK, Command
from edgewright_cli.samples import answer_lines
from edgewright_compiler.applications import build_application
from edgewright_runtime import load
from edgewright_runtime.applications import load_application
from edgewright_runtime.archive import write_archive
from edgewright_runtime.package import Package
from edgewright_targets import load_target

TEXT = "turn on the lights"

ASSISTANT = """\
kind = "application"
answer = ["transcript", "intent", "reply"]

[input]
recording = "audio"

[model.recogniser]
package = "whisper.ortpackage"
[model.intents]
package = "intents.ortpackage"

# In no order: what needs what says it.
[step.reply]
do = "template"
input = { choice = "intent.label", heard = "transcript", sure = "intent.score" }
options.text = "You said '{heard}'."
options.texts = { nothing = "({sure})" }

[step.intent]
model = "intents"
input.text = "transcript"

[step.transcript]
model = "recogniser"
input.audio = "recording"
"""

# A cascade, a fusion of two models with weights, and a step that is left out.
JUDGES = """\
kind = "application"
answer = ["both", "sure", "never", "label"]
input = { text = "text" }

[model]
one = { package = "intents.ortpackage" }
other = { package = "intents.ortpackage" }

[step]
first = { model = "one", input.text = "text" }
second = { model = "other", input.text = "text" }
both = { do = "fuse", input = { first = "first", second = "second" }, options.weights = { first = 3.0 } }
never = { model = "other", input.text = "text", when = "first.score > 1" }
sure = { do = "first", input = { never = "never", first = "first" } }
label = { do = "template", input.label = "sure.label", options.text = "{label}", when = "sure.score >= 0" }
"""


@pytest.fixture(scope="module")
def assistant(built_text: Path, built_whisper: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application of two models, and its archive and the packages beside it: do not write into it."""
    folder = tmp_path_factory.mktemp("assistant")
    for package in (built_text, built_whisper):
        shutil.copytree(package, folder / package.name)
    source = folder / "assistant.toml"
    source.write_text(ASSISTANT, encoding="utf-8")
    return build_application(source, folder / "assistant.ortpackage", archive=True).package


@pytest.mark.filterwarnings("ignore::edgewright_runtime.errors.AudioWarning")
def test_answers_are_those_of_the_parts_called_by_hand(
    assistant: Path, built_text: Path, built_whisper: Path, spoken_clips: Path
) -> None:
    clip = min(spoken_clips.parent.rglob("*.wav"))
    with load(built_whisper) as recogniser, load(built_text) as intents:
        transcript = recogniser(clip)
        intent = intents(transcript)
    with load_application(assistant) as application:
        assert not application.loaded
        answers = application(clip)
        assert set(application.loaded) == {"recogniser", "intents"}
    assert answers == {"transcript": transcript, "intent": intent, "reply": f"You said '{transcript}'."}


def test_the_archive_answers_alike(assistant: Path, spoken_clips: Path, command: Command) -> None:
    clip = min(spoken_clips.parent.rglob("*.wav"))
    found = [json.loads(command("run", path, clip, "--json").out) for path in (assistant, f"{assistant}.tar")]
    assert found[0]["answers"][0]["answers"] == found[1]["answers"][0]["answers"]
    assert set(found[0]["answers"][0]["seconds_by_step"]) == {"transcript", "intent", "reply"}
    shown = command("run", assistant, clip).out.splitlines()
    assert shown[0].startswith("transcript  ")
    assert shown[1].startswith("intent      ")


def test_fusion_cascade_and_conditions(built_text: Path, tmp_path: Path) -> None:
    shutil.copytree(built_text, tmp_path / "intents.ortpackage")
    (tmp_path / "judges.toml").write_text(JUDGES, encoding="utf-8")
    package = build_application(tmp_path / "judges.toml", tmp_path / "judges.ortpackage").package
    with load(built_text) as model:
        every = {entry["label"]: entry["score"] for entry in model(TEXT, top_k=len(model.labels))}
        (best,) = model(TEXT)
    with load_application(package) as application:
        run = application.run(TEXT)
    assert {entry["label"]: entry["score"] for entry in run.values["both"]} == pytest.approx(every)
    assert [entry["score"] for entry in run.values["both"]] == sorted(every.values(), reverse=True)
    assert run.values["never"] is None
    assert run.left_out == {"never": "'first.score > 1' does not hold."}
    assert run.values["sure"][0] == best
    assert run.values["label"] == best["label"]


def test_models_are_built_from_their_sources(sources: Path, checkpoint: Path, command: Command, tmp_path: Path) -> None:
    """Beside the file, once: the second build of the application finds them unchanged."""
    settings = f"""
[model.intents]
source = "{checkpoint}"
data = {{ calibration = "{sources / "train.csv"}", evaluation = "{sources / "validation.csv"}" }}
budget.accept_baseline = true
"""
    source = tmp_path / "judge.toml"
    text = JUDGES.replace("[model]", "").replace('one = { package = "intents.ortpackage" }', "")
    text = text.replace('other = { package = "intents.ortpackage" }', "")
    source.write_text(text.replace('"one"', '"intents"').replace('"other"', '"intents"') + settings, encoding="utf-8")
    words = ("build", source, "--target", command.target, "-o", tmp_path / "judge.ortpackage", *QUICK)
    made = command(*words)
    assert made.code == 0, made.err
    built = tmp_path / "intents.ortpackage" / "manifest.json"
    before = built.stat().st_mtime_ns
    again = command(*words)
    assert "Building 'intents' (1 of 1)" in again.err
    assert built.stat().st_mtime_ns == before
    found = json.loads(command("run", tmp_path / "judge.ortpackage", TEXT, "--json").out)
    assert found["answers"][0]["answers"]["label"]


def test_inspect_and_verify(assistant: Path, command: Command) -> None:
    shown = command("inspect", assistant).out
    assert "assistant: an application of 2 models" in shown
    assert "It takes recording (audio), and gives transcript, intent, reply." in shown
    assert json.loads(command("inspect", assistant, "--json").out)["order"][-1] == "reply"
    checked = command("verify", assistant).out
    assert "recogniser: " in checked
    assert "intents: 8 golden samples differ from the float outputs by at most" in checked


def test_damage_of_an_archive_is_found_where_it_was_unpacked_before(
    assistant: Path, command: Command, tmp_path: Path
) -> None:
    archive = tmp_path / "assistant.ortpackage.tar"
    shutil.copyfile(f"{assistant}.tar", archive)
    assert command("verify", archive, "--structure-only").code == 0
    content = bytearray(archive.read_bytes())
    place = content.index(b"You said")
    content[place] ^= 1
    times = archive.stat()
    archive.write_bytes(content)
    os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))
    command.refuses("verify", archive, "--structure-only", says=["is damaged"], code=1)


def test_damage_is_found(assistant: Path, command: Command, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(assistant, tmp_path / "damaged.ortpackage"))
    record = damaged / "application.json"
    record.write_text(record.read_text().replace("You said", "They said"))
    command.refuses("verify", damaged, says=["is damaged", "application.json"], code=1)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"format": 3}, ["format 3 of applications", "Upgrade"]),
        ({"format": 1, "name": "x"}, ["the key 'flow' is missing"]),
        ([], ["expected a table"]),
    ],
)
def test_a_record_of_somebody_else(
    assistant: Path, command: Command, tmp_path: Path, data: object, says: list[str]
) -> None:
    package = Path(shutil.copytree(assistant, tmp_path / "other.ortpackage"))
    (package / "application.json").write_text(json.dumps(data))
    command.refuses("run", package, "x.wav", says=says)


def test_a_model_outside_the_package_is_not_opened(assistant: Path, command: Command, tmp_path: Path) -> None:
    package = Path(shutil.copytree(assistant, tmp_path / "other.ortpackage"))
    record = package / "application.json"
    record.write_text(record.read_text().replace('"models/intents"', '"../intents.ortpackage"'))
    command.refuses("run", package, "x.wav", says=["leaves the package"])


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            'input.text = "transcript"',
            'input.text = "transkript"',
            [":21:", "'transkript', which nothing makes", "transcript"],
        ),
        (
            'input.text = "transcript"',
            'input.text = "recording"',
            [":21:", "takes a text as 'text'", "'recording' is a recording"],
        ),
        ('input.text = "transcript"', 'input.text = "intent"', [":19:", "in a ring"]),
        ('input.text = "transcript"', 'input.text = "reply"', ["in a ring"]),
        ('input.text = "transcript"', 'input.words = "transcript"', ["lacks the input 'text' of the model 'intents'"]),
        ('input.text = "transcript"', 'input.text = "transcript"\neach = "transcript"', ["a text and not a list"]),
        (
            'input.text = "transcript"',
            'input.text = "transcript"\nwhen = "recording > 3"',
            ["compares 'recording' with a number"],
        ),
        (
            'input.text = "transcript"',
            'input.text = "transcript"\nwhen = "transcript is there"',
            [":22:", "is not a condition"],
        ),
        ('"intent.label"', '"intent.name"', ["'intent' is a list of labels with scores", "label, score"]),
        ('model = "intents"', 'model = "intent"', ["calls the model 'intent', which is not declared", "intents"]),
        ('do = "template"', 'do = "templete"', ["does 'templete', which is unknown", "template"]),
        ("options.text =", "options.txt =", [":13:", "wrong options"]),
        ("'{heard}'", "'{herd}'", [":13:", "name 'herd', which is not an input", "heard"]),
        ('choice = "intent.label", ', "", [":13:", "name 'choice', which is not an input"]),
        (
            'input.text = "transcript"',
            'input.text = "transcript"\noptions.max_new_token = 3',
            [":22:", "the model 'intents' has no option 'max_new_token'"],
        ),
        (
            'input.audio = "recording"',
            'input.audio = "recording"\noptions = { max_new_token = 3 }',
            ["the model 'recogniser' has no option 'max_new_token'", "max_new_tokens"],
        ),
        ('answer = ["transcript"', 'answer = ["words"', [":2:", "'words' is an answer"]),
        ('recording = "audio"', 'recording = "sound"', [":5:", "type 'sound'"]),
        ('package = "intents.ortpackage"', 'package = "intent.ortpackage"', [":10:", "is not a package"]),
        ('package = "intents.ortpackage"', 'package = "intents.ortpackage"\nweights = 3', ["unknown key 'weights'"]),
        (
            'package = "intents.ortpackage"',
            'source = "x"\npackage = "x"',
            [":9:", "needs one of 'package' and 'source'"],
        ),
        ('package = "intents.ortpackage"', 'package = "x"\ntask = "x"', [":9:", "is a package, and has settings"]),
        (
            "[model.intents]",
            "[model.unused]\npackage = 'intents.ortpackage'\n[model.intents]",
            ["no step calls the model 'unused'"],
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(
    assistant: Path, command: Command, tmp_path: Path, before: str, after: str, says: list[str]
) -> None:
    assert before in ASSISTANT
    source = assistant.parent / f"{tmp_path.name}.toml"
    source.write_text(ASSISTANT.replace(before, after, 1), encoding="utf-8")
    output = tmp_path / "new.ortpackage"
    command.refuses("build", source, "-o", output, says=[source.name, *says])
    assert not output.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--evaluation", "missing.csv"), ["There is no data file 'missing.csv'"]),
        (("--labels", "labels.txt"), ["--labels belongs to the build of one model"]),
        (("--target", "raspberry-pi-5"), ["'recogniser' was not built for the target 'raspberry-pi-5'"]),
    ],
)
def test_options_without_a_meaning_are_refused(
    assistant: Path, command: Command, tmp_path: Path, words: tuple[str, ...], says: list[str]
) -> None:
    command.refuses("build", assistant.parent / "assistant.toml", *words, "-o", tmp_path / "new.ortpackage", says=says)


@pytest.mark.parametrize(("output", "words"), [("intents.ortpackage", ()), ("intents", ("--archive",))])
def test_an_application_does_not_replace_its_models(
    built_text: Path, command: Command, tmp_path: Path, output: str, words: tuple[str, ...]
) -> None:
    shutil.copytree(built_text, tmp_path / "intents.ortpackage")
    text = JUDGES
    if words:
        write_archive(tmp_path / "intents.ortpackage", tmp_path / "intents.tar")
        text = JUDGES.replace("intents.ortpackage", "intents.tar")
    (tmp_path / "judges.toml").write_text(text, encoding="utf-8")
    before = (tmp_path / "intents.ortpackage" / "manifest.json").read_bytes()
    says = ["judges.toml:6:", "is the package of the model 'one'"]
    command.refuses("build", tmp_path / "judges.toml", *words, "-o", tmp_path / output, says=says)
    assert (tmp_path / "intents.ortpackage" / "manifest.json").read_bytes() == before


def test_damaged_models_and_unknown_inputs_are_found_before_the_whole_is_measured(
    built_text: Path, command: Command, tmp_path: Path
) -> None:
    shutil.copytree(built_text, tmp_path / "intents.ortpackage")
    source, output = tmp_path / "judges.toml", tmp_path / "judges.ortpackage"
    source.write_text(JUDGES.replace("weights = { first", "weights = { firs"), encoding="utf-8")
    command.refuses("build", source, "-o", output, says=[":12:", "name 'firs', which is not an input", "first"])
    source.write_text(JUDGES, encoding="utf-8")
    (tmp_path / "data.csv").write_text("text,both\nlights on,TurnOn\n", encoding="utf-8")
    says = ["there is calibration data of the whole, and no step has weights to be fitted"]
    command.refuses("build", source, "--calibration", tmp_path / "data.csv", "-o", output, says=says)
    manifest = tmp_path / "intents.ortpackage" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    damaged = command("build", source, "--evaluation", tmp_path / "data.csv", "-o", output)
    assert "is damaged" in damaged.err
    assert "Measuring" not in damaged.err


def test_lines_of_an_application_name_no_option_that_it_refuses() -> None:
    depth = {"kind": "metric", "values": np.ones((2, 3), dtype=np.float32)}
    (drawn,) = answer_lines("depth", depth)
    assert drawn == f"{answer_lines('depth', depth, drawn=False)[0]} (--out FILE.png draws them)"


def test_a_target_may_be_said_by_its_file(built_text: Path, command: Command, tmp_path: Path) -> None:
    shutil.copytree(built_text, tmp_path / "intents.ortpackage")
    (tmp_path / "judges.toml").write_text(JUDGES, encoding="utf-8")
    assert load_target(str(command.target)).name in Package.open(built_text).targets
    done = command("build", tmp_path / "judges.toml", "--target", command.target, "-o", tmp_path / "judges.ortpackage")
    assert done.code == 0, done.err


def test_a_number_on_the_command_line(command: Command, tmp_path: Path) -> None:
    source = tmp_path / "alarm.toml"
    step = 'step.alarm = { do = "template", input.level = "level", options.text = "at {level}", when = "level > 2" }'
    source.write_text(
        f'kind = "application"\nanswer = ["alarm"]\ninput = {{ level = "number" }}\n{step}\n[model]\n', encoding="utf-8"
    )
    package = build_application(source, tmp_path / "alarm.ortpackage").package
    found = json.loads(command("run", package, "2.5", "1", "--json").out)["answers"]
    assert [one["answers"]["alarm"] for one in found] == ["at 2.5", None]
    command.refuses("run", package, "high", says=["'level' is not a number"])


def test_verbs_for_one_model_say_so(assistant: Path, command: Command) -> None:
    says = ["is an application of several models", "Its models are packages"]
    command.refuses("finish", assistant, says=says)
    command.refuses("run", assistant, "x.wav", "--engine", "any", says=["--engine is for the package of one model"])
