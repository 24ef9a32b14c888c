"""Turn tables and pictures into the report: findings, charts and pages."""

import math
from typing import Any

import pandas as pd

from thalweg.artifacts.summary import read_summary, to_json
from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.reporting import render, sections
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.verdicts import build_verdict_table
from thalweg.system import files, paths


def main(config: Config) -> None:
    tables = read_study_tables(config)
    chosen = sections.select_sections(tables)
    files.write_text(paths.REPORTS / "report.html", render.render_html(tables, chosen))
    text, figures = render.render_markdown(tables, chosen)
    files.write_text(paths.REPORTS / "report.md", text)
    files.sync_folder(paths.REPORTS / "figures", {name: svg.encode() for name, svg in figures.items()})
    files.write_json(paths.METRICS, flatten_summary(to_json(tables.summary)))
    verdicts = (finding.verdict for section in chosen for finding in sections.collect_findings(section, tables))
    print(f"{paths.REPORTS / 'report.html'}: {next(verdicts, 'no findings')}")


def read_study_tables(config: Config) -> StudyTables:
    """Read everything that the earlier stages wrote."""
    curves = files.read_table(paths.CURVES)
    text_parameters = [
        name for name, p in spaces.sort_parameters(config) if p.choices and all(isinstance(c, str) for c in p.choices)
    ]
    trials = files.read_table(paths.TRIALS, dtype=dict.fromkeys(text_parameters, str))
    steps = trials.dropna(subset="diverged_step").set_index("number")["diverged_step"]
    diverged = {int(str(number)): int(step) for number, step in steps.items()}
    # names may look like numbers: classes are often 0 to 9
    text_columns = dict.fromkeys(
        ("image", "group", *(("truth", "prediction") if config.task.OUTPUT_KIND == "class" else ())), str
    )
    worst = files.read_table(paths.WORST_EXAMPLES, dtype=text_columns)
    objective = config.study.objective
    params = config.model_dump(mode="json")
    params["data"].pop("path")
    return StudyTables(
        params=params,
        trials=trials,
        curves=curves,
        summary=read_summary(),
        runs=files.read_table(paths.RUNS),
        ablations=files.read_table(paths.ABLATIONS),
        gradients=files.read_table(paths.GRADIENTS) if files.path_exists(paths.GRADIENTS) else pd.DataFrame(),
        references=files.read_table(paths.REFERENCES),
        landscape={
            name.removesuffix(".csv"): files.read_table(paths.LANDSCAPE / name)
            for name in files.list_files(paths.LANDSCAPE)
        },
        predictions=files.read_table(paths.PREDICTIONS, dtype=text_columns),
        pictures=[
            {**{str(k): v for k, v in row.items()}, "file": paths.PICTURES / str(row["file"])}
            for row in worst.to_dict("records")
        ],
        baseline_curves=files.read_table(paths.BASELINE_CURVES),
        verdicts=build_verdict_table(objective, config.task.METRIC_DIRECTIONS[objective], curves, diverged),
        manifest=files.read_json(paths.MANIFEST),
        provenance=files.read_json(paths.STUDY_RECORD)["made"] | {"commands": ["make setup", "dvc repro"]},
        space=list_searched_parameters(config),
        output_kind=config.task.OUTPUT_KIND,
        objective=objective,
        direction=config.task.METRIC_DIRECTIONS[objective],  # type: ignore[arg-type]
        bounds={name: config.task.metric_bounds(name) for name in config.task.METRIC_DIRECTIONS},
        metric_directions=dict(config.task.METRIC_DIRECTIONS),
        picture_caption=config.task.PICTURE_CAPTION,
    )


def list_searched_parameters(config: Config) -> list[SearchedParameter]:
    """Return the search space as the report reads it."""
    keys = {"log", "whole", "when", "role"}
    return [
        SearchedParameter(
            name,
            math.nan if p.low is None else p.low,
            math.nan if p.high is None else p.high,
            choices=p.choices or (),
            **p.model_dump(include=keys),
        )
        for name, p in spaces.sort_parameters(config)
    ]


def flatten_summary(summary: dict[str, dict[str, object]]) -> dict[str, float]:
    """Return the numbers of summary.json under one name each, for `dvc metrics`."""
    numbers: dict[str, Any] = {}
    for section in ("confirm", "test"):
        series = pd.json_normalize(summary[section], sep="_").iloc[0].to_dict() if summary[section] else {}
        numbers |= {f"{section}_{name}": value for name, value in series.items()}
    counts = {name: value for name, value in summary["study"].items() if isinstance(value, int)}
    return numbers | {f"study_{name}": value for name, value in counts.items()}
