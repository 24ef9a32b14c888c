"""Turn tables and pictures into the report: findings, charts and pages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import pandas as pd

from thalweg.config.experiment import Config
from thalweg.reporting import render, sections
from thalweg.reporting.load import load_study_tables
from thalweg.reporting.page.html import read_vega_bundle
from thalweg.reporting.tables import StudyTables
from thalweg.system import files, paths

MAX_METRICS = 12
"""Rows that `dvc metrics diff` prints at most."""


def main(config: Config) -> str:
    with ThreadPoolExecutor(1) as beside:  # the first report of a folder waits two seconds for the charts' script
        beside.submit(read_vega_bundle)
        tables = load_study_tables(config)
    selected = sections.select_sections(tables)
    files.write_text(paths.REPORTS / "report.html", render.render_html(tables, selected))
    text, figures = render.render_markdown(tables, selected)
    files.write_text(paths.REPORTS / "report.md", text)
    files.sync_folder(paths.REPORTS / "figures", {name: svg.encode() for name, svg in figures.items()})
    files.write_json(paths.METRICS, build_metrics(tables))
    shown = render.collect_shown_findings(tables, selected).values()
    files.write_json(paths.FINDINGS, [asdict(finding) for findings in shown for finding in findings])
    verdicts = (finding.verdict for section in selected for finding in sections.collect_findings(section, tables))
    return f"{paths.REPORTS / 'report.html'}: {next(verdicts, 'no findings')}"


def build_metrics(tables: StudyTables) -> dict[str, float | str]:
    """Return the rows of `dvc metrics`, MAX_METRICS at most: the result, the winner's parameters, its other metrics.

    Without a confirmed result: the number of trials.
    """
    confirmation = tables.summary.confirm
    if confirmation is None:
        return {"study_trials": tables.summary.study.trials, "study_complete": tables.summary.study.complete}
    winner, baseline, difference = confirmation.winner, confirmation.baseline, confirmation.decisive_difference
    rows: dict[str, float | str] = {
        "confirm_winner_mean": winner.mean,
        "confirm_winner_low": winner.low,
        "confirm_winner_high": winner.high,
        "confirm_baseline_mean": baseline.mean,
        "confirm_difference_mean": difference.mean,
        "confirm_difference_low": difference.low,
        "confirm_difference_high": difference.high,
    }
    trial = tables.trials[tables.trials["number"] == tables.winner]
    names = [parameter.name for parameter in tables.parameters]
    values = trial[names].iloc[0].to_dict() if len(trial) else {}
    rows |= {f"winner.{name}": value for name, value in values.items() if pd.notna(value)}
    rows |= {f"test_{name}": value for name, value in tables.summary.test.items() if name != tables.objective}
    return dict(list(rows.items())[:MAX_METRICS])
