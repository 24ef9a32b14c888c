"""Tables and sections -> the page, and the same in Markdown with figures. The same inputs give the same bytes."""

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

import vl_convert

from pipeline.io import read_bytes
from pipeline.reporting import page, paper
from pipeline.reporting.confirmed import confirmed, one_group
from pipeline.reporting.findings import Finding
from pipeline.reporting.sections import Section, name
from pipeline.reporting.tables import Tables
from pipeline.reporting.theme import PAGE_FONT, config, variables
from pipeline.reporting.words import decimals, fixed, label, many, number

HERE = Path(__file__).parent
THANKS = "Charts by Vega, Vega-Lite and Vega-Embed (BSD 3-Clause), inside this file: the page needs no network."


def html(tables: Tables, sections: Sequence[Section]) -> str:
    """One self-contained page that opens offline."""
    found = {name(section): section.findings(tables) for section in sections}
    parts = [_head(tables, sections, found)]
    for section in sections:
        key = escape(name(section))
        findings = "".join(page.finding(each) for each in found[name(section)])
        figures = "".join(page.figure(each) for each in section.charts(tables))
        parts.append(
            f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{escape(section.TITLE)}</h2>'
            f'{findings}<div class="figures">{figures}</div></section>'
        )
    parts.append(f"<footer><p>{THANKS}</p></footer>")
    links = (f'<li><a href="#{escape(name(each))}">{escape(each.TITLE)}</a></li>' for each in sections)
    navigation = f'<div class="mark">{page.MARK}thalweg</div><ol>{"".join(links)}</ol>'
    style = variables() + _asset("page.css")
    scripts = [_bundle(), _asset("page.js")]
    return page.frame(_title(tables), style, navigation, "\n".join(parts), config(PAGE_FONT, "transparent"), scripts)


def markdown(tables: Tables, sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """The report in Markdown, and its figures: file name in figures/ -> SVG."""
    parts = [f"# {paper.plain(_title(tables))}"]
    figures: dict[str, str] = {}
    for section in sections:
        parts.append(f"## {section.TITLE}")
        if findings := section.findings(tables):
            parts.append("\n".join(paper.finding(each) for each in findings))
        for shown in section.charts(tables):
            text, drawn = paper.figure(shown)
            parts.append(text)
            figures |= drawn
    return "\n\n".join(parts) + "\n", figures


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script; it takes a second to put together."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _title(tables: Tables) -> str:
    return str(tables.setting("report.title") or "Study")


def _asset(file: str) -> str:
    return read_bytes(HERE / file).decode()


def _head(tables: Tables, sections: Sequence[Section], found: Mapping[str, Sequence[Finding]]) -> str:
    """Title, the first finding as the answer, the numbers, then one line a section."""
    first = [(section, found[name(section)][0]) for section in sections if found[name(section)]]
    parts = [f"<header><h1>{escape(_title(tables))}</h1>"]
    if first:
        parts.append(f'<p class="lede">{page.prose(first[0][1].verdict)}</p>')
    if known := confirmed(tables, "difference"):
        way = "lower" if tables.sign > 0 else "higher"
        text = f"{label(tables.objective).capitalize()} on {tables.part}, {way} is better. "
        text += f"Means over {many(known.n, 'fresh seed')} with 95 % intervals for other seeds "
        text += f"only: the {tables.part} part is one group." if one_group(tables) else "and other examples."
        parts.append(f'<p class="quiet">{escape(text)}</p>')
    lines = "".join(
        f'<li><a href="#{escape(name(each))}">{escape(each.TITLE)}</a><span>{page.prose(lead.verdict)}</span></li>'
        for each, lead in first[1:]
    )
    return "".join([*parts, page.numbers(_numbers(tables)), f'<ul class="short">{lines}</ul></header>'])


def _numbers(tables: Tables) -> list[tuple[str, str, str, str]]:
    entries = []
    for key in ("winner", "baseline", "difference"):
        if known := confirmed(tables, key):
            places, signed = decimals((known.high - known.low) / 2), key == "difference"
            low, high = fixed(known.low, places, signed), fixed(known.high, places, signed)
            paint = "" if signed else key
            entries.append((key, paint, fixed(known.mean, places, signed), f"{low} to {high}"))
    if not entries and len(tables.ranked):
        best = tables.ranked.iloc[0]
        below = f"trial {int(best['number'])}, on validation, not confirmed"
        entries.append((f"best {label(tables.objective)}", "winner", number(best["value"]), below))
    ended = f"{tables.count('complete'):,} complete, {tables.count('pruned'):,} stopped early"
    return [*entries, ("trials", "", f"{len(tables.trials):,}", ended)]
