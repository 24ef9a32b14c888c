"""The part of an axis that is shown."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.reporting.analysis.window import compute_window


def test_far_value_is_outside_window() -> None:
    window = compute_window([1.0, 1.1, 1.2, 1.3, 1.4, 900.0], 1)
    assert window.high < 3.0
    assert compute_window([1.0, 1.1, 1.2, 1.3, 1.4, 900.0], 1, included=[900.0]).high > 900.0


@pytest.mark.parametrize(("sign", "best"), [(1, 0.01), (-1, 900.0)])
def test_best_value_is_always_inside(sign: int, best: float) -> None:
    window = compute_window([1.0, 1.1, 1.2, 1.3, 1.4, best], sign)
    assert window.low <= best <= window.high
    assert window.is_outside(pd.Series([best, 1e6, -1e6])).tolist() == [False, True, True]


def test_window_within_metric_bounds() -> None:
    window = compute_window([0.0, 0.3, 0.6], -1, bounds=(0.0, 1.0))
    assert (window.low, window.high) == pytest.approx((0.0, 0.636))
    constant = compute_window([1.0, 1.0], -1, bounds=(0.0, 1.0))
    assert constant.low < constant.high == 1.0


def test_log_scale_if_wide_and_positive() -> None:
    assert compute_window([1.0, 3.0], 1).is_log
    assert not compute_window([1.0, 2.0], 1).is_log
    assert not compute_window([-1.0, 3.0], 1).is_log
    assert not compute_window([1.0, 3.0], 1, allow_log=False).is_log
    assert compute_window([0.5, 60.0], 1).list_ticks() == [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]


@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_window_is_never_empty(values: list[float]) -> None:
    window = compute_window(values, 1)
    assert window.low < window.high


def test_diverged_is_at_bad_edge() -> None:
    window = compute_window([1.0, 1.5], 1)
    assert window.clip_values(pd.Series([np.nan, 1.2]), 1).tolist() == [window.high, 1.2]
    assert window.clip_values(pd.Series([np.nan, 1.2]), -1).tolist() == [window.low, 1.2]
