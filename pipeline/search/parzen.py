"""Optuna's Parzen estimator with a density that takes a third of the time, and has the same bits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import (
    _BatchedCategoricalDistributions,
    _BatchedTruncLogNormDistributions,
    _BatchedTruncNormDistributions,
)

Continuous = _BatchedTruncNormDistributions | _BatchedTruncLogNormDistributions


class InPlaceParzenEstimator(_ParzenEstimator):
    """Optuna's estimator. Its density of [candidates, kernels, parameters] is computed in one array."""

    def log_pdf(self, samples_dict: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the log density of each sample, as Optuna computes it: the same operations in the same order."""
        samples = self._transform(samples_dict)
        weights, distributions = self._mixture_distribution
        densities = np.zeros((len(samples), len(weights)))
        continuous: list[tuple[NDArray[np.float64], Continuous]] = []
        for column, kernel in zip(samples.T, distributions, strict=True):
            if isinstance(kernel, _BatchedCategoricalDistributions):
                densities += np.log(kernel.weights).T[column.astype(np.int64)]
                continue
            if not isinstance(kernel, Continuous):  # whole numbers
                return super().log_pdf(samples_dict)
            positions = np.log(column) if kernel.is_log else column
            if positions.min() < kernel.adapted_low or positions.max() > kernel.adapted_high:  # by rounding
                return super().log_pdf(samples_dict)
            continuous.append((positions, kernel))
        if continuous:
            densities += _sum_log_densities(continuous)
        densities += np.log(weights)
        largest = densities.max(axis=1)
        largest[np.isneginf(largest)] = 0
        densities -= largest[:, np.newaxis]
        np.exp(densities, out=densities)
        with np.errstate(divide="ignore"):
            sums: NDArray[np.float64] = np.log(densities.sum(axis=1)) + largest
        return sums


def _sum_log_densities(
    continuous: Sequence[tuple[NDArray[np.float64], Continuous]],
) -> NDArray[np.float64]:
    """Return the sum over parameters of the log densities [candidates, kernels] of truncated normal distributions."""
    kernels = [kernel for _, kernel in continuous]
    means, deviations = np.array([k.mu for k in kernels]).T, np.array([k.sigma for k in kernels]).T
    lows, highs = (np.array([getattr(k, f"adapted_{end}") for k in kernels]) for end in ("low", "high"))
    # at once for all parameters: the error function has other bits for few numbers than for many
    masses = _truncnorm._log_gauss_mass((lows - means) / deviations, (highs - means) / deviations)
    terms = np.empty((len(continuous), len(continuous[0][0]), len(means)))
    for term, (positions, kernel), mass in zip(terms, continuous, masses.T, strict=True):
        np.subtract(positions[:, np.newaxis], kernel.mu, out=term)
        term /= kernel.sigma
        np.square(term, out=term)
        term *= -0.5
        term -= _truncnorm._norm_pdf_logC
        term -= mass
        term -= np.log(kernel.sigma)
    # NumPy adds eight and more numbers of a row in another order
    total: NDArray[np.float64] = (
        terms.sum(axis=0) if len(terms) < 8 else np.ascontiguousarray(np.moveaxis(terms, 0, -1)).sum(axis=-1)
    )
    return total
