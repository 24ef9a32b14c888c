"""The page in a real browser: what belongs to a trial hangs together."""

from typing import Any

import pytest

from tests.helpers.browser import MANY_TRIALS, PageFile, open_page, wait_until
from thalweg.reporting.tables import StudyTables

pytestmark = pytest.mark.slow

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
IN_VIEW = """(id) => {
  const row = document.getElementById(id).getBoundingClientRect();
  const box = document.querySelector(".tall").getBoundingClientRect();
  const head = document.querySelector(".tall thead").getBoundingClientRect();
  return row.top >= Math.max(box.top + head.height - 2, 0) && row.bottom <= Math.min(box.bottom + 2, innerHeight);
}"""


def test_mark_highlights_its_trial(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    winner = counting_study.winner
    with open_page(browser, page_file("usual")) as (page, faults):
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


def test_line_or_row_highlights_trial(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    pruned = int(counting_study.trials.loc[counting_study.trials["state"] == "pruned", "number"].iloc[0])
    end = """([trial]) => {
      const line = [...document.querySelectorAll("#figure-learning .mark-line path")]
        .find((one) => [one.__data__].flat()[0].datum.trial === trial);
      line.scrollIntoView({ block: "center", behavior: "instant" });
      const at = line.getPointAtLength(0).matrixTransform(line.getScreenCTM());
      return [at.x + 1, at.y];
    }"""
    with open_page(browser, page_file("usual")) as (page, _):
        page.mouse.move(*page.evaluate(end, [pruned]))
        page.wait_for_selector("#figure-slice-0 .above")
        (trial,) = page.evaluate(ROWS)  # lines begin close together: it is one of them
        assert trial in counting_study.trials["number"].to_list()
        page.mouse.move(5, 5)
        page.locator(f"#trial-{pruned} td").first.hover()
        page.wait_for_selector("#figure-history .above")
        assert page.evaluate(ROWS) == [pruned]
        assert page.locator("#figure-history .above circle").count() == 1


def test_tap_marks_until_released(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    with open_page(browser, page_file("usual"), width=390, has_touch=True, is_mobile=True) as (page, faults):
        page.touchscreen.tap(*page.evaluate(MARK, ["history", counting_study.winner]))
        page.wait_for_selector("#figure-slice-1 .above")
        bar = page.locator(".kept")
        assert bar.get_by_role("link").inner_text() == f"Trial {counting_study.winner} is marked"
        bar.get_by_role("link").tap()
        wait_until(page, IN_VIEW, f"trial-{counting_study.winner}")
        assert page.evaluate(ROWS) == [counting_study.winner]
        bar.get_by_role("button").tap()
        page.wait_for_selector(".above", state="detached")
        assert not bar.is_visible()
        assert faults == []


def test_keys_move_through_rows(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    best = counting_study.ranked["number"].to_list()
    with open_page(browser, page_file("usual")) as (page, _):
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


def test_filter_hides_rows(browser: Any, page_file: PageFile, counting_study: StudyTables) -> None:
    total, diverged = len(counting_study.trials), counting_study.count_trials("diverged")
    with open_page(browser, page_file("usual")) as (page, _):
        words, state = page.locator("#figure-trials input"), page.locator("#figure-trials select")
        output = page.locator("#figure-trials output")
        heads = page.locator("#figure-trials thead th").all_inner_texts()
        assert output.inner_text() == f"{total} trials"
        assert len(page.evaluate(SHOWN)) == total
        state.select_option("diverged")
        assert output.inner_text() == f"{diverged} of {total} trials"
        assert {row[heads.index("state")] for row in page.evaluate(SHOWN)} == {"diverged"}
        state.select_option("")
        words.fill("Huber cosine")
        rows = page.evaluate(SHOWN)
        assert len(rows) == int(
            (
                (counting_study.trials["loss.terms.count.kind"] == "huber")
                & (counting_study.trials["schedule.kind"] == "cosine")
            ).sum()
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
        assert output.inner_text() == f"0 of {total} trials"


def test_table_sorts_by_shown_values(browser: Any, page_file: PageFile) -> None:
    with open_page(browser, page_file("usual")) as (page, _):
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
def test_address_opens_a_trial(browser: Any, page_file: PageFile, counting_study: StudyTables, width: int) -> None:
    last = int(counting_study.trials.loc[counting_study.trials["state"] == "diverged", "number"].iloc[-1])
    with open_page(browser, page_file("usual"), at=f"#trial-{last}", width=width) as (page, faults):
        wait_until(page, IN_VIEW, f"trial-{last}")
        assert page.evaluate(ROWS) == [last]
        assert page.locator(".kept").inner_text().startswith(f"Trial {last} is marked")
        assert faults == []


def test_finding_overrides_filter(browser: Any, page_file: PageFile) -> None:
    with open_page(browser, page_file("usual")) as (page, _):
        page.locator("#figure-trials input").fill("no such thing")
        link = page.locator("#health .behind a").first
        trial = int(link.inner_text())
        for _again in range(2):
            link.click()
            wait_until(page, IN_VIEW, f"trial-{trial}")
            assert page.evaluate(ROWS) == [trial]
            assert page.locator("#figure-trials input").input_value() == ""
            page.locator("#figure-trials input").fill("no such thing")


def test_highlighting_is_fast(browser: Any, page_file: PageFile) -> None:
    spent = "() => { const began = performance.now(); show(1000); show(null); return performance.now() - began; }"
    with open_page(browser, page_file("many")) as (page, _):
        assert page.locator("#figure-trials tbody tr").count() == MANY_TRIALS
        page.evaluate(spent)  # the first time looks up whose marks are whose
        assert page.evaluate(spent) < 100
