"""The page in a real browser: it draws everything and keeps to itself."""

from itertools import pairwise
from typing import Any

import pytest

from tests.helpers.browser import DRAWN, PageFile, open_page, wait_until
from thalweg.reporting.page.theme import DARK_PALETTE, PAINT
from thalweg.reporting.tables import StudyTables

pytestmark = pytest.mark.slow
CASES = ["usual", "hostile names", "no trials", "one trial", "all diverged", "all pruned", "single parameter", "many"]
PLACED = "h1, section, figure, .finding, .chart svg, .role-legend, img, .blank:not(.undrawn)"
PLACES = (
    f"() => [...document.querySelectorAll('{PLACED}')]"
    + """
  .map((part) => {
  const { left, right, height } = part.getBoundingClientRect();
  return [part.id || part.closest("[id]").id, left, right, height];
})"""
)
WORDS = "document.body.innerText + [...document.querySelectorAll('svg')].map((drawn) => drawn.textContent)"


@pytest.mark.parametrize("width", [390, 1200, 1440])
@pytest.mark.parametrize("case", CASES)
def test_page_fits_and_is_offline(browser: Any, page_file: PageFile, case: str, width: int) -> None:
    with open_page(browser, page_file(case), width=width) as (page, faults):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name, left, right, tall in page.evaluate(PLACES):
            assert left >= 0, name
            assert right <= width + 0.5, name
            assert tall > 8, name
        words = page.evaluate(WORDS)
        for wrong in ("NaN", "undefined", "null", "Infinity"):
            assert wrong not in words
        assert page.locator(".chart", has_text="could not be drawn").count() == 0
        assert page.locator(".above, .traced").count() == 0
        assert faults == []


LINES = """(all) => all.map((line) => {
  const whole = document.createRange();
  whole.selectNodeContents(line);
  return [...new Set([...whole.getClientRects()].map((part) => part.left))];
})"""


def test_long_lines_to_paste_hang(browser: Any, page_file: PageFile) -> None:
    """What wraps begins further right than its line, no line is cut, and a copy has the lines of the text."""
    with open_page(browser, page_file("usual"), width=390) as (page, _):
        box = page.locator("#figure-next-space pre")
        box.evaluate("(e) => { e.style.width = '9rem'; }")
        lines = box.locator("span").evaluate_all(LINES)
        assert max(map(len, lines)) > 1
        assert all(min(rest) > first for first, *rest in lines if rest)
        assert box.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
        copied = box.evaluate("(e) => { getSelection().selectAllChildren(e); return getSelection().toString(); }")
        assert copied.startswith("  space:\n    ")
        assert len(copied.splitlines()) == len(lines)


@pytest.mark.parametrize("width", [1200, 1440])
def test_only_trials_table_scrolls(browser: Any, page_file: PageFile, width: int) -> None:
    with open_page(browser, page_file("usual"), width=width) as (page, _):
        boxes = page.locator(".scroll:not(.tall):visible")
        assert boxes.count() >= 4
        for box in boxes.all():
            assert box.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, box.get_attribute("aria-label")


def test_phone_menu_leads_to_sections(browser: Any, page_file: PageFile) -> None:
    with open_page(browser, page_file("usual"), width=390) as (page, _):
        menu = page.locator("nav .menu")
        assert page.locator("nav li a:visible").count() == 0
        menu.locator("summary").click()
        menu.get_by_text("Parameters").click()
        wait_until(page, "Math.abs(document.getElementById('parameters').getBoundingClientRect().top) < 120")
        assert page.locator("nav li a:visible").count() == 0
        assert menu.is_visible()
    with open_page(browser, page_file("usual")) as (page, _):
        assert page.locator("nav li a:visible").count() == page.locator("section").count()
        assert not page.locator("nav .menu").is_visible()


def format_rgb(paint: str) -> str:
    return f"rgb({', '.join(str(int(paint[i : i + 2], 16)) for i in (1, 3, 5))})"


@pytest.mark.parametrize(("scheme", "paint"), [("dark", DARK_PALETTE), ("light", PAINT)])
def test_colours_follow_the_scheme(browser: Any, page_file: PageFile, scheme: str, paint: dict[str, str]) -> None:
    with open_page(browser, page_file("usual"), color_scheme=scheme) as (page, _):
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == format_rgb(paint["paper"])
        fills = (
            "[...document.querySelectorAll('#figure-history .mark-symbol path')].map((e) => getComputedStyle(e).fill)"
        )
        assert {format_rgb(paint["winner"]), format_rgb(paint["plain"])} <= set(page.evaluate(fills))
        text = "[...document.querySelectorAll('.chart .role-axis-label text')].map((e) => getComputedStyle(e).fill)"
        assert set(page.evaluate(text)) == {format_rgb(paint["quiet"])}


def test_print_shows_everything(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    with open_page(browser, page_file("usual"), color_scheme="dark") as (page, faults):
        page.set_viewport_size({"width": 720, "height": 1000})
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        rows = page.locator("#figure-trials tbody tr")
        is_visible = rows.evaluate_all("(rows) => rows.map((row) => row.offsetHeight > 0)")
        assert is_visible == [True] * len(counting_study.trials)
        clipped = "[...document.querySelectorAll('.scroll')].some((e) => getComputedStyle(e).overflowY !== 'visible')"
        assert not page.evaluate(clipped)
        for part in page.locator("section, figure, .chart svg").all():
            box = part.bounding_box()
            assert box["height"] > 8
            assert box["x"] + box["width"] <= 720.5
        assert not page.locator(".controls").is_visible()
        assert not page.locator(".menu").is_visible()
        assert faults == []
        assert len(page.pdf()) > 50_000


def test_page_is_whole_without_scripts(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    with open_page(browser, page_file("usual"), java_script_enabled=False) as (page, _):
        assert page.locator("#figure-trials tbody tr:visible").count() == 0
        for section in ("trials", "history"):
            page.locator(f"#{section} > .more > summary").click()
        assert page.locator("#figure-trials tbody tr:visible").count() == len(counting_study.trials)
        assert not page.locator(".controls").is_visible()
        assert page.get_by_text("so the charts are not drawn").is_visible()
        values = page.locator("#figure-history details")
        values.locator("summary").click()
        assert values.locator("tbody tr:visible").count() > 20


def test_page_is_accessible(browser: Any, page_file: PageFile) -> None:
    with open_page(browser, page_file("usual")) as (page, _):
        snapshot = page.locator("body").aria_snapshot()
        for part in ('navigation "Sections"', "- main", 'table "All trials"', 'columnheader "mae"', "rowheader"):
            assert part in snapshot
        assert 'img "Value by trial for 48 trials.' in snapshot
        assert 'heading "Caution: ' in snapshot
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((e) => Number(e.tagName[1]))")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert page.locator("figure").evaluate_all(
            "(all) => all.every((e) => e.querySelector(e.closest('section') ? 'figcaption h3' : 'figcaption h2'))"
        )


CLOSED = "document.querySelectorAll('details.more:not([open])').length"


def test_sections_open_and_close_together(browser: Any, page_file: PageFile) -> None:
    with open_page(browser, page_file("usual"), opens=False) as (page, faults):
        control, count = page.locator(".all"), page.locator("details.more").count()
        assert page.evaluate(CLOSED) == count
        assert page.locator(".chart svg").count() == 1  # the first screen's
        control.click()
        wait_until(page, DRAWN)
        assert page.evaluate(CLOSED) == 0
        assert control.inner_text() == "Close all"
        control.click()
        assert page.evaluate(CLOSED) == count
        assert faults == []


@pytest.mark.parametrize("at", ["#trial-17", "#figure-history", "#history"])
def test_address_opens_its_section(browser: Any, page_file: PageFile, at: str) -> None:
    with open_page(browser, page_file("usual"), at, opens=False) as (page, _):
        name = "trials" if "trial-" in at else "history"
        assert page.locator("section > .more[open]").count() == 1
        assert page.locator(f"#{name} > .more").get_attribute("open") is not None


def test_print_opens_all(browser: Any, page_file: PageFile) -> None:
    with open_page(browser, page_file("usual"), opens=False) as (page, _):
        page.emulate_media(media="print")
        wait_until(page, f"{CLOSED} === 0")
        wait_until(page, DRAWN)


@pytest.mark.parametrize(("width", "height", "tallest"), [(1440, 900, 9000), (390, 844, 13000)])
def test_first_screen_concludes(browser: Any, page_file: PageFile, width: int, height: int, tallest: int) -> None:
    """The sentence, the numbers, the images, the chart and the begin of the step lie on the first screen."""
    with open_page(browser, page_file("usual"), width=width, opens=False) as (page, _):
        assert page.evaluate("document.documentElement.scrollHeight") <= tallest
        for part in (".lede", ".numbers", "#figure-typical", "#figure-candidates"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] <= height, part
        assert page.locator(".then pre").bounding_box()["y"] < height
        assert page.locator("header figure").count() == 2
