"""The space to search next: what findings leave of each range and of each choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from thalweg.reporting.analysis import failure_bounds, failure_regions, good_region, separation
from thalweg.reporting.analysis.importance import find_thirds, rank_importances
from thalweg.reporting.analysis.isolation import group_trials_by_value, list_scientific
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict, judge_parameter
from thalweg.reporting.analysis.trial_spread import compare_with_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import choice_key, format_choices, is_missing
from thalweg.stats.level_measures import divide_range

ALL_GOOD_HAVE_IT = "all good trials have it"
OTHERS_WORSE, OTHERS_NO_BETTER = "the others are worse", "the others are worse or no better"


@dataclass(frozen=True)
class NextParameter:
    """A parameter of the next search: with its range or choices, or `fixed` at a value, and the reason."""

    searched: SearchedParameter
    fixed: Any = None
    reason: str = "the only choice"

    @property
    def remaining_values(self) -> tuple[Any, ...]:
        """The values it can still have; none for a range."""
        return self.searched.choices if self.fixed is None else (self.fixed,)

    @property
    def trial_values(self) -> SearchedParameter:
        """The values of a trial that lies in the space; a fixed range allows all, because it mattered little."""
        return self.searched if self.searched.is_range else replace(self.searched, choices=self.remaining_values)


def is_region_known(tables: StudyTables) -> bool:
    """Return whether the good region is known: enough trials, which differ by more than seeds explain."""
    is_clear = compare_with_noise(tables) not in ("alike", "unclear")
    return len(tables.ranked) >= good_region.MIN_COMPLETE_TRIALS and is_clear


@cache_per_study
def keep_choices(tables: StudyTables) -> StudyTables:
    """Return the study of the trials alone whose choices are searched next; the others say nothing about its ranges.

    A choice that is fixed because it mattered little drops no trial.
    """
    scientific = list_scientific(tables)
    choices = [parameter for parameter in tables.parameters if not parameter.is_range]
    steps = [_keep_undefeated(tables, parameter) for parameter in choices if parameter in scientific]
    nuisance = [_narrow_nuisance_choices(tables, parameter) for parameter in choices if parameter not in scientific]
    return _restrict_trials(tables, [*steps, *(step for step in nuisance if step.fixed is None)])


def _restrict_trials(tables: StudyTables, steps: Sequence[NextParameter]) -> StudyTables:
    """Return the study with the trials alone that lie in a space; itself if all do, so that its caches serve."""
    if tables.trials.empty:
        return tables
    is_inside = good_region.is_inside_space(tables.trials, [step.trial_values for step in steps])
    if is_inside.all():
        return tables
    trials = tables.trials[is_inside].reset_index(drop=True)
    curves, verdicts = (
        table[table["trial"].isin(trials["number"])] if len(table) else table
        for table in (tables.curves, tables.verdicts)
    )
    summary = replace(tables.summary, questions=())  # they compare levels of the whole study
    return replace(tables, trials=trials, curves=curves, verdicts=verdicts, summary=summary)


@cache_per_study
def build_next_space(tables: StudyTables) -> tuple[NextParameter, ...]:
    """Return the searched parameters as they should be searched next, in their order.

    - A range covers the good trials that have the scientific values of this space, and the third that is best on
      average. It passes an end where the best crowd, and stops where trials are lost. If good trials are unknown, only
      the last two apply. Trials whose choices this space drops count for nothing of this.
    - Choices keep those of good trials.
    - A scientific parameter keeps all but the surely worse values, a range its thirds but for those at an end. A range
      may still pass an end that it keeps.
    - A parameter that makes no difference is `fixed` at the winner's value.
    """
    scientific = list_scientific(tables)
    return tuple(
        _narrow_scientific(tables, parameter) if parameter in scientific else _narrow_nuisance(tables, parameter)
        for parameter in tables.parameters
    )


def _narrow_scientific(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    """Narrow a scientific parameter to what its verdict leaves; a range moves ends that the verdict leaves alone."""
    step = _keep_undefeated(tables, parameter)
    if not parameter.is_range or step.fixed is not None:
        return step
    kept, end = step.searched, find_widened_end(tables, parameter)
    grown = good_region.narrow_parameter(
        parameter,
        tables.trials.iloc[:0],
        is_important=False,
        widened_end=end,
        failure_bounds=failure_bounds.find_failure_bounds(keep_choices(tables), parameter.name),
    )
    low = grown.low if kept.low == parameter.low else max(kept.low, grown.low)
    high = grown.high if kept.high == parameter.high else min(kept.high, grown.high)
    return replace(step, searched=replace(kept, low=low, high=high) if low < high else kept)


@cache_per_study
def select_space_trials(tables: StudyTables) -> pd.DataFrame:
    """Return the good trials that have the scientific values of the next space; all if fewer than five have them.

    A learning rate that is good with a dropped loss may be too high for the one that stays. So the good trials are the
    best of the choices that stay, if these have enough trials.
    """
    kept = _restrict_trials(tables, [_keep_undefeated(tables, p) for p in list_scientific(tables) if not p.is_range])
    has_enough = len(kept.ranked) >= good_region.MIN_COMPLETE_TRIALS
    good_trials = good_region.select_good_trials(kept if has_enough else tables)
    values = [_keep_undefeated(tables, parameter).trial_values for parameter in list_scientific(tables)]
    fitting: pd.DataFrame = good_trials[good_region.is_inside_space(good_trials, values)]
    return fitting if len(fitting) >= good_region.MIN_BEST_TRIALS else good_trials


def _keep_undefeated(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    """Keep the values that the verdict on a scientific parameter leaves; one of them if it makes no difference."""
    verdict = judge_parameter(tables, parameter)
    if verdict is None:
        return NextParameter(parameter)
    if verdict.equal_values:
        reason = OTHERS_NO_BETTER if verdict.worse_values else "it makes no difference"
        return NextParameter(parameter, _choose_equal_value(tables, parameter, verdict), reason)
    if parameter.is_range:
        ends = divide_range(parameter.low, parameter.high, parameter.log, parameter.whole)
        groups = zip(group_trials_by_value(tables, parameter), ends, strict=True)
        kept = [level for group, level in groups if group.label not in verdict.worse_values]
        return NextParameter(replace(parameter, low=kept[0][0], high=kept[-1][1]), reason=OTHERS_WORSE)
    choices = dict(zip(format_choices(parameter.choices), parameter.choices, strict=True))
    remaining = tuple(choice for label, choice in choices.items() if label not in verdict.worse_values)
    return NextParameter(replace(parameter, choices=remaining), reason=OTHERS_WORSE)


def _choose_equal_value(tables: StudyTables, parameter: SearchedParameter, verdict: ScientificVerdict) -> Any:
    """Choose the winner's value if it is among the equal ones, else that of the leader's trial."""
    if not parameter.is_range:
        winner_value = _get_winner_value(tables, parameter.name)
        choices = dict(zip(format_choices(parameter.choices), parameter.choices, strict=True))
        equal = [choices[label] for label in verdict.equal_values]
        return winner_value if choice_key(winner_value) in map(choice_key, equal) else equal[0]
    groups = {group.label: group for group in group_trials_by_value(tables, parameter)}
    leader, *others = (groups[label].trials.set_index("number")[parameter.name] for label in verdict.equal_values)
    values = pd.concat([leader, *others])
    return values[tables.winner if tables.winner in values else groups[verdict.equal_values[0]].best_trial]


def _narrow_nuisance(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    if not parameter.is_range:
        return _narrow_nuisance_choices(tables, parameter)
    name, end, kept = parameter.name, find_widened_end(tables, parameter), keep_choices(tables)
    if not end and all(name in list_minor_parameters(study) for study in (tables, kept)):
        return _fix_minor(tables, parameter)
    bounds = failure_bounds.find_failure_bounds(kept, name)
    is_important = any(name in list_important_parameters(study) for study in (kept, tables))
    narrowed = good_region.narrow_parameter(parameter, _select_known_good(tables), is_important, end, bounds)
    level = next(filter(None, (_find_best_third(study, parameter) for study in (kept, tables))), None)
    return NextParameter(_include_third(level, narrowed, bounds) if level else narrowed)


def _narrow_nuisance_choices(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    if parameter.name in list_minor_parameters(tables):
        return _fix_minor(tables, parameter)
    is_important = parameter.name in list_important_parameters(tables)
    narrowed = good_region.narrow_parameter(parameter, _select_known_good(tables), is_important)
    is_narrowed = narrowed.choices != parameter.choices
    return NextParameter(narrowed, reason=ALL_GOOD_HAVE_IT) if is_narrowed else NextParameter(parameter)


def _fix_minor(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    return NextParameter(parameter, _get_winner_value(tables, parameter.name), "the winner's value; it mattered little")


def _select_known_good(tables: StudyTables) -> pd.DataFrame:
    """Return the good trials of the next space; none if the good region is not known."""
    return select_space_trials(tables) if is_region_known(tables) else tables.trials.iloc[:0]


def _find_best_third(tables: StudyTables, parameter: SearchedParameter) -> tuple[float, float] | None:
    """Find the ends of the third of a range with the best mean; None if the parameter does not surely matter."""
    ranking = rank_importances(tables)
    levels = {one.name: one.best_level for one in ranking.important_parameters} if ranking else {}
    level = levels.get(parameter.name)
    return None if level is None else find_thirds(parameter)[level]


def find_shifted_thirds(tables: StudyTables) -> dict[str, tuple[tuple[float, float], tuple[float, float]]]:
    """Find ranges whose best third is another one with the choices that are kept: that one, and that of all trials."""
    kept = keep_choices(tables)
    thirds = {
        parameter.name: (_find_best_third(kept, parameter), _find_best_third(tables, parameter))
        for parameter in tables.parameters
        if parameter.is_range and kept is not tables
    }
    return {name: (ours, all_) for name, (ours, all_) in thirds.items() if ours and all_ and ours != all_}


def find_dropped_favourites(tables: StudyTables) -> dict[str, str]:
    """Find the choices that are best on average and dropped, because no good trial has them, by setting."""
    ranking = rank_importances(tables)
    best = {one.name: one.best for one in ranking.important_parameters} if ranking else {}
    return {
        step.searched.name: best[step.searched.name]
        for step in build_next_space(tables)
        if step.reason == ALL_GOOD_HAVE_IT and step.searched.name in best
        if best[step.searched.name] not in format_choices(step.remaining_values)
    }


def _include_third(
    third: tuple[float, float], narrowed: SearchedParameter, bounds: Mapping[str, float]
) -> SearchedParameter:
    """Extend a narrowed range to the third with the best mean, but not to values at which training fails.

    Good trials have good values of the other settings, too, which may ask for other values of this one. While both are
    searched, neither region is known to be worse.
    """
    low, high = third
    return replace(
        narrowed,
        low=min(narrowed.low, max([low, *_list_bound(bounds, "low")])),
        high=max(narrowed.high, min([high, *_list_bound(bounds, "high")])),
    )


def _list_bound(bounds: Mapping[str, float], end: str) -> list[float]:
    """List the bound at an end, exactly and with the two digits that the report gives it: a range passes neither."""
    return [bounds[end], float(f"{bounds[end]:.2g}")] if end in bounds else []


def list_important_parameters(tables: StudyTables) -> list[str]:
    """List the parameters that surely mattered."""
    ranking = rank_importances(tables)
    return [importance.name for importance in ranking.important_parameters] if ranking else []


def list_minor_parameters(tables: StudyTables) -> list[str]:
    """List parameters that mattered too little to search on: nuisance ones that the winner has."""
    ranking, scientific = rank_importances(tables), {parameter.name for parameter in list_scientific(tables)}
    if ranking is None or not ranking.important_parameters:
        return []
    minor = [importance.name for importance in ranking.unimportant_parameters if importance.is_minor]
    return [name for name in minor if name not in scientific and not is_missing(_get_winner_value(tables, name))]


def _get_winner_value(tables: StudyTables, name: str) -> Any:
    return next(iter(tables.trials.loc[tables.trials["number"] == tables.winner, name]), None)


def find_widened_end(tables: StudyTables, parameter: SearchedParameter) -> str:
    """Return the end to widen: where the best crowd, or else where most rates should move; or ''.

    A range does not grow where trials fail. A rate does not rise if the winner already fails on a seed. It does not
    move to a half without any good trial, if good trials are known.
    """
    kept = keep_choices(tables)
    end = good_region.find_crowded_end(kept, parameter)
    if not end and parameter.name == separation.LEARNING_RATE:
        end = failure_regions.find_rate_bias(kept)
        positions = parameter.relative_position(select_space_trials(tables)[separation.LEARNING_RATE].dropna())
        if end and is_region_known(tables) and not (positions < 0.5 if end == "low" else positions > 0.5).any():
            return ""
    is_failing = failure_bounds.is_too_fast(tables, parameter.name, end)
    if end and (is_failing or failure_bounds.is_failing_near(kept, parameter, end)):
        return ""
    return end


@cache_per_study
def find_moved_ends(tables: StudyTables, name: str) -> dict[str, str]:
    """Return, by end of a range, whether the next search moves it `out` or `in`; ends that stay have no entry."""
    old = next((parameter for parameter in tables.parameters if parameter.name == name and parameter.is_range), None)
    steps = (step for step in build_next_space(tables) if step.searched.name == name and step.fixed is None)
    new = next((step.searched for step in steps), None)
    if old is None or new is None:
        return {}
    growth = {"low": old.low - new.low, "high": new.high - old.high}
    return {end: "out" if change > 0 else "in" for end, change in growth.items() if change}


def has_widened_range(tables: StudyTables) -> bool:
    """Return whether the next search extends some range beyond its end."""
    return any("out" in find_moved_ends(tables, parameter.name).values() for parameter in tables.parameters)
