"""The pictures of README and docs/report.md, taken of the report that lies in reports/ with the system's Chromium.

`python -m docs.pictures`, after `make` on the default params.yaml.
"""

import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from thalweg.system import files
from thalweg.system.paths import REPORTS

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SEEN = (1245, 1100)
MARGIN = 18
"""Width and height of the window, and pixels around what is taken out of the page."""
BOX = "(e) => { const b = e.getBoundingClientRect(); return [b.left, b.top + scrollY, b.right, b.bottom + scrollY] }"
"""Of an element in the page: left, top, right, bottom."""
PICTURES: dict[str, tuple[str, ...]] = {
    "report.png": (),
    "report-what-matters.png": ("isolation-0", "map-0"),
    "report-landscape.png": ("landscape-path-train", "landscape-path-validation"),
}
"""Each with the figures that it shows; the first is the page as it opens."""


def main() -> None:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=next(filter(None, map(shutil.which, PROGRAMS)), None))
        page = browser.new_page(viewport={"width": SEEN[0], "height": SEEN[1]})
        page.goto((Path.cwd() / REPORTS / "report.html").as_uri())
        for name, figures in PICTURES.items():
            taken = page.screenshot() if not figures else of(page, figures)
            files.write_bytes(Path(__file__).parent / name, taken)
            print(name)
        browser.close()


def of(page: Any, figures: tuple[str, ...]) -> bytes:
    """The page from the first to the last of some figures."""
    boxes = []
    for figure in figures:
        place = page.locator(f"#figure-{figure}")
        place.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        boxes.append(place.evaluate(BOX))
    left, top, *ends = (edge(sides) for edge, sides in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
    width, height = (end - start + 2 * MARGIN for start, end in zip((left, top), ends, strict=True))
    clip = {"x": left - MARGIN, "y": top - MARGIN, "width": width, "height": height}
    taken: bytes = page.screenshot(clip=clip, full_page=True)
    return taken


if __name__ == "__main__":
    main()
