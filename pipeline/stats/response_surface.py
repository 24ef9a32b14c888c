"""A noisy function over a space, and its means over parts of the space: a Gaussian process.

Rasmussen and Williams 2006, "Gaussian processes for machine learning", chapters 2 and 5. The kernel is a product of one
factor a parameter, so means over boxes and their covariances are products of sums in one dimension (Rasmussen and
Ghahramani 2003, "Bayesian Monte Carlo"). Length scales, scale and noise are drawn from their posterior by elliptical
slice sampling (Murray, Adams and MacKay 2010), so the uncertainty of a mean holds theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Floats = NDArray[np.float64]

BURN_IN = 60
DRAWS = 40
STEPS_PER_DRAW = 3
LENGTH_PRIOR = (0.4, 0.9)
"""Mean and deviation of a length scale's logarithm; 1 is the width of a range."""
SCALE_PRIOR = (0.7, 1.0)
"""The same of the function's deviation, in deviations of the values: the values may all lie where it is flat."""
NOISE_PRIOR = (-2.0, 1.5)
MEAN_VARIANCE = 4.0
"""The prior variance of the function's level, in variances of the values."""
PREDICTING_DRAWS = 8
"""Draws of the kernel that a prediction averages; few do, because it only chooses points."""
JITTER = 1e-8
"""Added to the noise's variance, so that repeated points cannot make a matrix singular."""


@dataclass(frozen=True)
class Axis:
    """One parameter: a range, whose values are positions in 0..1, or choices, whose values are indices.

    `is_ordered`: a range. Two choices are all equally far apart.
    """

    is_ordered: bool

    def measure(self, first: Floats, second: Floats) -> Floats:
        """Return the distances [a, b] of two sets of values."""
        difference = first[:, None] - second[None, :]
        return np.abs(difference) if self.is_ordered else (difference != 0).astype(np.float64)


def compute_correlations(axes: Sequence[Axis], distances: Sequence[Floats], lengths: Sequence[float]) -> Floats:
    """Return the correlation of a function at points so far apart along each axis.

    The product of Matern's with 5/2 along ranges, and of exp(-1 / length) between two choices.
    """
    exponent, factor = np.zeros_like(distances[0]), np.ones_like(distances[0])
    for axis, distance, length in zip(axes, distances, lengths, strict=True):
        scaled = distance * ((np.sqrt(5) if axis.is_ordered else 1.0) / length)
        exponent += scaled
        if axis.is_ordered:
            factor *= 1 + scaled + scaled**2 / 3
    result: Floats = factor * np.exp(-exponent)
    return result


@dataclass(frozen=True)
class Measures:
    """Mixtures of product measures, over which a function is averaged.

    - `states`: of each axis, the values [s] at which measures have weight.
    - `weights`: of each axis [measures, s]; each row has the sum 1.
    - `mixture` [means, measures]: the shares of the measures in each mean.
    """

    states: Sequence[Floats]
    weights: Sequence[Floats]
    mixture: Floats


@dataclass(frozen=True)
class MeanPosterior:
    """The posterior of k means: a mixture of normals with `centres` [draws, k] and `covariances` [draws, k, k]."""

    centres: Floats
    covariances: Floats


@dataclass(frozen=True)
class _Draw:
    """One draw of the kernel's parameters, with the Cholesky factor and the whitened values that follow."""

    lengths: Sequence[float]
    variance: float
    lower: Floats
    white: Floats


class ResponseSurface:
    """The posterior of a function, from noisy values [n] at points [n, axes]."""

    def __init__(self, axes: Sequence[Axis], points: Floats, values: Floats, seed: int = 0) -> None:
        self.axes, self.points = tuple(axes), points
        self.centre, self.spread = float(np.median(values)), float(np.std(values)) or 1.0
        self._scaled = (values - self.centre) / self.spread
        self._distances = self._measure_distances(points)
        count = len(self.axes)
        mean = np.array([LENGTH_PRIOR[0]] * count + [SCALE_PRIOR[0], NOISE_PRIOR[0]])
        deviation = np.array([LENGTH_PRIOR[1]] * count + [SCALE_PRIOR[1], NOISE_PRIOR[1]])
        drawn = sample_posterior(
            lambda standard: self._log_likelihood(mean + deviation * standard), len(mean), np.random.default_rng(seed)
        )
        self._draws = [self._factorise_covariance(mean + deviation * standard) for standard in drawn]

    def predict(self, points: Floats, draws: int = PREDICTING_DRAWS) -> Floats:
        """Return the function's posterior mean at points [m, axes], over the first `draws` of the kernel."""
        distances, means = self._measure_distances(points), []
        for draw in self._draws[:draws]:
            kernel = draw.variance * compute_correlations(self.axes, distances, draw.lengths) + MEAN_VARIANCE
            means.append(kernel.T @ solve_triangular(draw.lower, draw.white, lower=True, trans=1))
        result: Floats = self.centre + self.spread * np.mean(means, axis=0)
        return result

    def estimate_means(self, measures: Measures) -> MeanPosterior:
        """Return the posterior of the function's means over `measures`."""
        centres, covariances = [], []
        for draw in self._draws:
            across, among = self._average_over_space(draw, measures)
            half = solve_triangular(draw.lower, across @ measures.mixture.T, lower=True)
            centres.append(self.centre + self.spread * (half.T @ draw.white))
            prior = measures.mixture @ among @ measures.mixture.T
            covariances.append(self.spread**2 * (prior - half.T @ half))
        return MeanPosterior(np.array(centres), np.array(covariances))

    def _average_over_space(self, draw: _Draw, measures: Measures) -> tuple[Floats, Floats]:
        """Average the kernel over measures: with the points [n, measures], and with measures [measures, measures]."""
        count = len(measures.weights[0])
        across = np.full((len(self.points), count), draw.variance)
        among = np.full((count, count), draw.variance)
        for axis, column, states, weights, length in zip(
            self.axes, self.points.T, measures.states, measures.weights, draw.lengths, strict=True
        ):
            across *= compute_correlations([axis], [axis.measure(column, states)], [length]) @ weights.T
            among *= weights @ compute_correlations([axis], [axis.measure(states, states)], [length]) @ weights.T
        return across + MEAN_VARIANCE, among + MEAN_VARIANCE

    def _measure_distances(self, points: Floats) -> list[Floats]:
        """Return the distances [n, m] of the trials' points to others along each axis."""
        return [axis.measure(own, other) for axis, own, other in zip(self.axes, self.points.T, points.T, strict=True)]

    def _factorise_covariance(self, parameters: Floats) -> _Draw:
        *lengths, scale, noise = np.exp(np.clip(parameters, -10, 10)).tolist()
        kernel = scale**2 * compute_correlations(self.axes, self._distances, lengths) + MEAN_VARIANCE
        kernel[np.diag_indices(len(kernel))] += noise**2 + JITTER
        lower = np.linalg.cholesky(kernel)
        return _Draw(lengths, scale**2, lower, solve_triangular(lower, self._scaled, lower=True))

    def _log_likelihood(self, parameters: Floats) -> float:
        try:
            draw = self._factorise_covariance(parameters)
        except np.linalg.LinAlgError:
            return -np.inf
        return float(-0.5 * draw.white @ draw.white - np.log(np.diag(draw.lower)).sum())


def sample_posterior(log_likelihood: Callable[[Floats], float], size: int, rng: np.random.Generator) -> Floats:
    """Draw [DRAWS, size] from the posterior of standard normal parameters, by elliptical slice sampling."""
    current, kept = np.zeros(size), []
    level = log_likelihood(current)
    for step in range(BURN_IN + DRAWS * STEPS_PER_DRAW):
        other, threshold = rng.standard_normal(size), level + np.log(rng.random())
        angle = rng.uniform(0, 2 * np.pi)
        low, high = angle - 2 * np.pi, angle
        while True:
            proposal = current * np.cos(angle) + other * np.sin(angle)
            level = log_likelihood(proposal)
            if level > threshold:
                break
            low, high = (angle, high) if angle < 0 else (low, angle)
            angle = rng.uniform(low, high)
        current = proposal
        if step >= BURN_IN and (step - BURN_IN) % STEPS_PER_DRAW == 0:
            kept.append(current)
    return np.array(kept)
