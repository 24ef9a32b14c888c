from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.fast_jit import compile_fast, run_task_method
from thalweg.core import augmentations, rng
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.tasks.count import Count

CELLS = st.sampled_from([2, 4, 8, 16])


def compute_density(points: Any, present: Any, size: tuple[int, int, int], cell: int) -> tuple[np.ndarray, np.ndarray]:
    targets = run_task_method(
        Count.model_validate({"density": cell}), "build_targets", {"points": points, "present": present}, DataSpec(size)
    )
    return targets["map"], targets["count"]


@settings(max_examples=15)
@given(st.data(), CELLS, st.integers(3, 50), st.integers(3, 50))
def test_map_sums_to_count(data: st.DataObject, cell: int, height: int, width: int) -> None:
    coordinates = [st.floats(0, side, width=32) for side in (width, height)]
    points = np.array(data.draw(st.lists(st.tuples(*coordinates), min_size=3, max_size=3)), np.float32)[None]
    present = np.array(data.draw(st.lists(st.booleans(), min_size=3, max_size=3)))[None]
    cells, count = compute_density(points, present, (height, width, 3), cell)
    assert cells.shape == (1, -(-height // cell), -(-width // cell))
    assert (cells >= 0).all()
    assert count[0] == present.sum()
    assert cells.sum() == pytest.approx(present.sum(), abs=1e-5)


def test_person_between_cells_is_in_both() -> None:
    points = np.array([[[6.0, 2.0], [8.0, 10.0], [0.0, 12.0]]], np.float32)
    cells, _ = compute_density(points, np.ones((1, 3), bool), (12, 12, 3), 4)
    np.testing.assert_allclose(cells[0], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.5, 0.5]], atol=1e-6)


def test_map_centre_follows_person() -> None:
    def centre(x: float, y: float) -> tuple[float, float]:
        cells, _ = compute_density(np.array([[[x, y]]], np.float32), np.ones((1, 1), bool), (32, 48, 3), 8)
        return (cells[0].sum(0) @ np.arange(6) + 0.5) * 8, (cells[0].sum(1) @ np.arange(4) + 0.5) * 8

    for x, y in [(4, 4), (13, 27.5), (40.25, 9)]:
        assert centre(x, y) == pytest.approx((x, y), abs=1e-4)


@pytest.mark.parametrize("name", ["shift", "cutout", "flip"])
def test_moved_people_are_recounted(name: str) -> None:
    draw = np.random.default_rng(0)
    batch = {
        "image": np.zeros((50, 24, 24, 1), np.float32),
        "points": draw.uniform(0, 24, (50, 5, 2)).astype(np.float32),
        "present": draw.random((50, 5)) < 0.8,
    }
    move = compile_fast(augmentations.apply_augmentations, static_argnums=0)
    moved = jax.tree.map(np.asarray, move((name,), rng.derive_key(0, "test"), batch, {name: np.float32(0.5)}))
    targets = run_task_method(Count(density=4), "build_targets", moved, DataSpec((24, 24, 1)))
    counts = moved["present"].sum(-1)
    np.testing.assert_array_equal(targets["count"], counts)
    np.testing.assert_allclose(targets["map"].sum((1, 2)), counts, atol=1e-5)
    lost_count = batch["present"].sum() - counts.sum()
    assert (lost_count == 0) == (name == "flip")


@pytest.mark.parametrize("cell", [0, 4])
def test_prediction_is_nonnegative_and_unbounded(cell: int) -> None:
    task = Count.model_validate({"density": cell})
    shape = (3, *task.output_shape(DataSpec((16, 24, 3))))
    start = np.array([-50, 0, 50], np.float32).reshape(3, *[1] * (len(shape) - 1))
    low, middle, high = run_task_method(task, "decode_outputs", np.broadcast_to(start, shape))
    cells = np.prod(shape[1:])
    assert 0 <= low < 1e-6
    assert low < middle < high
    assert 40 * cells < high < 60 * cells


@pytest.mark.parametrize("cell", [0, 8])
def test_terms_are_least_at_truth(cell: int) -> None:
    """Softplus is inverted at the truth; any other outputs cost more under every term's squared error."""
    task, spec = Count.model_validate({"density": cell}), DataSpec((16, 16, 3))
    draw = np.random.default_rng(0)
    points = draw.uniform(2, 14, (4, 3, 2)).astype(np.float32)
    labels = {"count": np.full(4, 3, np.float32), "points": points, "present": np.ones((4, 3), bool)}
    targets = run_task_method(task, "build_targets", labels, spec)
    wanted = targets["map"][..., None] if cell else targets["count"][:, None]
    raw = np.log(np.expm1(np.maximum(wanted, 1e-6)))
    shift = run_task_method(task, "decode_outputs", np.zeros((1, *[1] * len(task.output_shape(spec))), np.float32))[0]
    start = np.log(np.expm1(shift))  # what a cell of outputs 0 predicts is where its softplus starts
    outputs = (raw - start).astype(np.float32)
    np.testing.assert_allclose(run_task_method(task, "decode_outputs", outputs), 3.0, rtol=1e-4)
    for prediction, truth, _ in run_task_method(task, "build_loss_terms", outputs, targets).values():
        np.testing.assert_allclose(prediction, truth, atol=1e-4)


def test_metrics_are_best_at_truth() -> None:
    truth = np.array([0, 3, 10], np.float32)
    measured = run_task_method(Count(), "compute_metrics", truth, {"count": truth}, np.ones(3, np.float32))
    assert {name: float(value) for name, value in measured.items()} == {"mae": 0, "rmse": 0, "bias": 0, "exact": 1}
    empty = np.full(3, "")
    examples = Examples(np.zeros((3, 2, 2, 1), np.uint8), empty, empty, empty, {"count": truth})
    np.testing.assert_array_equal(Count().compute_errors(truth + np.array([0, -2, 1], np.float32), examples), [0, 2, 1])


def test_moving_needs_positions() -> None:
    assert not {"shift", "cutout"} & set(Count().allowed_augmentations)
    assert {"shift", "cutout"} <= set(Count(density=8).allowed_augmentations)
