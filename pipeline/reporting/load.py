"""The tables of a report, read from the files that the earlier stages wrote."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from thalweg.artifacts.distinct_trials import merge_repeated_rows
from thalweg.artifacts.summary import read_summary
from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.core.metrics import METRICS
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.space import build_parameters, list_text_columns, restore_choices
from thalweg.reporting.tables import StudyTables
from thalweg.stats.verdicts import build_verdict_table
from thalweg.system import files, paths, table_files


def load_study_tables(config: Config) -> StudyTables:
    """Load everything that the earlier stages wrote."""
    task, objective, space = config.task, config.study.objective, list_searched_parameters(config)
    trials, curves = merge_repeated_rows(
        _read_trials(space),
        table_files.read_table(paths.CURVES),
        config.study.also,
        is_paired=config.study.randomness == "paired",
    )
    steps = trials.dropna(subset="diverged_step").set_index("number")["diverged_step"]
    diverged = {int(str(number)): int(step) for number, step in steps.items()}
    direction = task.metric_directions[objective]
    # names may look like numbers: classes are often 0 to 9
    text_columns = dict.fromkeys(
        ("image", "group", *(("truth", "prediction") if task.OUTPUT_KIND == "class" else ())), str
    )
    params = config.model_dump(mode="json") | {"optimizer": spaces.settle_optimizer(config)}
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
        pictures=_read_pictures(paths.WORST_EXAMPLES, text_columns),
        typical_pictures=_read_pictures(paths.TYPICAL_EXAMPLES, text_columns),
        baseline_curves=table_files.read_table(paths.BASELINE_CURVES),
        verdicts=build_verdict_table(objective, direction, curves, diverged),
        manifest=files.read_json(paths.MANIFEST),
        provenance=files.read_json(paths.STUDY_RECORD)["made"] | {"commands": ["thalweg run"]},
        space=space,
        output_kind=task.OUTPUT_KIND,
        objective=objective,
        direction=direction,  # type: ignore[arg-type]
        bounds={name: task.metric_bounds(name) for name in task.metric_directions},
        metric_directions=task.metric_directions,
        metric_labels={name: metric.label for name, metric in METRICS.items()},
        picture_caption=task.PICTURE_CAPTION,
        is_space_exhausted=settings.covers_space(config) and len(trials) == len(settings.list_planned_settings(config)),
    )


def _read_trials(space: Sequence[SearchedParameter]) -> pd.DataFrame:
    """Read the table of trials; its cells have the values of their choices, text where these are text."""
    return restore_choices(table_files.read_table(paths.TRIALS, dtype=list_text_columns(space)), space)


def _read_pictures(table: Path, text_columns: Mapping[Hashable, type]) -> list[dict[str, Any]]:
    """Read a table of pictures as rows, each with the path of its file."""
    rows = table_files.read_table(table, dtype=text_columns).to_dict("records")
    return [{**{str(k): v for k, v in row.items()}, "file": paths.PICTURES / str(row["file"])} for row in rows]


def list_searched_parameters(config: Config) -> list[SearchedParameter]:
    """Return the search space as the report reads it."""
    return build_parameters(spaces.sort_parameters(config))
