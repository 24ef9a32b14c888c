"""Copies of training examples: their labels follow the images."""

from typing import Any

import numpy as np

from thalweg.data import offline
from thalweg.data.examples import Examples, concatenate_examples
from thalweg.tasks.count import Count


def test_moved_copies_recount_people() -> None:
    draw = np.random.default_rng(0)
    examples = Examples(
        images=draw.integers(0, 256, (300, 8, 8, 1), np.uint8),
        names=np.full(300, "a"),
        groups=np.full(300, "a"),
        split=np.full(300, ""),
        labels={
            "count": np.full(300, 3, np.float32),
            "points": draw.uniform(0, 8, (300, 3, 2)).astype(np.float32),
            "present": np.ones((300, 3), bool),
        },
    )
    strengths, reconcile = {"shift": 0.5, "flip": 0.0}, Count(density=8).reconcile_labels
    moved = concatenate_examples(list(offline.augment_examples(examples, np.arange(300), strengths, 0, reconcile)))
    points: Any = moved.labels["points"]
    inside = ((points >= 0) & (points <= 8)).all(-1)
    np.testing.assert_array_equal(moved.labels["present"], inside)
    np.testing.assert_array_equal(moved.labels["count"], inside.sum(1))
    assert 0 < inside.sum() < 900
    step = np.rint(points - examples.labels["points"])[:, 0].astype(int)
    for image, was, (right, down) in zip(moved.images, examples.images, step, strict=True):
        rows, columns = (np.clip(np.arange(8) - by, 0, 7) for by in (down, right))
        np.testing.assert_array_equal(image, was[rows][:, columns])
