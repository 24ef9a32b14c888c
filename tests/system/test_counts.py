"""Counts, durations and sizes in words."""

import pytest

from thalweg.system.counts import format_bytes, format_duration, format_elapsed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (42.4, "42 s"), (99.4, "99 s"), (99.6, "2 min"), (5000, "83 min"), (9000, "2.5 h")],
)
def test_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.4, "59 s"), (59.6, "1 min 0 s"), (125.2, "2 min 5 s"), (134.0, "2 min 14 s"), (599.4, "9 min 59 s")],
)
def test_elapsed_minutes_have_seconds(seconds: float, text: str) -> None:
    """A line every ten seconds differs from the one before."""
    assert format_elapsed(seconds) == text


def test_long_elapsed_time_is_a_duration() -> None:
    assert [format_elapsed(seconds) for seconds in (42.4, 600, 5000, 9000)] == ["42 s", "10 min", "83 min", "2.5 h"]


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 byte"), (512, "512 bytes"), (13_824_000, "13.8 MB"), (2 * 10**9, "2 GB")]
)
def test_bytes(count: int, text: str) -> None:
    assert format_bytes(count) == text
