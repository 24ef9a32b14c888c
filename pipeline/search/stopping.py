"""Reasons to stop a study before its last cohort."""

from collections.abc import Sequence
from typing import Any

from thalweg.config.experiment import Config
from thalweg.engine.state_folder import Journal
from thalweg.search.cohorts import Rules
from thalweg.search.trials import Trial, rank_trials

GAIN_COHORTS = 3
"""Cohorts whose mean gain predicts the gain of the next one."""


def find_stop_reason(
    config: Config, rules: Rules, trials: Sequence[Trial], cohort: int, seconds_spent: float, journal: Journal
) -> dict[str, Any] | None:
    """Return why a cohort should not begin, from the trials that it may use; None if it should.

    A stop for time is written into the journal and holds while the time limit is the same: another run could not
    repeat this decision by itself.
    """
    stop = config.study.stop
    epochs = sum(trial.epochs_spent for trial in trials)
    if stop.epochs is not None and epochs >= stop.epochs:
        return {"cohort": cohort, "reason": "epochs", "limit": stop.epochs, "reached": epochs}
    gain = None if stop.gain is None else estimate_gain(config, rules, trials)
    if stop.gain is not None and gain is not None and gain < stop.gain:
        return {"cohort": cohort, "reason": "gain", "limit": stop.gain, "reached": gain}
    if stop.seconds is not None:
        stop_record = {"reason": "seconds", "limit": stop.seconds}
        if any(record == stop_record and stop_cohort <= cohort for stop_cohort, record in journal.stops):
            return {"cohort": cohort, **stop_record}
        if seconds_spent >= stop.seconds and not journal.has_begun(cohort, cohort * rules.cohort_size):
            journal.record_stop(cohort, stop_record)
            return {"cohort": cohort, **stop_record}
    return None


def estimate_gain(config: Config, rules: Rules, trials: Sequence[Trial]) -> float | None:
    """Return the expected improvement of the best objective by the next cohort: the mean gain of the last few cohorts.

    Gains shrink as a search goes on, so this is too high rather than too low, and a study stops late rather than early.
    None while there are too few cohorts, or as long as no trial is complete.
    """
    if len(trials) <= GAIN_COHORTS * rules.cohort_size:
        return None
    sign = config.task.cost_sign(config.study.objective)
    before, after = (
        [sign * trial.outcome.scores[0] for trial in rank_trials(config, subset)[:1]]
        for subset in (trials[: -GAIN_COHORTS * rules.cohort_size], trials)
    )
    return (before[0] - after[0]) / GAIN_COHORTS if before and after else None
