"""Subsampling: even steps keep both ends, and trials with priority stay."""

import numpy as np
import pytest

from thalweg.reporting.page.thin import subsample_indices, subsample_trials


@pytest.mark.parametrize(
    ("count", "limit", "wanted"), [(5, 9, [0, 1, 2, 3, 4]), (9, 3, [0, 4, 8]), (9, 1, [0]), (0, 4, [])]
)
def test_indices_keep_both_ends(count: int, limit: int, wanted: list[int]) -> None:
    assert subsample_indices(count, limit).tolist() == wanted
    steps = np.diff(subsample_indices(1000, 17))
    assert steps.max() - steps.min() <= 1


def test_priority_trials_are_kept() -> None:
    assert subsample_trials([3, 1, 2], [1], 3) == [1, 2, 3]
    kept = subsample_trials(range(100), [57, 98], 12)
    assert len(kept) == 12
    assert {57, 98} <= set(kept)
    assert kept == sorted(kept)
    assert subsample_trials(range(10), [9, 8, 7, 6], 2) == [8, 9]
