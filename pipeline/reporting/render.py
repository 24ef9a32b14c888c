"""Tables and sections -> the page, and the same in Markdown with figures. The same inputs give the same bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.reporting.advice.next_steps import choose_next_steps, drop_repeated_steps
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.finding import Finding
from thalweg.reporting.page import markdown as paper
from thalweg.reporting.page.figures import TrialTable
from thalweg.reporting.page.html import render_page
from thalweg.reporting.sections import Section, collect_figures, collect_findings, get_section_name
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import count_decimals, format_count, format_fixed, format_number, metric_label


def render_html(tables: StudyTables, sections: Sequence[Section]) -> str:
    """Make one self-contained page that opens offline."""
    found = {get_section_name(section): collect_findings(section, tables) for section in sections}
    told = drop_repeated_steps(found)
    drawn = {get_section_name(section): collect_figures(section, tables) for section in sections}
    registers = [shown for figures in drawn.values() for shown in figures if isinstance(shown, TrialTable)]
    return render_page(
        _study_title(tables),
        _build_head(tables, sections, found),
        [
            {"id": key, "title": section.TITLE, "findings": told[key], "figures": drawn[key]}
            for key, section in zip(drawn, sections, strict=True)
        ],
        {trial for register in registers for trial in register.trials},
    )


def render_markdown(tables: StudyTables, sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """The report in Markdown, and its figures: file name in figures/ -> SVG."""
    parts = [f"# {paper.escape_text(_study_title(tables))}"]
    figures: dict[str, str] = {}
    found = {get_section_name(section): collect_findings(section, tables) for section in sections}
    told = drop_repeated_steps(found)
    if advised := choose_next_steps(found):
        parts.append("\n".join(f"{i}. {paper.escape_text(one.text)}" for i, one in enumerate(advised, 1)))
        parts.insert(-1, "**What next**")
    for section in sections:
        parts.append(f"## {section.TITLE}")
        if findings := told[get_section_name(section)]:
            parts.append("\n".join(paper.render_finding(each) for each in findings))
        for shown in collect_figures(section, tables):
            text, drawn = paper.render_figure(shown)
            parts.append(text)
            figures |= drawn
    return "\n\n".join(parts) + "\n", figures


def _study_title(tables: StudyTables) -> str:
    return str(tables.setting("report.title") or "Study")


def _build_head(
    tables: StudyTables, sections: Sequence[Section], findings_by_section: Mapping[str, Sequence[Finding]]
) -> dict[str, Any]:
    """The first finding as the answer, the numbers, what to do next, then one line a section."""
    leads = [
        (get_section_name(each), each.TITLE, findings_by_section[get_section_name(each)][0].verdict)
        for each in sections
        if findings_by_section[get_section_name(each)]
    ]
    return {
        "lede": leads[0][2] if leads else "",
        "note": _describe_numbers(tables),
        "numbers": _list_key_numbers(tables),
        "steps": choose_next_steps(findings_by_section),
        "leads": leads[1:],
    }


def _describe_numbers(tables: StudyTables) -> str:
    """What the numbers are, and what their intervals are over."""
    known = build_confirmed_result(tables)
    if known is None:
        return ""
    way = "lower" if tables.sign > 0 else "higher"
    text = f"{metric_label(tables.objective).capitalize()} on {known.split}, {way} is better. "
    text += f"Means over {format_count(known.difference.n, 'fresh seed')} with 95 % intervals for other seeds "
    return text + (f"only: the {known.split} part is one group." if known.has_one_group else "and other examples.")


def _list_key_numbers(tables: StudyTables) -> list[tuple[str, str, str, str]]:
    """The large numbers: name, colour or nothing, value, what stands below it."""
    entries = []
    if known := build_confirmed_result(tables):
        last = ("corrected difference", known.decisive) if known.changes_verdict else ("difference", known.difference)
        shown = [("winner", known.winner), ("baseline", known.baseline), last]
        for name, value in shown if tables.has_winner else shown[1:2]:
            places, signed = count_decimals((value.high - value.low) / 2), name == last[0]
            low, high = format_fixed(value.low, places, signed), format_fixed(value.high, places, signed)
            entries.append((name, "" if signed else name, format_fixed(value.mean, places, signed), f"{low} to {high}"))
    elif len(tables.ranked):
        best = tables.ranked.iloc[0]
        below = f"trial {int(best['number'])}, on validation, not confirmed"
        entries.append((f"best {metric_label(tables.objective)}", "winner", format_number(best["value"]), below))
    ended = f"{tables.count('complete'):,} complete, {tables.count('pruned'):,} stopped early"
    return [*entries, ("trials", "", f"{len(tables.trials):,}", ended)]
