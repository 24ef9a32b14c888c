"""Trials: the mean of their lanes' curves, and the scores that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.distinct_trials import STATES_BY_WEIGHT
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.config.study import ConstraintConfig
from thalweg.engine.results import TrainedLanes
from thalweg.search import cohorts
from thalweg.search.cohorts import Score
from thalweg.stats.trial_value import mean_at_best


@dataclass(frozen=True)
class Outcome:
    """A finished trial, as samplers learn it.

    `scores` are its objectives at its lanes' best validations (none if it diverged; up to its pruning if it was
    pruned). `intermediate` is the first objective at each validation that counts, by epoch. `violations` are the
    amounts by which each constraint is broken (0 or less: it holds). `lost_rung` is the epoch of the rung that it lost,
    if it did; a trial that had ended by itself before is complete all the same. `same_as` is the first trial with the
    same setting, if this one repeats it.
    """

    number: int
    values: Setting
    state: Literal["complete", "pruned", "diverged"]
    scores: tuple[float, ...] = ()
    intermediate: Mapping[int, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    lost_rung: int | None = None
    same_as: int | None = None

    @property
    def value(self) -> float | None:
        """The first objective; None if the trial diverged."""
        return self.scores[0] if self.scores else None

    @property
    def is_feasible(self) -> bool:
        return all(violation <= 0 for violation in self.violations.values())


@dataclass(frozen=True)
class Trial:
    """A finished trial with its lanes. `audit` is the final value of a pruned trial that trained on to be audited.

    It is None, too, where the trial then broke a limit: it would not have been a good trial. A trial that `is_copy` was
    not trained: it has all results of the first trial with its setting.
    """

    outcome: Outcome
    lanes: TrainedLanes
    pruned_at: int | None = None
    audit: float | None = None
    is_copy: bool = False

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
        """The state of the outcome, or `infeasible` where it is complete but breaks a limit."""
        is_infeasible = self.outcome.state == "complete" and not self.outcome.is_feasible
        return "infeasible" if is_infeasible else self.outcome.state

    @property
    def epochs_spent(self) -> int:
        """The epochs trained for the trial, over all of its lanes."""
        return 0 if self.is_copy else sum(lane.result.epochs for lane in self.lanes)

    def mark_repeat(self, first: int | None) -> "Trial":
        """Return the trial with the number of the first one of its setting; None if it is the first."""
        return replace(self, outcome=replace(self.outcome, same_as=first))


def copy_trial(first: Trial, number: int, values: Setting) -> Trial:
    """Return a trial that repeats a setting with the same seeds: the result of the first one, not trained again."""
    outcome = replace(first.outcome, number=number, values=values, same_as=first.outcome.number)
    return replace(first, outcome=outcome, is_copy=True)


@dataclass(frozen=True)
class TrialScorer:
    """The metrics by which trials are judged, the sign of each, the constraints, and the weight of each fold."""

    objectives: tuple[str, ...]
    signs: tuple[int, ...]
    constraints: Mapping[str, ConstraintConfig]
    validate_every: int
    fold_sizes: NDArray[np.float64]

    def mean_curve(self, lanes: TrainedLanes, metric: str) -> NDArray[np.float64]:
        """Return a metric at each validation: the mean over a trial's lanes, each fold weighted by its size.

        A lane that stopped by itself counts with its last value from then on. NaN from where a lane diverged.
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
        """Return objectives and violations up to `epoch`, and the first objective at each validation.

        Each is the mean over lanes of the value at the lane's best validation, of the weights that it would keep, as
        `confirm` measures them. None where a lane diverged or a value is not finite.
        """
        lanes = tuple(lane._replace(result=lane.result.truncate(epoch)) for lane in lanes)
        if any(lane.result.diverged_step is not None for lane in lanes):
            return None
        curves = {
            name: np.array([lane.result.get_curve(name)[: epoch // self.validate_every] for lane in lanes])
            for name in {*self.objectives, *self.constraints}
        }
        cost, sizes = self.signs[0] * curves[self.objectives[0]], self.fold_sizes[[lane.fold for lane in lanes]]
        means = {name: float(mean_at_best(cost, values, sizes)[-1]) for name, values in curves.items()}
        if not all(np.isfinite(value) for value in means.values()):
            return None
        values = tuple(means[name] for name in self.objectives)
        violations = {name: constraint.compute_excess(means[name]) for name, constraint in self.constraints.items()}
        curve = self.mean_curve(lanes, self.objectives[0])[: epoch // self.validate_every]
        return values, violations, {(i + 1) * self.validate_every: float(value) for i, value in enumerate(curve)}

    def score_rung(self, lanes: TrainedLanes, epoch: int) -> Score | None:
        """Return the score that a rung at `epoch` judges by; None where a lane diverged."""
        best = self.best_values(lanes, epoch)
        if best is None:
            return None
        values, violations, _ = best
        signed = tuple(sign * value for sign, value in zip(self.signs, values, strict=True))
        return Score(signed, sum(max(violation, 0.0) for violation in violations.values()))

    def build_trial(self, number: int, values: Setting, lanes: TrainedLanes, pruned: int | None) -> Trial:
        """Build a finished trial; `pruned` is the epoch at which it lost, None if it did not.

        A trial whose lanes had all ended by themselves by then is complete: there was nothing left to stop.
        """
        lanes = tuple(sorted(lanes, key=lambda lane: lane[:2]))
        longest, lost_rung = max(lane.result.epochs for lane in lanes), pruned
        if pruned is not None and all(lane.result.ended and lane.result.epochs <= pruned for lane in lanes):
            pruned = None
        best = self.best_values(lanes, longest if pruned is None else pruned)
        if best is None:
            curve = self.mean_curve(lanes, self.objectives[0])
            finite = {(i + 1) * self.validate_every: float(v) for i, v in enumerate(curve) if np.isfinite(v)}
            return Trial(Outcome(number, values, "diverged", (), finite), lanes)
        scores, violations, intermediate = best
        state: Literal["complete", "pruned"] = "complete" if pruned is None else "pruned"
        outcome = Outcome(number, values, state, scores, intermediate, violations, lost_rung)
        later = self.best_values(lanes, longest) if pruned is not None and longest > pruned else None
        later_feasible = later is not None and all(violation <= 0 for violation in later[1].values())
        return Trial(outcome, lanes, pruned, later[0][0] if later is not None and later_feasible else None)


def build_scorer(config: Config, fold_sizes: NDArray[np.float64]) -> TrialScorer:
    """Build the scorer of an experiment; `fold_sizes` [folds] are the numbers of validation examples."""
    study = config.study
    objectives = (study.objective, *study.also)
    return TrialScorer(
        objectives,
        tuple(config.task.cost_sign(name) for name in objectives),
        dict(sorted(study.constraints.items())),
        config.training.validate_every,
        fold_sizes,
    )


def merge_repeats(trials: Sequence[Trial]) -> list[Trial]:
    """Return one trial for each different setting, under the number of its first trial.

    Copies are left out. A setting that was trained again with other seeds (`study.randomness: independent`) is as bad
    as its worst seed: diverged, infeasible, complete, and only then pruned. Its objectives are the means over the
    trials that ended so, which leaves out pruned ones: a setting may look better than it is.
    """
    by_setting: dict[int, list[Trial]] = {}
    for trial in trials:
        if not trial.is_copy:
            first = trial.outcome.number if trial.outcome.same_as is None else trial.outcome.same_as
            by_setting.setdefault(first, []).append(trial)
    return [repeats[0] if len(repeats) == 1 else _merge_setting(repeats) for repeats in by_setting.values()]


def _merge_setting(repeats: Sequence[Trial]) -> Trial:
    state = next(state for state in STATES_BY_WEIGHT if any(trial.state == state for trial in repeats))
    alike, first = [trial for trial in repeats if trial.state == state], repeats[0].outcome
    means = tuple(float(np.mean(scores)) for scores in zip(*(trial.outcome.scores for trial in alike), strict=True))
    return replace(
        alike[0],
        outcome=replace(alike[0].outcome, number=first.number, values=first.values, scores=means, same_as=None),
        lanes=tuple(lane for trial in alike for lane in trial.lanes),
    )


def rank_trials(config: Config, trials: Sequence[Trial]) -> list[Trial]:
    """Return complete settings that break no limit, best first by the first objective, ties by number."""
    sign = config.task.cost_sign(config.study.objective)
    complete = [trial for trial in merge_repeats(trials) if trial.state == "complete"]
    return sorted(complete, key=lambda trial: (sign * trial.outcome.scores[0], trial.outcome.number))


def find_front_trials(scorer: TrialScorer, trials: Sequence[Trial]) -> tuple[int, ...]:
    """Return the numbers of the settings that no other beats in every objective, in order."""
    outcomes = [trial.outcome for trial in merge_repeats(trials) if trial.state == "complete"]
    scores = {o.number: Score(tuple(s * v for s, v in zip(scorer.signs, o.scores, strict=True))) for o in outcomes}
    return tuple(sorted(cohorts.find_front(scores)))
