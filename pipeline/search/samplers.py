"""Optuna's samplers, used so that the same history always gives the same proposals."""

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.config.study import ParameterConfig
from thalweg.core import own_functions, rng
from thalweg.core.own_functions import describe_type, load_function
from thalweg.search.distributions import build_distributions
from thalweg.search.tpe import STARTUP_TRIALS, History, HistoryTPESampler
from thalweg.search.trials import Outcome
from thalweg.system.files import UserError
from thalweg.system.members import is_dotted

DIVERGED_VIOLATION = 1e9
"""The amount by which a diverged trial breaks every limit: more than any other trial."""

# samplers warn when they draw a parameter independently, but conditional parameters need it
optuna.logging.set_verbosity(optuna.logging.ERROR)


def list_study_directions(config: Config) -> list[StudyDirection]:
    """Return the direction in which each objective improves, as Optuna names it."""
    names = (config.study.objective, *config.study.also)
    directions = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
    return [directions[config.task.metric_directions[name]] for name in names]


class Sampler(Protocol):
    """What proposes the trials of a study, in order of number, and learns their outcomes."""

    def ask(self, first: int, count: int) -> list[Setting]:
        """Propose values for trials `first` to `first + count - 1`."""

    def replay(self, first: int, proposals: list[Setting]) -> None:
        """Take the proposals of an earlier run in place of new ones."""

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn the outcomes of a cohort of proposed trials."""


class OptunaSampler:
    """An Optuna study in memory that proposes trials in order of number and learns their outcomes.

    `space` replaces parameters of the configuration, and `start_count` is the number of trials whose values are drawn
    before the sampler learns.
    """

    def __init__(
        self, config: Config, space: Mapping[str, ParameterConfig] | None = None, start_count: int = STARTUP_TRIALS
    ) -> None:
        self._config = config
        self._start_count = start_count
        self._study = optuna.create_study(directions=list_study_directions(config), pruner=optuna.pruners.NopPruner())
        self._space = build_distributions(config, space)
        self._tpe = HistoryTPESampler(History(self._study, self._space), start_count)
        self._initial = spaces.list_initial_settings(config)
        self._planned = {settings.build_setting_key(point): point for point in settings.list_planned_settings(config)}
        self._trial_counts = Counter[settings.SettingKey]()
        self._open_trials: dict[int, optuna.Trial] = {}
        self._worst_costs: list[float] = []

    def ask(self, first: int, count: int) -> list[Setting]:
        """Propose values for trials `first` to `first + count - 1`."""
        return [self.ask_trial(number, self._find_fixed_values(number)) for number in range(first, first + count)]

    def ask_trial(self, number: int, fixed_values: Setting) -> Setting:
        """Propose values for a trial; it has the `fixed_values`."""
        return self._ask_trial(number, fixed_values, self._build_sampler(number))

    def replay(self, first: int, proposals: list[Setting]) -> None:
        """Take the proposals of an earlier run in place of new ones."""
        for number, values in enumerate(proposals, first):
            self.replay_trial(number, self._find_fixed_values(number), values)

    def replay_trial(self, number: int, fixed_values: Setting, values: Setting) -> None:
        """Take the values of a trial that an earlier run proposed for these `fixed_values`."""
        study = self._config.study
        is_stateful = study.sampler in ("nsga2", "cmaes") or is_dotted(study.sampler)
        is_stateful |= study.sampler == "tpe" and study.in_flight > 1
        if not is_stateful or self._planned:
            self._ask_trial(number, values, RandomSampler(seed=0))
            return
        # these store facts in the trials that they draw, so they must draw them again: a trial's generation, or the
        # values that an unfinished trial would have for its inactive parameters
        if self.ask_trial(number, fixed_values) != values:
            raise UserError(
                "the sampler proposes other values than when the study began. "
                "Was Optuna updated, or study.trials lowered?"
            )

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Tell the sampler the outcomes of a cohort of proposed trials.

        TPE gets a trial that did not complete, or lost a rung, as pruned, and a diverged one as the worst of these: it
        would ignore a failed trial and propose its region again. The other samplers, and all with several objectives,
        accept complete trials only. There a pruned trial counts with its scores so far, and a diverged one with scores
        worse than any so far; NSGA-II also gets it as beyond all limits.
        """
        signs = [1.0 if direction == StudyDirection.MINIMIZE else -1.0 for direction in self._study.directions]
        for outcome in outcomes:  # first update the worst costs, which diverged trials need
            if outcome.scores:
                costs = [sign * score for sign, score in zip(signs, outcome.scores, strict=True)]
                self._worst_costs = [max(pair) for pair in zip(self._worst_costs or costs, costs, strict=True)]
        worst_costs = self._worst_costs or signs
        diverged_scores = [sign * (worst + abs(worst)) for sign, worst in zip(signs, worst_costs, strict=True)]
        for outcome in outcomes:
            self._tell_outcome(outcome, diverged_scores)

    def _tell_outcome(self, outcome: Outcome, diverged_scores: list[float]) -> None:
        """Tell the study of one trial; a diverged one gets `diverged_scores`."""
        trial, diverged = self._open_trials.pop(outcome.number), outcome.state == "diverged"
        sampler, is_multi_objective = self._config.study.sampler, len(self._study.directions) > 1
        violations = (
            dict.fromkeys(self._config.study.constraints, DIVERGED_VIOLATION) if diverged else dict(outcome.violations)
        )
        if is_multi_objective or sampler == "nsga2":
            violations["diverged"] = DIVERGED_VIOLATION if diverged else 0.0
        for name, violation in violations.items():
            trial.set_constraint(name, violation)
        is_complete = outcome.state == "complete" and outcome.lost_rung is None
        if is_complete or is_multi_objective or sampler in ("nsga2", "cmaes", "gp") or is_dotted(sampler):
            finished = self._study.tell(trial, list(outcome.scores) or diverged_scores)
        else:
            last_epoch = outcome.lost_rung or max(outcome.intermediate, default=1)
            trial.report(*((math.nan, 1) if diverged else (outcome.scores[0], last_epoch)))
            finished = self._study.tell(trial, state=TrialState.PRUNED)
        if sampler == "tpe":
            self._tpe.history.add_trial(finished)

    def _find_fixed_values(self, number: int) -> Setting:
        """Return the values that the sampler does not choose: of the first trials, or the next of a plan.

        A plan's next setting is the first that has the fewest trials.
        """
        if self._planned:
            return self._planned[min(self._planned, key=lambda key: self._trial_counts[key])]
        if number < len(self._initial):
            return self._initial[number]
        return draw_sobol(self._config, self._space, number) if self._config.study.sampler == "quasi_random" else {}

    def _ask_trial(self, number: int, fixed_values: Setting, sampler: BaseSampler) -> Setting:
        if fixed_values:
            self._study.enqueue_trial(fixed_values)
        self._study.sampler = sampler
        trial = self._study.ask()
        self._open_trials[number] = trial
        values: Setting = {}
        for name, parameter in spaces.sort_parameters(self._config):
            if parameter.is_active(values):
                values[name] = _suggest_value(trial, name, self._space[name])
        self._trial_counts[settings.build_setting_key(values)] += 1
        return values

    def _build_sampler(self, number: int) -> BaseSampler:
        """Build a sampler for one trial, seeded by its number, so that no random state needs to be stored."""
        seed, cohort = rng.derive_seed(self._config.seed, "sampler", number), self._config.study.cohort
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            match self._config.study.sampler:
                case "random" | "quasi_random" | "grid":
                    return RandomSampler(seed=seed)
                case "nsga2":
                    return NSGAIISampler(population_size=cohort, seed=seed)
                case "cmaes":
                    return CmaEsSampler(popsize=cohort, seed=seed, warn_independent_sampling=False)
                case "gp":
                    return GPSampler(seed=seed, n_startup_trials=self._start_count)
                case "tpe":
                    return self._tpe.set_seed(seed)
                case own:
                    return build_own_sampler(own, seed)


def build_own_sampler(path: str, seed: int) -> BaseSampler:
    """Build the user's sampler at a dotted path: what `function(seed)` returns. Raises `MemberError`."""
    sampler = load_function(path, OWN)(seed)
    assert isinstance(sampler, BaseSampler)
    return sampler


def _check_sampler(sampler: Any, _seed: int) -> BaseSampler:
    if not isinstance(sampler, BaseSampler):
        raise ValueError(f"returns {describe_type(sampler)}; it must return an optuna.samplers.BaseSampler")
    return sampler


OWN = own_functions.Protocol("a sampler", ("seed",), _check_sampler)


def _suggest_value(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    suggest = trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
    return suggest(name, distribution.low, distribution.high, log=distribution.log)  # type: ignore[attr-defined]


def draw_sobol(config: Config, space: dict[str, BaseDistribution], number: int) -> Setting:
    """Point `number` of one scrambled Sobol sequence over the whole space, choices and conditional parameters too.

    Optuna's own sampler counts its points in the study, so a study that is played again would begin from the first.
    """
    if not space:
        return {}
    from scipy.stats import qmc  # half a second, which no other sampler needs

    sequence = qmc.Sobol(len(space), scramble=True, rng=rng.derive_seed(config.seed, "sampler"))
    if number:
        sequence.fast_forward(number)
    return {
        name: compute_value_at(space[name], share)
        for name, share in zip(space, sequence.random(1)[0].tolist(), strict=True)
    }


def compute_value_at(distribution: BaseDistribution, share: float) -> Any:
    """Return the value at a share, 0 <= share < 1, of a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    is_integer = isinstance(distribution, IntDistribution)
    low, high = float(distribution.low), float(distribution.high)  # type: ignore[attr-defined]
    first, last = (low - 0.5, high + 0.5) if is_integer else (low, high)  # each integer has a width of 1
    log = distribution.log  # type: ignore[attr-defined]
    value = math.exp(math.log(first) + share * math.log(last / first)) if log else first + share * (last - first)
    clipped = min(max(round(value) if is_integer else value, low), high)
    return int(clipped) if is_integer else clipped
