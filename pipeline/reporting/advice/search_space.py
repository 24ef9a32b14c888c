"""What to search next: the only place that moves ends of ranges and drops choices."""

from thalweg.reporting.advice import next_space, space_yaml
from thalweg.reporting.analysis import good_region, separation
from thalweg.reporting.analysis.pareto_growth import is_search_gaining, list_objectives
from thalweg.reporting.finding import Step
from thalweg.reporting.sentences import refer_to_section
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_choices, format_code, format_number, join_items

MAX_NAMED_PARAMETERS = 4  # in one sentence
CLIP_ADVICE = "set `optimizer.clip` or lengthen `schedule.warmup`"


def advise_search(tables: StudyTables) -> Step:
    """Advise what to search next, in the same words for all sections; '' if the space stays as it is."""
    searches, fixed, kept = list[str](), list[str](), list[str]()
    for old, step in zip(tables.parameters, next_space.build_next_space(tables), strict=True):
        new, code = step.searched, format_code(old.name)
        if step.fixed is not None or (len(new.choices) == 1 and new.choices != old.choices):
            settled = kept if step.reason in (next_space.OTHERS_WORSE, next_space.OTHERS_NO_BETTER) else fixed
            settled.append(f"{code} at {format_number(step.remaining_values[0])}")
        elif new.is_range and next_space.find_moved_ends(tables, old.name):
            was = f"{format_number(old.low)} to {format_number(old.high)}"
            searches.append(f"{code} from {format_number(new.low)} to {format_number(new.high)} (so far {was})")
        elif new.choices != old.choices:
            searches.append(f"{code} with {join_items(format_choices(new.choices))}")
    actions = [f"search {join_items(searches, MAX_NAMED_PARAMETERS)}"] if searches else []
    for verb, settings in (("keep", kept), ("fix", fixed)):
        actions += [f"{verb} {join_items(settings, MAX_NAMED_PARAMETERS)}"] if settings else []
    if not actions:
        return Step("")
    is_waiting = is_search_gaining(tables) and not next_space.has_widened_range(tables)
    start = "Once the search stops improving" if is_waiting else "Next"
    start += f", for {tables.objective_label} alone" if len(list_objectives(tables)) > 1 else ""
    advice = f"{start}, {', '.join(actions[:-1])}{', and ' if actions[1:] else ''}{actions[-1]}."
    for name, (ours, others) in next_space.find_shifted_thirds(tables).items():
        ends = [f"{format_number(low, 2)} to {format_number(high, 2)}" for low, high in (ours, others)]
        best = f"{format_code(name)} is best from {ends[0]}; over all trials, from {ends[1]}"
        advice += f" With the choices that are kept, {best}."
    for name, choice in next_space.find_dropped_favourites(tables).items():
        advice += f" On average {format_code(name)} is best at {choice}, but no good trial has it."
    patch = space_yaml.build_space_patch(tables, next_space.build_next_space(tables))
    reference = f" {refer_to_section('Parameters', 'this space, ready to paste')}" if patch else ""
    return Step(advice + reference, patch)


def advise_lost_trials(tables: StudyTables, edge: separation.Separation) -> Step:
    """Advise on trials that are lost beyond an edge: a space without them, or else a way to save them."""
    end = "high" if edge.is_high else "low"
    names = (separation.LEARNING_RATE, separation.MOMENTUM) if edge.name == separation.EFFECTIVE_RATE else (edge.name,)
    if edge.is_of_choice:
        return _advise_lost_choice(tables, edge)
    if any(next_space.find_moved_ends(tables, name).get(end) == "in" for name in names):
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
        return Step(f"To save trials with {beyond}, {CLIP_ADVICE}: {reason}.")
    return advise_search(tables)


def _advise_lost_choice(tables: StudyTables, edge: separation.Separation) -> Step:
    """Advise on trials that are lost beyond an edge with one choice: search without it, or save them."""
    choice = edge.choice
    steps = [
        step for step in next_space.build_next_space(tables) if choice is not None and step.searched.name == choice.name
    ]
    is_kept = any(choice.label in format_choices(step.remaining_values) for step in steps if choice is not None)
    if choice is None or not is_kept or not edge.is_high:
        return advise_search(tables)
    beyond = f"{format_code(edge.name)} above {format_number(edge.threshold, 2)}"
    return Step(f"To save trials {choice.describe_place()} and {beyond}, {CLIP_ADVICE}: other values train there.")


def advise_lost_seeds(candidate: str) -> Step:
    """Advise on seeds on which a candidate fails."""
    return Step(f"To save the seeds on which {candidate} fails, {CLIP_ADVICE}. Then confirm again.")


def _is_rate_searched(tables: StudyTables) -> bool:
    return any(parameter.name == separation.LEARNING_RATE for parameter in tables.parameters)


def advise_all_diverged(tables: StudyTables) -> Step:
    """Advise what to do if every trial diverged."""
    if _is_rate_searched(tables):
        return Step(f"Lower both ends of `{separation.LEARNING_RATE}` in `study.space`, or {CLIP_ADVICE}.")
    return Step(f"Lower `{separation.LEARNING_RATE}`, or {CLIP_ADVICE}.")


def advise_other_search(tables: StudyTables) -> Step:
    """Advise where to search if no searched parameter makes a difference."""
    narrower = any(
        "in" in next_space.find_moved_ends(tables, parameter.name).values() for parameter in tables.parameters
    )
    return Step("Search other settings." if narrower else "Search wider ranges, or other settings.")


def advise_unexplained_losses(tables: StudyTables, failure: str) -> Step:
    """Advise on trials that `failure`, if no searched parameter explains which; a next space sets the ranges."""
    lower = "search lower learning rates, " if _is_rate_searched(tables) else f"lower `{separation.LEARNING_RATE}`, "
    lower = "" if _is_rate_searched(tables) and advise_search(tables) else lower
    return Step(f"To save trials that {failure}, {lower}{CLIP_ADVICE}.")


def advise_rate_range(tables: StudyTables, is_too_high: bool) -> Step:
    """Advise on the learning rate if it is too high (or too low) for most trials."""
    end, verb = ("low", "Lower") if is_too_high else ("high", "Raise")
    if not _is_rate_searched(tables):
        return Step(f"{verb} `{separation.LEARNING_RATE}`, or search it.")
    moved = next_space.find_moved_ends(tables, separation.LEARNING_RATE)
    is_moved = moved.get(end) == "out" or moved.get("high" if is_too_high else "low") == "in"
    return advise_search(tables) if is_moved else Step("")


def advise_higher_rate(tables: StudyTables) -> Step:
    """Advise a higher learning rate, as the curvature allows it; if the rate was searched, the search decides."""
    if _is_rate_searched(tables):
        return Step("")
    return Step(f"Search `{separation.LEARNING_RATE}` above {format_number(tables.setting(separation.LEARNING_RATE))}.")
