"""Trials that are alike in all but one parameter, as far as the others foretell how good they are.

A sampler that learns draws its later trials where the others' good values are, and with them whatever else those trials
had: that then goes with good values too, without any effect of its own. Among trials of which the other parameters
promise the same it does not. Stratifying by what is promised: Hansen 2008, "The prognostic analogue of the propensity
score"; dealing values anew within strata: Strobl et al. 2008, "Conditional variable importance for random forests".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thalweg.stats.ped_anova import ParameterColumn

Floats = NDArray[np.float64]

MAX_STRATA = 5
MIN_STRATUM_TRIALS = 8
RIDGE_FOLDS = 10
"""Strata at most, with so many trials at least in each; parts that are foretold by the others."""


def stratify_trials(others: Sequence[ParameterColumn], values: Floats) -> Floats:
    """The stratum of each trial [trials] for a parameter: by what all `others` promise, but those that hang on it."""
    total = len(values)
    parts = min(MAX_STRATA, total // MIN_STRATUM_TRIALS)
    if parts < 2 or not others:
        return np.zeros(total)
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    promised = ridge_predictions(np.hstack([_build_features(one) for one in others]), ranks / total)
    order = np.argsort(np.argsort(promised, kind="stable"), kind="stable")
    placed: Floats = np.floor(order * parts / total)
    return placed


def _build_features(one: ParameterColumn) -> Floats:
    """What is known of a parameter as numbers [trials, k]: powers of its place in its range, or a mark a choice."""
    if not one.is_ordered:
        return one.one_hot
    there = one.positions >= 0
    place = np.where(there, 2 * one.positions / max(one.size - 1, 1) - 1, 0.0)
    return np.stack([place, place**2 * there, place**3], 1)


def ridge_predictions(known: Floats, values: Floats) -> Floats:
    """Ridge regression of values [trials] on what is known [trials, k]; each part is foretold by the others."""
    spread = known.std(0)
    scaled = (known[:, spread > 0] - known[:, spread > 0].mean(0)) / spread[spread > 0]
    if not scaled.shape[1]:
        return np.zeros(len(values))
    part, found = np.arange(len(values)) % RIDGE_FOLDS, np.zeros(len(values))
    for fold in range(RIDGE_FOLDS):
        train, rest = part != fold, part == fold
        own = scaled[train] - scaled[train].mean(0)
        # as large a penalty as there are numbers: together they explain no more than there is
        inner = own.T @ own + scaled.shape[1] * np.eye(scaled.shape[1])
        slopes = np.linalg.solve(inner, own.T @ (values[train] - values[train].mean()))
        found[rest] = (scaled[rest] - scaled[train].mean(0)) @ slopes
    return found
