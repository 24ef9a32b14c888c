"""A smoothed surface of noise."""

import numpy as np

from thalweg.stats.surface import fit_surface


def test_noise_fits_no_surface() -> None:
    """The window is then as wide as can be, and no better than the mean but by luck."""
    explained = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        explained.append(fit_surface(rng.random((60, 2)), rng.normal(0, 1, 60)).explained)
    assert np.median(explained) <= 0.02
    assert max(explained) < 0.25
