"""Debian's Chromium, driven by Playwright: one browser for the tests of a module, a profile for each page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.report import html
from harness.verdict import RunResult

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on PATH (Debian: apt-get install chromium)")
PATIENCE = 15_000
"""Milliseconds until a page that does not do what it should is given up."""

Open = Callable[..., Any]
"""``open(run, fragment, **options of a browser context)`` is a page of Playwright's."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser. Its driver holds the thread's event loop, so it ends with the tests of its module."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'streamparity[browser]'")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a run's page from disk. What its script or its policy complains of fails the test, and so does any request."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_page(run: RunResult, fragment: str = "", *, refused: bool = False, **options: Any) -> Any:
        path = tmp_path / f"page-{len(contexts)}.html"
        html.write(run, path)
        if refused:
            text = path.read_text("utf-8")
            path.write_text(text.replace("script-src &#39;sha256-", "script-src &#39;none&#39; &#39;sha256-0"), "utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: request.url.startswith("file:") or complaints.append(request.url))
        blocked: list[str] = []
        page.on("console", lambda line: "Content Security Policy" in line.text and blocked.append(line.text))
        page.goto(path.as_uri() + fragment)
        assert bool(blocked) == refused, blocked or "the script was not stopped"
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
