"""A sampler that gives each level of what a study asks about equally many trials, and tunes each level by itself.

What `when` switches off has no level in a trial: `thalweg.config.levels` says how such levels share the rest.
"""

from collections import Counter
from collections.abc import Sequence

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.levels import assign_levels, divide_parameter, list_scientific
from thalweg.config.spaces import Setting
from thalweg.core import rng
from thalweg.search.distributions import build_distributions
from thalweg.search.samplers import OptunaSampler, Sampler, compute_value_at, draw_sobol
from thalweg.search.tpe import STARTUP_TRIALS
from thalweg.search.trials import Outcome
from thalweg.stats.level_measures import MIN_LEVEL_TRIALS

LEVEL_START_TRIALS = MIN_LEVEL_TRIALS // 2
"""Trials of a level that are drawn before its sampler learns. A longer study begins as a shorter one does."""


def build_sampler(config: Config) -> Sampler:
    """Return the sampler of a study: balanced if the study asks about a parameter."""
    return BalancedSampler(config) if list_scientific(config) else OptunaSampler(config)


class BalancedSampler:
    """Proposes each trial for its assigned levels (`thalweg.config.levels`).

    With one scientific parameter each level has a sampler of its own, which learns from the level's trials only. All
    levels begin with the same points of a Sobol sequence over the other parameters. With several scientific parameters
    a level of one has all levels of the others in its trials, so one sampler tunes the other parameters for all of
    them; a scientific range is then drawn evenly within its third.
    """

    def __init__(self, config: Config) -> None:
        self._config, self._assigned = config, assign_levels(config)
        self._levels = {name: divide_parameter(parameter) for name, parameter in list_scientific(config)}
        self._initial = spaces.list_initial_settings(config)
        self._own = next(iter(self._levels)) if len(self._levels) == 1 else None
        self._spaces = [{self._own: level} for level in self._levels[self._own]] if self._own else [{}]
        self._start_count = LEVEL_START_TRIALS if self._own else STARTUP_TRIALS
        self._samplers = [OptunaSampler(config, space, self._start_count) for space in self._spaces]
        self._drawn_counts = Counter[int]()

    def ask(self, first: int, count: int) -> list[Setting]:
        """Propose values for trials `first` to `first + count - 1`."""
        return [
            self._samplers[self._find_index(number)].ask_trial(number, self._find_fixed_values(number))
            for number in range(first, first + count)
        ]

    def replay(self, first: int, proposals: list[Setting]) -> None:
        """Take the proposals of an earlier run in place of new ones."""
        for number, values in enumerate(proposals, first):
            fixed_values = self._find_fixed_values(number)
            self._samplers[self._find_index(number)].replay_trial(number, fixed_values, values)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Tell each level's sampler the outcomes of its trials."""
        for index, sampler in enumerate(self._samplers):
            sampler.tell([outcome for outcome in outcomes if self._find_index(outcome.number) == index])

    def _find_index(self, number: int) -> int:
        """Return the index of the sampler that proposes a trial."""
        return self._assigned[number][self._own] if self._own else 0

    def _find_fixed_values(self, number: int) -> Setting:
        """Return the values of a trial that its sampler does not choose."""
        drawn = {} if self._own else {name: self._draw_value(name, number) for name in self._assigned[number]}
        if number < len(self._initial):
            return drawn | self._initial[number]
        index = self._find_index(number)
        point, self._drawn_counts[index] = self._drawn_counts[index], self._drawn_counts[index] + 1
        sampler, is_start = self._config.study.sampler, point < self._start_count
        if sampler == "quasi_random" or (is_start and sampler in ("tpe", "gp")):
            return draw_sobol(self._config, build_distributions(self._config, self._spaces[index]), point) | drawn
        return drawn

    def _draw_value(self, name: str, number: int) -> object:
        """Draw a value of a trial's level, evenly over the level."""
        level = self._levels[name][self._assigned[number][name]]
        share = rng.derive_seed(self._config.seed, "level value", name, number) / 2**31
        return compute_value_at(build_distributions(self._config, {name: level})[name], share)
