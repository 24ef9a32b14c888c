"""Counts, durations and sizes in words."""

import pytest

from thalweg.system.counts import format_bytes, format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (42.4, "42 s"), (99.4, "99 s"), (99.6, "2 min"), (5000, "83 min"), (9000, "2.5 h")],
)
def test_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 byte"), (512, "512 bytes"), (13_824_000, "13.8 MB"), (2 * 10**9, "2 GB")]
)
def test_bytes(count: int, text: str) -> None:
    assert format_bytes(count) == text
