"""Render tables and sections as the HTML page and as Markdown with figures. The same inputs give the same bytes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from thalweg.reporting.advice.next_steps import choose_next_steps, drop_repeated_steps
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.analysis.groups import name_units
from thalweg.reporting.finding import Finding
from thalweg.reporting.page import markdown as paper
from thalweg.reporting.page.figures import TrialTable
from thalweg.reporting.page.html import render_page
from thalweg.reporting.sections import Section, collect_figures, collect_findings, get_section_name
from thalweg.reporting.sentences import drop_reference
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import count_decimals, format_count, format_interval, format_number, metric_label
from thalweg.system import progress


def render_html(tables: StudyTables, sections: Sequence[Section]) -> str:
    """Render one self-contained page that opens offline."""
    shown_findings = collect_shown_findings(tables, sections)
    shown_sections = progress.track(sections, "computing", len(sections), "section")
    figures_by_section = {get_section_name(section): collect_figures(section, tables) for section in shown_sections}
    trial_tables = [
        figure for figures in figures_by_section.values() for figure in figures if isinstance(figure, TrialTable)
    ]
    return render_page(
        _study_title(tables),
        _build_head(tables, sections),
        [
            {"id": key, "title": section.TITLE, "findings": shown_findings[key], "figures": figures_by_section[key]}
            for key, section in zip(figures_by_section, sections, strict=True)
        ],
        {trial for table in trial_tables for trial in table.trials},
    )


def render_markdown(tables: StudyTables, sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """Render the report in Markdown and its figures: file name in figures/ -> SVG."""
    parts = [f"# {paper.escape_text(_study_title(tables))}"]
    figures: dict[str, str] = {}
    shown_findings = collect_shown_findings(tables, sections)
    parts += paper.render_head(_build_head(tables, sections))
    for section in progress.track(sections, "drawing charts", len(sections), "section"):
        parts.append(f"## {section.TITLE}")
        if shown := shown_findings[get_section_name(section)]:
            parts.append("\n".join(paper.render_finding(finding) for finding in shown))
        for figure in collect_figures(section, tables):
            text, images = paper.render_figure(figure)
            parts.append(text)
            figures |= images
    return "\n\n".join(parts) + "\n", figures


def _study_title(tables: StudyTables) -> str:
    return str(tables.setting("report.title") or "Study")


def collect_shown_findings(tables: StudyTables, sections: Sequence[Section]) -> dict[str, list[Finding]]:
    """Return the findings by section, each step where it comes first and without a reference to its own section."""
    findings_by_section = drop_repeated_steps(
        {get_section_name(each): collect_findings(each, tables) for each in sections}
    )
    return {
        name: [replace(finding, next_step=drop_reference(finding.next_step, section.TITLE)) for finding in findings]
        for section, (name, findings) in zip(sections, findings_by_section.items(), strict=True)
    }


def _build_head(tables: StudyTables, sections: Sequence[Section]) -> dict[str, Any]:
    """Build the report's head: the first verdict, key numbers, next steps, then one line per section."""
    findings_by_section = {get_section_name(section): collect_findings(section, tables) for section in sections}
    leads = [
        (name, section.TITLE, findings[0].verdict)
        for section, (name, findings) in zip(sections, findings_by_section.items(), strict=True)
        if findings
    ]
    return {
        "lede": leads[0][2] if leads else "",
        "note": _describe_numbers(tables),
        "numbers": _list_key_numbers(tables),
        "steps": choose_next_steps(findings_by_section),
        "leads": leads[1:],
    }


def _describe_numbers(tables: StudyTables) -> str:
    """Describe the key numbers and their intervals."""
    result = build_confirmed_result(tables)
    if result is None:
        return ""
    direction = "lower" if tables.sign > 0 else "higher"
    text = f"{metric_label(tables.objective).capitalize()} on the {result.split} set, {direction} is better. "
    scope = f"other seeds and other {name_units(tables.predictions)} would change."
    if result.has_one_group:
        scope = f"other seeds would change; {result.split} is one group of examples."
    text += f"Means over {format_count(result.difference.n, 'fresh seed')}. The 95 % intervals show what {scope}"
    if result.is_corrected and tables.has_winner:
        text += " The winner was chosen on these seeds, so it may look too good; the corrected difference removes this."
    return text


def _list_key_numbers(tables: StudyTables) -> list[tuple[str, str, str, str]]:
    """List the key numbers: name, colour or nothing, value, note below."""
    entries = []
    if result := build_confirmed_result(tables):
        intervals = [("winner", result.winner), ("baseline", result.baseline), ("difference", result.difference)]
        intervals += [("corrected difference", result.decisive)] if result.is_corrected else []
        intervals = intervals if tables.has_winner else intervals[1:2]
        places = max(result.decimals, *(count_decimals((value.high - value.low) / 2) for _, value in intervals))
        for name, value in intervals:
            signed = name.endswith("difference")
            text, _, ends = format_interval(value.mean, value.low, value.high, signed, places).partition(" (")
            entries.append((name, "" if signed else name, text, ends.removesuffix(")")))
    elif len(tables.ranked):
        best = tables.ranked.iloc[0]
        note = f"trial {int(best['number'])}, on the validation set, not confirmed"
        entries.append((f"best {metric_label(tables.objective)}", "winner", format_number(best["value"]), note))
    endings = f"{tables.count_trials('complete'):,} complete, {tables.count_trials('pruned'):,} stopped early"
    if tables.repeat_count:
        endings += f", in {len(tables.trials) + tables.repeat_count:,} trials"
    return [*entries, ("combinations" if tables.repeat_count else "trials", "", f"{len(tables.trials):,}", endings)]
