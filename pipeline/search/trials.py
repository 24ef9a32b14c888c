"""A trial as it is known: its lanes' curves, their mean, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.config.study import ConstraintConfig
from thalweg.engine.results import TrainedLanes
from thalweg.search import cohorts
from thalweg.search.cohorts import Score
from thalweg.stats.trial_value import mean_at_best


@dataclass(frozen=True)
class Outcome:
    """A trial that is over, as samplers learn it.

    `scores` are its objectives at its lanes' best validations (none if it diverged), for one that was pruned the best
    until then; `intermediate` the first objective at each validation's epoch that counts; `limits` by how much each
    constraint is broken (not at all: 0 or less); `lost` the epoch of the rung that it lost, if it did: one that had
    ended by itself before is complete all the same.
    """

    number: int
    values: Setting
    state: Literal["complete", "pruned", "diverged"]
    scores: tuple[float, ...] = ()
    intermediate: Mapping[int, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    lost_rung: int | None = None

    @property
    def value(self) -> float | None:
        """The first objective; None if it diverged."""
        return self.scores[0] if self.scores else None

    @property
    def is_feasible(self) -> bool:
        return all(limit <= 0 for limit in self.violations.values())


@dataclass(frozen=True)
class Trial:
    """A trial that is over, with its lanes; `audit` is what a pruned one came to that was trained on to see.

    None, too, where that broke a limit: it would not have been a good trial.
    """

    outcome: Outcome
    lanes: TrainedLanes
    pruned_at: int | None = None
    audit: float | None = None

    @property
    def diverged_step(self) -> int | None:
        if self.outcome.state != "diverged":
            return None
        steps = [lane.result.diverged_step for lane in self.lanes]
        return min((step for step in steps if step is not None), default=None)

    @property
    def epochs(self) -> int:
        return max(lane.result.epochs for lane in self.lanes)

    @property
    def state(self) -> str:
        """The outcome's, or `infeasible` where it is complete and breaks a limit."""
        broken = self.outcome.state == "complete" and not self.outcome.is_feasible
        return "infeasible" if broken else self.outcome.state

    @property
    def epochs_spent(self) -> int:
        """Epochs that were trained for it, over all of its lanes."""
        return sum(lane.result.epochs for lane in self.lanes)


@dataclass(frozen=True)
class TrialScorer:
    """How trials of an experiment are judged: by which metrics, which way, and with what weight of each fold."""

    objectives: tuple[str, ...]
    signs: tuple[int, ...]
    constraints: Mapping[str, ConstraintConfig]
    validate_every: int
    fold_sizes: NDArray[np.float64]

    def mean_curve(self, lanes: TrainedLanes, metric: str) -> NDArray[np.float64]:
        """A metric at each validation, the mean over a trial's lanes, each fold by its number of examples.

        A lane that stopped by itself counts with its last value from then on; NaN from where one diverged.
        """
        curves = np.array([lane.result.get_curve(metric) for lane in lanes])
        for curve, (_, _, result) in zip(curves, lanes, strict=True):
            reached = result.epochs // self.validate_every
            if result.ended and result.diverged_step is None:
                curve[reached:] = curve[reached - 1]
        mean: NDArray[np.float64] = np.average(curves, axis=0, weights=self.fold_sizes[[lane.fold for lane in lanes]])
        return mean

    def best_values(
        self, lanes: TrainedLanes, epoch: int
    ) -> tuple[tuple[float, ...], dict[str, float], dict[int, float]] | None:
        """Objectives and broken limits up to epoch `epoch`, and the first objective at each validation.

        They are the mean over lanes of each one's own best validation: of the weights that it would keep, as `confirm`
        measures them. None where a lane diverged, or one of them is not finite there.
        """
        lanes = tuple(lane._replace(result=lane.result.truncate(epoch)) for lane in lanes)
        if any(lane.result.diverged_step is not None for lane in lanes):
            return None
        curves = {
            name: np.array([lane.result.get_curve(name)[: epoch // self.validate_every] for lane in lanes])
            for name in {*self.objectives, *self.constraints}
        }
        cost, sizes = self.signs[0] * curves[self.objectives[0]], self.fold_sizes[[lane.fold for lane in lanes]]
        found = {name: float(mean_at_best(cost, values, sizes)[-1]) for name, values in curves.items()}
        if not all(np.isfinite(value) for value in found.values()):
            return None
        values = tuple(found[name] for name in self.objectives)
        limits = {name: limit.excess(found[name]) for name, limit in self.constraints.items()}
        first = self.mean_curve(lanes, self.objectives[0])[: epoch // self.validate_every]
        return values, limits, {(i + 1) * self.validate_every: float(value) for i, value in enumerate(first)}

    def score_rung(self, lanes: TrainedLanes, epoch: int) -> Score | None:
        """What a rung at epoch `epoch` judges by; None where a lane diverged."""
        best = self.best_values(lanes, epoch)
        if best is None:
            return None
        values, limits, _ = best
        signed = tuple(sign * value for sign, value in zip(self.signs, values, strict=True))
        return Score(signed, sum(max(limit, 0.0) for limit in limits.values()))

    def build_trial(self, number: int, values: Setting, lanes: TrainedLanes, pruned: int | None) -> Trial:
        """A trial that is over; `pruned` is the epoch at which it lost, None if it did not.

        One that had ended by itself when it lost is complete: there was nothing left to stop.
        """
        lanes = tuple(sorted(lanes, key=lambda lane: lane[:2]))
        longest, lost = max(lane.result.epochs for lane in lanes), pruned
        if pruned is not None and all(lane.result.ended and lane.result.epochs <= pruned for lane in lanes):
            pruned = None
        best = self.best_values(lanes, longest if pruned is None else pruned)
        if best is None:
            curve = self.mean_curve(lanes, self.objectives[0])
            known = {(i + 1) * self.validate_every: float(v) for i, v in enumerate(curve) if np.isfinite(v)}
            return Trial(Outcome(number, values, "diverged", (), known), lanes)
        scores, limits, intermediate = best
        state: Literal["complete", "pruned"] = "complete" if pruned is None else "pruned"
        outcome = Outcome(number, values, state, scores, intermediate, limits, lost)
        later = self.best_values(lanes, longest) if pruned is not None and longest > pruned else None
        kept = later is not None and all(limit <= 0 for limit in later[1].values())
        return Trial(outcome, lanes, pruned, later[0][0] if later is not None and kept else None)


def build_scorer(config: Config, fold_sizes: NDArray[np.float64]) -> TrialScorer:
    """How the trials of an experiment are judged; `fold_sizes` [folds] are how many examples each validation part has."""
    study = config.study
    objectives = (study.objective, *study.also)
    return TrialScorer(
        objectives,
        tuple(config.task.cost_sign(name) for name in objectives),
        dict(sorted(study.constraints.items())),
        config.training.validate_every,
        fold_sizes,
    )


def rank_trials(config: Config, trials: Sequence[Trial]) -> list[Trial]:
    """Complete trials that break no limit, best first by the first objective, ties by number."""
    sign = config.task.cost_sign(config.study.objective)
    good = [trial for trial in trials if trial.state == "complete"]
    return sorted(good, key=lambda trial: (sign * trial.outcome.scores[0], trial.outcome.number))


def find_front_trials(scorer: TrialScorer, trials: Sequence[Trial]) -> tuple[int, ...]:
    """The numbers of the trials that no other beats in every objective, in order."""
    good = [trial.outcome for trial in trials if trial.state == "complete"]
    signed = {one.number: Score(tuple(s * v for s, v in zip(scorer.signs, one.scores, strict=True))) for one in good}
    return tuple(sorted(cohorts.find_front(signed)))
