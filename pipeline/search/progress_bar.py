"""The progress of a study: its trials, the best of them, and its failures."""

from collections import Counter
from collections.abc import Sequence

from thalweg.config.experiment import Config
from thalweg.search import workload
from thalweg.search.trials import Trial, merge_repeats, rank_trials
from thalweg.system.counts import format_count
from thalweg.system.progress import Part

FAILURES = ("pruned", "diverged", "infeasible")


class StudyProgress:
    """A `thalweg.search.study.StudyCallback` that says in `part`, whose units are epochs, how far the study is."""

    def __init__(self, config: Config, folds: int, part: Part) -> None:
        self._config, self._part = config, part
        self._trial_epochs = workload.estimate_trial_epochs(config, folds)
        self._trained_trials = workload.count_trained_trials(config)
        part.total = self._trained_trials * self._trial_epochs
        self.on_cohort(())

    def on_segment(self, finished_trials: int, active_lanes: int) -> None:
        """Do nothing: the engine counts the epochs."""

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """Show the results after a cohort; `trials` are all trials so far."""
        self._part.note = describe_trials(self._config, trials)
        # epochs that trials did not need, or that an earlier run trained
        self._part.skip(min(len(trials), self._trained_trials) * self._trial_epochs - self._part.done)


def describe_trials(config: Config, trials: Sequence[Trial]) -> str:
    """Describe how far a study is: `12 of 48 trials, best mae 1.31 (trial 7), 2 diverged`."""
    study = config.study
    text = [f"{len(trials):,} of {format_count(study.trials, 'trial')}"]
    if ranked := [trial.outcome for trial in rank_trials(config, trials)]:
        text.append(f"best {study.objective} {ranked[0].value:.4g} (trial {ranked[0].number})")
    elif trials:
        text.append("none complete yet")
    states = Counter(trial.state for trial in merge_repeats(trials))
    return ", ".join([*text, *(f"{states[state]} {state}" for state in FAILURES if states[state])])
