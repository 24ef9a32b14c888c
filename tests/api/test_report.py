"""The report as a notebook shows it."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.helpers.browser import open_browser, wait_until
from tests.helpers.paths import ROOT
from thalweg.api.report import Report


class Frames(HTMLParser):
    """Collects the attributes of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "iframe"
        self.frames.append(dict(attrs))


def test_frame_holds_the_page(finished_project: Path) -> None:
    file = finished_project / "reports" / "report.html"
    parser = Frames()
    parser.feed(Report(file)._repr_html_())
    (frame,) = parser.frames
    assert frame["srcdoc"] == file.read_text().replace("<head>", '<head><base href="about:srcdoc">', 1)
    assert "allow-same-origin" not in (frame["sandbox"] or "")


@pytest.mark.slow
def test_links_stay_in_the_frame(finished_project: Path, tmp_path: Path) -> None:
    """Charts are drawn without rights of the page around, and a link leads to its section."""
    file = tmp_path / "notebook.html"
    frame = Report(finished_project / "reports" / "report.html")._repr_html_()
    file.write_text(f"<!doctype html><title>Notebook</title>{frame}")
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text))
        page.goto(file.as_uri())
        inner = page.frames[1]
        inner.locator(".chart svg").first.wait_for()
        inner.locator("nav a[href='#curves']").first.click()
        wait_until(inner, "document.getElementById('curves').getBoundingClientRect().top < 100")
        assert inner.url == "about:srcdoc#curves"
        assert errors == []


def test_page_opens_in_the_browser(tmp_path: Path) -> None:
    file = tmp_path / "a page.html"
    code = (
        "import sys; from pathlib import Path; from thalweg.api.report import Report; Report(Path(sys.argv[1])).open()"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BROWSER": "echo %s"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{file.as_uri()}\n"
