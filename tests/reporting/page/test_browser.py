"""The page in a real browser: it draws everything, keeps to itself, and what belongs to a trial hangs together."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import browser as browsers
from tests.helpers.browser import until
from thalweg.reporting.page.theme import DARK_PALETTE, PAINT
from thalweg.reporting.render import render_html
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables

pytestmark = pytest.mark.slow

CASES = ["usual", "hostile names", "no trials", "one trial", "all diverged", "all pruned", "single parameter", "many"]
MANY = 2000
File = Callable[[str], Path]

MARK = """([figure, trial]) => {
  const marks = document.querySelectorAll(`#figure-${figure} .chart .role-mark > :not(g)`);
  const mark = [...marks].find((one) => [one.__data__].flat()[0].datum.trial === trial);
  mark.scrollIntoView({ block: "center", behavior: "instant" });
  const { x, y, width, height } = mark.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""
"""The middle of a trial's mark in a figure, in pixels of the window, where it is scrolled to."""

RINGS = """() => [...document.querySelectorAll("figure:has(.above)")].map((figure) => figure.id.slice(7))"""
ROWS = """() => [...document.querySelectorAll("tr.traced[id]")].map((row) => Number(row.dataset.trial))"""
SHOWN = """() => [...document.querySelectorAll("#figure-trials tbody tr")].filter((row) => !row.hidden)
  .map((row) => [...row.cells].map((cell) => cell.textContent))"""
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
IN_VIEW = """(id) => {
  const row = document.getElementById(id).getBoundingClientRect();
  const box = document.querySelector(".tall").getBoundingClientRect();
  const head = document.querySelector(".tall thead").getBoundingClientRect();
  return row.top >= Math.max(box.top + head.height - 2, 0) && row.bottom <= Math.min(box.bottom + 2, innerHeight);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if browsers.program() is None:
        pytest.skip(browsers.ASK)
    with browsers.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def file(
    cases: dict[str, StudyTables], study_of: Callable[[int], StudyTables], tmp_path_factory: pytest.TempPathFactory
) -> File:
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def write(case: str) -> Path:
        tables = study_of(MANY) if case == "many" else cases[case]
        path: Path = folder / f"{case.replace(' ', '-')}.html"
        path.write_text(render_html(tables, select_sections(tables)))
        return path

    return write


@pytest.mark.parametrize("width", [390, 1200, 1440])
@pytest.mark.parametrize("case", CASES)
def test_page_fits_and_is_offline(browser: Any, file: File, case: str, width: int) -> None:
    with browsers.page(browser, file(case), width=width) as (page, faults):
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


@pytest.mark.parametrize("width", [1200, 1440])
def test_only_trials_table_scrolls(browser: Any, file: File, width: int) -> None:
    with browsers.page(browser, file("usual"), width=width) as (page, _):
        boxes = page.locator(".scroll:not(.tall):visible")
        assert boxes.count() >= 4
        for box in boxes.all():
            assert box.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, box.get_attribute("aria-label")


def test_mark_highlights_its_trial(browser: Any, file: File, usual: StudyTables) -> None:
    winner = usual.winner
    with browsers.page(browser, file("usual")) as (page, faults):
        page.mouse.move(*page.evaluate(MARK, ["history", winner]))
        page.wait_for_selector("#figure-slice-0 .above")
        assert page.evaluate(ROWS) == [winner]
        assert {"candidates", "history", "learning", *(f"slice-{i}" for i in range(4))} <= set(page.evaluate(RINGS))
        opacity = "getComputedStyle(document.querySelector('#figure-slice-0 .role-mark')).opacity"
        assert float(page.evaluate(opacity)) < 0.5
        # the ring lies around that trial's mark, and no other
        x, y = page.evaluate(MARK, ["slice-0", winner])
        ring = page.locator("#figure-slice-0 .above circle").bounding_box()
        assert ring["x"] + ring["width"] / 2 == pytest.approx(x, abs=1)
        assert ring["y"] + ring["height"] / 2 == pytest.approx(y, abs=1)
        assert page.locator("#figure-learning .above .line").count() == 1
        line = "getComputedStyle(document.querySelector('#figure-learning .above .line :last-child'))"
        assert page.evaluate(f"[{line}.fill, {line}.strokeWidth]") == ["none", "3px"]
        page.mouse.move(5, 5)
        page.wait_for_selector(".above", state="detached")
        assert page.evaluate(ROWS) == []
        assert float(page.evaluate(opacity)) == 1
        assert faults == []


def test_line_or_row_highlights_trial(browser: Any, file: File, usual: StudyTables) -> None:
    pruned = int(usual.trials.loc[usual.trials["state"] == "pruned", "number"].iloc[0])
    end = """([trial]) => {
      const line = [...document.querySelectorAll("#figure-learning .mark-line path")]
        .find((one) => [one.__data__].flat()[0].datum.trial === trial);
      line.scrollIntoView({ block: "center", behavior: "instant" });
      const at = line.getPointAtLength(0).matrixTransform(line.getScreenCTM());
      return [at.x + 1, at.y];
    }"""
    with browsers.page(browser, file("usual")) as (page, _):
        page.mouse.move(*page.evaluate(end, [pruned]))
        page.wait_for_selector("#figure-slice-0 .above")
        (told,) = page.evaluate(ROWS)  # lines begin close together: it is one of them
        assert told in usual.trials["number"].to_list()
        page.mouse.move(5, 5)
        page.locator(f"#trial-{pruned} td").first.hover()
        page.wait_for_selector("#figure-history .above")
        assert page.evaluate(ROWS) == [pruned]
        assert page.locator("#figure-history .above circle").count() == 1


def test_tap_marks_until_released(browser: Any, file: File, usual: StudyTables) -> None:
    with browsers.page(browser, file("usual"), width=390, has_touch=True, is_mobile=True) as (page, faults):
        page.touchscreen.tap(*page.evaluate(MARK, ["history", usual.winner]))
        page.wait_for_selector("#figure-slice-1 .above")
        bar = page.locator(".kept")
        assert bar.get_by_role("link").inner_text() == f"Trial {usual.winner} is marked"
        bar.get_by_role("link").tap()
        until(page, IN_VIEW, f"trial-{usual.winner}")
        assert page.evaluate(ROWS) == [usual.winner]
        bar.get_by_role("button").tap()
        page.wait_for_selector(".above", state="detached")
        assert not bar.is_visible()
        assert faults == []


def test_keys_move_through_rows(browser: Any, file: File, usual: StudyTables) -> None:
    best = usual.ranked["number"].to_list()
    with browsers.page(browser, file("usual")) as (page, _):
        assert page.locator("#figure-trials tbody tr[tabindex='0']").count() == 1
        page.locator("#figure-trials tbody tr[tabindex='0']").focus()
        assert page.evaluate(ROWS) == [best[0]]
        page.keyboard.press("ArrowDown")
        assert page.evaluate(ROWS) == [best[1]]
        assert "history" in page.evaluate(RINGS)
        page.keyboard.press("Enter")
        page.locator("#figure-trials input").focus()
        assert page.evaluate(ROWS) == [best[1]]
        page.keyboard.press("Escape")
        assert page.evaluate(ROWS) == []


def test_filter_hides_rows(browser: Any, file: File, usual: StudyTables) -> None:
    total, diverged = len(usual.trials), usual.count_trials("diverged")
    with browsers.page(browser, file("usual")) as (page, _):
        words, state = page.locator("#figure-trials input"), page.locator("#figure-trials select")
        told = page.locator("#figure-trials output")
        heads = page.locator("#figure-trials thead th").all_inner_texts()
        assert told.inner_text() == f"{total} trials"
        assert len(page.evaluate(SHOWN)) == total
        state.select_option("diverged")
        assert told.inner_text() == f"{diverged} of {total} trials"
        assert {row[heads.index("state")] for row in page.evaluate(SHOWN)} == {"diverged"}
        state.select_option("")
        words.fill("Huber cosine")
        rows = page.evaluate(SHOWN)
        assert len(rows) == int(
            ((usual.trials["loss.terms.count.kind"] == "huber") & (usual.trials["schedule.kind"] == "cosine")).sum()
        )
        words.fill("mae<0.8 huber")
        values = [float(row[heads.index("mae")]) for row in page.evaluate(SHOWN)]
        assert values
        assert max(values) < 0.8
        words.fill("trial=17")
        assert [row[0] for row in page.evaluate(SHOWN)] == ["17"]
        words.fill("state=diverged")
        assert len(page.evaluate(SHOWN)) == diverged
        words.fill("no such thing")
        assert told.inner_text() == f"0 of {total} trials"


def test_table_sorts_by_shown_values(browser: Any, file: File) -> None:
    with browsers.page(browser, file("usual")) as (page, _):
        heads = page.locator("#figure-trials thead th").all_inner_texts()
        column = heads.index("mae")

        def values() -> list[float]:
            return [float(text) for row in page.evaluate(SHOWN) if (text := row[column]) != "–"]

        button = page.locator("#figure-trials thead button").nth(column)
        button.click()
        assert values() == sorted(values())
        assert page.evaluate(SHOWN)[-1][column] == "–"
        button.click()
        assert values() == sorted(values(), reverse=True)
        assert page.evaluate(SHOWN)[-1][column] == "–"
        assert page.locator("#figure-trials th[aria-sort]").get_attribute("aria-sort") == "descending"
        page.locator("#figure-trials thead button").first.click()
        assert [int(row[0]) for row in page.evaluate(SHOWN)] == list(range(len(page.evaluate(SHOWN))))


@pytest.mark.parametrize("width", [390, 1440])
def test_address_opens_a_trial(browser: Any, file: File, usual: StudyTables, width: int) -> None:
    last = int(usual.trials.loc[usual.trials["state"] == "diverged", "number"].iloc[-1])
    with browsers.page(browser, file("usual"), at=f"#trial-{last}", width=width) as (page, faults):
        until(page, IN_VIEW, f"trial-{last}")
        assert page.evaluate(ROWS) == [last]
        assert page.locator(".kept").inner_text().startswith(f"Trial {last} is marked")
        assert faults == []


def test_finding_overrides_filter(browser: Any, file: File) -> None:
    with browsers.page(browser, file("usual")) as (page, _):
        page.locator("#figure-trials input").fill("no such thing")
        link = page.locator("#health .behind a").first
        trial = int(link.inner_text())
        for _again in range(2):
            link.click()
            until(page, IN_VIEW, f"trial-{trial}")
            assert page.evaluate(ROWS) == [trial]
            assert page.locator("#figure-trials input").input_value() == ""
            page.locator("#figure-trials input").fill("no such thing")


def test_phone_menu_leads_to_sections(browser: Any, file: File) -> None:
    with browsers.page(browser, file("usual"), width=390) as (page, _):
        menu = page.locator("nav .menu")
        assert page.locator("nav li a:visible").count() == 0
        menu.locator("summary").click()
        menu.get_by_text("Parameters").click()
        until(page, "Math.abs(document.getElementById('parameters').getBoundingClientRect().top) < 120")
        assert page.locator("nav li a:visible").count() == 0
        assert menu.is_visible()
    with browsers.page(browser, file("usual")) as (page, _):
        assert page.locator("nav li a:visible").count() == page.locator("section").count()
        assert not page.locator("nav .menu").is_visible()


def rgb(paint: str) -> str:
    return f"rgb({', '.join(str(int(paint[i : i + 2], 16)) for i in (1, 3, 5))})"


@pytest.mark.parametrize(("scheme", "paint"), [("dark", DARK_PALETTE), ("light", PAINT)])
def test_colours_follow_the_scheme(browser: Any, file: File, scheme: str, paint: dict[str, str]) -> None:
    with browsers.page(browser, file("usual"), color_scheme=scheme) as (page, _):
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(paint["paper"])
        fills = (
            "[...document.querySelectorAll('#figure-history .mark-symbol path')].map((e) => getComputedStyle(e).fill)"
        )
        assert {rgb(paint["winner"]), rgb(paint["plain"])} <= set(page.evaluate(fills))
        text = "[...document.querySelectorAll('.chart .role-axis-label text')].map((e) => getComputedStyle(e).fill)"
        assert set(page.evaluate(text)) == {rgb(paint["quiet"])}


def test_print_shows_everything(browser: Any, file: File, usual: StudyTables) -> None:
    with browsers.page(browser, file("usual"), color_scheme="dark") as (page, faults):
        page.set_viewport_size({"width": 720, "height": 1000})
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        seen = page.locator("#figure-trials tbody tr").evaluate_all("(rows) => rows.map((row) => row.offsetHeight > 0)")
        assert seen == [True] * len(usual.trials)
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


def test_page_is_whole_without_scripts(browser: Any, file: File, usual: StudyTables) -> None:
    with browsers.page(browser, file("usual"), java_script_enabled=False) as (page, _):
        assert page.locator("#figure-trials tbody tr:visible").count() == len(usual.trials)
        assert not page.locator(".controls").is_visible()
        assert page.get_by_text("so the charts are not drawn").is_visible()
        values = page.locator("#figure-history details")
        values.locator("summary").click()
        assert values.locator("tbody tr:visible").count() > 20


def test_page_is_accessible(browser: Any, file: File) -> None:
    with browsers.page(browser, file("usual")) as (page, _):
        told = page.locator("body").aria_snapshot()
        for part in ('navigation "Sections"', "- main", 'table "All trials"', 'columnheader "mae"', "rowheader"):
            assert part in told
        assert 'img "Value by trial for 48 trials.' in told
        assert 'heading "Caution: ' in told
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((e) => Number(e.tagName[1]))")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert page.locator("figure").evaluate_all("(all) => all.every((e) => e.querySelector('figcaption h3'))")


def test_highlighting_is_fast(browser: Any, file: File) -> None:
    spent = "() => { const began = performance.now(); show(1000); show(null); return performance.now() - began; }"
    with browsers.page(browser, file("many")) as (page, _):
        assert page.locator("#figure-trials tbody tr").count() == MANY
        page.evaluate(spent)  # the first time looks up whose marks are whose
        assert page.evaluate(spent) < 100
