"""The page to try packages by hand, as a browser shows it: texts, files, the microphone and the camera."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chromium import CONTRAST, MISSING, chromium, resize
from hand_made import Made
from server_process import RunningServer, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

PHONE, DESK = (360, 740), (1280, 900)
# A microphone that beeps and a camera that shows a moving pie, both of Chromium itself, allowed without a question.
FAKED = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium(*FAKED) as driver:
        yield driver


@pytest.fixture
def page(browser: Any, server: RunningServer) -> Any:
    browser.get(f"http://127.0.0.1:{server.port}/")
    wait(browser, lambda: browser.execute_script("return document.getElementById('package').options.length") == 6)
    return browser


def wait(browser: Any, holds: Callable[[], object]) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda _: holds())


def choose(page: Any, package: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(find(page, "package")).select_by_value(package)


def find(page: Any, name: str) -> Any:
    return page.find_element("id", name)


def ask(page: Any) -> Any:
    """The answer, as the page shows it."""
    find(page, "ask").click()
    wait(page, lambda: "ms in the package" in find(page, "status").text)
    return json.loads(find(page, "answer").text)


def complaints(page: Any) -> list[str]:
    """What the browser has to say against the page; hints for developers left out."""
    return [entry["message"] for entry in page.get_log("browser") if entry["level"] != "DEBUG"]


def test_a_text_with_options(page: Any) -> None:
    choose(page, "writer")
    assert "text-generation" in find(page, "about").text
    find(page, "input-text").send_keys("one two")
    find(page, "options").send_keys('{"max_new_tokens": 3}')
    assert ask(page)["answer"].split() == ["three", "four", "five"]
    assert complaints(page) == []


def test_a_file_and_the_camera(page: Any, made: Made) -> None:
    choose(page, "colours")
    find(page, "input-image").send_keys(str(made.picture))
    assert ask(page)["answer"][0]["label"] == "green"
    find(page, "camera-image").click()
    wait(page, lambda: find(page, "camera-image").text == "Take the picture")
    find(page, "camera-image").click()
    wait(page, lambda: page.find_elements("css selector", ".field img"))
    assert ask(page)["answer"][0]["label"] in ("red", "green", "blue")
    assert complaints(page) == []


def test_the_microphone(page: Any) -> None:
    choose(page, "listener")
    find(page, "record-recording").click()
    wait(page, lambda: find(page, "record-recording").text == "End the recording")
    page.execute_async_script("setTimeout(arguments[0], 400)")
    find(page, "record-recording").click()
    wait(page, lambda: page.find_elements("css selector", ".field audio"))
    answer = ask(page)["answer"]
    assert answer["reply"] == f"You said '{answer['transcript']}'."
    assert complaints(page) == []


def test_a_refusal_is_shown_as_text(page: Any) -> None:
    choose(page, "writer")
    find(page, "input-text").send_keys("one")
    find(page, "options").send_keys('{"<img src=x>": 3}')
    find(page, "ask").click()
    wait(page, lambda: "no option '<img src=x>'" in find(page, "status").text)
    assert not page.find_elements("css selector", "#status img")


def test_a_text_that_is_stopped(page: Any, server: RunningServer) -> None:
    choose(page, "writer")
    find(page, "input-text").send_keys("one")
    find(page, "options").send_keys('{"max_new_tokens": 100000}')
    find(page, "ask").click()
    wait(page, lambda: "three" in find(page, "answer").text)
    find(page, "stop").click()
    wait(page, lambda: find(page, "status").text == "stopped")
    wait(page, lambda: server.metric("edgewright_requests_running") == 0)


def test_nothing_comes_from_elsewhere(page: Any, server: RunningServer) -> None:
    own = f"http://127.0.0.1:{server.port}/"
    loaded = page.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    assert {"page/page.js", "page/page.css", "page/inputs.js"} <= {name.removeprefix(own) for name in loaded}
    assert all(name.startswith((own, "data:")) for name in loaded), loaded
    policy = server.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    # And the browser holds the page to it.
    script = "fetch('https://example.org').then(() => arguments[0]('came'), error => arguments[0](error.name))"
    assert page.execute_async_script(script) == "TypeError"
    assert any("Content Security Policy" in text for text in complaints(page))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(page: Any, size: tuple[int, int], scheme: str) -> None:
    resize(page, size, mobile=size == PHONE, scheme=scheme)
    widths = page.execute_script("return [document.body.scrollWidth, document.documentElement.scrollWidth]")
    assert max(widths) <= size[0]
    found = page.execute_script(CONTRAST)
    assert len(found) > 8
    assert [entry for entry in found if entry[0] < 4.5] == []


def test_a_token(browser: Any, made: Made) -> None:
    with serving(made.embedder, "--token", "correct-horse-battery") as server:
        browser.get(f"http://127.0.0.1:{server.port}/")
        wait(browser, lambda: find(browser, "token").is_displayed())
        find(browser, "token").send_keys("correct-horse-battery")
        find(browser, "use-token").click()
        wait(browser, lambda: "feature-extraction" in find(browser, "about").text)
        find(browser, "input-text").send_keys("five")
        assert ask(browser)["answer"] == [0, 0, 0, 0, 0, 1]
