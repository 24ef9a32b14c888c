"""What to search next: the only place that moves ends of ranges and drops choices."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from thalweg.config.levels import divide_range
from thalweg.reporting.analysis import failure_bounds, failure_regions, good_region, separation
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.isolation import group_trials_by_value, list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict, judge_parameter
from thalweg.reporting.analysis.trial_spread import compare_with_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sentences import refer_to_section
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import choice_key, format_choices, format_code, format_number, is_missing, join_items

MAX_NAMED_PARAMETERS = 4  # in one sentence
OTHERS_WORSE, OTHERS_NO_BETTER = "the others are worse", "the others are worse or no better"
CLIP_ADVICE = "set `optimizer.clip` or lengthen `schedule.warmup`"


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
def build_next_space(tables: StudyTables) -> tuple[NextParameter, ...]:
    """Return the searched parameters as they should be searched next, in their order.

    - A range covers the good trials that have the scientific values of this space. It passes an end where the best
      crowd, and stops where trials are lost. If good trials are unknown, only the last two apply.
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
        failure_bounds=failure_bounds.find_failure_bounds(tables, parameter.name),
    )
    low = grown.low if kept.low == parameter.low else max(kept.low, grown.low)
    high = grown.high if kept.high == parameter.high else min(kept.high, grown.high)
    return replace(step, searched=replace(kept, low=low, high=high) if low < high else kept)


@cache_per_study
def select_space_trials(tables: StudyTables) -> pd.DataFrame:
    """Return the good trials that have the scientific values of the next space; all if fewer than five have them.

    A learning rate that is good with a dropped loss may be too high for the one that stays.
    """
    good_trials = good_region.select_good_trials(tables)
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
    name, end = parameter.name, find_widened_end(tables, parameter) if parameter.is_range else ""
    if not end and name in list_minor_parameters(tables):
        return NextParameter(parameter, _get_winner_value(tables, name), "the winner's value; it mattered little")
    good_trials = select_space_trials(tables) if is_region_known(tables) else tables.trials.iloc[:0]
    is_important = name in list_important_parameters(tables)
    bounds = failure_bounds.find_failure_bounds(tables, name)
    narrowed = good_region.narrow_parameter(parameter, good_trials, is_important, end, bounds)
    return NextParameter(narrowed) if parameter.is_range else NextParameter(narrowed, reason="all good trials have it")


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
    end = good_region.find_crowded_end(tables, parameter)
    if not end and parameter.name == separation.LEARNING_RATE:
        end = failure_regions.find_rate_bias(tables)
        positions = parameter.relative_position(select_space_trials(tables)[separation.LEARNING_RATE].dropna())
        if end and is_region_known(tables) and not (positions < 0.5 if end == "low" else positions > 0.5).any():
            return ""
    is_failing = failure_bounds.is_too_fast(tables, parameter.name, end)
    if end and (is_failing or failure_bounds.is_failing_near(tables, parameter, end)):
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


def advise_search(tables: StudyTables) -> str:
    """Advise what to search next, in the same words for all sections; '' if the space stays as it is."""
    searches, fixed, kept = list[str](), list[str](), list[str]()
    for old, step in zip(tables.parameters, build_next_space(tables), strict=True):
        new, code = step.searched, format_code(old.name)
        if step.fixed is not None or (len(new.choices) == 1 and new.choices != old.choices):
            settled = kept if step.reason in (OTHERS_WORSE, OTHERS_NO_BETTER) else fixed
            settled.append(f"{code} at {format_number(step.remaining_values[0])}")
        elif new.is_range and find_moved_ends(tables, old.name):
            was = f"{format_number(old.low)} to {format_number(old.high)}"
            searches.append(f"{code} from {format_number(new.low)} to {format_number(new.high)} (so far {was})")
        elif new.choices != old.choices:
            searches.append(f"{code} with {join_items(format_choices(new.choices))}")
    actions = [f"search {join_items(searches, MAX_NAMED_PARAMETERS)}"] if searches else []
    for verb, settings in (("keep", kept), ("fix", fixed)):
        actions += [f"{verb} {join_items(settings, MAX_NAMED_PARAMETERS)}"] if settings else []
    if not actions:
        return ""
    is_waiting = is_search_gaining(tables) and not has_widened_range(tables)
    start = "Once the search stops improving" if is_waiting else "Next"
    reference = refer_to_section("Parameters", "this space, ready to paste")
    return f"{start}, {', '.join(actions[:-1])}{', and ' if actions[1:] else ''}{actions[-1]}. {reference}"


def advise_lost_trials(tables: StudyTables, edge: separation.Separation) -> str:
    """Advise on trials that are lost beyond an edge: a space without them, or else a way to save them."""
    end = "high" if edge.is_high else "low"
    names = (separation.LEARNING_RATE, separation.MOMENTUM) if edge.name == separation.EFFECTIVE_RATE else (edge.name,)
    if edge.is_of_choice:
        return _advise_lost_choice(tables, edge)
    if any(find_moved_ends(tables, name).get(end) == "in" for name in names):
        return advise_search(tables)
    effective = separation.list_quantities(tables)[edge.name].reindex(good_region.select_good_trials(tables)["number"])
    has_good = bool((effective > edge.threshold if edge.is_high else effective < edge.threshold).any())
    if (
        edge.is_high
        and set(names) <= {separation.LEARNING_RATE, separation.MOMENTUM}
        and (has_good or edge.name == separation.EFFECTIVE_RATE)
    ):
        reason = "some good trials lie there" if has_good else "no range of either number alone excludes them"
        beyond = f"{format_code(edge.name)} above {format_number(edge.threshold, 2)}"
        return f"To save trials with {beyond}, {CLIP_ADVICE}: {reason}."
    return advise_search(tables)


def _advise_lost_choice(tables: StudyTables, edge: separation.Separation) -> str:
    """Advise on trials that are lost beyond an edge with one choice: search without it, or save them."""
    choice = edge.choice
    steps = [step for step in build_next_space(tables) if choice is not None and step.searched.name == choice.name]
    is_kept = any(choice.label in format_choices(step.remaining_values) for step in steps if choice is not None)
    if choice is None or not is_kept or not edge.is_high:
        return advise_search(tables)
    beyond = f"{format_code(edge.name)} above {format_number(edge.threshold, 2)}"
    return f"To save trials {choice.describe_place()} and {beyond}, {CLIP_ADVICE}: other values train there."


def advise_lost_seeds(candidate: str) -> str:
    """Advise on seeds on which a candidate fails."""
    return f"To save the seeds on which {candidate} fails, {CLIP_ADVICE}. Then confirm again."


def _is_rate_searched(tables: StudyTables) -> bool:
    return any(parameter.name == separation.LEARNING_RATE for parameter in tables.parameters)


def advise_all_diverged(tables: StudyTables) -> str:
    """Advise what to do if every trial diverged."""
    if _is_rate_searched(tables):
        return f"Lower both ends of `{separation.LEARNING_RATE}` in `study.space`, or {CLIP_ADVICE}."
    return f"Lower `{separation.LEARNING_RATE}`, or {CLIP_ADVICE}."


def advise_other_search(tables: StudyTables) -> str:
    """Advise where to search if no searched parameter makes a difference."""
    narrower = any("in" in find_moved_ends(tables, parameter.name).values() for parameter in tables.parameters)
    return "Search other settings." if narrower else "Search wider ranges, or other settings."


def advise_unexplained_losses(tables: StudyTables, failure: str) -> str:
    """Advise on trials that `failure`, if no searched parameter explains which; a next space sets the ranges."""
    lower = "search lower learning rates, " if _is_rate_searched(tables) else f"lower `{separation.LEARNING_RATE}`, "
    lower = "" if _is_rate_searched(tables) and advise_search(tables) else lower
    return f"To save trials that {failure}, {lower}{CLIP_ADVICE}."


def advise_rate_range(tables: StudyTables, is_too_high: bool) -> str:
    """Advise on the learning rate if it is too high (or too low) for most trials."""
    end, verb = ("low", "Lower") if is_too_high else ("high", "Raise")
    if not _is_rate_searched(tables):
        return f"{verb} `{separation.LEARNING_RATE}`, or search it."
    moved = find_moved_ends(tables, separation.LEARNING_RATE)
    is_moved = moved.get(end) == "out" or moved.get("high" if is_too_high else "low") == "in"
    return advise_search(tables) if is_moved else ""


def advise_higher_rate(tables: StudyTables) -> str:
    """Advise a higher learning rate, as the curvature allows it; if the rate was searched, the search decides."""
    if _is_rate_searched(tables):
        return ""
    return f"Search `{separation.LEARNING_RATE}` above {format_number(tables.setting(separation.LEARNING_RATE))}."
