"""The pictures of README and docs/report.md, taken of the report in reports/ with the system's Chromium.

`python -m docs.pictures`, after `make` on the default params.yaml.
"""

import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from thalweg.system import files
from thalweg.system.paths import REPORTS

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WINDOW = (1245, 1100)  # width and height [pixels]
MARGIN = 18  # around figures [pixels]
CHART_SECONDS = 1.5  # until a chart that comes into view is drawn
MEASURE_BOX = (
    "(e) => { const b = e.getBoundingClientRect(); return [b.left, b.top + scrollY, b.right, b.bottom + scrollY] }"
)
"""JavaScript that returns the sides of an element in the page: left, top, right, bottom."""
OPEN_SECTIONS = "document.querySelectorAll('details.more').forEach((fold) => { fold.open = true; })"
PICTURES: dict[str, tuple[str, ...]] = {
    "report.png": (),
    "report-what-matters.png": ("isolation-0", "map-0"),
    "report-landscape.png": ("landscape-path-train", "landscape-path-validation"),
}
"""The figures that each picture shows; none: the top of the page."""


def main() -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=next(filter(None, map(shutil.which, PROGRAMS)), None))
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        page.goto((Path.cwd() / REPORTS / "report.html").as_uri())
        for name, figures in PICTURES.items():
            if figures:
                page.evaluate(OPEN_SECTIONS)
            picture = take_figures(page, figures) if figures else page.screenshot()
            files.write_bytes(Path(__file__).parent / name, picture)
            print(name)
        browser.close()


def take_figures(page: Any, figures: tuple[str, ...]) -> bytes:
    """Take a picture of the part of the page that holds some figures, with a margin."""
    boxes = []
    for name in figures:
        figure = page.locator(f"#figure-{name}")
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(1000 * CHART_SECONDS)
        boxes.append(figure.evaluate(MEASURE_BOX))
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    left, top = min(lefts) - MARGIN, min(tops) - MARGIN
    width, height = max(rights) + MARGIN - left, max(bottoms) + MARGIN - top
    clip = {"x": left, "y": top, "width": width, "height": height}
    picture: bytes = page.screenshot(clip=clip, full_page=True)
    return picture


if __name__ == "__main__":
    main()
