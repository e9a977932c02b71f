"""A limit of memory: models that were not used longest are let go, and what cannot fit is refused."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from command import Command
from edgewright_benchmarks.applications.whole_memory import measure_memory, telling_samples
from edgewright_benchmarks.applications.whole_result import whole_evidence
from edgewright_compiler.applications import build_application
from edgewright_compiler.applications.whole_limit import check_peak
from edgewright_runtime.applications import load_application
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.applications.loaded_models import LoadedModels
from edgewright_runtime.applications.memory_limit import MemoryFacts, MemoryLimit, engine_file_bytes
from edgewright_runtime.errors import MemoryLimitError
from edgewright_runtime.loading import first_choice
from edgewright_targets import InputError

TEXT = "turn on the lights"
# Each step needs the one before, so that the order of the models is a, b, a, c.
CHAIN = """\
kind = "application"
answer = ["fourth"]
input = { command = "text" }

[model]
a.package = "intents.ortpackage"
b.package = "intents.ortpackage"
c.package = "intents.ortpackage"

[step]
first = { model = "a", input.text = "command" }
heard = { do = "template", input.label = "first.label", options.text = "{label} on" }
second = { model = "b", input.text = "heard" }
said = { do = "template", input.label = "second.label", options.text = "{label} off" }
third = { model = "a", input.text = "said" }
told = { do = "template", input.label = "third.label", options.text = "{label} now" }
fourth = { model = "c", input.text = "told" }
"""


@pytest.fixture(scope="module")
def folder(built_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an application of three models, and its data."""
    folder = tmp_path_factory.mktemp("chain")
    shutil.copytree(built_text, folder / "intents.ortpackage")
    (folder / "chain.toml").write_text(CHAIN, encoding="utf-8")
    (folder / "commands.csv").write_text(f"command,fourth\n{TEXT},TurnOn\nplay music,Play\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chain(folder: Path) -> ApplicationPackage:
    """The application, built without a limit: nothing is known of its memory."""
    return ApplicationPackage.open(build_application(folder / "chain.toml", folder / "chain.ortpackage").package)


def size_of_one(chain: ApplicationPackage) -> int:
    return engine_file_bytes(chain.models["a"], first_choice(chain.models["a"]).name)


def test_what_was_not_used_longest_is_let_go(chain: ApplicationPackage) -> None:
    size = size_of_one(chain)
    with load_application(chain) as application:
        free = application(TEXT)
        assert set(application.loaded) == {"a", "b", "c"}
        assert application.unloaded == 0
    with load_application(chain, max_memory=2 * size) as application:
        assert application(TEXT) == free
        # b, as a was asked again after it.
        assert list(application.loaded) == ["a", "c"]
        assert application.unloaded == 1
        assert set(application.engines) == {"a", "b", "c"}
        assert application(TEXT) == free
    with load_application(chain, max_memory=size) as application:
        assert application(TEXT) == free
        assert list(application.loaded) == ["c"]
        assert application.unloaded == 3


def test_a_limit_below_a_model_is_refused_with_names_and_sizes(chain: ApplicationPackage) -> None:
    size = size_of_one(chain)
    with pytest.raises(MemoryLimitError, match=r"The models take a .* MB, b .* MB, c .* MB\.\nAllow at least"):
        load_application(chain, max_memory=size - 1)
    engine = first_choice(chain.models["b"]).name
    known = replace(chain, memory=MemoryFacts(60_000_000, {"b": {engine: 40_000_000}}))
    with pytest.raises(MemoryLimitError, match=r"b 40\.0 MB, .*the process without a model 60\.0 MB") as caught:
        load_application(known, max_memory=99_999_999)
    assert "Allow at least 100.0 MB" in str(caught.value)
    assert "in the place of 'b'" in str(caught.value)
    load_application(known, max_memory=100_000_000).close()


def test_a_model_that_a_call_uses_is_not_let_go(chain: ApplicationPackage) -> None:
    limit = MemoryLimit(1, 0, dict.fromkeys("abc", 1))
    models = LoadedModels(chain.models, threads=1, engines={}, limit=limit)
    found: list[str] = []

    def ask() -> None:
        with models.using("b") as model:
            found.append(model(TEXT)[0]["label"])

    other = threading.Thread(target=ask, daemon=True)
    with models.using("a") as model:
        assert not models._made_room("b")
        other.start()
        first = model(TEXT)[0]["label"]
        assert list(models.models) == ["a"]
    other.join(timeout=60)
    assert found == [first]
    assert list(models.models) == ["b"]
    models.close()


def test_a_build_holds_the_limit_and_the_evidence_has_the_peak(folder: Path, command: Command, tmp_path: Path) -> None:
    output = tmp_path / "chain.ortpackage"
    words = ("build", folder / "chain.toml", "--evaluation", folder / "commands.csv", "--no-golden-samples")
    quick = ("--rounds", "2", "--calls", "2")
    done = command(*words, *quick, "--max-memory", "4GB", "-o", output)
    assert done.code == 0, done.err
    assert "of memory at its peak (2 samples)" in " ".join(done.out.split())
    package = ApplicationPackage.open(output)
    assert package.max_memory == 4 * 10**9
    evidence = whole_evidence(package)
    assert evidence is not None
    assert evidence.memory is not None
    assert evidence.memory.peak_bytes > evidence.memory.empty_bytes > 10**7
    assert (evidence.memory.samples, evidence.memory.max_bytes, evidence.memory.unloaded) == (2, 4 * 10**9, 0)
    assert set(package.memory.model_bytes) == {"a", "b", "c"}
    assert first_choice(package.models["a"]).name in package.memory.model_bytes["a"]
    assert package.memory.process_bytes > 10**7
    assert "Its limit of memory is 4,000.0 MB." in command("inspect", output).out
    facts = json.loads(command("inspect", output, "--json").out)
    assert facts["max_memory"] == 4 * 10**9
    assert json.loads((output / "application.json").read_text(encoding="utf-8"))["format"] == 2
    # The peak is held to the limit, whatever was counted.
    peak = evidence.memory.peak_bytes
    check_peak(replace(package, max_memory=peak), evidence)
    with pytest.raises(InputError, match=r"at its peak, and the limit is .*of models: .*a .* MB"):
        check_peak(replace(package, max_memory=peak - 1), evidence)
    unread = "The memory of the whole was not read. It ended."
    with pytest.raises(InputError, match=r"is not known: the limit is .*It ended\."):
        check_peak(package, replace(evidence, memory=None, warnings=(unread,)))


def test_a_process_of_its_own_keeps_the_limit(chain: ApplicationPackage) -> None:
    engine = first_choice(chain.models["a"]).name
    facts = MemoryFacts(50, {name: {engine: 10} for name in "abc"})
    limited = replace(chain, max_memory=60, memory=facts)
    read = measure_memory(limited, [{"command": TEXT}, {"command": 7}])
    assert read.peak_bytes > read.empty_bytes > 0
    # b, a and c each took the place of another, and a again for the other sample, on which it fails.
    assert (read.samples, read.unloaded, read.max_bytes) == (2, 4, 60)
    with pytest.raises(InputError, match=r"A limit of 0\.0 MB of memory is below what one model needs"):
        measure_memory(replace(limited, max_memory=59), [{"command": TEXT}])


def test_few_samples_stand_for_many_and_the_largest_are_among_them() -> None:
    texts = ["x" * ((7 * index) % 200) for index in range(200)]
    taken = telling_samples(texts, 20)
    assert len(taken) == 20
    assert {len(text) for text in taken} >= set(range(190, 200))
    assert [texts.index(text) for text in taken] == sorted(texts.index(text) for text in taken)
    assert telling_samples(texts[:20], 20) == texts[:20]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--max-memory", "1MB"), ["below what one model needs", "a ", "b ", "c ", "Allow at least"]),
        (("--max-memory", "400"), ["'400' is not a size of memory above zero, such as 400MB"]),
    ],
)
def test_wrong_limits_are_refused(
    folder: Path, command: Command, tmp_path: Path, words: tuple[str, ...], says: list[str]
) -> None:
    command.refuses("build", folder / "chain.toml", *words, "-o", tmp_path / "new.ortpackage", says=says)
    assert not list(tmp_path.iterdir())


def test_a_limit_of_a_file_is_refused_with_its_line_and_for_one_model(
    folder: Path, command: Command, tmp_path: Path, checkpoint: Path
) -> None:
    source = folder / "wrong.toml"
    source.write_text(f'{CHAIN}\n[budget]\nmax_memory = "much"\n', encoding="utf-8")
    says = ["wrong.toml:20:", "budget.max_memory: 'much' is not a size of memory"]
    command.refuses("build", source, "-o", tmp_path / "new.ortpackage", says=says)
    says = ["--max-memory is for an application"]
    command.refuses("build", checkpoint, "--max-memory", "1GB", "-o", tmp_path / "new.ortpackage", says=says)
