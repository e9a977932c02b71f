"""What is served by which name, and packages that are unloaded where the memory is not enough for all."""

from __future__ import annotations

import dataclasses
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import hand_made
from edgewright_runtime import Model, load
from edgewright_runtime.errors import EngineUnavailableError, PackageError
from edgewright_serving.packages.served import Served, open_served
from edgewright_serving.packages.shelf import Shelf
from edgewright_serving.service import Service
from edgewright_serving.settings import ServeSettings
from edgewright_targets import InputError
from hand_made import Made
from server_process import wait_until


class CountedMemory:
    """In place of the resident memory of this process: 100 bytes for each package that is loaded."""

    def __init__(self) -> None:
        self.loaded: Callable[[], tuple[str, ...]] = tuple

    def __call__(self) -> int:
        return 100 * len(self.loaded())


@pytest.fixture
def shelf() -> Shelf:
    memory = CountedMemory()
    made = Shelf(250, resident=memory)
    memory.loaded = lambda: tuple(made._places)
    return made


def small(made: Made, *names: str) -> list[Served]:
    """Packages whose files count as nothing, as the memory here is counted by packages."""
    found = open_served([f"{name}={made.embedder}" for name in names])
    return [dataclasses.replace(one, files_bytes=90) for one in found.values()]


def test_the_least_recently_used_package_is_unloaded(made: Made, shelf: Shelf) -> None:
    one, two, three = small(made, "one", "two", "three")
    for served in (one, two, one):
        with shelf.lent(served) as model:
            assert isinstance(model, Model)
            assert model("five")[5] == 1
    assert shelf.loaded == ("one", "two")
    with shelf.lent(three):
        assert shelf.loaded == ("one", "three")


def test_a_package_in_use_is_not_unloaded(made: Made, shelf: Shelf) -> None:
    one, two, three = small(made, "one", "two", "three")
    entered = threading.Event()

    def third() -> None:
        with shelf.lent(three):
            entered.set()

    waiting = threading.Thread(target=third)
    with shelf.lent(two):
        with shelf.lent(one):
            waiting.start()
            assert not entered.wait(0.2)
            assert set(shelf.loaded) == {"one", "two"}
        assert entered.wait(10)
        assert "two" in shelf.loaded
    waiting.join()
    shelf.close()
    assert shelf.loaded == ()


def test_a_package_that_waits_for_room_is_not_overtaken(made: Made) -> None:
    memory = CountedMemory()
    shelf = Shelf(150, resident=memory)
    memory.loaded = lambda: tuple(shelf._places)
    one, two, three = small(made, "one", "two", "three")
    order: list[str] = []
    overtaking = threading.Event()

    def call(served: Served) -> None:
        with shelf.lent(served):
            order.append(served.name)
            overtaking.set()

    threads = [threading.Thread(target=call, args=(served,), daemon=True) for served in (two, three, one)]
    with shelf.lent(one):
        threads[0].start()
        wait_until(lambda: shelf._short_of_room)
        threads[1].start()
        wait_until(lambda: len(shelf._wanted) == 2)
        # The next call of the package that is loaded.
        threads[2].start()
        assert not overtaking.wait(0.2)
    for thread in threads:
        thread.join(10)
    assert order == ["two", "three", "one"]


def test_a_package_that_cannot_be_loaded_lets_others_go_on(made: Made, shelf: Shelf, tmp_path: Path) -> None:
    broken = hand_made.write_embedder(tmp_path / "broken.ortpackage")
    wrong = open_served([str(broken)])["broken"]
    (broken / "model" / hand_made.ENGINE / "model.onnx").unlink()
    (one,) = small(made, "one")
    for _ in range(2):
        with pytest.raises(EngineUnavailableError), shelf.lent(wrong):
            pass
    with shelf.lent(one):
        assert shelf.loaded == ("one",)
    assert not shelf._wanted
    assert not shelf._short_of_room


def test_names(made: Made, tmp_path: Path) -> None:
    found = open_served([str(made.writer), f"eyes={made.colours}", str(made.listener)])
    assert list(found) == ["writer", "eyes", "listener"]
    assert found["writer"].continues_texts
    assert found["writer"].writes
    assert not found["eyes"].writes
    assert found["listener"].task == "application"
    assert found["listener"].inputs == {"recording": "audio"}
    with pytest.raises(InputError, match="Two packages are named 'writer'"):
        open_served([str(made.writer), f"writer={made.colours}"])
    with pytest.raises(InputError, match="cannot be the name of a package"):
        open_served([f"a/b={made.writer}"])
    odd = shutil.copytree(made.embedder, tmp_path / "a=b.ortpackage")
    assert list(open_served([f"c={odd}"])) == ["c"]
    with pytest.raises(PackageError, match="there is nothing at that path"):
        open_served([str(tmp_path / "missing.ortpackage")])


def test_a_limit_of_memory_below_the_largest_package(made: Made) -> None:
    with pytest.raises(InputError, match="'embedder' does not fit into 1 MB: its files have") as caught:
        Service(ServeSettings(memory_bytes=10**6), open_served([str(made.embedder)]))
    assert "--max-memory" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "0.0.0.0"}, "Other machines can reach '0.0.0.0', so a token is needed"),
        ({"host": "::"}, "a token is needed"),
        ({"host": "kitchen.local"}, "a token is needed"),
        ({"host": "0.0.0.0", "token": "short"}, "must have 16 or more"),
        ({"token": "a token with\nline ends"}, "must have 16 or more printable"),
        ({"port": 70_000}, "The port 70000 does not exist"),
        ({"seconds": 0.0}, "must be above zero"),
        ({"seconds": float("nan")}, "must be above zero"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ServeSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.0.1"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    assert ServeSettings(host=host).loopback
    assert not ServeSettings(host="0.0.0.0", token="a" * 16).loopback


def test_what_is_made_by_hand_answers_as_on_paper(made: Made) -> None:
    """Guards the tests of this folder against packages that answer anything."""
    with load(made.writer) as writer, load(made.recogniser) as recogniser, load(made.colours) as colours:
        assert writer("four five", max_new_tokens=3).split() == ["one", "two", "three"]
        assert recogniser(hand_made.write_recording(made.folder / "five.wav", 5)) == "aaaaa"
        assert colours(made.picture)[0]["label"] == "green"
