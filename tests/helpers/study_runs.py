"""Studies that are run: settings of several files, a listener, and what to compare."""

from collections.abc import Sequence
from typing import Any

from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.config.experiment import Config
from thalweg.search.run import build_trials_table
from thalweg.search.trials import Trial

PRUNING = {"study.prune": {"first": 1, "eta": 2, "audit": 0.5}, "training.epochs": 4, "study.trials": 12}


class SegmentRecorder:
    """A listener that keeps segments and cohorts, and ends the run after segment `last`, as a kill would."""

    def __init__(self, last: int | None = None) -> None:
        self.segments: list[Any] = []
        self.cohorts: list[Any] = []
        self.last = last

    def on_segment(self, over: int, alive: int) -> None:
        self.segments.append((over, alive))
        if len(self.segments) == self.last:
            raise KeyboardInterrupt

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        self.cohorts.append(len(trials))


def list_reached_values(curve: Sequence[float | None]) -> list[float]:
    """The values of a curve whose lane went on to its end."""
    return [value for value in curve if value is not None]


def format_csv(config: Config, trials: Sequence[Trial]) -> str:
    """The tables of trials and of their curves, to compare byte by byte; a copy has no curves of its own."""
    lanes = [(trial.outcome.number, *lane) for trial in trials if not trial.is_copy for lane in trial.lanes]
    return build_trials_table(config, trials).to_csv() + build_curves_table(config, lanes).to_csv()


CONDITIONAL = {
    "study.space": {
        "loss.terms.count.kind": {"choices": ["l1", "huber"]},
        "loss.terms.count.delta": {"low": 0.1, "high": 2.0, "when": {"loss.terms.count.kind": "huber"}},
        "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    },
    "loss.terms.count.kind": "huber",
}
