"""Numbers as a person reads them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.reporting.text import (
    capitalise_first,
    count_decimals,
    format_change,
    format_count,
    format_fixed,
    format_interval,
    format_levels,
    format_number,
    format_percent,
    format_range,
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
    assert format_interval(0.0004, -0.03, 0.03, signed=True) == "+0.0004 (−0.0300 to +0.0300)"  # not 0.00
    assert format_interval(-0.055, -1.1, 0.99) == "−0.06 (−1.10 to 0.99)"  # not -0.1, twice as much


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((2.537e12, 1.958e12, 3.136e12), "2.54e12 (1.96e12 to 3.14e12)"),
        ((-4e-11, -5e-11, -3e-11), "−4.0e−11 (−5.0e−11 to −3.0e−11)"),
        ((4e-320, 3e-320, 5e-320), "4.00e−320 (3.00e−320 to 5.00e−320)"),
        ((5e8, 4e8, 6e8), "500,000,000 (400,000,000 to 600,000,000)"),
    ],
)
def test_interval_of_extreme_size_has_a_power(ends: tuple[float, float, float], expected: str) -> None:
    assert format_interval(*ends) == expected


def test_interval_with_one_end_has_one_number() -> None:
    assert format_interval(0.5, 0.5, 0.5) == "0.500"
    assert format_range("3.9", "3.9") == "3.9"
    assert format_range("3.9", "4.1") == "3.9 to 4.1"


def test_levels_have_digits_that_tell_them_apart() -> None:
    assert format_levels([(0.0, 0.33), (0.33, 0.66), (0.66, 1.0)], 1) == ["0 to 0.3", "0.3 to 0.7", "0.7 to 1"]
    assert format_levels([(0.99, 0.993), (0.993, 0.996), (0.996, 0.999)], 2)[0] == "0.99 to 0.993"
    assert format_levels([(1, 1), (2, 3)], 2) == ["1", "2 to 3"]


def test_decimals_follow_width() -> None:
    assert [count_decimals(width) for width in (34.0, 1.2, 0.5, 0.03, 0.0, math.nan)] == [0, 1, 2, 3, 3, 3]


@given(st.floats(min_value=-1e6, max_value=1e6).filter(bool), st.integers(0, 6))
def test_only_zero_is_printed_as_zero(value: float, decimals: int) -> None:
    assert format_fixed(value, decimals).strip("−0.")


def test_signed_zero_has_no_sign() -> None:
    assert format_fixed(-0.0, 2, signed=True) == "0.00"
    assert format_fixed(-0.0001, 2, signed=True) == "−0.0001"
    assert format_fixed(0.25, 1, signed=True) == "+0.2"


def test_lists_and_counts_read_as_sentences() -> None:
    assert join_items([3]) == "3"
    assert join_items([3, 17, 22]) == "3, 17 and 22"
    assert join_items(list(range(10)), 3) == "0, 1, 2 and 7 more"
    assert join_items([]) == "none"
    assert format_count(1, "trial") == "1 trial"
    assert format_count(1024, "trial") == "1,024 trials"
    assert format_count(2, "class", "classes") == "2 classes"
    assert capitalise_first("all 6 of the A") == "All 6 of the A"


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (3, 48, "3 of 48 (6 %)"),
        (0, 48, "0 of 48 (0 %)"),
        (6, 6, "all 6"),
        (1, 1, "1 of 1"),
        (1, 3000, "1 of 3,000 (0.033 %)"),
        (2999, 3000, "2,999 of 3,000 (99.97 %)"),
        (0, 0, "none"),
    ],
)
def test_share_of_all_is_all(count: int, total: int, text: str) -> None:
    assert format_share(count, total) == text


@pytest.mark.parametrize(
    ("share", "text", "whole"),
    [
        (0.0317, "3.2 %", "3 %"),
        (0.5, "50 %", "50 %"),
        (0.00041, "0.041 %", "0.041 %"),
        (1e-9, "less than 0.01 %", "less than 0.01 %"),
        (0.0, "0 %", "0 %"),
        (0.997, "99.7 %", "99.7 %"),
        (1 - 1e-9, "more than 99.99 %", "more than 99.99 %"),
        (1.0, "100 %", "100 %"),
    ],
)
def test_percent_is_0_or_100_only_if_exact(share: float, text: str, whole: str) -> None:
    assert (format_percent(share), format_percent(share, whole=True)) == (text, whole)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.1, 0.02, 0.18), "0.100 worse (0.020 to 0.180)"),
        ((-0.1, -0.18, -0.02), "0.100 better (0.020 to 0.180)"),
        ((0.024, -0.022, 0.071), "0.024 worse (0.022 better to 0.071 worse)"),
        ((-0.024, -0.071, 0.022), "0.024 better (0.022 worse to 0.071 better)"),
    ],
)
def test_change_is_worse_or_better(ends: tuple[float, float, float], words: str) -> None:
    assert format_change(*ends) == words
