"""A real browser that opens a page, and what it complains of."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ASK = "This needs Chromium or Chrome: install it (Debian and Ubuntu: apt-get install chromium)."
DRAWN = (
    "[...document.querySelectorAll('.chart')]"
    ".every((box) => box.querySelector('svg') || box.closest('details.more:not([open])'))"
)
MANY_TRIALS = 2000

PageFile = Callable[[str], Path]
"""The file of the page of a kind of study."""


def find_browser() -> str | None:
    """The path of the system's Chromium or Chrome."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def open_browser() -> Iterator[Any]:
    """The system's Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=find_browser())
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def open_page(
    browser: Any, file: Path, at: str = "", width: int = 1440, opens: bool = True, **options: Any
) -> Iterator[tuple[Any, list[str]]]:
    """A page with all its charts drawn, and the list of its complaints and outside requests, which goes on growing.

    All of its sections are open, if it `opens` them; otherwise only the charts outside of closed ones are drawn. `at`
    is the part of the address from the hash on; `options` are those of a browser's context.
    """
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    opened = context.new_page()
    faults: list[str] = []
    allowed = (file.as_uri(), "data:")

    def record_message(message: Any) -> None:
        if message.type in ("error", "warning"):
            faults.append(message.text)

    def record_request(request: Any) -> None:
        if not request.url.startswith(allowed):
            faults.append(f"requested {request.url}")

    opened.on("console", record_message)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", record_request)
    try:
        opened.goto(f"{file.as_uri()}{at}")
        if options.get("java_script_enabled", True):
            if opens:
                opened.evaluate("document.querySelectorAll('details.more').forEach((fold) => { fold.open = true; })")
            wait_until(opened, DRAWN)
        yield opened, faults
    finally:
        context.close()


def wait_until(page: Any, expression: str, argument: Any = None, seconds: float = 20.0) -> None:
    """Wait until an expression is true in a page, whose policy forbids the waiting that Playwright has."""
    ends = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < ends, f"never came: {expression}"
        page.wait_for_timeout(20)
