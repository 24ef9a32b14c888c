"""Fronts and volumes of several objectives, against closed answers."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.stats.pareto import front_hypervolumes, hypervolume, hypervolume_history, pareto_front


def test_pareto_front_by_hand() -> None:
    points = [(1, 4), (2, 2), (4, 1), (3, 3), (2, 4), (2, 2)]
    assert pareto_front(points).tolist() == [True, True, True, False, False, True]


def test_hypervolume_by_hand() -> None:
    # 3 x 1 under (1, 4), then 2 x 1 more from (2, 3) ... by hand: steps of the staircase below (5, 5)
    assert hypervolume([(1, 4), (2, 2), (4, 1)], (5, 5)) == 4 * 1 + 3 * 2 + 1 * 1
    assert hypervolume([(1, 4), (6, 0)], (5, 5)) == 4
    assert hypervolume([], (5, 5)) == 0
    assert hypervolume([(0, 0, 0)], (2, 3, 4)) == 24
    assert hypervolume([(0, 1, 0), (1, 0, 0)], (2, 2, 2)) == 4 + 4 - 2


points = st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=8)


@given(points)
def test_hypervolume_counts_cells(points: list[tuple[int, int, int]]) -> None:
    cells = [
        cell
        for cell in product(range(4), repeat=3)
        if any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points)
    ]
    assert hypervolume(points, (4, 4, 4)) == pytest.approx(len(cells))
    table = np.array(points, float).reshape(-1, 3)
    assert hypervolume_history(table, (4, 4, 4)).tolist() == pytest.approx(
        [hypervolume(table[: n + 1], (4, 4, 4)) for n in range(len(table))]
    )


def draw_sphere_points(count: int, dimensions: int) -> np.ndarray:
    """Points none of which dominates another: a part of a sphere about the worst point."""
    points = np.abs(np.random.default_rng(0).normal(size=(count, dimensions)))
    result: np.ndarray = 1 - points / np.linalg.norm(points, axis=1)[:, None]
    return result


@pytest.mark.parametrize("dimensions", [2, 3])
def test_batched_hypervolumes_match_exact(dimensions: int) -> None:
    moved = draw_sphere_points(12, dimensions) + np.random.default_rng(1).normal(0, 0.05, (60, 12, dimensions))
    batched = front_hypervolumes(moved, np.ones(dimensions))
    exact = np.array([hypervolume(points, np.ones(dimensions)) for points in moved])
    np.testing.assert_allclose(batched, exact, atol=0.01)
    assert batched.std() == pytest.approx(exact.std(), rel=0.1)


def test_large_hypervolume_is_fast() -> None:
    """The exact volume of one such front takes as long as all of these."""
    begun = time.perf_counter()
    front_hypervolumes(draw_sphere_points(200, 4) + np.zeros((100, 1, 1)), np.ones(4))
    assert time.perf_counter() - begun < 10
