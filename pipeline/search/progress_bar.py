"""How a study goes on, for a person who watches: one moving line on a terminal, plain lines elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from thalweg.config.experiment import Config
from thalweg.search.trials import Trial, rank_trials


class StudyProgress:
    """A `thalweg.search.study.StudyCallback` that writes to standard output; use it as a context."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._read = 0
        self._trains = False
        self._best = ""
        self._began = time.monotonic()
        self._console = Console(file=sys.stdout)
        self._bar = Progress(
            TextColumn("{task.completed:.0f}/{task.total:.0f} trials"),
            BarColumn(),
            TextColumn("{task.fields[best]}"),
            TextColumn("{task.fields[alive]} lanes alive"),
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
        """Lanes went on: so many trials are over, so many lanes are on their way."""
        if not self._trains:
            self._trains, self._read = True, finished_trials  # the others were there before, and took no time
            if finished_trials and not self._console.is_terminal:
                print(f"{finished_trials} trials are there already, {self._best}", flush=True)
        self._bar.update(self._task, completed=finished_trials, alive=active_lanes, best=self._best)

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """A cohort ended: all trials so far."""
        done, study = len(trials), self._config.study
        best = [trial.outcome for trial in rank_trials(self._config, trials)[:1]]
        told = [f"best {study.objective} {one.value:.4g} (trial {one.number})" for one in best]
        self._best = told[0] if told else "none complete yet"
        self._bar.update(self._task, completed=done, alive=0, best=self._best)
        if self._trains and not self._console.is_terminal:
            spent = time.monotonic() - self._began
            left = spent / (done - self._read) * (study.trials - done)
            states = Counter(trial.state for trial in trials)
            ends = [f"{states[end]} {end}" for end in ("pruned", "diverged", "infeasible") if states[end]]
            told = [f"{done}/{study.trials} trials", self._best, *ends, f"{spent:.0f} s", f"about {left:.0f} s left"]
            print(", ".join(told), flush=True)
