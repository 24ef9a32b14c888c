"""Advice on the number of trials."""

import math

from thalweg.reporting.advice.settings import format_settings
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.finding import Step
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code


def advise_continuation(tables: StudyTables, at_least: int = 0) -> Step:
    """Advise to go on with the search in the same space, to twice its trials or more."""
    stop = tables.summary.study.stop
    if stop:
        return Step(f"Continue the search: loosen `study.stop.{stop['reason']}` and start again.")
    command = f"thalweg study --trials {max(2 * (len(tables.trials) + tables.repeat_count), at_least)}"
    return Step(f"Continue the search: `{command}`.", commands=[command])


def advise_level_trials(tables: StudyTables, parameter: SearchedParameter, level_trials: int) -> Step:
    """Advise as many trials as give each value of a scientific parameter `level_trials` of them.

    Of a parameter that not all trials use, only the expected number is known: as large a share as so far.
    """
    groups = group_trials_by_value(tables, parameter)
    name, levels = format_code(parameter.name), len(groups)
    if tables.setting("study.sampler") == "grid":
        return Step(f"Raise `points` of the other settings, so that each value of {name} has {level_trials} trials.")
    cohort = int(tables.setting("study.cohort", 1))
    share = max(1, sum(len(group.costs) for group in groups)) / len(tables.trials) if parameter.when else 1.0
    needed = math.ceil(level_trials * levels / share)
    total = -(-(needed if needed > len(tables.trials) else 2 * len(tables.trials)) // cohort) * cohort
    each = int(total * share) // levels
    gets = f"about {each} trials" if parameter.when else f"{each} trials or more"
    patch = {"study.trials": total}
    return Step(f"Set {format_settings(patch)}: each value of {name} then gets {gets}.", patch)
