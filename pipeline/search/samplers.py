"""Who proposes: Optuna's samplers, asked so that the same history always gives the same proposal."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState
from scipy.stats import qmc

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.core import rng
from thalweg.search.trials import Outcome
from thalweg.system.files import UserError

DIVERGED_VIOLATION = 1e9
"""By how much a trial that diverged breaks every limit: more than any that did not."""

# samplers warn of parameters that they draw independently, which is what a condition asks of them
optuna.logging.set_verbosity(optuna.logging.ERROR)


def list_study_directions(config: Config) -> list[StudyDirection]:
    """Which way each objective is better, in Optuna's words."""
    names = (config.study.objective, *config.study.also)
    ways = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
    return [ways[config.task.METRIC_DIRECTIONS[name]] for name in names]


class OptunaSampler:
    """An Optuna study in memory: it proposes trials in order of number, and learns what they came to."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._study = optuna.create_study(directions=list_study_directions(config), pruner=optuna.pruners.NopPruner())
        self._space = spaces.build_distributions(config)
        self._known = [
            *spaces.list_initial_settings(config),
            *(spaces.list_grid_settings(config) if config.study.sampler == "grid" else []),
        ]
        self._asked: dict[int, optuna.Trial] = {}
        self._worst: list[float] = []

    def ask(self, first: int, count: int) -> list[Setting]:
        """Values for trials `first` to `first + count - 1`."""
        return [
            self._ask_trial(number, self._fixed_values(number), self._build_sampler(number))
            for number in range(first, first + count)
        ]

    def replay(self, first: int, proposals: list[Setting]) -> None:
        """Take proposals of an earlier life for those that `propose` would make."""
        study = self._config.study
        if study.sampler in ("nsga2", "cmaes") or (study.sampler == "tpe" and study.in_flight > 1):
            # these note something in the trials that they draw, so they must draw them again: which generation they
            # are of, or what a trial that is not over would have for parameters that its others switched off
            if self.ask(first, len(proposals)) != proposals:
                raise UserError("the sampler proposes other values than this study began with: is it another version?")
            return
        for number, values in enumerate(proposals, first):
            self._ask_trial(number, values, RandomSampler(seed=0))

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Take in what a cohort of proposed trials came to.

        A trial that did not complete, or lost a rung, is told to TPE as pruned, the diverged as the worst of these:
        told as failed it would be ignored, and its region proposed again. The other samplers, and all where there are
        several objectives, know complete trials only: there what was pruned counts as it stood, and what diverged as
        worse than any so far; NSGA-II knows it as beyond all limits too.
        """
        signs = [1.0 if way == StudyDirection.MINIMIZE else -1.0 for way in self._study.directions]
        for outcome in outcomes:  # the worst of the cohort is known before any that diverged is told
            if outcome.scores:
                known = [sign * score for sign, score in zip(signs, outcome.scores, strict=True)]
                self._worst = [max(pair) for pair in zip(self._worst or known, known, strict=True)]
        worse = [sign * (worst + abs(worst)) for sign, worst in zip(signs, self._worst or signs, strict=True)]
        for outcome in outcomes:
            self._tell_outcome(outcome, worse)

    def _tell_outcome(self, outcome: Outcome, diverged_scores: list[float]) -> None:
        """Tell the study of one trial; `diverged_scores` is told of what diverged."""
        trial, diverged = self._asked.pop(outcome.number), outcome.state == "diverged"
        sampler, several = self._config.study.sampler, len(self._study.directions) > 1
        limits = (
            dict.fromkeys(self._config.study.constraints, DIVERGED_VIOLATION) if diverged else dict(outcome.violations)
        )
        if several or sampler == "nsga2":
            limits["diverged"] = DIVERGED_VIOLATION if diverged else 0.0
        for name, limit in limits.items():
            trial.set_constraint(name, limit)
        won = outcome.state == "complete" and outcome.lost_rung is None
        if won or several or sampler in ("nsga2", "cmaes", "gp"):
            self._study.tell(trial, list(outcome.scores) or diverged_scores)
            return
        reached = outcome.lost_rung or max(outcome.intermediate, default=1)
        trial.report(*((math.nan, 1) if diverged else (outcome.scores[0], reached)))
        self._study.tell(trial, state=TrialState.PRUNED)

    def _fixed_values(self, number: int) -> Setting:
        """The values that are not the sampler's to choose."""
        if number < len(self._known):
            return self._known[number]
        return _sobol_point(self._config, self._space, number) if self._config.study.sampler == "quasi_random" else {}

    def _ask_trial(self, number: int, fixed_values: Setting, sampler: BaseSampler) -> Setting:
        if fixed_values:
            self._study.enqueue_trial(fixed_values)
        self._study.sampler = sampler
        trial = self._study.ask()
        assert trial.number == number
        self._asked[number] = trial
        values: Setting = {}
        for name, parameter in spaces.sort_parameters(self._config):
            if parameter.is_active(values):
                values[name] = _suggest_value(trial, name, self._space[name])
        return values

    def _build_sampler(self, number: int) -> BaseSampler:
        """A sampler for one trial, seeded by its number: no random state is stored, so there is none to lose."""
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
                    return GPSampler(seed=seed)
                case "tpe":
                    # every default that Optuna 5 changed is set by name
                    return TPESampler(
                        n_startup_trials=10,
                        n_ei_candidates=24,
                        multivariate=True,
                        group=True,
                        constant_liar=True,
                        seed=seed,
                    )


def _suggest_value(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    suggest = trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
    return suggest(name, distribution.low, distribution.high, log=distribution.log)  # type: ignore[attr-defined]


def _sobol_point(config: Config, space: dict[str, BaseDistribution], number: int) -> Setting:
    """Point `number` of one scrambled Sobol sequence over the whole space, choices and conditional parameters too.

    Optuna's own sampler counts its points in the study, so a study that is played again would begin from the first.
    """
    if not space:
        return {}
    sequence = qmc.Sobol(len(space), scramble=True, rng=rng.derive_seed(config.seed, "sampler"))
    if number:
        sequence.fast_forward(number)
    return {
        name: _value_at_share(space[name], share)
        for name, share in zip(space, sequence.random(1)[0].tolist(), strict=True)
    }


def _value_at_share(distribution: BaseDistribution, share: float) -> Any:
    """The value that lies at a share, 0 <= share < 1, of a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    whole = isinstance(distribution, IntDistribution)
    low, high = float(distribution.low), float(distribution.high)  # type: ignore[attr-defined]
    first, last = (low - 0.5, high + 0.5) if whole else (low, high)  # each whole number has a width of 1
    log = distribution.log  # type: ignore[attr-defined]
    value = math.exp(math.log(first) + share * math.log(last / first)) if log else first + share * (last - first)
    inside = min(max(round(value) if whole else value, low), high)
    return int(inside) if whole else inside
