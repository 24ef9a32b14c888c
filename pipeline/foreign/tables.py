"""The tables of the report, built from the study of another program."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thalweg.artifacts.summary import RankedTrial, StudySummary, Summary
from thalweg.foreign import confirmation
from thalweg.foreign.settings import Setting, group_settings
from thalweg.foreign.study import ForeignRun, ForeignStudy
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

STATES = {"failed": "diverged"}
"""States whose name in the report's tables is another one."""
TAKEN = {
    *("number", "state", "value", "epochs", "pruned_at", "diverged_step", "audit", "same_as", "trial", "role", "rank"),
    *("diverged at step", "value at the end"),
}
"""Columns of the trials: a parameter, or an objective, of such a name has Optuna's longer one as its column."""
CURVES = {"seed", "fold", "epoch", "train_loss", "train_spread", "val_loss", "learning_rate"}
"""Further columns that curves of our own have: the sections take values of such a name for these."""
NUMBERS = {"training.epochs", "optimizer.learning_rate", "optimizer.momentum", "schedule.warmup"}
"""Names whose numbers the report understands: a parameter that is no number gets the longer one, too."""


def build_tables(study: ForeignStudy) -> StudyTables:
    """Build the tables of a study; what it does not know stays empty."""
    first = study.objectives[0]
    names = _name_objectives(study)
    columns = _name_parameters(study, names)
    objective = names[0]
    settings = group_settings(study)
    trials = _build_trials(study, settings, columns, names)
    sign = 1 if first.direction == "min" else -1
    runs = confirmation.build_runs(_name_settings(study.runs, settings), objective, sign)
    nothing = pd.DataFrame()
    summary = Summary(
        _summarize_study(study, settings, trials),
        confirmation.build_confirmation(runs, objective, sign),
        {},
        runners_up=confirmation.compare_runners_up(runs, objective),
    )
    return StudyTables(
        params={
            "report": {"title": study.name},
            "study": {
                "also": names[1:],
                "seeds": min((len(setting.counted) for setting in settings), default=1),
                "randomness": "paired" if _are_paired(settings) else "independent",
            },
        },
        trials=trials,
        curves=_build_curves(settings, objective),
        summary=summary,
        runs=runs,
        repeats=_build_repeats(settings, names),
        predictions=nothing,
        pictures=[],
        baseline_curves=nothing,
        verdicts=nothing,
        manifest={},
        provenance={
            "source": study.source,
            "running": study.count_trials("running"),
            "waiting": study.count_trials("waiting"),
            "left out": study.left_out,
            "ranges known": study.is_space_known,
        },
        space=[_rename_parameter(parameter, columns) for parameter in study.space],
        output_kind="number",
        objective=objective,
        direction=first.direction,
        metric_directions={name: each.direction for name, each in zip(names, study.objectives, strict=True)},
        metric_labels={name: each.name for name, each in zip(names, study.objectives, strict=True)},
        own_names={column: name for name, column in columns.items() if column != name},
        is_foreign=True,
    )


def _name_settings(runs: Sequence[ForeignRun], settings: Sequence[Setting]) -> list[ForeignRun]:
    """Return the runs of the default and of settings that are in the study, with the number of the setting."""
    first = {trial.number: setting.first.number for setting in settings for trial in setting.trials}
    named = [replace(run, trial=None if run.trial is None else first.get(run.trial)) for run in runs]
    return [run for run in named if run.trial is not None or (run.candidate == "baseline" and settings)]


def _name_objectives(study: ForeignStudy) -> list[str]:
    """Return the column of each objective: its name, or the one that Optuna's table has."""
    names = [objective.name for objective in study.objectives]
    longer = ["value"] if len(names) == 1 else [f"values_{index}" for index in range(len(names))]
    taken = (TAKEN - {"value"} if len(names) == 1 else TAKEN) | CURVES
    return _choose_columns(names, longer, [name in taken for name in names], taken)


def _name_parameters(study: ForeignStudy, objectives: Sequence[str]) -> dict[str, str]:
    """Return the column of each parameter: its name, or `params_NAME` where that is another column's, or blank."""
    names, taken = [parameter.name for parameter in study.space], TAKEN | {*objectives}
    is_taken = [
        parameter.name in taken or not parameter.name.strip() or (not parameter.is_range and parameter.name in NUMBERS)
        for parameter in study.space
    ]
    longer = [f"params_{name}" for name in names]
    return dict(zip(names, _choose_columns(names, longer, is_taken, taken), strict=True))


def _choose_columns(
    names: Sequence[str], longer: Sequence[str], is_taken: Sequence[bool], taken: Collection[str]
) -> list[str]:
    """Return each name, or its longer one where it is taken; no two are alike."""
    used, columns = {*names, *taken}, list[str]()
    for name, column, is_renamed in zip(names, longer, is_taken, strict=True):
        while is_renamed and column in used:
            column += "_"
        columns.append(column if is_renamed else name)
        used.add(columns[-1])
    return columns


def _rename_parameter(parameter: SearchedParameter, columns: dict[str, str]) -> SearchedParameter:
    when = {columns[name]: allowed for name, allowed in parameter.when.items()}
    return replace(parameter, name=columns[parameter.name], when=when)


def _build_trials(
    study: ForeignStudy, settings: Sequence[Setting], columns: dict[str, str], objectives: Sequence[str]
) -> pd.DataFrame:
    sign, rows = 1 if study.objectives[0].direction == "min" else -1, list[dict[str, Any]]()
    for setting in settings:
        trial, values, curve = setting.first, setting.values, setting.first.curve
        row: dict[str, Any] = {"number": trial.number, "state": STATES.get(trial.state, trial.state), "value": np.nan}
        if trial.state == "complete":
            row |= {"value": values[0], **dict(zip(objectives[1:], values[1:], strict=True))}
        elif trial.state == "pruned" and curve:
            row["value"] = sign * min(sign * value for value in curve.values())
        row |= {column: trial.params.get(name, np.nan) for name, column in columns.items()}
        stopped = max(curve) if trial.state == "pruned" and curve else np.nan
        rows.append({**row, "epochs": len(curve), "pruned_at": stopped, "diverged_step": np.nan})
    table = pd.DataFrame(rows)
    return table.astype({columns[p.name]: float for p in study.space if p.is_range}) if rows else table


def _build_curves(settings: Sequence[Setting], objective: str) -> pd.DataFrame:
    """Build the table of reported values; the trials of a setting count as its seeds."""
    return pd.DataFrame(
        [
            {"trial": setting.first.number, "seed": seed, "fold": 0, "epoch": step, objective: value}
            for setting in settings
            for seed, trial in enumerate(setting.counted)
            for step, value in sorted(trial.curve.items())
        ]
    )


def _build_repeats(settings: Sequence[Setting], objectives: Sequence[str]) -> pd.DataFrame:
    """Build the table of settings that have several trials with seeds of their own."""
    return pd.DataFrame(
        [
            {
                "candidate": f"trial {setting.first.number}",
                "trial": setting.first.number,
                "seed": seed if trial.seed is None else str(trial.seed),
                **{f"validation_{name}": value for name, value in zip(objectives, trial.values, strict=True)},
            }
            for setting in settings
            if len(setting.counted) > 1 and setting.first.state == "complete"
            for seed, trial in enumerate(setting.counted)
        ]
    )


def _are_paired(settings: Sequence[Setting]) -> bool:
    """Return whether all settings were run with the same known seeds: a seed's effect on all then changes no order."""
    seeds = [frozenset(str(trial.seed) for trial in setting.counted) for setting in settings if setting.first.values]
    known = all(trial.seed is not None for setting in settings for trial in setting.counted)
    return bool(seeds) and known and len(set(seeds)) == 1


def _summarize_study(study: ForeignStudy, settings: Sequence[Setting], trials: pd.DataFrame) -> StudySummary:
    counts = trials["state"].value_counts() if len(trials) else pd.Series(dtype=int)
    total = study.count_trials("complete", "pruned", "failed", "infeasible")
    return StudySummary(
        trials=total,
        cohorts=0,
        complete=int(counts.get("complete", 0)),
        pruned=int(counts.get("pruned", 0)),
        diverged=int(counts.get("diverged", 0)),
        best=_find_best(study, settings),
        epochs=int(trials["epochs"].sum()) if len(trials) else 0,
        settings=len(settings) if len(settings) < total else None,
    )


def _find_best(study: ForeignStudy, settings: Sequence[Setting]) -> RankedTrial | None:
    sign = 1 if study.objectives[0].direction == "min" else -1
    complete = [setting for setting in settings if setting.first.state == "complete"]
    best = min(complete, key=lambda setting: sign * setting.values[0], default=None)
    return None if best is None else RankedTrial(best.first.number, dict(best.first.params), best.values[0])
