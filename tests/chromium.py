"""A real browser for pages: Chromium without a screen, driven by selenium."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CHROMIUM = Path("/usr/bin/chromium")
_DRIVER = Path("/usr/bin/chromedriver")
MISSING = [str(path) for path in (_CHROMIUM, _DRIVER) if not path.exists()]
# Shared memory may be 64 MB in a container, which a page can use up: then its tab crashes.
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip

# Contrast of an element's text with the nearest painted background above it, as WCAG 2 defines it.
CONTRAST = """
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const luminance = colour => {
  const [r, g, b] = numbers(colour).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = numbers(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return getComputedStyle(e).backgroundColor;
  }
  return 'rgb(255, 255, 255)';
};
const found = [];
for (const element of document.querySelectorAll('main *')) {
  const words = [...element.childNodes].filter(n => n.nodeType === 3 && n.textContent.trim());
  if (!words.length || element.closest('title, desc, defs')) continue;
  const style = getComputedStyle(element);
  const ink = luminance(element.closest('svg') ? style.fill : style.color), paper = luminance(behind(element));
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  found.push([ratio, element.textContent.trim().slice(0, 40)]);
}
return found;
"""


@contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """A browser with a profile of its own, and further flags of Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(_CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*_FLAGS, *flags):
        options.add_argument(flag)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = webdriver.Chrome(options=options, service=Service(str(_DRIVER)))
        try:
            yield driver
        finally:
            driver.quit()


def resize(browser: Any, size: tuple[int, int], *, mobile: bool, scheme: str) -> None:
    """Give it a screen of this size, in light or in dark."""
    width, height = size
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile},
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
