"""The report of another program's study, as files in a folder."""

from dataclasses import asdict
from pathlib import Path
from typing import cast

from thalweg.foreign import unknown
from thalweg.foreign.study import ForeignStudy
from thalweg.foreign.tables import build_tables
from thalweg.reporting import render, sections
from thalweg.reporting.page.figures import EmptyFigure
from thalweg.reporting.sections import Section, get_section_name
from thalweg.reporting.tables import StudyTables
from thalweg.system import files, table_files
from thalweg.system.files import UserError

PAGE = "report.html"
FIGURES = "figures"
NEVER = ("data", "errors", "landscape", "gradients", "loss_terms", "provenance")
"""Sections on what only our own stages measure."""


def write_report(study: ForeignStudy, folder: Path) -> Path:
    """Write the report of a study into a folder; return the path of the page."""
    if files.path_exists(folder / FIGURES) and not files.path_exists(folder / PAGE):
        raise UserError(f"{folder / FIGURES} is there, and no report beside it; name another folder with --out")
    tables = build_tables(study)
    selected = select_sections(tables)
    page = render.render_html(tables, selected)
    text, figures = render.render_markdown(tables, selected)
    shown = render.collect_shown_findings(tables, selected).values()
    files.sync_folder(folder / FIGURES, {name: svg.encode() for name, svg in figures.items()})
    files.write_text(folder / "report.md", text)
    files.write_json(folder / "findings.json", [asdict(finding) for findings in shown for finding in findings])
    table_files.write_table(folder / "trials.csv", tables.trials)
    files.write_text(folder / PAGE, page)
    return folder / PAGE


def select_sections(tables: StudyTables) -> list[Section]:
    """Return the sections that the tables allow, in the order of the report."""
    found = [section for section in sections.select_sections(tables) if get_section_name(section) not in NEVER]
    found = [section for section in found if _has_content(section, tables)]
    return sorted([*found, cast(Section, unknown)], key=lambda section: section.ORDER)


def _has_content(section: Section, tables: StudyTables) -> bool:
    """Return whether a section says or shows anything: a result of fresh seeds, a budget of reported values."""
    needed = {"result": tables.summary.confirm is not None, "budget": not tables.curves.empty}
    if not needed.get(get_section_name(section), True):
        return False
    figures = sections.collect_figures(section, tables)
    drawn = any(not isinstance(figure, EmptyFigure) for figure in figures)
    return drawn or bool(sections.collect_findings(section, tables))
