"""The page as a browser shows it: on a phone and on a desk, in light and in dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report_fixtures import REFUSED, agreement_result, bench_result, build_result, searched_result
from benchmarks.whole_fixtures import whole_built, whole_result
from chromium import CONTRAST, MISSING, chromium, resize
from edgewright_benchmarks.report import render_html
from edgewright_benchmarks.report.whole_html import render_whole_html

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

PHONE, DESK, LAPTOP = (360, 740), (1280, 900), (1366, 768)

CHART_TEXT = """
return [...document.querySelectorAll('svg text')].map(text => {
  const scale = text.getScreenCTM();
  return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(scale.a, scale.b);
});
"""

# Texts of one drawing that cover each other, or that stick out of it.
CHART_CLASHES = """
const clashes = [];
for (const svg of document.querySelectorAll('svg[role=img]')) {
  const box = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  texts.forEach(([name, a], i) => {
    if (a.left < box.left - 1 || a.right > box.right + 1 || a.top < box.top - 1 || a.bottom > box.bottom + 1)
      clashes.push(name + ' sticks out');
    texts.slice(i + 1).forEach(([other, b]) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 4) clashes.push(name + ' covers ' + other);
    });
  });
}
return clashes;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module", params=["build", "bench and build", "agreement", "search", "application"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    long_name = "x86-64-" + "anamethatsomeonemademuchlongerthanaphoneiswide" * 2
    warned = bench_result(warnings=("The processor's frequency changed by 12%. Close other programs and try again.",))
    build = build_result()
    long_named = replace(build.engine(REFUSED), name=long_name, provider="Provider" * 20)
    texts = {
        "build": render_html(build_result(model="model" * 40, engines=(*build.engines, long_named))),
        "bench and build": render_html(warned, build),
        "agreement": render_html(agreement_result()),
        # What is folded away can clash as well.
        "search": render_html(searched_result()).replace("<details>", "<details open>"),
        "application": render_whole_html(whole_result(), whole_built()),
    }
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(texts[request.param], encoding="utf-8")
    return path


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    width, height = request.param
    return width, height


def show(browser: Any, page: Path, size: tuple[int, int], scheme: str) -> Any:
    resize(browser, size, mobile=size == PHONE, scheme=scheme)
    browser.get(page.as_uri())
    assert browser.execute_script("return [innerWidth, innerHeight]") == list(size)
    return browser


def test_page_is_as_wide_as_the_screen_and_the_console_is_empty(
    browser: Any, page: Path, size: tuple[int, int], scheme: str
) -> None:
    shown = show(browser, page, size, scheme)
    widths = shown.execute_script("return [document.body.scrollWidth, document.documentElement.scrollWidth]")
    assert max(widths) <= size[0]
    assert shown.get_log("browser") == []


def test_choice_and_reason_are_on_the_first_screen(
    browser: Any, page: Path, size: tuple[int, int], scheme: str
) -> None:
    shown = show(browser, page, size, scheme)
    for name in ("choice", "reason"):
        box = shown.execute_script(f"return document.getElementById('{name}').getBoundingClientRect().toJSON()")
        assert box["height"] > 0
        assert box["top"] >= 0
        assert box["bottom"] <= size[1]


def test_charts_are_visible_and_their_text_can_be_read(
    browser: Any, page: Path, size: tuple[int, int], scheme: str
) -> None:
    shown = show(browser, page, size, scheme)
    boxes = shown.execute_script(
        "return [...document.querySelectorAll('svg[role=img]')].map(svg => svg.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) in (2, 3, 4)
    assert all(box["width"] > 200 and box["height"] > 60 for box in boxes)
    sizes = shown.execute_script(CHART_TEXT)
    assert len(sizes) > 10
    assert min(sizes) >= 9
    assert shown.execute_script(CHART_CLASHES) == []


def test_text_stands_out_from_its_background(browser: Any, page: Path, size: tuple[int, int], scheme: str) -> None:
    shown = show(browser, page, size, scheme)
    background = shown.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    found = shown.execute_script(CONTRAST)
    assert len(found) > 50
    assert [entry for entry in found if entry[0] < 4.5] == []


def test_the_table_scrolls_inside_its_frame(browser: Any, page: Path) -> None:
    shown = show(browser, page, PHONE, "light")
    inner, outer = shown.execute_script(
        "const frame = document.querySelector('.scroll'); return [frame.scrollWidth, frame.clientWidth]"
    )
    assert inner > outer
    # The engine's name stays while the figures scroll by, and leaves them room.
    left, width = shown.execute_script(
        "const frame = document.querySelector('.scroll'); frame.scrollLeft = 300;"
        "const cell = frame.querySelector('tbody th').getBoundingClientRect();"
        "return [cell.left - frame.getBoundingClientRect().left, cell.width]"
    )
    assert 0 <= left <= 2
    assert width < 240


def test_nothing_scrolls_sideways_on_a_laptop(browser: Any, page: Path) -> None:
    shown = show(browser, page, LAPTOP, "light")
    frames = shown.execute_script(
        "return [...document.querySelectorAll('.scroll, .environment table')].map(e => [e.scrollWidth, e.clientWidth])"
    )
    assert len(frames) > 1
    assert all(inner <= outer for inner, outer in frames), frames
    # Nor is a third of the page empty.
    (width,) = shown.execute_script("return [document.querySelector('.engines').getBoundingClientRect().width]")
    assert width > 0.9 * LAPTOP[0]
