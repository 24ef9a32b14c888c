"""Measure the report of a large study: seconds to write it, its bytes, and seconds to open it in a browser.

The study is simulated, as in the report's tests. Without a browser, opening is not measured.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.helpers import browser
from tests.helpers.drawn_studies import build_counting_study
from thalweg.reporting import sections
from thalweg.reporting.render import render_html, render_markdown

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
MARKED = "() => { const began = performance.now(); show(7); show(null); return performance.now() - began; }"


def write_report(trials: int, epochs: int, file: Path) -> dict[str, Any]:
    """Write the page to `file`; return seconds and bytes of page and Markdown."""
    tables = build_counting_study(file.parent, trials, epochs)
    chosen = sections.select_sections(tables)
    began = time.perf_counter()
    page = render_html(tables, chosen)
    page_written = time.perf_counter()
    text, figures = render_markdown(tables, chosen)
    ended = time.perf_counter()
    file.write_text(page)
    return {
        "html_seconds": page_written - began,
        "markdown_seconds": ended - page_written,
        "html_bytes": len(page.encode()),
        "markdown_bytes": len(text.encode()),
        "figures_bytes": sum(len(svg.encode()) for svg in figures.values()),
        "charts": page.count('class="chart"'),
    }


def open_report(file: Path) -> dict[str, Any]:
    """Return the seconds until the first paint, until the page is loaded, and until every chart is drawn."""
    if browser.find_browser() is None:
        return {"opened": browser.ASK}
    with browser.open_browser() as program:
        with browser.open_page(program, file):
            pass  # the first page includes the start of the browser
        with browser.open_page(program, file) as (page, faults):
            drawn_at = page.evaluate("performance.now()")
            paint_times = [page.evaluate(script) for script in (PAINTED, LOADED)]
            marking_times = [page.evaluate(MARKED) for _ in range(2)]
    times = {"seen": paint_times[0], "loaded": paint_times[1], "drawn": drawn_at}
    return {
        **{f"{name}_seconds": milliseconds / 1000 for name, milliseconds in times.items()},
        "marking_first_ms": marking_times[0],
        "marking_ms": marking_times[1],
        "faults": faults,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "report.html")
        sizes = write_report(options.trials, options.epochs, file)
        print(json.dumps({"trials": options.trials, "epochs": options.epochs, **sizes, **open_report(file)}))


if __name__ == "__main__":
    main()
