"""Numbers as a person reads them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.reporting.text import (
    count_decimals,
    format_count,
    format_fixed,
    format_interval,
    format_number,
    format_percent,
    format_share,
    join_items,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.031622, "0.0316"),
        (0.1, "0.1"),
        (0.59996, "0.600"),
        (1024, "1,024"),
        (48.0, "48"),
        (2.14e-7, "2.14e−7"),
        (1.5e9, "1.50e9"),
        (-0.5, "−0.5"),
        (-0.0, "0"),
        (0, "0"),
        (float("nan"), "–"),
        (None, "–"),
        (math.inf, "∞"),
        ("huber", "huber"),
        (True, "True"),
        (12345.678, "12,346"),
    ],
)
def test_number_has_three_digits(value: object, text: str) -> None:
    assert format_number(value) == text


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_number_is_close_to_value(value: float) -> None:
    back = float(format_number(value).replace("−", "-").replace(",", ""))
    assert math.isclose(back, value, rel_tol=0.0051)


def test_interval_digits() -> None:
    assert format_interval(0.8312, 0.8006, 0.8618) == "0.831 (0.801 to 0.862)"
    assert format_interval(-0.2938, -0.516, -0.0716, signed=True) == "−0.29 (−0.52 to −0.07)"
    assert format_interval(1234.4, 1200.0, 1268.8) == "1,234 (1,200 to 1,269)"
    assert format_interval(-0.15, -0.32, -0.004) == "−0.150 (−0.320 to −0.004)"  # not 0.00: it is below it
    assert format_interval(-0.15, -0.3, 0.0) == "−0.15 (−0.30 to 0.00)"


def test_decimals_follow_width() -> None:
    assert [count_decimals(width) for width in (34.0, 1.2, 0.5, 0.03, 0.0, math.nan)] == [0, 1, 2, 3, 3, 3]


def test_signed_zero_has_no_sign() -> None:
    assert format_fixed(-0.0001, 2, signed=True) == "0.00"
    assert format_fixed(0.25, 1, signed=True) == "+0.2"


def test_lists_and_counts_read_as_sentences() -> None:
    assert join_items([3]) == "3"
    assert join_items([3, 17, 22]) == "3, 17 and 22"
    assert join_items(list(range(10)), 3) == "0, 1, 2 and 7 more"
    assert join_items([]) == "none"
    assert format_count(1, "trial") == "1 trial"
    assert format_count(1024, "trial") == "1,024 trials"
    assert format_share(3, 48) == "3 of 48 (6 %)"
    assert [format_percent(part) for part in (0.0317, 0.5, 0.00041, 1e-9)] == [
        "3.2 %",
        "50 %",
        "0.041 %",
        "less than 0.01 %",
    ]
