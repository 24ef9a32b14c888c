"""Which trials are retrained on fresh seeds."""

from collections.abc import Sequence

from thalweg.artifacts.summary import RankedTrial
from thalweg.config.experiment import Config
from thalweg.config.levels import divide_parameter, group_by_level


def select_trials(config: Config, ranked: Sequence[RankedTrial]) -> list[RankedTrial]:
    """Return the trials to retrain; `ranked` are complete trials, best first.

    There is a place for the best trial, for each of `confirm.runners_up`, and for each further level of a scientific
    parameter (`confirm.questions`). The first two kinds go to the best trials, the third to the best trial of each
    level. Where that trial has a place already, the place goes to the next best trial.
    """
    first = 1 + config.confirm.runners_up
    questions = _list_level_trials(config, ranked)
    places = first + sum(len(trials) - 1 for trials in questions)
    numbers = {trial.number for trial in ranked[:first]}.union(*questions)
    rest = [trial.number for trial in ranked if trial.number not in numbers]
    numbers.update(rest[: max(0, places - len(numbers))])
    return [trial for trial in ranked if trial.number in numbers]


def count_places(config: Config) -> int:
    """Count the places for trials to retrain, of a study with complete trials of each level."""
    levels = [
        len(divide_parameter(parameter)) for parameter in config.study.space.values() if parameter.role == "scientific"
    ]
    return 1 + config.confirm.runners_up + (sum(levels) - len(levels) if config.confirm.questions else 0)


def _list_level_trials(config: Config, ranked: Sequence[RankedTrial]) -> list[set[int]]:
    """Return the best trial of each level of each scientific parameter; none if `confirm` answers no questions."""
    if not config.confirm.questions:
        return []
    groups = group_by_level(config, {trial.number: trial.params for trial in ranked})
    best = [{trials[0] for trials in levels.values() if trials} for levels in groups.values()]
    return [trials for trials in best if trials]
