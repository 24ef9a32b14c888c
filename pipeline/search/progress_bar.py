"""The progress of a study: one moving line on a terminal, plain lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from thalweg.config import settings
from thalweg.config.experiment import Config
from thalweg.search.trials import Trial, merge_repeats, rank_trials
from thalweg.system.counts import format_count


class StudyProgress:
    """A `thalweg.search.study.StudyCallback` that writes to standard output; use it as a context."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._resumed = 0
        planned = len(settings.list_planned_settings(config)) if config.study.randomness == "paired" else 0
        self._to_train = planned or config.study.trials  # later ones only repeat the planned settings
        self._is_training = False
        self._best = ""
        self._began = time.monotonic()
        self._console = Console(file=sys.stdout)
        self._bar = Progress(
            TextColumn(f"{{task.completed:.0f}} of {format_count(config.study.trials, 'trial')}"),
            BarColumn(),
            TextColumn("{task.fields[best]}"),
            TextColumn("lanes training: {task.fields[alive]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("study", total=config.study.trials, best="", alive=0)

    def __enter__(self) -> "StudyProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_segment(self, finished_trials: int, active_lanes: int) -> None:
        """Show that lanes went on: `finished_trials` are over, `active_lanes` still train."""
        if not self._is_training:
            self._is_training, self._resumed = True, finished_trials  # trials of an earlier run took no time now
            if finished_trials and not self._console.is_terminal:
                print(f"{format_count(finished_trials, 'trial')} finished before, {self._best}", flush=True)
        self._bar.update(self._task, completed=finished_trials, alive=active_lanes, best=self._best)

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """Show the results after a cohort; `trials` are all trials so far."""
        done, study = len(trials), self._config.study
        ranked = [trial.outcome for trial in rank_trials(self._config, trials)]
        self._best = "none complete yet"
        if ranked:
            self._best = f"best {study.objective} {ranked[0].value:.4g} (trial {ranked[0].number})"
        self._bar.update(self._task, completed=done, alive=0, best=self._best)
        if self._is_training and not self._console.is_terminal:
            seconds = time.monotonic() - self._began
            trained, resumed = min(done, self._to_train), min(self._resumed, self._to_train)
            seconds_left = seconds / max(1, trained - resumed) * (self._to_train - trained)
            states = Counter(trial.state for trial in merge_repeats(trials))
            failures = [f"{states[state]} {state}" for state in ("pruned", "diverged", "infeasible") if states[state]]
            times = f"{seconds:.0f} s, about {seconds_left:.0f} s left"
            done_text = f"{done} of {format_count(study.trials, 'trial')}"
            print(done_text, self._best, *failures, times, sep=", ", flush=True)
