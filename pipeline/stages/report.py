"""Turn tables and pictures into the report: findings, charts and pages."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from thalweg.artifacts.distinct_trials import merge_repeated_rows
from thalweg.artifacts.summary import read_summary, to_json
from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.config.study import NULL
from thalweg.reporting import render, sections
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import choice_key
from thalweg.stats.verdicts import build_verdict_table
from thalweg.system import files, paths, table_files


def main(config: Config) -> None:
    tables = read_study_tables(config)
    selected = sections.select_sections(tables)
    files.write_text(paths.REPORTS / "report.html", render.render_html(tables, selected))
    text, figures = render.render_markdown(tables, selected)
    files.write_text(paths.REPORTS / "report.md", text)
    files.sync_folder(paths.REPORTS / "figures", {name: svg.encode() for name, svg in figures.items()})
    files.write_json(paths.METRICS, flatten_summary(to_json(tables.summary)))
    verdicts = (finding.verdict for section in selected for finding in sections.collect_findings(section, tables))
    print(f"{paths.REPORTS / 'report.html'}: {next(verdicts, 'no findings')}")


def read_study_tables(config: Config) -> StudyTables:
    """Read everything that the earlier stages wrote."""
    curves, space = table_files.read_table(paths.CURVES), list_searched_parameters(config)
    text_parameters = [p.name for p in space if p.choices and all(isinstance(choice, str) for choice in p.choices)]
    trials = table_files.read_table(paths.TRIALS, dtype=dict.fromkeys(text_parameters, str))
    for parameter in space:
        if NULL in parameter.choices:  # beside this name, Pandas reads numbers as text
            choices = {choice_key(choice): choice for choice in parameter.choices}
            trials[parameter.name] = trials[parameter.name].map(lambda cell, c=choices: c.get(choice_key(cell), cell))
    trials, curves = merge_repeated_rows(
        trials, curves, config.study.also, is_paired=config.study.randomness == "paired"
    )
    steps = trials.dropna(subset="diverged_step").set_index("number")["diverged_step"]
    diverged = {int(str(number)): int(step) for number, step in steps.items()}
    # names may look like numbers: classes are often 0 to 9
    text_columns = dict.fromkeys(
        ("image", "group", *(("truth", "prediction") if config.task.OUTPUT_KIND == "class" else ())), str
    )
    worst = table_files.read_table(paths.WORST_EXAMPLES, dtype=text_columns)
    objective = config.study.objective
    params = config.model_dump(mode="json")
    params["data"].pop("path")
    return StudyTables(
        params=params,
        trials=trials,
        curves=curves,
        summary=read_summary(),
        runs=table_files.read_table(paths.RUNS),
        ablations=table_files.read_table(paths.ABLATIONS),
        gradients=table_files.read_table(paths.GRADIENTS) if files.path_exists(paths.GRADIENTS) else pd.DataFrame(),
        references=table_files.read_table(paths.REFERENCES),
        landscape={
            name.removesuffix(".csv"): table_files.read_table(paths.LANDSCAPE / name)
            for name in files.list_files(paths.LANDSCAPE)
        },
        predictions=table_files.read_table(paths.PREDICTIONS, dtype=text_columns),
        pictures=[
            {**{str(k): v for k, v in row.items()}, "file": paths.PICTURES / str(row["file"])}
            for row in worst.to_dict("records")
        ],
        baseline_curves=table_files.read_table(paths.BASELINE_CURVES),
        verdicts=build_verdict_table(objective, config.task.METRIC_DIRECTIONS[objective], curves, diverged),
        manifest=files.read_json(paths.MANIFEST),
        provenance=files.read_json(paths.STUDY_RECORD)["made"] | {"commands": ["make"]},
        space=space,
        output_kind=config.task.OUTPUT_KIND,
        objective=objective,
        direction=config.task.METRIC_DIRECTIONS[objective],  # type: ignore[arg-type]
        bounds={name: config.task.metric_bounds(name) for name in config.task.METRIC_DIRECTIONS},
        metric_directions=dict(config.task.METRIC_DIRECTIONS),
        picture_caption=config.task.PICTURE_CAPTION,
        is_space_exhausted=settings.covers_space(config) and len(trials) == len(settings.list_planned_settings(config)),
    )


def list_searched_parameters(config: Config) -> list[SearchedParameter]:
    """Return the search space as the report reads it."""
    keys = {"log", "whole", "role"}

    def name_values(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(NULL if value is None else value for value in values)

    return [
        SearchedParameter(
            name,
            math.nan if p.low is None else p.low,
            math.nan if p.high is None else p.high,
            choices=name_values(p.choices or ()),
            when={parent: name_values(values) for parent, values in p.when.items()},
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
