"""The normalisation of images: channel statistics, and the background nearest to an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from thalweg.training import normalisation


def test_constant_channel_is_only_centred() -> None:
    """A large scale would make a brighter image, or an augmented one, thousands of deviations bright."""
    images = np.full((3, 2, 2, 2), 51, np.uint8)
    images[0, 0, 0, 1], images[1:, :, :, 1] = 53, 52  # varies by less than a gray level
    no_backgrounds = np.zeros((0, 2, 2, 2), np.uint8)
    mean, scale = normalisation.compute_channel_statistics(images, no_backgrounds, np.zeros(0, np.int32), np.arange(3))
    assert mean == pytest.approx([0.2, images[..., 1].mean() / 255])
    assert scale.tolist() == [1.0, 1.0]


def test_normalisation_is_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2500, 2, 2, 3), np.uint8)
    rows, index = np.arange(0, 2500, 2), np.zeros(2500, np.int32)
    statistics = []
    for size in (1, 1000, 2**20):
        monkeypatch.setattr(normalisation, "CHUNK_BYTES", size)
        statistics.append(normalisation.compute_channel_statistics(images, images[:0], index, rows))
    for mean, scale in statistics:
        np.testing.assert_array_equal((mean, scale), statistics[0])
        np.testing.assert_allclose(mean, (images[rows] / 255).mean((0, 1, 2)), rtol=1e-6)
        np.testing.assert_allclose(scale, 1 / (images[rows] / 255).std((0, 1, 2)), rtol=1e-6)


@given(arrays.arrays(np.uint8, (6, 2, 3, 1)), arrays.arrays(np.uint8, (3, 2, 3, 1)))
def test_nearest_background_is_chosen(images: np.ndarray, backgrounds: np.ndarray) -> None:
    chosen = normalisation.find_nearest_background(images, backgrounds)
    distance = np.abs(images[:, None].astype(int) - backgrounds[None].astype(int)).sum((2, 3, 4))
    assert (distance[np.arange(6), chosen] == distance.min(1)).all()
