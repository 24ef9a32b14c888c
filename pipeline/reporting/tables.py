"""Everything that a report is made from, and the few views of it that several sections share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from thalweg.artifacts.summary import Summary
from thalweg.reporting.parameter import SearchedParameter


@dataclass(frozen=True, eq=False)
class StudyTables:
    """What the stages before left behind. An empty table means "not done" and is never an error.

    Each is like itself alone, so that what is costly to find can be kept with it.

    - `params`: the whole of params.yaml, nested.
    - `trials` [trials]: number, state (complete, pruned, diverged, infeasible), value (NaN if diverged), one column a
      searched parameter by dotted name (empty where it plays no part), epochs, diverged_step, each further objective.
    - `curves` [trials x seeds x folds x epochs]: trial, seed, fold, epoch (from 1), train_loss, val_loss, each
      validation metric, learning_rate; `baseline_curves` the same for the baseline.
    - `summary`: reports/summary.json: study, confirm, test.
    - `runs` [candidates x seeds]: candidate ("baseline", "winner", "runner-up 1", ...), trial, seed, best_epoch,
      validation_<metric>, and test_<metric> where there is a test part.
    - `less` [ways x seeds]: the winner trained again with less: what (images, augmentation), share, images, seed,
      best_epoch, diverged_step, validation_<metric>.
    - `gradients` [losses x directions x steps]: the winner's gradient against numerical derivatives: term, kind (of its
      loss), direction, step, analytic, numerical, error (a share of the slope), verdict (right, kink, wrong, unknown).
    - `references` [answers]: what simple answers reach where candidates are compared, the trivial one first: answer,
      each metric.
    - `terrain`: the tables of `thalweg.diagnose.landscape.LandscapeTables` by name; none where nothing was surveyed.
    - `predictions` [examples]: the confirmed winner's, averaged over as many seeds as the final model has, on test
      (validation where there is no test): image, group, truth, prediction, error (0 is right), confidence for classes,
      psnr and given_psnr (dB) for images that are made from others.
      What truth and prediction are is `output_kind`: a number, a class by its name, an image (then neither is in the
      table).
    - `pictures`: {file: path of a PNG, image, truth, prediction, error} of the worst examples, worst first; what they
      show is `pictured`.
    - `verdicts`: trial, kind, since (epoch), evidence (a sentence).
    - `manifest`: source, examples {part: number}, groups {part: number}, classes [name], excluded
      [{name, where, reason}], warnings [sentence], sha256.
    - `made`: fingerprint, versions {name: version}, device, commands [line].
    - `space`: the searched parameters, each after those that it depends on.
    - `objective`: a metric's short name, and the `direction` in which it is better.
    - `bounds`: metric -> the numbers that it lies between, whatever is predicted; any number for one not named.
    - `directions`: metric -> the direction in which it is better (min, max, zero), for all metrics of the task.
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
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    metric_directions: Mapping[str, str] = field(default_factory=dict)
    picture_caption: str = "as the network sees them"

    @property
    def has_number_outputs(self) -> bool:
        """Whether truth and prediction are numbers."""
        return self.output_kind == "number"

    @property
    def sign(self) -> int:
        """1 where a smaller objective is better, -1 where a larger one is."""
        return 1 if self.direction == "min" else -1

    @property
    def has_same_epochs(self) -> bool:
        """Whether candidates were confirmed for the epochs that trials are chosen by: only then are they alike."""
        return self.setting("confirm.epochs") in (None, self.setting("training.epochs"))

    @cached_property  # a report asks for it fifty times
    def ranked(self) -> pd.DataFrame:
        """Complete trials, best first; ties by number. One stopped early has no rank: its value is of fewer epochs."""
        if self.trials.empty:
            return self.trials
        complete = self.trials[(self.trials["state"] == "complete") & self.trials["value"].notna()]
        order = complete.assign(_key=complete["value"] * self.sign).sort_values(["_key", "number"], kind="stable")
        return order.drop(columns="_key").reset_index(drop=True)

    @property
    def winner(self) -> int | None:
        """The confirmed winner's trial; the best of the study where nothing was confirmed; None where none could be."""
        if not self.runs.empty:
            chosen = self.runs.loc[self.runs["candidate"] == "winner", "trial"].dropna()
            return int(chosen.iloc[0]) if len(chosen) else None
        return None if self.ranked.empty else int(self.ranked["number"].iloc[0])

    @property
    def has_winner(self) -> bool:
        """Whether a trial is the winner: where none could be confirmed, the baseline's runs stand in its place."""
        return self.winner is not None

    @property
    def is_winner_baseline(self) -> bool:
        """Whether the winner's values are the file's own."""
        return self.winner is not None and self.has_file_values(self.winner)

    @property
    def baseline_trial(self) -> int | None:
        """The trial with the file's own values: the first one, where these lie in the space."""
        if self.trials.empty or not self.parameters:
            return None
        first = int(self.trials["number"].min())
        return first if self.has_file_values(first) else None

    def has_file_values(self, trial: int) -> bool:
        """Whether the values of a trial are the file's own."""
        rows = self.trials[self.trials["number"] == trial] if len(self.trials) else self.trials
        if rows.empty:
            return False
        row = rows.iloc[0]
        active = [one.name for one in self.parameters if pd.notna(row[one.name])]
        return all(row[name] == self.setting(name) for name in active)

    @property
    def split(self) -> Literal["test", "validation"]:
        """The part of the data on which candidates are compared."""
        column = f"test_{self.objective}"
        return "test" if column in self.runs and self.runs[column].notna().any() else "validation"

    @property
    def parameters(self) -> list[SearchedParameter]:
        """The searched parameters that the trials have a column for, as in `space`, in its order."""
        return [parameter for parameter in self.space if parameter.name in self.trials]

    @property
    def metrics(self) -> list[str]:
        """The metrics of the confirmed runs, the objective first."""
        names = [name.removeprefix("validation_") for name in map(str, self.runs) if name.startswith("validation_")]
        return sorted(names, key=lambda name: name != self.objective)

    def bounds_of(self, metric: str) -> tuple[float, float]:
        """Between what a metric lies."""
        return self.bounds.get(metric, (-math.inf, math.inf))

    def count(self, state: str) -> int:
        """How many trials ended so."""
        return 0 if self.trials.empty else int((self.trials["state"] == state).sum())

    def setting(self, path: str, otherwise: Any = None) -> Any:
        """The value at a dotted path of params.yaml."""
        part: Any = self.params
        for name in path.split("."):
            if not isinstance(part, dict) or name not in part:
                return otherwise
            part = part[name]
        return part
