"""The tables that a report is made from, and views of them that several sections share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

import pandas as pd

from thalweg.artifacts.summary import Summary
from thalweg.config.study import NULL
from thalweg.reporting.parameter import SearchedParameter

cache_per_study = lru_cache(maxsize=64)
"""Compute a function of a study's tables once. Its result is shared, so no caller may change it."""


@dataclass(frozen=True, eq=False)
class StudyTables:
    """The results of the earlier stages. An empty table means "not done" and is never an error.

    Compared by identity, so that costly results can be cached with it.

    - `params`: the whole of params.yaml, nested, with defaults.
    - `trials` [settings]: one for each different setting: number, state (complete, pruned, diverged, infeasible), value
      (NaN if diverged), one column per searched parameter by dotted name (empty if the trial does not use it), epochs,
      diverged_step, further objectives.
    - `curves` [trials x seeds x folds x epochs]: trial, seed, fold, epoch (from 1), train_loss, val_loss, validation
      metrics, learning_rate; `baseline_curves` the same for the baseline.
    - `summary`: reports/summary.json: study, confirm, test.
    - `runs` [candidates x seeds]: candidate ("baseline", "winner", "runner-up 1", ...), trial, seed, best_epoch,
      validation_<metric>, and test_<metric> if there is a test set.
    - `predictions` [examples]: the confirmed winner's on the test set (without one, the validation set), averaged over
      the seeds of the final model: image, group, truth, prediction, error (0 is right), confidence for classes, psnr
      and given_psnr (dB) for images made from others. `output_kind`: truth and prediction are a number, a class name,
      or an image (then neither is in the table).
    - `pictures`: {file: path of a PNG, image, truth, prediction, error} of the worst examples, worst first;
      `typical_pictures` the same of four examples at quantiles of the errors; `picture_caption` says what they show.
    - `verdicts`: trial, kind, since (epoch), evidence (`thalweg.stats.run_curves.Evidence`).
    - `manifest`: source, examples {split: number}, groups {split: number}, classes [name], excluded
      [{name, where, reason}], warnings [sentence], sha256.
    - `provenance`: fingerprint, versions {name: version}, device, commands [line].
    - `space`: the searched parameters, each after those it depends on.
    - `objective`: a metric's short name; `direction`: min or max.
    - `ablations` [ablations x seeds]: the winner retrained with less: what (images, augmentation, a part of the loss),
      share, images, seed, best_epoch, diverged_step, validation_<metric>.
    - `gradients` [losses x directions x steps]: the winner's gradient and numerical derivatives: term, kind (of loss),
      direction, step, analytic, numerical, error (a share of the slope), verdict (right, kink, wrong, unknown).
    - `references` [answers]: values of simple answers on `split`, the trivial one first: answer, each metric.
    - `landscape`: tables of `thalweg.diagnose.landscape.LandscapeTables` by name; empty if not surveyed.
    - `bounds`: metric -> lowest and highest possible value; a metric without an entry has none.
    - `is_space_exhausted`: every setting of the space, or every point of the grid, was tried.
    - `metric_directions`: metric -> its better direction (min, max, zero), for all metrics of the task.
    - `repeats` [settings x seeds]: trials of one setting that have seeds of their own: candidate, trial, seed,
      validation_<metric>; of a study of another program alone.
    - `is_foreign`: another program ran the study: `params` has nothing of its settings (`pipeline/foreign`).
    - `metric_labels`: metric -> its name in words; without an entry the words are those of its name.
    - `own_names`: a parameter's column -> its name, where another column has that name already.
    """

    params: dict[str, Any]
    trials: pd.DataFrame
    curves: pd.DataFrame
    summary: Summary
    runs: pd.DataFrame
    predictions: pd.DataFrame
    pictures: list[dict[str, Any]]
    baseline_curves: pd.DataFrame
    verdicts: pd.DataFrame
    manifest: dict[str, Any]
    provenance: dict[str, Any]
    space: list[SearchedParameter]
    output_kind: Literal["number", "class", "image"]
    objective: str
    direction: Literal["min", "max"]
    ablations: pd.DataFrame = field(default_factory=pd.DataFrame)
    gradients: pd.DataFrame = field(default_factory=pd.DataFrame)
    references: pd.DataFrame = field(default_factory=pd.DataFrame)
    landscape: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    typical_pictures: list[dict[str, Any]] = field(default_factory=list)
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    metric_directions: Mapping[str, str] = field(default_factory=dict)
    metric_labels: Mapping[str, str] = field(default_factory=dict)
    own_names: Mapping[str, str] = field(default_factory=dict)
    repeats: pd.DataFrame = field(default_factory=pd.DataFrame)
    is_foreign: bool = False
    picture_caption: str = "as the network sees them"
    is_space_exhausted: bool = False

    @property
    def has_number_outputs(self) -> bool:
        """Whether truth and prediction are numbers."""
        return self.output_kind == "number"

    @property
    def sign(self) -> int:
        """1 if a smaller objective is better, -1 if a larger one is."""
        return 1 if self.direction == "min" else -1

    @property
    def has_same_epochs(self) -> bool:
        """Whether candidates were confirmed for the epochs that trials are chosen by: otherwise they do not compare."""
        epochs = self.setting("confirm.epochs")
        return epochs is None or (not self.is_epochs_searched and epochs == self.setting("training.epochs"))

    @property
    def is_epochs_searched(self) -> bool:
        return any(parameter.name == "training.epochs" for parameter in self.parameters)

    @cached_property
    def ranked(self) -> pd.DataFrame:
        """Complete trials, best first; ties by number. Trials stopped early are left out: they had fewer epochs."""
        if self.trials.empty:
            return self.trials
        complete = self.trials[(self.trials["state"] == "complete") & self.trials["value"].notna()]
        keyed = complete.assign(_key=complete["value"] * self.sign).sort_values(["_key", "number"], kind="stable")
        return keyed.drop(columns="_key").reset_index(drop=True)

    @cached_property
    def winner(self) -> int | None:
        """The confirmed winner's trial; without confirmation the study's best; None if there is none."""
        if not self.runs.empty:
            chosen = self.runs.loc[self.runs["candidate"] == "winner", "trial"].dropna()
            return int(chosen.iloc[0]) if len(chosen) else None
        return None if self.ranked.empty else int(self.ranked["number"].iloc[0])

    @property
    def has_winner(self) -> bool:
        """Whether a trial is the winner: if none could be confirmed, the baseline's runs replace it."""
        return self.winner is not None

    @property
    def is_winner_baseline(self) -> bool:
        """Whether the winner's values are the file's own."""
        return self.winner is not None and self.has_file_values(self.winner)

    @property
    def baseline_trial(self) -> int | None:
        """The trial with the file's own values: the first one, if they lie in the space."""
        if self.trials.empty or not self.parameters:
            return None
        first_trial = int(self.trials["number"].min())
        return first_trial if self.has_file_values(first_trial) else None

    def has_file_values(self, trial: int) -> bool:
        """Return whether a trial has the file's own values; no trial of another program's study has any."""
        rows = self.trials[self.trials["number"] == trial] if len(self.trials) else self.trials
        if rows.empty or self.is_foreign:
            return False
        row = rows.iloc[0]
        active = [parameter.name for parameter in self.parameters if pd.notna(row[parameter.name])]
        values = {name: self.setting(name) for name in active}
        return all(row[name] == (NULL if value is None else value) for name, value in values.items())

    @property
    def split(self) -> Literal["test", "validation"]:
        """The set on which candidates are compared."""
        column = f"test_{self.objective}"
        return "test" if column in self.runs and self.runs[column].notna().any() else "validation"

    @property
    def repeat_count(self) -> int:
        """How many trials repeat the setting of an earlier one; they are not among `trials`."""
        settings = self.summary.study.settings
        return 0 if settings is None else self.summary.study.trials - settings

    @property
    def seeds_per_trial(self) -> int:
        """The seeds that each setting was trained with, the fewest of all: `study.seeds`, or more if trials repeat."""
        seeds = max(1, int(self.setting("study.seeds", 1)))
        if not self.repeat_count or self.curves.empty:
            return seeds
        return max(seeds, int(self.curves.groupby("trial")["seed"].nunique().min()))

    @property
    def parameters(self) -> list[SearchedParameter]:
        """The searched parameters that the trials have a column for, in the order of `space`."""
        return [parameter for parameter in self.space if parameter.name in self.trials]

    @property
    def metrics(self) -> list[str]:
        """The metrics of the confirmed runs, the objective first."""
        names = [name.removeprefix("validation_") for name in map(str, self.runs) if name.startswith("validation_")]
        return sorted(names, key=lambda name: name != self.objective)

    @property
    def objective_label(self) -> str:
        """The objective's name in words."""
        return self.label_metric(self.objective)

    def label_metric(self, metric: str) -> str:
        """Return a metric's name in words."""
        return self.metric_labels.get(metric) or metric.replace("_", " ")

    def bounds_of(self, metric: str) -> tuple[float, float]:
        """Return the lowest and highest possible value of a metric."""
        return self.bounds.get(metric, (-math.inf, math.inf))

    def count_trials(self, state: str) -> int:
        """Return how many trials ended in a state."""
        return 0 if self.trials.empty else int((self.trials["state"] == state).sum())

    def setting(self, path: str, default: Any = None) -> Any:
        """Return the value at a dotted path of params.yaml."""
        node: Any = self.params
        for name in path.split("."):
            if not isinstance(node, dict) or name not in node:
                return default
            node = node[name]
        return node
