"""Where an image and its coordinates go, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.system.fitting import Fit, Placement, place_image

SIDES = st.integers(1, 300)


@pytest.mark.parametrize(
    ("fit", "original", "source", "target"),
    [
        ("stretch", (40, 80), (0, 0, 80, 40), (0, 0, 20, 20)),
        ("crop", (40, 80), (20, 0, 60, 40), (0, 0, 20, 20)),
        ("crop", (80, 40), (0, 20, 40, 60), (0, 0, 20, 20)),
        ("letterbox", (40, 80), (0, 0, 80, 40), (0, 5, 20, 15)),
        ("letterbox", (80, 40), (0, 0, 40, 80), (5, 0, 15, 20)),
        ("letterbox", (1000, 1), (0, 0, 1, 1000), (9, 0, 10, 20)),
        ("crop", (20, 20), (0, 0, 20, 20), (0, 0, 20, 20)),
        ("letterbox", (20, 20), (0, 0, 20, 20), (0, 0, 20, 20)),
    ],
)
def test_places(fit: Fit, original: tuple[int, int], source: tuple[float, ...], target: tuple[int, ...]) -> None:
    assert place_image(original, (20, 20), fit) == Placement(source, target)  # type: ignore[arg-type]


def test_coordinates_move_along() -> None:
    placement = place_image((40, 80), (20, 20), "letterbox")
    np.testing.assert_array_equal(placement.convert_to_resized(np.array([[0, 0, 80, 40]])), [[0, 5, 20, 15]])
    np.testing.assert_array_equal(placement.convert_to_original(np.array([[4, 10]])), [[16, 20]])
    placement = place_image((40, 80), (20, 20), "crop")
    np.testing.assert_array_equal(placement.convert_to_resized(np.array([[20, 0], [80, 40]])), [[0, 0], [30, 20]])


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["stretch", "crop", "letterbox"]))
def test_there_and_back(full_height: int, full_width: int, height: int, width: int, fit: Fit) -> None:
    placement = place_image((full_height, full_width), (height, width), fit)
    x0, y0, x1, y1 = placement.target
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    left, top, right, bottom = placement.source
    assert 0 <= left < right <= full_width
    assert 0 <= top < bottom <= full_height
    points = np.array([[0.0, 0.0], [full_width, full_height], [0.3 * full_width, 0.6 * full_height]])
    back = placement.convert_to_original(placement.convert_to_resized(points))
    np.testing.assert_allclose(back, points, atol=1e-8)
