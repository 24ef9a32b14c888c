"""Optuna's TPE over a history that each trial enters once.

Optuna's sampler reads all trials again at each ask, in loops of Python. Here a finished trial is turned into numbers
once, and a cohort's asks share the split into good and bad trials. Proposals are Optuna's to the bit.
"""

import math
import warnings
from bisect import insort
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_gamma_multiobjective
from optuna.search_space.group_decomposed import _SearchSpaceGroup
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

STARTUP_TRIALS = 10  # finished trials before TPE replaces random sampling

Rows = NDArray[np.float64]
"""Values [parameters, trials] in the order of the space, as Optuna encodes them; NaN where a trial has none."""


class History:
    """The finished trials of a study, in order of number."""

    def __init__(self, study: Study, space: Mapping[str, BaseDistribution]) -> None:
        self._study, self._space = study, space
        self._columns = {name: column for column, name in enumerate(space)}
        self._trials: list[FrozenTrial] = []
        self._values: list[list[float]] = []
        self._ranked: list[tuple[tuple[float, ...], int]] = []
        self._split: tuple[Rows, Rows] | None = None
        self.groups = _SearchSpaceGroup()
        self._seen_groups = set[frozenset[str]]()

    def __len__(self) -> int:
        return len(self._trials)

    def add_trial(self, trial: FrozenTrial) -> None:
        """Add the next finished trial."""
        assert trial.number == len(self._trials)
        self._values.append(self.encode_values(trial.params))
        if len(self._study.directions) == 1:
            insort(self._ranked, (compute_rank_key(trial, self._study.direction), trial.number))
        self._trials.append(trial)
        self._split = None
        names = frozenset(trial.distributions)
        if names not in self._seen_groups:  # another trial with the same parameters changes nothing
            self._seen_groups.add(names)
            self.groups.add_distributions(trial.distributions)

    def encode_values(self, values: Mapping[str, Any]) -> list[float]:
        """Return a trial's values as `Rows` hold them."""
        return [
            distribution.to_internal_repr(values[name]) if name in values else math.nan
            for name, distribution in self._space.items()
        ]

    def select_values(self, rows: Rows, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
        """Return the values of parameters in the trials that have all of them."""
        columns = [self._columns[name] for name in names]
        selected = rows[columns]
        selected = selected[:, ~np.isnan(selected).any(axis=0)]
        return dict(zip(names, selected, strict=True))

    def split_rows(self) -> tuple[Rows, Rows]:
        """Return the rows of good trials, whose region TPE searches, and those of the others, in order of number."""
        if self._split is None:
            count = len(self._trials)
            if len(self._study.directions) > 1:
                good_trials, _ = _split_trials(self._study, self._trials, default_gamma_multiobjective(count))
                good = {trial.number for trial in good_trials}
            else:
                good = {number for _, number in self._ranked[: default_gamma(count)]}
            is_good = np.array([number in good for number in range(count)], np.bool_)
            values = np.array(self._values, np.float64).reshape(count, len(self._space)).T
            self._split = values[:, is_good], values[:, ~is_good]
        return self._split


def compute_rank_key(trial: FrozenTrial, direction: StudyDirection) -> tuple[float, ...]:
    """Return the key by which Optuna's TPE sorts the trials of one objective, the best first.

    Complete trials come first, then pruned trials, the longest first, then trials that break limits.
    """
    violation = sum(excess for excess in trial.constraints.values() if excess > 0)
    if violation > 0:
        return (2.0, violation)
    sign = 1.0 if direction == StudyDirection.MINIMIZE else -1.0
    if trial.state == TrialState.COMPLETE:
        assert trial.value is not None
        return (0.0, sign * trial.value)
    if not trial.intermediate_values:
        return (1.0, 1.0, 0.0)
    step, value = max(trial.intermediate_values.items())
    return (1.0, float(-step), math.inf if math.isnan(value) else sign * value)


class HistoryTPESampler(TPESampler):
    """Optuna's TPE. It reads the finished trials from a `History`, and is seeded anew for each trial."""

    def __init__(self, history: History, start_count: int = STARTUP_TRIALS) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            # every default that Optuna 5 changed is set by name
            super().__init__(
                n_startup_trials=start_count,
                n_ei_candidates=24,
                multivariate=True,
                group=True,
                constant_liar=True,
                seed=0,
            )
        self.history, self._start_count = history, start_count

    def set_seed(self, seed: int) -> "HistoryTPESampler":
        """Return the sampler as if it were new with this seed; making one takes longer than a proposal's density."""
        self._rng.rng.seed(seed)
        self._random_sampler._rng.rng.seed(seed)
        return self

    def infer_relative_search_space(self, _study: Study, _trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are sampled together with others, by the groups of the history."""
        self._search_space_group = self.history.groups
        return {
            name: distribution
            for group in self.history.groups.search_spaces
            for name, distribution in sorted(group.items())
            if not distribution.single()
        }

    def _sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space or len(self.history) < self._start_count:
            return {}
        return self._sample(study, trial, search_space)

    def _sample(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        below, above = self.history.split_rows()
        running = [
            self.history.encode_values(self._get_params(other, study))
            for other in study.get_trials(deepcopy=False)[len(self.history) :]
            if other.number != trial.number
        ]
        if running:
            above = np.concatenate([above, np.array(running, np.float64).T], axis=1)
        estimators = [
            self._build_parzen_estimator(study, search_space, rows, handle_below=is_below)  # type: ignore[arg-type]
            for rows, is_below in ((below, True), (above, False))
        ]
        samples = estimators[0].sample(self._rng.rng, self._n_ei_candidates)
        chosen = self._compare(samples, self._compute_acquisition_func(samples, *estimators))
        return {name: distribution.to_external_repr(chosen[name]) for name, distribution in search_space.items()}

    def _get_internal_repr(  # type: ignore[override]
        self, trials: Rows, search_space: dict[str, BaseDistribution], _study: Study
    ) -> dict[str, NDArray[np.float64]]:
        """Return the values of the trials that have all parameters of a group."""
        return self.history.select_values(trials, search_space)
