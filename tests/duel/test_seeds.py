"""Seeds as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.duel.seeds import format_seeds, parse_seeds
from thalweg.system.files import UserError


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("5..9", [5, 6, 7, 8, 9]),
        (" 1 , 2,3 ,4..6", [1, 2, 3, 4, 5, 6]),
        ("9,8,7,6,5", [9, 8, 7, 6, 5]),
    ],
)
def test_parse(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' must be a range such as 5..16"),
        ("a..b", "'a..b' must be a range"),
        ("5-16", "must be a range"),
        ("9..5", "9..5 ends before it begins"),
        ("1..4", "at least 5 are needed for a decision, not 4"),
        ("1..6,3", "3 stands there twice"),
        ("0..2000", "at most 1,000 seeds, not 2,001"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(UserError, match="--seeds: ") as caught:
        parse_seeds(text)
    assert message in str(caught.value)


@given(st.lists(st.integers(0, 10_000), min_size=5, max_size=40, unique=True))
def test_round_trip(seeds: list[int]) -> None:
    assert parse_seeds(format_seeds(seeds)) == seeds
