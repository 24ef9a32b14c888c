"""Turn tables and pictures into the report: findings, charts and pages."""

from typing import Any

import pandas as pd

from thalweg.artifacts.summary import to_json
from thalweg.config.experiment import Config
from thalweg.reporting import render, sections
from thalweg.reporting.load import load_study_tables
from thalweg.system import files, paths


def main(config: Config) -> str:
    tables = load_study_tables(config)
    selected = sections.select_sections(tables)
    files.write_text(paths.REPORTS / "report.html", render.render_html(tables, selected))
    text, figures = render.render_markdown(tables, selected)
    files.write_text(paths.REPORTS / "report.md", text)
    files.sync_folder(paths.REPORTS / "figures", {name: svg.encode() for name, svg in figures.items()})
    files.write_json(paths.METRICS, flatten_summary(to_json(tables.summary)))
    verdicts = (finding.verdict for section in selected for finding in sections.collect_findings(section, tables))
    return f"{paths.REPORTS / 'report.html'}: {next(verdicts, 'no findings')}"


def flatten_summary(summary: dict[str, dict[str, object]]) -> dict[str, float]:
    """Return the numbers of summary.json under one name each, for `dvc metrics`."""
    numbers: dict[str, Any] = {}
    for section in ("confirm", "test"):
        series = pd.json_normalize(summary[section], sep="_").iloc[0].to_dict() if summary[section] else {}
        numbers |= {f"{section}_{name}": value for name, value in series.items()}
    counts = {name: value for name, value in summary["study"].items() if isinstance(value, int)}
    return numbers | {f"study_{name}": value for name, value in counts.items()}
