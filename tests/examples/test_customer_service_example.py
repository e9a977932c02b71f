"""The example of customer service: an application with its answers in it, and questions in other words."""

import csv
import importlib.util
import json
import random
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from edgewright_compiler.applications.form import ApplicationFile
from edgewright_runtime.applications.checks import check_flow
from edgewright_runtime.applications.declaration import Flow, ModelUse
from edgewright_runtime.applications.step_types import Signature
from edgewright_targets.declared import read_declared
from scripts import run_script

EXAMPLE = Path(__file__).parents[2] / "examples" / "customer_service"
REFUSAL = "I do not know."
# The form of the corpus, of whose YAML JSON is a part; a question may have several answers, and come twice.
TOPICS = {
    "ai": [
        ["What is a robot", 'A machine that "works".', "Ask it."],
        ["What is a robot?", "Again."],
        ["Robots", "Yes."],
    ],
    "science": [["What is the biggest country", "By what?"], ["Who invented the computer?", "Several\n people."]],
    "money": [["How do I get money", "By work."], ["What is the money of Japan", "The yen."]],
    "greetings": [["How are you", "Fine."]],
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script makes of a small corpus; the real one is a wheel."""
    wheel = tmp_path_factory.mktemp("wheel") / "corpus.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for topic, pairs in TOPICS.items():
            text = json.dumps({"categories": [topic], "conversations": pairs})
            archive.writestr(f"chatterbot_corpus/data/english/{topic}.yml", text)
        archive.writestr("chatterbot_corpus/data/german/ai.yml", "conversations:\n- - Was ist das\n  - Ein Ding\n")
    folder = tmp_path_factory.mktemp("service")
    run_script(EXAMPLE / "make_data.py", "--out", folder, "--wheel", wheel)
    assert "nothing to do" in run_script(EXAMPLE / "make_data.py", "--out", folder, "--wheel", wheel).stdout
    return folder


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / f"{split}.csv").read_text(encoding="utf-8").splitlines()))


def test_the_application_has_known_questions_with_their_first_answers(service: Path) -> None:
    path = service / "service.toml"
    file = read_declared(ApplicationFile, "application", path.read_text(encoding="utf-8"), str(path))
    assert file.step["questions"].options["texts"] == [
        "What is a robot",
        "What is the biggest country",
        "Who invented the computer?",
    ]
    assert file.step["answers"].options["texts"] == ['A machine that "works".', "By what?", "Several people."]
    flow = Flow(file.input, file.answer, file.step, {"sentences": ModelUse("none")}, file.metric)
    checked = check_flow(flow, {"sentences": Signature({"text": "text"}, "vector")}, str(path))
    assert checked.types["reply"] == "text"
    assert checked.constant == {"questions", "answers", "known", "unknown"}


def test_questions_are_asked_in_other_words(service: Path) -> None:
    asked = {split: rows(service, split) for split in ("validation", "test")}
    answers = {'A machine that "works".', "By what?", "Several people.", REFUSAL}
    words = [row["question"] for found in asked.values() for row in found]
    assert {row["reply"] for row in asked["test"]} == answers
    assert len(set(words)) == len(words)
    assert not set(words) & {pair[0].lower().rstrip("?") for pairs in TOPICS.values() for pair in pairs}
    # What topics that are not known are asked about is refused.
    assert {row["reply"] for row in asked["test"] if "money" in row["question"]} == {REFUSAL}
    assert REFUSAL not in {row["reply"] for row in asked["test"] if "robot" in row["question"]}


def rewording() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rewording", EXAMPLE / "rewording.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_change_changes_one_thing() -> None:
    module, chance = rewording(), random.Random(5)
    assert module.other_words("what is ai", chance) == "what's ai"
    assert module.other_words("hm", chance) == "hm"
    assert module.hurried("who are the robots", chance) in {"who the robots", "who are robots"}
    slipped = module.slipped("a computer", chance)
    assert slipped != "a computer"
    assert sorted(slipped) == sorted("a computer")
    assert module.lengthened("what is ai", chance).replace("what is ai", "")


def test_the_share_of_refusals_rises_with_the_score() -> None:
    spec = importlib.util.spec_from_file_location("scores", EXAMPLE / "scores.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [(0.9, "yes", "yes"), (0.6, "no", REFUSAL), (0.8, "other", "yes"), (0.7, "so", "so")]
    assert module.figures(found, 0.0) == (0.5, 0.0)
    assert module.figures(found, 0.65) == (0.75, 0.25)
    assert module.figures(found, 0.95) == (0.25, 1.0)
