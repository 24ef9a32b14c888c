"""Strata of trials for one parameter: within a stratum the other parameters predict about the same value.

A sampler that learns draws its later trials near good values of some parameters. Other parameters of those trials then
correlate with good values without an effect of their own. Within a stratum they do not. Stratifying by a prediction:
Hansen 2008, "The prognostic analogue of the propensity score"; permuting values within strata: Strobl et al. 2008,
"Conditional variable importance for random forests".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thalweg.stats.ped_anova import ParameterColumn

Floats = NDArray[np.float64]

MAX_STRATA = 5
MIN_STRATUM_TRIALS = 8  # with fewer there are fewer strata
RIDGE_FOLDS = 10  # each predicted from the others


def stratify_trials(others: Sequence[ParameterColumn], values: Floats) -> Floats:
    """Assign each trial [trials] to a stratum for a parameter, by predictions from `others` independent of it."""
    total = len(values)
    strata = min(MAX_STRATA, total // MIN_STRATUM_TRIALS)
    if strata < 2 or not others:
        return np.zeros(total)
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    predicted = ridge_predictions(np.hstack([_build_features(column) for column in others]), ranks / total)
    order = np.argsort(np.argsort(predicted, kind="stable"), kind="stable")
    return np.floor(order * strata / total)


def _build_features(column: ParameterColumn) -> Floats:
    """Build a parameter's features [trials, k]: powers of its position in -1..1, or one column for each choice."""
    if not column.is_ordered:
        return column.one_hot
    active = column.positions >= 0
    position = np.where(active, 2 * column.positions / max(column.size - 1, 1) - 1, 0.0)
    return np.stack([position, position**2 * active, position**3], 1)


def ridge_predictions(features: Floats, values: Floats) -> Floats:
    """Predict values [trials] from features [trials, k] by ridge regression, each fold from the other folds."""
    spread = features.std(0)
    scaled = (features[:, spread > 0] - features[:, spread > 0].mean(0)) / spread[spread > 0]
    if not scaled.shape[1]:
        return np.zeros(len(values))
    folds, predicted = np.arange(len(values)) % RIDGE_FOLDS, np.zeros(len(values))
    for fold in range(RIDGE_FOLDS):
        train, test = folds != fold, folds == fold
        centred = scaled[train] - scaled[train].mean(0)
        # the penalty grows with the number of features, against overfitting
        inner = centred.T @ centred + scaled.shape[1] * np.eye(scaled.shape[1])
        slopes = np.linalg.solve(inner, centred.T @ (values[train] - values[train].mean()))
        predicted[test] = (scaled[test] - scaled[train].mean(0)) @ slopes
    return predicted
