"""Who proposes: Optuna's samplers, asked so that the same history always gives the same proposal."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.stats import qmc

from pipeline import keys
from pipeline.config import Config
from pipeline.search import spaces
from pipeline.search.spaces import Values

# samplers warn of parameters that they draw independently, which is what a condition asks of them
optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Outcome:
    """A finished trial: its value (the objective; None if it diverged) and the objective at each validation's epoch."""

    number: int
    values: Values
    value: float | None
    intermediate: dict[int, float]


def direction(config: Config) -> StudyDirection:
    """Which way the objective is better, in Optuna's words."""
    minimise = config.task.METRICS[config.study.objective] == "min"
    return StudyDirection.MINIMIZE if minimise else StudyDirection.MAXIMIZE


class Proposer:
    """An Optuna study in memory that learns outcomes in order of their number and proposes the next ones."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._study = optuna.create_study(direction=direction(config), pruner=optuna.pruners.NopPruner())
        self._space = spaces.distributions(config)
        self._first = spaces.baseline(config)
        self._asked: dict[int, optuna.Trial] = {}

    def propose(self, first: int, count: int) -> list[Values]:
        """Values for trials `first` to `first + count - 1`; number 0 is the file's own, where they lie in the space."""
        return [self._ask(number) for number in range(first, first + count)]

    def learn(self, outcome: Outcome) -> None:
        """Take in a result, of a trial proposed here or in an earlier life."""
        trial = self._asked.pop(outcome.number, None)
        frozen = as_trial(outcome, self._space)
        if trial is None:
            self._study.add_trial(frozen)
            return
        for step, value in frozen.intermediate_values.items():
            trial.report(value, step)
        self._study.tell(trial, frozen.value, frozen.state)

    def _ask(self, number: int) -> Values:
        if number == 0 and self._first is not None:
            self._study.enqueue_trial(self._first)
        elif self._config.study.sampler == "quasi_random":
            self._study.enqueue_trial(_point(self._config, self._space, number))
        # the sampler's random state is stored nowhere: a fresh one a trial, seeded by its number, has none to lose
        self._study.sampler = _sampler(self._config, number)
        trial = self._study.ask()
        assert trial.number == number
        self._asked[number] = trial
        values: Values = {}
        for name, parameter in spaces.ordered(self._config):
            if parameter.active(values):
                values[name] = _suggest(trial, name, self._space[name])
        return values


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    suggest = trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
    return suggest(name, distribution.low, distribution.high, log=distribution.log)  # type: ignore[attr-defined]


def _sampler(config: Config, number: int) -> BaseSampler:
    seed = keys.number(config.seed, "sampler", number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match config.study.sampler:
            case "random" | "quasi_random":
                return RandomSampler(seed=seed)
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


def _point(config: Config, space: dict[str, BaseDistribution], number: int) -> Values:
    """Point `number` of one scrambled Sobol sequence over the whole space, choices and conditional parameters too.

    Optuna's own sampler counts its points in the study, so a study that is played again would begin from the first.
    """
    if not space:
        return {}
    sequence = qmc.Sobol(len(space), scramble=True, rng=keys.number(config.seed, "sampler"))
    if number:
        sequence.fast_forward(number)
    return {name: _at(space[name], share) for name, share in zip(space, sequence.random(1)[0].tolist(), strict=True)}


def _at(distribution: BaseDistribution, share: float) -> Any:
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


def as_trial(outcome: Outcome, space: dict[str, BaseDistribution]) -> FrozenTrial:
    """A finished trial in Optuna's form.

    A diverged one is told as pruned at the first validation with NaN, which ranks as the worst there is; told as
    failed it would be ignored, and the region proposed again.
    """
    diverged = outcome.value is None
    return create_trial(
        state=TrialState.PRUNED if diverged else TrialState.COMPLETE,
        value=outcome.value,
        params=outcome.values,
        distributions={name: space[name] for name in outcome.values},
        intermediate_values={min(outcome.intermediate, default=1): math.nan} if diverged else outcome.intermediate,
    )
