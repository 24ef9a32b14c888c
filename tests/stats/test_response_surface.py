"""A Gaussian process over ranges and choices, against formulas that a matrix gives directly."""

import numpy as np
import pytest

from thalweg.stats import response_surface
from thalweg.stats.response_surface import Axis, Measures, ResponseSurface, compute_correlations, sample_posterior

AXES = (Axis(is_ordered=True), Axis(is_ordered=False))


def build_surface() -> ResponseSurface:
    """A slope along a range, and a step of 1 between two choices, at 30 points."""
    rng = np.random.default_rng(0)
    points = np.stack([rng.random(30), rng.integers(0, 2, 30)], 1)
    return ResponseSurface(AXES, points, 2 * points[:, 0] + points[:, 1] + rng.normal(0, 0.05, 30))


def test_correlation_is_a_product_over_axes() -> None:
    ordered, unordered = AXES
    assert ordered.measure(np.array([0.0, 1.0]), np.array([0.25])).tolist() == [[0.25], [0.75]]
    assert unordered.measure(np.array([0.0, 1.0, 2.0]), np.array([0.0])).tolist() == [[0], [1], [1]]
    root = np.sqrt(5) * 0.5 / 2
    along = (1 + root + root**2 / 3) * np.exp(-root)
    half, other = np.array([[0.5]]), np.array([[1.0]])
    assert compute_correlations([ordered], [half], [2.0]).item() == pytest.approx(along)
    assert compute_correlations([unordered], [other], [2.0]).item() == pytest.approx(np.exp(-0.5))
    assert compute_correlations(AXES, [half, other], [2.0, 2.0]).item() == pytest.approx(along * np.exp(-0.5))
    assert compute_correlations(AXES, [0 * half, 0 * other], [2.0, 2.0]).item() == 1


def test_mean_over_measure_is_mean_of_predictions() -> None:
    """Sums in one dimension give what the average of predictions at all points of a grid gives."""
    surface, grid = build_surface(), np.linspace(0.1, 0.9, 5)
    shares = np.array([[0.25, 0.75]])
    means = surface.estimate_means(
        Measures([grid, np.array([0.0, 1.0])], [np.full((1, 5), 0.2), shares], np.ones((1, 1)))
    )
    at = np.array([[x, kind] for x in grid for kind in (0, 1)])
    predicted = surface.predict(at, draws=response_surface.DRAWS)
    weights = np.tile(0.2 * shares[0], 5)
    assert means.centres.mean() == pytest.approx(predicted @ weights)


def test_covariance_is_that_of_single_points() -> None:
    surface, at = build_surface(), np.array([0.2, 0.8])
    points = Measures([at, np.zeros(2)], [np.eye(2), np.eye(2)], np.eye(2))
    mean = Measures([at, np.zeros(1)], [np.full((1, 2), 0.5), np.ones((1, 1))], np.ones((1, 1)))
    alone, together = surface.estimate_means(points), surface.estimate_means(mean)
    np.testing.assert_allclose(together.covariances[:, 0, 0], alone.covariances.mean((1, 2)), atol=1e-9)


def test_known_function_is_found() -> None:
    at = np.array([[0.25, 0.0], [0.75, 0.0], [0.25, 1.0]])
    assert build_surface().predict(at) == pytest.approx([0.5, 1.5, 1.5], abs=0.1)


def test_uncertainty_grows_away_from_points() -> None:
    rng = np.random.default_rng(1)
    points = np.stack([0.3 * rng.random(20), np.zeros(20)], 1)
    surface = ResponseSurface(AXES, points, np.sin(6 * points[:, 0]) + rng.normal(0, 0.02, 20))
    ends = Measures([np.array([0.15, 1.0]), np.zeros(2)], [np.eye(2), np.eye(2)], np.eye(2))
    near, far = np.diagonal(surface.estimate_means(ends).covariances, axis1=1, axis2=2).mean(0)
    assert far > 10 * near


def test_equal_values_are_no_error() -> None:
    surface = ResponseSurface(AXES, np.zeros((15, 2)), np.ones(15))
    assert surface.predict(np.zeros((1, 2))) == pytest.approx([1.0])


def test_slice_sampling_finds_known_posterior(monkeypatch: pytest.MonkeyPatch) -> None:
    """A normal prior and one observation, 2, with variance 1: the posterior has mean 1 and variance 1/2."""
    monkeypatch.setattr(response_surface, "DRAWS", 2000)
    drawn = sample_posterior(lambda at: float(-0.5 * (at[0] - 2) ** 2), 2, np.random.default_rng(0))
    assert drawn.shape == (2000, 2)
    assert drawn.mean(0) == pytest.approx([1.0, 0.0], abs=0.1)
    assert drawn.var(0) == pytest.approx([0.5, 1.0], abs=0.1)
