"""What differs between two studies beside their results."""

from thalweg.diff.changes import Change, pair_values


def test_values_are_paired_by_name() -> None:
    a = {"same": 1, "other": [1, 2], "gone": 0.5, "null": None}
    b = {"new": "x", "same": 1.0, "other": [1, 3]}
    assert pair_values(a, b) == (Change("other", [1, 2], [1, 3]), Change("gone", 0.5, None), Change("new", None, "x"))
