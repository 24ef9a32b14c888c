"""The spaces of two studies in words."""

import pytest

from thalweg.diff.parameters import describe_space
from thalweg.reporting.parameter import SearchedParameter


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (SearchedParameter("a", 1e-3, 0.1, log=True), "0.001 to 0.1, log"),
        (SearchedParameter("a", 8, 64, whole=True, points=4), "8 to 64, whole, 4 points"),
        (SearchedParameter("a", choices=("l1", "l2")), "l1, l2"),
        (SearchedParameter("a", 0, 1, when={"b": ("x", "y"), "c": ("z",)}), "0 to 1, if b is x or y and c is z"),
    ],
)
def test_space_in_words(parameter: SearchedParameter, text: str) -> None:
    assert describe_space(parameter) == text
