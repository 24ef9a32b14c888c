"""Render tables and sections as the HTML page and as Markdown with figures. The same inputs give the same bytes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from thalweg.reporting.advice.next_steps import drop_repeated_steps
from thalweg.reporting.finding import Finding, read_step
from thalweg.reporting.head import build_head
from thalweg.reporting.page import markdown as paper
from thalweg.reporting.page.figures import Figure, TrialTable
from thalweg.reporting.page.html import render_page
from thalweg.reporting.page.parts import PageSection
from thalweg.reporting.sections import Section, collect_figures, collect_findings, get_section_name
from thalweg.reporting.sentences import drop_reference
from thalweg.reporting.tables import StudyTables
from thalweg.system import progress

MISSING = object()


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
        build_head(tables, sections),
        [
            PageSection(key, section.TITLE, shown_findings[key], figures_by_section[key])
            for key, section in zip(figures_by_section, sections, strict=True)
        ],
        {trial for table in trial_tables for trial in table.trials},
    )


def render_markdown(tables: StudyTables, sections: Sequence[Section]) -> tuple[str, dict[str, str]]:
    """Render the report in Markdown and its figures: file name in figures/ -> SVG."""
    parts = [f"# {paper.escape_text(_study_title(tables))}"]
    figures: dict[str, str] = {}
    shown_findings = collect_shown_findings(tables, sections)
    head = build_head(tables, sections)
    parts += paper.render_head(head.lede, head.measure, head.numbers)
    shown: list[Figure] = [figure for figure in (head.pictures, head.chart) if figure is not None]
    for figure in shown:
        text, images = paper.render_figure(figure)
        parts.append(text)
        figures |= images
    parts += paper.render_steps([step.text for step in head.steps], head.commands)
    for section in progress.track(sections, "drawing charts", len(sections), "section"):
        parts.append(f"## {section.TITLE}")
        if findings := shown_findings[get_section_name(section)]:
            parts.append("\n".join(paper.render_finding(finding) for finding in findings))
        for figure in collect_figures(section, tables):
            text, images = paper.render_figure(figure)
            parts.append(text)
            figures |= images
    return "\n\n".join(parts) + "\n", figures


def _study_title(tables: StudyTables) -> str:
    return str(tables.setting("report.title") or "Study")


def collect_shown_findings(tables: StudyTables, sections: Sequence[Section]) -> dict[str, list[Finding]]:
    """Return the findings by section, numbered, each step where it comes first and with what does it."""
    findings_by_section = drop_repeated_steps(
        {get_section_name(each): collect_findings(each, tables) for each in sections}
    )
    numbers = count(1)
    return {
        name: [_complete_finding(tables, section, finding, next(numbers)) for finding in findings]
        for section, (name, findings) in zip(sections, findings_by_section.items(), strict=True)
    }


def _complete_finding(tables: StudyTables, section: Section, finding: Finding, number: int) -> Finding:
    """Return a finding with its place in the report, and with its step as data; the step names not its own section."""
    step = read_step(finding)
    written = {path: tables.setting(path, MISSING) for path in step.patch}
    return replace(
        finding,
        next_step=drop_reference(step, section.TITLE),
        section=get_section_name(section),
        number=number,
        numbers={name: value for name, value in finding.numbers.items() if math.isfinite(value)},
        patch=step.patch or None,
        replaces={path: value for path, value in written.items() if value is not MISSING},
        commands=step.commands,
    )
