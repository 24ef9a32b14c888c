"""When a study has enough before its last cohort."""

from collections.abc import Sequence
from typing import Any

from thalweg.config.experiment import Config
from thalweg.engine.state_folder import Journal
from thalweg.search.cohorts import Rules
from thalweg.search.trials import Trial

GAIN_COHORTS = 3
"""Cohorts whose mean gain stands for the gain of the next."""


def find_stop_reason(
    config: Config, rules: Rules, trials: Sequence[Trial], cohort: int, seconds_spent: float, journal: Journal
) -> dict[str, Any] | None:
    """Why a cohort is not to be begun, from the trials that it may know; None if it is.

    A stop for want of time is written into the journal, and holds for as long as the limit is the same: it is the one
    decision that another run would not come to by itself.
    """
    stop = config.study.stop
    epochs = sum(trial.epochs_spent for trial in trials)
    if stop.epochs is not None and epochs >= stop.epochs:
        return {"cohort": cohort, "reason": "epochs", "limit": stop.epochs, "reached": epochs}
    gain = None if stop.gain is None else expected_gain(config, rules, trials)
    if stop.gain is not None and gain is not None and gain < stop.gain:
        return {"cohort": cohort, "reason": "gain", "limit": stop.gain, "reached": gain}
    if stop.seconds is not None:
        told = {"reason": "seconds", "limit": stop.seconds}
        if any(one == told and at <= cohort for at, one in journal.stops):
            return {"cohort": cohort, **told}
        if seconds_spent >= stop.seconds and cohort not in journal.proposed:
            journal.record_stop(cohort, told)
            return {"cohort": cohort, **told}
    return None


def expected_gain(config: Config, rules: Rules, trials: Sequence[Trial]) -> float | None:
    """By how much the next cohort is expected to better the best objective: the mean gain of the last few cohorts.

    Gains shrink as a search goes on, so this is on the high side, and a study stops late rather than early. None while
    there are too few cohorts, or as long as none is complete.
    """
    sign = config.task.cost_sign(config.study.objective)
    best, bests = None, []
    for start in range(0, len(trials), rules.cohort_size):
        complete = [trial.outcome for trial in trials[start : start + rules.cohort_size]]
        values = [sign * one.scores[0] for one in complete if one.state == "complete" and one.is_feasible]
        best = min([*values, *([] if best is None else [best])], default=None)
        bests.append(best)
    if len(bests) <= GAIN_COHORTS:
        return None
    before, after = bests[-1 - GAIN_COHORTS], bests[-1]
    return None if before is None or after is None else (before - after) / GAIN_COHORTS
