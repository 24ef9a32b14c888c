"""Tables and sections -> the page, and the same in Markdown with figures. The same inputs give the same bytes."""

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path

import vl_convert

from thalweg.reporting.advice.next_steps import once, steps
from thalweg.reporting.analysis.confirmed import confirmed
from thalweg.reporting.finding import Finding
from thalweg.reporting.page import html as page
from thalweg.reporting.page import markdown as paper
from thalweg.reporting.page.figures import Register
from thalweg.reporting.page.markup import prose
from thalweg.reporting.page.theme import PAGE_FONT, config, variables
from thalweg.reporting.sections import Section, charts_of, findings_of, name
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import decimals, fixed, label, many, number
from thalweg.system.files import read_bytes, write_text

HERE = Path(__file__).parent / "page"
KEPT = Path(".thalweg")
SCRIPTS = ("page.js", "table.js", "trace.js")
THANKS = "Charts by Vega, Vega-Lite and Vega-Embed (BSD 3-Clause), inside this file: the page needs no network."
UNDRAWN = "The charts are not drawn, because this browser runs no scripts. Below each are the values that it shows."


def html(tables: StudyTables, sections: Sequence[Section]) -> str:
    """One self-contained page that opens offline."""
    found = {name(section): findings_of(section, tables) for section in sections}
    told = once(found)
    drawn = {name(section): charts_of(section, tables) for section in sections}
    anchors = {
        trial
        for figures in drawn.values()
        for shown in figures
        if isinstance(shown, Register)
        for trial in shown.trials
    }
    parts = [_head(tables, sections, found), f'<p class="blank undrawn">{UNDRAWN}</p>']
    for section in sections:
        key = escape(name(section))
        findings = "".join(page.finding(each, anchors) for each in told[name(section)])
        figures = "".join(page.figure(each) for each in drawn[name(section)])
        parts.append(
            f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{escape(section.TITLE)}</h2>'
            f'{findings}<div class="figures">{figures}</div></section>'
        )
    parts.append(f"<footer><p>{THANKS}</p></footer>")
    links = "".join(f'<li><a href="#{escape(name(each))}">{escape(each.TITLE)}</a></li>' for each in sections)
    navigation = f'<div class="mark">{page.MARK}thalweg</div><ol>{links}</ol>'
    navigation += f'<details class="menu"><summary>Sections</summary><ol>{links}</ol></details>'
    style = variables() + _asset("page.css")
    scripts = [_bundle(), "\n".join(_asset(file) for file in SCRIPTS)]
    # a mark of its own words for each of thousands of marks costs time, and nobody is told: the chart is one image
    quiet = config(PAGE_FONT, "transparent") | {"aria": False}
    return page.frame(_title(tables), style, navigation, "\n".join(parts), quiet, scripts)


def markdown(tables: StudyTables, sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """The report in Markdown, and its figures: file name in figures/ -> SVG."""
    parts = [f"# {paper.plain(_title(tables))}"]
    figures: dict[str, str] = {}
    found = {name(section): findings_of(section, tables) for section in sections}
    told = once(found)
    if advised := steps(found):
        parts.append("\n".join(f"{i}. {paper.plain(one.step)}" for i, one in enumerate(advised, 1)))
        parts.insert(-1, "**What next**")
    for section in sections:
        parts.append(f"## {section.TITLE}")
        if findings := told[name(section)]:
            parts.append("\n".join(paper.finding(each) for each in findings))
        for shown in charts_of(section, tables):
            text, drawn = paper.figure(shown)
            parts.append(text)
            figures |= drawn
    return "\n\n".join(parts) + "\n", figures


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script; it takes two seconds to put together, so it is kept."""
    kept = KEPT / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists():
        write_text(kept, str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")))
    return read_bytes(kept).decode()


def _title(tables: StudyTables) -> str:
    return str(tables.setting("report.title") or "Study")


def _asset(file: str) -> str:
    return read_bytes(HERE / file).decode()


def _head(tables: StudyTables, sections: Sequence[Section], found: Mapping[str, Sequence[Finding]]) -> str:
    """Title, the first finding as the answer, the numbers, what to do next, then one line a section."""
    first = [(section, found[name(section)][0]) for section in sections if found[name(section)]]
    parts = [f"<header><h1>{escape(_title(tables))}</h1>"]
    if first:
        parts.append(f'<p class="lede">{prose(first[0][1].verdict)}</p>')
    if known := confirmed(tables):
        way = "lower" if tables.sign > 0 else "higher"
        text = f"{label(tables.objective).capitalize()} on {known.split}, {way} is better. "
        text += f"Means over {many(known.difference.n, 'fresh seed')} with 95 % intervals for other seeds "
        text += f"only: the {known.split} part is one group." if known.one_group else "and other examples."
        parts.append(f'<p class="quiet">{escape(text)}</p>')
    lines = "".join(
        f'<li><a href="#{escape(name(each))}">{escape(each.TITLE)}</a><span>{prose(lead.verdict)}</span></li>'
        for each, lead in first[1:]
    )
    advice = "".join(
        f'<li>{prose(step.step)} <a href="#{escape(step.section)}">{prose(step.verdict)}</a></li>'
        for step in steps(found)
    )
    parts.append(page.numbers(_numbers(tables)))
    if advice:
        parts.append(f'<p class="then" id="then">What next</p><ol class="then" aria-labelledby="then">{advice}</ol>')
    return "".join([*parts, f'<ul class="short">{lines}</ul></header>'])


def _numbers(tables: StudyTables) -> list[tuple[str, str, str, str]]:
    entries = []
    if known := confirmed(tables):
        last = ("corrected difference", known.decisive) if known.corrects else ("difference", known.difference)
        shown = [("winner", known.winner), ("baseline", known.baseline), last]
        for name, value in shown if tables.has_winner else shown[1:2]:
            places, signed = decimals((value.high - value.low) / 2), name == last[0]
            low, high = fixed(value.low, places, signed), fixed(value.high, places, signed)
            entries.append((name, "" if signed else name, fixed(value.mean, places, signed), f"{low} to {high}"))
    elif len(tables.ranked):
        best = tables.ranked.iloc[0]
        below = f"trial {int(best['number'])}, on validation, not confirmed"
        entries.append((f"best {label(tables.objective)}", "winner", number(best["value"]), below))
    ended = f"{tables.count('complete'):,} complete, {tables.count('pruned'):,} stopped early"
    return [*entries, ("trials", "", f"{len(tables.trials):,}", ended)]
