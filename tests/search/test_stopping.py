"""When a study has enough."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from thalweg.config.experiment import Config
from thalweg.engine.results import LaneResult, TrainedLane
from thalweg.engine.state_folder import Journal
from thalweg.search import stopping
from thalweg.search.cohorts import Rules
from thalweg.search.trials import Outcome, Trial

RULES = Rules(trial_count=40, cohort_size=2, brackets=((4,),))
Ending = Literal["complete", "pruned", "diverged"]


def build_trial(number: int, value: float | None, epochs: int = 4) -> Trial:
    lanes = tuple(TrainedLane(seed, 0, LaneResult({}, epochs, None, ended=True)) for seed in (0, 1))
    state: Ending = "diverged" if value is None else "complete"
    return Trial(Outcome(number, {}, state, () if value is None else (value,)), lanes)


def build_trials(*values: float | None) -> list[Trial]:
    return [build_trial(number, value) for number, value in enumerate(values)]


def test_gain_averages_three_cohorts(config: Config) -> None:
    values = [9.0, 8.0, 7.0, 9.0, 6.5, 6.5, 6.5, 7.0]
    assert stopping.estimate_gain(config, RULES, build_trials(*values)) == pytest.approx((8.0 - 6.5) / 3)
    assert stopping.estimate_gain(config, RULES, build_trials(*values[:6])) is None  # too few to tell
    more = config.replace_values({"study.objective": "exact"})
    assert stopping.estimate_gain(more, RULES, build_trials(*[1 - value / 10 for value in values])) == pytest.approx(
        0.05
    )
    assert stopping.estimate_gain(config, RULES, build_trials(None, None, *values[2:])) is None
    assert stopping.estimate_gain(config, RULES, build_trials(9.0, None, None, None, 6.0, 7.0, 6.0, 7.0)) == 1.0


@pytest.fixture
def find_stop_reason(config: Config, tmp_path: Path) -> Callable[..., dict[str, Any] | None]:
    def ask(
        stop: dict[str, Any], trials: list[Trial], cohort: int = 4, spent: float = 0.0, journal: Journal | None = None
    ) -> dict[str, Any] | None:
        return stopping.find_stop_reason(
            config.replace_values({"study.stop": stop}), RULES, trials, cohort, spent, journal or Journal(tmp_path)
        )

    return ask


def test_no_limits_never_stop(find_stop_reason: Callable[..., dict[str, Any] | None]) -> None:
    assert find_stop_reason({}, build_trials(*[1.0] * 8), spent=1e9) is None


def test_epochs_count_all_lanes(find_stop_reason: Callable[..., dict[str, Any] | None]) -> None:
    trials = build_trials(3.0, 2.0)
    assert find_stop_reason({"epochs": 17}, trials) is None
    assert find_stop_reason({"epochs": 16}, trials) == {"cohort": 4, "reason": "epochs", "limit": 16, "reached": 16}


def test_small_gain_stops_study(find_stop_reason: Callable[..., dict[str, Any] | None]) -> None:
    trials = build_trials(9.0, 8.0, 7.0, 9.0, 6.5, 6.5, 6.5, 7.0)
    assert find_stop_reason({"gain": 0.4}, trials) is None
    assert find_stop_reason({"gain": 0.6}, trials) == {"cohort": 4, "reason": "gain", "limit": 0.6, "reached": 0.5}


def test_time_limit_is_recorded(find_stop_reason: Callable[..., dict[str, Any] | None]) -> None:
    limit, stopped = {"seconds": 60.0}, {"cohort": 4, "reason": "seconds", "limit": 60.0}
    assert find_stop_reason(limit, build_trials(1.0, 2.0), spent=59.0) is None
    assert find_stop_reason(limit, build_trials(1.0, 2.0), spent=61.0) == stopped
    # in its next life, whatever the clock says, it stops there again, and not before
    assert find_stop_reason(limit, build_trials(1.0, 2.0), spent=0.0) == stopped
    assert find_stop_reason(limit, build_trials(1.0, 2.0), cohort=3, spent=0.0) is None
    # with more time it goes on
    assert find_stop_reason({"seconds": 90.0}, build_trials(1.0, 2.0), spent=61.0) is None


def test_replay_ignores_time_limit(find_stop_reason: Callable[..., dict[str, Any] | None], tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_proposals(4, [{}, {}])
    assert find_stop_reason({"seconds": 60.0}, build_trials(1.0, 2.0), spent=1e9, journal=journal) is None


def test_lost_proposals_do_not_stop_earlier(
    find_stop_reason: Callable[..., dict[str, Any] | None], tmp_path: Path
) -> None:
    """Cohort 4 began once, though its proposals are lost: time had not run out then, whatever the clock says now."""
    journal = Journal(tmp_path)
    journal.record_results({(9, 1, 0): LaneResult({}, 4, None, ended=True)})
    assert find_stop_reason({"seconds": 60.0}, build_trials(1.0, 2.0), spent=1e9, journal=journal) is None
    assert find_stop_reason({"seconds": 60.0}, build_trials(1.0, 2.0), cohort=5, spent=1e9, journal=journal) is not None
