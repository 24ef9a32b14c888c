"""Whether the best trials crowd at the end of a range: held against what draws from all of it do."""

import math

import optuna
import pytest

from thalweg.reporting.analysis import range_ends
from thalweg.reporting.parameter import SearchedParameter


@pytest.mark.parametrize(("low", "high"), [(1, 8), (2, 64), (16, 20)])
def test_a_whole_number_on_a_log_scale_is_as_likely_as_it_is_drawn(low: int, high: int) -> None:
    parameter = SearchedParameter("units", low, high, log=True, whole=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [study.ask().suggest_int("units", low, high, log=True) for _ in range(1500)]
    for side in ("low", "high"):
        places = [math.log(one / low) / math.log(high / low) for one in drawn]
        near = sum(place < 0.1 if side == "low" else place > 0.9 for place in places) / len(drawn)
        assert range_ends.chance(parameter, side) == pytest.approx(near, abs=4 * math.sqrt(0.25 / len(drawn)))


def test_the_chance_of_an_end_is_known() -> None:
    parameter = SearchedParameter("units", 1, 8, log=True, whole=True)
    assert range_ends.chance(parameter, "low") == pytest.approx(math.log(3) / math.log(17))
    assert range_ends.chance(parameter, "high") == pytest.approx(math.log(17 / 13) / math.log(17))  # 7 and 8
    assert range_ends.chance(SearchedParameter("rate", 1.0, 8.0), "low") == 0.1
