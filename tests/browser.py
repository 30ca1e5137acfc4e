"""A browser for tests of pages: Chromium without a network, in which everything that goes wrong is written down.

A test file asks for it with a line of its own, and its tests then take the fixture by name:

    pytest_plugins = ["browser"]

    def test_the_page_opens(chromium_page, tmp_path):
        chromium_page.open(tmp_path / "page.html")          # or .write("<!doctype html>...") for text
        assert chromium_page.page.evaluate("(x) => x + 1", 1) == 2
        assert chromium_page.errors == [] and chromium_page.outside() == []

Tests that ask for it are skipped where playwright or a browser is missing. The browser starts once per session; every
test gets a fresh context of it. Playwright keeps an event loop running until then: no `asyncio.run` in such sessions.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000
"""Milliseconds that anything in a page may take."""


@dataclass
class ChromiumPage:
    """An empty page of an offline browser.

    Attributes:
        page: playwright's own `Page`: `evaluate`, `locator`, `keyboard`, `set_viewport_size`, `emulate_media` ...
        errors: uncaught exceptions, and what the console showed as errors or warnings (refused scripts are such).
        requests: every address that was asked for.
    """

    page: Any
    folder: Path
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, path: Path, fragment: str = "") -> Any:
        """Open a file, its address ending in `fragment` ("#w=1"), and return playwright's page."""
        self.page.goto(path.resolve().as_uri() + fragment)
        return self.page

    def write(self, text: str, fragment: str = "") -> Any:
        """Open a document given as text, from a file of its own, and return playwright's page."""
        path = self.folder / "written.html"
        path.write_text(text, encoding="utf-8")
        return self.open(path, fragment)

    def outside(self) -> list[str]:
        """Return the addresses asked for that are no local file."""
        return [address for address in self.requests if not address.startswith(("file:", "data:", "about:", "blob:"))]

    def listen(self) -> None:
        """Write down errors and requests from now on."""
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Playwright's `Browser`, started once; skips where it or playwright is not installed."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser is installed: looked for {', '.join(BROWSERS)}")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Any, tmp_path: Path) -> Iterator[ChromiumPage]:
    """An empty page in a fresh, offline context."""
    context = chromium.new_context(offline=True)
    context.set_default_timeout(PATIENCE)
    opened = ChromiumPage(context.new_page(), tmp_path)
    opened.listen()
    yield opened
    context.close()
